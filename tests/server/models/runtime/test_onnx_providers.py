"""On which device ONNX models run, and what becomes of them when it fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskwright.config import Settings
from maskwright.models.runtime import onnx_providers, onnx_session
from maskwright.models.runtime.devices import Devices
from maskwright.models.runtime.onnx_providers import PROVIDERS, choose_device, open_session
from maskwright_protocol.errors import ModelBroken, OutOfMemory
from tests.server.models.entries import entry_of

HERE = set(onnxruntime.get_available_providers())
ABSENT = [device for device, provider in PROVIDERS.items() if provider.name not in HERE]


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    onnx_providers.trouble.cache_clear()
    yield
    onnx_providers.trouble.cache_clear()


def offer(monkeypatch: pytest.MonkeyPatch, *devices: str) -> None:
    names = [*(PROVIDERS[device].name for device in devices), onnx_providers.CPU]
    monkeypatch.setattr(onnx_providers.onnxruntime, "get_available_providers", lambda: names)


@pytest.mark.parametrize(
    ("offered", "wanted", "device"),
    [
        ((), "auto", "cpu"),
        (("cuda",), "auto", "cuda:0"),
        (("cuda",), "cpu", "cpu"),
        (("cuda",), "cuda:1", "cuda:1"),
        (("cuda", "openvino"), "openvino", "openvino:gpu"),
        (("openvino", "cuda"), "auto", "cuda:0"),
        (("migraphx",), "cuda:2", "migraphx:2"),
        (("migraphx",), "auto", "migraphx:0"),
        (("directml",), "auto", "directml:0"),
        (("directml",), "directml:1", "directml:1"),
        (("directml",), "mps", "cpu"),
        (("coreml",), "mps", "coreml"),
        (("coreml",), "auto", "coreml"),
        (("coreml",), "cuda", "cpu"),
        (("openvino",), "directml", "cpu"),
    ],
)
def test_the_fastest_that_is_offered_and_wanted(
    monkeypatch: pytest.MonkeyPatch, offered: tuple[str, ...], wanted: str, device: str
) -> None:
    offer(monkeypatch, *offered)
    monkeypatch.setattr(onnx_providers, "trouble", lambda device: "")
    found, reason = choose_device(wanted)
    assert found == device
    assert reason
    assert not reason.endswith(".")
    assert Settings(device=wanted).device == wanted
    assert Devices(wanted).place("onnx").device == device


@pytest.mark.parametrize("device", ABSENT)
def test_a_provider_that_does_not_start_leaves_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, device: str
) -> None:
    offer(monkeypatch, device)
    with caplog.at_level(logging.WARNING):
        assert choose_device("auto") == ("cpu", f"{PROVIDERS[device].title} does not work here")
    lines = [record.message for record in caplog.records if record.name == onnx_providers.__name__]
    assert len(lines) == max(1, len(PROVIDERS[device].kinds))
    assert all(f"cannot use {device}" in line for line in lines)


@pytest.mark.parametrize("device", ["cpu", *(device for device in PROVIDERS if device not in ABSENT)])
def test_what_is_there_computes(device: str) -> None:
    session = open_session(onnx_providers._DOUBLING, device, 1)
    (answer,) = session.run(["y"], {"x": np.array([[[[1, -2], [0, 3]]]], np.float32)})
    assert np.asarray(answer).tolist() == [[[[2, -4], [0, 6]]]]
    if device != "cpu":
        assert choose_device(device)[0].partition(":")[0] == device


class Card:
    """A session on a device that fails, or that computes nonsense."""

    def __init__(self, session: Any, how: Exception | float) -> None:
        self._session, self._how = session, how

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: list[str], feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        if isinstance(self._how, Exception):
            raise self._how
        return [np.full_like(array, self._how) for array in self._session.run(outputs, feeds)]


def session(tmp_path: Path, device: str) -> onnx_session.OnnxSession:
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_providers._DOUBLING)
    return onnx_session.OnnxSession(entry_of("a", "m.onnx"), path, ("x",), device, 1)


ONE, SHAPE = {"x": np.ones((1, 1, 2, 2), np.float32)}, (1, 1, 2, 2)


@pytest.mark.parametrize("how", [RuntimeError("kernel launch failed"), float("nan")], ids=["raises", "no numbers"])
def test_what_fails_on_a_card_is_done_on_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: Exception | float
) -> None:
    monkeypatch.setattr(
        onnx_providers,
        "open_session",
        lambda model, device, threads: opened if (opened := open_session(model, "cpu", 1)) and device == "cpu"
        else Card(opened, how),
    )  # fmt: skip
    made = session(tmp_path, "cuda:0")
    assert made.device == "cuda:0"
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert made.run(["y"], ONE, [SHAPE])[0].ravel().tolist() == [2, 2, 2, 2]
    assert made.device == "cpu"
    assert len([record for record in caplog.records if "a cannot run on cuda:0" in record.message]) == 1


def test_a_model_that_a_device_cannot_load_is_loaded_on_the_processor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = session(tmp_path, f"{ABSENT[0]}:0")
    assert made.device == "cpu"
    assert made.run(["y"], ONE, [SHAPE])[0].ravel().tolist() == [2, 2, 2, 2]
    assert "runs on the processor" in caplog.text
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model at all")
    with pytest.raises(ModelBroken):
        onnx_session.OnnxSession(entry_of("a", "m.onnx"), broken, ("x",), f"{ABSENT[0]}:0", 1)


def test_a_full_card_is_no_reason_to_leave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool moves models, and knows which to move."""
    full = RuntimeError("Failed to allocate memory for requested buffer of size 99")
    monkeypatch.setattr(onnx_providers, "open_session", lambda model, *_: Card(open_session(model, "cpu", 1), full))
    made = session(tmp_path, "cuda:0")
    with pytest.raises(OutOfMemory):
        made.run(["y"], ONE, [SHAPE])
    assert made.device == "cuda:0"
