"""The devices that ONNX Runtime computes on: which its build offers, which really work, and how each is set up.

https://onnxruntime.ai/docs/execution-providers/ describes the providers and their options.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from maskwright_protocol.language import tr

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
# A model that adds its input x, float32 ``(1, 1, 2, 2)``, to itself.
_DOUBLING = (
    b'\x08\x08:M\n\x0e\n\x01x\n\x01x\x12\x01y"\x03AddZ\x1b\n\x01x\x12\x16\n\x14\x08\x01\x12\x10'
    b"\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x02\n\x02\x08\x02b\x1b\n\x01y\x12\x16\n\x14\x08\x01"
    b"\x12\x10\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x02\n\x02\x08\x02\x12\x01gB\x02\x10\r"
)


class Provider(NamedTuple):
    """``options`` of the provider; ``numbered``: it takes the number of a card; ``kinds``: of device that it computes
    on, the fastest first."""

    name: str
    title: str
    numbered: bool = False
    options: dict[str, str] = {}
    kinds: tuple[str, ...] = ()


# By the device as settings and answers name it, the fastest first.
PROVIDERS = {
    "cuda": Provider("CUDAExecutionProvider", "CUDA", True),
    "migraphx": Provider("MIGraphXExecutionProvider", "AMD's MIGraphX", True),
    "directml": Provider("DmlExecutionProvider", "DirectML", True),
    # Where sizes are free Core ML compiles anew for each, so such parts stay on the processor.
    "coreml": Provider(
        "CoreMLExecutionProvider", "Core ML", False, {"ModelFormat": "MLProgram", "RequireStaticInputShapes": "1"}
    ),
    # Its own choice of a device ("AUTO") leaves all to the processor where there are no graphics.
    "openvino": Provider("OpenVINOExecutionProvider", "OpenVINO", kinds=("gpu", "cpu")),
}
# What PyTorch calls AMD's and Apple's cards, which are other providers here.
_LIKE = {"cuda": ("cuda", "migraphx"), "mps": ("coreml",)}


def choose_device(wanted: str = "auto") -> tuple[str, str]:
    """The device ONNX models run on, and why, as a sentence. ``wanted`` as in the settings.

    A provider counts when it has computed something right.
    """
    if wanted == "cpu":
        return "cpu", tr("CPU was asked for")
    kind, _, number = wanted.partition(":")
    kinds = tuple(PROVIDERS) if kind == "auto" else _LIKE.get(kind, (kind,))
    offered = [one for one in kinds if PROVIDERS[one].name in onnxruntime.get_available_providers()]
    for one in offered:
        for device in _devices(one, number):
            if not trouble(device):
                return device, f"ONNX Runtime offers {PROVIDERS[one].title}"
    if offered:
        return "cpu", tr("{0} does not work here", PROVIDERS[offered[-1]].title)
    if kind in ("auto", *_LIKE):
        return "cpu", tr("no GPU build of ONNX Runtime is installed")
    return "cpu", tr("this ONNX Runtime has no {0}", PROVIDERS[kind].title)


def _devices(kind: str, number: str) -> list[str]:
    provider = PROVIDERS[kind]
    if provider.numbered:
        return [f"{kind}:{number or 0}"]
    return [f"{kind}:{one}" for one in provider.kinds] or [kind]


@cache
def trouble(device: str) -> str:
    """Why that device cannot be used, a sentence; empty where it works. Tries it once and logs what fails."""
    onnxruntime.set_default_logger_severity(4)  # what it says of devices that are not there is in the reason
    try:
        session = open_session(_DOUBLING, device, 1, strict=True)
        (answer,) = session.run(["y"], {"x": np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)})
        right = np.array_equal(np.asarray(answer).ravel(), [0, 2, 4, 6])
        why = "" if right else "It computes wrongly."
    except Exception as error:  # ONNX Runtime's exceptions share no base
        why = str(error)[:300]
    finally:
        onnxruntime.set_default_logger_severity(2)
    if why:
        log.warning("ONNX Runtime cannot use %s for models: %s", device, why)
    return why


def open_session(
    model: os.PathLike[str] | bytes, device: str, threads: int, strict: bool = False
) -> onnxruntime.InferenceSession:
    """A session on that device; what its provider cannot do runs on the CPU, unless ``strict``. Raises ONNX Runtime's
    own exceptions, and ``RuntimeError`` where the provider was left out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4 if strict else 3
    # The arena keeps the largest activations ever needed; a painter's computer has better uses for them.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    kind, _, number = device.partition(":")
    providers: list[Any] = [CPU]
    provider = PROVIDERS.get(kind)
    if provider is not None:
        chosen = {"device_id": number or "0"} if provider.numbered else {}
        if provider.kinds:
            chosen = {"device_type": (number or provider.kinds[-1]).upper()}
        if strict:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            providers.clear()
        providers.insert(0, (provider.name, {**provider.options, **chosen}))
        options.enable_mem_pattern = kind != "directml"  # which cannot work with it
        if kind == "cuda":
            _find_cuda()
    source = model if isinstance(model, bytes) else os.fspath(model)
    # Without its own fallback, which prints to the standard output.
    session = onnxruntime.InferenceSession(source, options, providers=providers, enable_fallback=0)
    if provider is not None and provider.name not in session.get_providers():
        raise RuntimeError(f"ONNX Runtime left out {provider.title}.")
    return session


@cache
def _find_cuda() -> None:
    """Let ONNX Runtime use the CUDA that PyTorch or NVIDIA's packages brought."""
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        preload()
