"""Which build of ONNX Runtime is named for which computer."""

from __future__ import annotations

import pytest

from maskwright.models.machine import onnx_builds
from maskwright.models.machine.onnx_builds import Parts, faster

CUDA, DML, OPENVINO, MIGRAPHX = (
    f"{name}ExecutionProvider" for name in ("CUDA", "Dml", "OpenVINO", "MIGraphX")
)  # fmt: skip


def computer(system: str, *graphics: str, processor: str = "amd", machine: str = "x86_64") -> Parts:
    return Parts(system, machine, frozenset(graphics), processor)


@pytest.mark.parametrize(
    ("parts", "providers", "command"),
    [
        (computer("Linux", "nvidia"), [], 'pip install "onnxruntime-gpu[cuda,cudnn]"'),
        (computer("Linux", "nvidia", "intel"), [OPENVINO], 'pip install "onnxruntime-gpu[cuda,cudnn]"'),
        (computer("Linux", "nvidia"), [CUDA], None),
        (computer("Windows", "nvidia", machine="amd64"), [], 'pip install "onnxruntime-gpu[cuda,cudnn]"'),
        (computer("Windows", machine="amd64"), [], "pip install onnxruntime-directml"),
        (computer("Windows", "intel", processor="intel", machine="amd64"), [], "pip install onnxruntime-directml"),
        (computer("Windows", machine="amd64"), [DML], None),
        (computer("Windows", machine="arm64"), [], None),
        (computer("Linux", "amd"), [], "pip install onnxruntime-migraphx"),
        (computer("Linux", "amd", "intel"), [MIGRAPHX], None),
        (computer("Linux", "intel"), [], "pip install onnxruntime-openvino"),
        (computer("Linux", processor="intel"), [], "pip install onnxruntime-openvino"),
        (computer("Linux", processor="intel"), [OPENVINO], None),
        (computer("Linux"), [], None),
        (computer("Linux", processor="intel", machine="aarch64"), [], None),
        (computer("Darwin", machine="arm64"), [], None),
        (computer("FreeBSD", "nvidia"), [], None),
    ],
)
def test_the_build_for_a_computer(parts: Parts, providers: list[str], command: str | None) -> None:
    build = faster(parts, ["CPUExecutionProvider", *providers])
    assert (build and build.command) == command


def test_this_computer_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_builds.hardware, "cards", lambda: (object(),))
    found = onnx_builds.parts()
    assert "nvidia" in found.graphics
    assert found.system in ("Linux", "Darwin", "Windows")
    assert found.machine == found.machine.lower() != ""
    assert found.processor in ("intel", "amd") or len(found.processor) <= 40
