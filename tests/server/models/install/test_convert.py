"""Pickles: a good one converts exactly; no bad one runs anything. Each bad one is first shown to be really bad."""

from __future__ import annotations

import argparse
import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskwright.models import catalogue
from maskwright.models.install import convert, scan
from maskwright_protocol.errors import BadInput, ModelBroken
from tests.shared_data import MODELS

from .pickles import Calls, reduce, saved, touching, weights

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")
safetensors_torch = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")


def system(marker: Path) -> bytes:
    import os

    return saved({"a": torch.zeros(2), "b": Calls(os.system, f"touch '{marker}'")})


def legacy(marker: Path) -> bytes:
    return saved({"a": touching(marker)}, _use_new_zipfile_serialization=False)


def plain_pickle(marker: Path) -> bytes:
    return pickle.dumps({"a": touching(marker)}, protocol=2)


def newer_protocol(marker: Path) -> bytes:
    return saved({"a": touching(marker)}, pickle_protocol=4)


def nested(marker: Path) -> bytes:
    """A checkpoint within a checkpoint, which torch's own function unpacks without any restriction."""
    inner = saved(touching(marker))
    return saved({"a": Calls(torch.storage._load_from_bytes, inner)})


def two_pickles(marker: Path) -> bytes:
    """A harmless pickle lies beside the bad one: who looks at the wrong one is deceived."""
    buffer = io.BytesIO(reduce(marker))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("archive/first/data.pkl", pickle.dumps({}, protocol=2))
    return buffer.getvalue()


def by_name(marker: Path) -> bytes:
    """``getattr`` on a harmless module, so that no list of forbidden names would have it."""
    import os

    return saved({"a": Calls(getattr(os, "system"), f"touch '{marker}'")})  # noqa: B009


def ultralytics_style(marker: Path) -> bytes:
    """A whole model: its class' module is looked up by name, and its state runs code."""
    module = types.ModuleType("ultralytics.nn.tasks")
    package, middle = types.ModuleType("ultralytics"), types.ModuleType("ultralytics.nn")
    model = type("DetectionModel", (torch.nn.Module,), {"__module__": module.__name__})
    setattr(module, "DetectionModel", model)  # noqa: B010
    sys.modules.update({"ultralytics": package, "ultralytics.nn": middle, "ultralytics.nn.tasks": module})
    instance = model()
    instance.layer = torch.nn.Linear(2, 2)
    instance.yaml = touching(marker)
    return saved({"epoch": 1, "model": instance, "train_args": {}})


@pytest.fixture
def no_ultralytics():
    yield
    for name in ("ultralytics", "ultralytics.nn", "ultralytics.nn.tasks"):
        sys.modules.pop(name, None)


BAD = [reduce, system, legacy, plain_pickle, newer_protocol, nested, two_pickles, by_name, ultralytics_style]


@pytest.mark.usefixtures("no_ultralytics")
@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_nothing_in_a_bad_pickle_runs(tmp_path: Path, make: Callable[[Path], bytes]) -> None:
    marker, source, out = tmp_path / "executed", tmp_path / "model.pt", tmp_path / "model.safetensors"
    source.write_bytes(make(marker))
    if make is plain_pickle:
        pickle.loads(source.read_bytes())
    else:
        torch.load(source, weights_only=False)
    assert marker.exists(), "this file would prove nothing"
    marker.unlink()
    for name in ("ultralytics", "ultralytics.nn", "ultralytics.nn.tasks"):
        sys.modules.pop(name, None)
    with pytest.raises(ModelBroken) as caught:
        convert.convert(source, out)
    assert not marker.exists()
    assert not out.exists()
    assert "was not read: " in caught.value.message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pt"]
    if make is ultralytics_style:
        assert "whole model" in caught.value.message
        assert "ultralytics.nn.tasks.DetectionModel" in caught.value.details["calls"]


@pytest.mark.parametrize(("where", "old"), [("", False), ("state_dict", True), ("other", False)])
def test_a_good_one_converts_exactly(tmp_path: Path, where: str, old: bool) -> None:
    tensors = weights()
    content: Any = OrderedDict(tensors)
    if where:
        content = {"epoch": 3, "lr": 0.1, "names": ["a"], where: content}
    source, out = tmp_path / "model.pth", tmp_path / "out.safetensors"
    source.write_bytes(saved(content, _use_new_zipfile_serialization=not old))
    done = convert.convert(source, out, key="other" if where == "other" else "", sha256=convert.digest(source))
    assert (done.out, done.tensors) == (out, len(tensors))
    read = safetensors_torch.load_file(out)
    assert set(read) == set(tensors)
    for name, value in tensors.items():
        assert read[name].dtype == value.dtype
        assert read[name].shape == value.shape
        assert torch.equal(read[name], value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pth", "out.safetensors"]


def test_harmless_classes_are_allowed_for_one_file_only(tmp_path: Path) -> None:
    source, out = tmp_path / "model.pth", tmp_path / "out.safetensors"
    source.write_bytes(saved({"state_dict": weights(), "args": argparse.Namespace(lr=0.1)}))
    digest = convert.digest(source)
    with pytest.raises(ModelBroken, match=r"argparse\.Namespace"):
        convert.convert(source, out)
    with pytest.raises(BadInput, match="one file only"):
        convert.convert(source, out, allow=["argparse.Namespace"])
    with pytest.raises(BadInput, match="not the file"):
        convert.convert(source, out, allow=["argparse.Namespace"], sha256="0" * 64)
    for name in ("builtins.exec", "os.system", "ultralytics.nn.tasks.DetectionModel"):
        with pytest.raises(BadInput, match="never"):
            convert.convert(source, out, allow=[name], sha256=digest)
    assert not out.exists()
    assert convert.convert(source, out, allow=["argparse.Namespace"], sha256=digest).tensors == len(weights())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no checkpoint"),
        (b"not a pickle at all", "no checkpoint"),
        (b"PK\x03\x04" + bytes(100), "damaged zip"),
        (struct.pack("<I", 3) * 1000, "no checkpoint"),
        (pickle.dumps({"a": 1}, protocol=2), "no checkpoint"),
        (pickle.dumps([1, 2], protocol=2), "no checkpoint"),
        (saved({"a": 1}), "no tensor"),
        (saved([1, 2]), "no table"),
    ],
)
def test_what_is_no_checkpoint(tmp_path: Path, data: bytes, sentence: str) -> None:
    source = tmp_path / "model.pt"
    source.write_bytes(data)
    with pytest.raises(ModelBroken, match=sentence):
        convert.convert(source, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_torchscript_and_missing_files(tmp_path: Path) -> None:
    script = tmp_path / "script.pt"
    with zipfile.ZipFile(script, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps({}))
        archive.writestr("m/code/model.py", "")
    with pytest.raises(ModelBroken, match="TorchScript"):
        convert.convert(script, tmp_path / "out.safetensors")
    with pytest.raises(BadInput):
        convert.convert(tmp_path / "absent.pt", tmp_path / "out.safetensors")


def test_no_entry_and_no_scan_takes_a_pickle(tmp_path: Path) -> None:
    for entry in catalogue.built_in().model:
        assert all(file.name.endswith((".onnx", ".safetensors", ".json", ".txt")) for file in entry.files)
    (tmp_path / "model.pt").write_bytes(reduce(tmp_path / "executed"))
    assert all(model.entry.embedded for model in scan.scan([tmp_path]).values())


@pytest.mark.skipif(
    not (MODELS / "mobile-sam" / "mobile_sam.pt").is_file(), reason="the shared checkpoint is not there"
)
def test_a_real_checkpoint(tmp_path: Path) -> None:
    source = MODELS / "mobile-sam" / "mobile_sam.pt"
    convert.convert(source, tmp_path / "out.safetensors")
    expected = torch.load(source, weights_only=True)
    read = safetensors_torch.load_file(tmp_path / "out.safetensors")
    assert set(read) == set(expected)
    assert all(torch.equal(read[name], value) for name, value in expected.items())
