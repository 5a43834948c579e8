"""Which build of ONNX Runtime would compute on what this computer has. Light: reads what the system says.

Each build is a package of its own that takes the place of the standard one; see https://onnxruntime.ai/docs/install/
and the packages' pages. AMD's ROCm provider ended with 1.22: MIGraphX took its place.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from . import hardware

_PCI = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}  # https://pcisig.com/membership/member-companies


class Parts(NamedTuple):
    """``system`` and ``machine`` as ``platform`` calls them; makers of the ``graphics`` and of the ``processor``."""

    system: str
    machine: str
    graphics: frozenset[str]
    processor: str


class Build(NamedTuple):
    """``package`` to install, for what ``has``: a part of this computer."""

    package: str
    provider: str
    has: str

    @property
    def command(self) -> str:
        package = f'"{self.package}"' if "[" in self.package else self.package
        return f"pip install {package}"


_NVIDIA = Build("onnxruntime-gpu[cuda,cudnn]", "CUDAExecutionProvider", "an NVIDIA card")
_WINDOWS = Build("onnxruntime-directml", "DmlExecutionProvider", "a graphics card")
_AMD = Build("onnxruntime-migraphx", "MIGraphXExecutionProvider", "an AMD card")
_INTEL = Build("onnxruntime-openvino", "OpenVINOExecutionProvider", "an Intel processor or graphics")


def parts() -> Parts:
    """What this computer has."""
    graphics = {maker for path in Path("/sys/class/drm").glob("card*/device/vendor") if (maker := _maker(path))}
    if hardware.cards():
        graphics.add("nvidia")
    return Parts(platform.system(), platform.machine().lower(), frozenset(graphics), _processor())


def faster(computer: Parts, providers: Iterable[str]) -> Build | None:
    """The build to install; None where the installed one, which offers ``providers``, is as fast as any here.

    Apple's Core ML is in the standard build.
    """
    if computer.machine not in ("x86_64", "amd64") or computer.system not in ("Linux", "Windows"):
        return None
    if "nvidia" in computer.graphics:
        best = _NVIDIA
    elif computer.system == "Windows":
        best = _WINDOWS
    elif "amd" in computer.graphics:
        best = _AMD
    elif "intel" in (*computer.graphics, computer.processor):
        best = _INTEL
    else:
        return None
    return None if best.provider in set(providers) else best


def _maker(path: Path) -> str:
    try:
        return _PCI.get(path.read_text(encoding="ascii").strip(), "")
    except (OSError, ValueError):
        return ""


def _processor() -> str:
    """Its maker: "intel", "amd", or what the system calls it."""
    told = platform.processor()
    try:
        told += Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    known = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}
    return next((maker for name, maker in known.items() if name in told), told[:40])
