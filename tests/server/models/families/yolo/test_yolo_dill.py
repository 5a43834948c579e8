"""YOLO checkpoints that were saved through dill, as Ultralytics did for years wherever dill was installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.install import whole_models
from maskwright.models.install.convert import convert
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import yolo_files as files

dill = pytest.importorskip("dill", reason="dill is not installed")
pytestmark = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))


@pytest.mark.parametrize(("architecture", "protocol"), [("yolov8", 2), ("yolo11-seg", 2), ("yolo26", 4)])
def test_it_finds_what_the_same_model_finds_that_was_saved_without(
    tmp_path: Path, architecture: str, protocol: int
) -> None:
    # What dill does not write as pickle does: sets, types, arrays, named tuples, slices, dictionaries with a default.
    note = {"set": {1}, "frozen": frozenset("a"), "type": type(None), "array": np.arange(3.0), "slice": slice(2)}
    found = []
    for number, how in enumerate(({}, {"pickle_module": dill, "pickle_protocol": protocol})):
        identity = f"tiny-yolo-{number}"
        path = files.checkpoint(tmp_path / identity, architecture, note=note if how else None, **how)
        assert (b"dill" in path.read_bytes()) == bool(how)
        convert(path, path.with_suffix(".safetensors"))
        known = Catalogue(model=(files.entry("tiny.safetensors", id=identity),))
        found.append(ModelPool([path.parent], known=known, threads=1).detector(identity).detect(IMAGE, ""))
    plain, dilled = found
    assert len(plain) > 3
    assert [(d.label, d.score, d.box) for d in plain] == [(d.label, d.score, d.box) for d in dilled]


def test_code_that_dill_saved_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    own: dict[str, Any] = {"__name__": "__main__"}  # dill saves what belongs to the main program by value
    exec(f"def touch(): open({str(marker)!r}, 'w').close()", own)
    path = files.checkpoint(tmp_path / "own", "yolov8", note=own["touch"], pickle_module=dill)
    with pytest.raises(ModelBroken, match=r"dill\._dill\._create_function") as refused:
        convert(path, path.with_suffix(".safetensors"))
    assert any("_create_code" in call for call in refused.value.details["calls"])
    with path.open("rb") as file:
        read = whole_models.read(file)  # without the list of opcodes before it
    assert read.kind.endswith("DetectionModel")
    assert not marker.exists()


def test_buffers_that_are_not_to_be_saved_are_not_taken(tmp_path: Path) -> None:
    """Their names stand in a set, which neither pickle (protocol 2) nor dill writes as one."""
    for number, how in enumerate(({}, {"pickle_module": dill})):
        network = files.model("yolov8").half()
        network.model[0].register_buffer("scratch", torch.zeros(3), persistent=False)
        path = tmp_path / f"{number}.pt"
        torch.save({"model": network, "ema": None}, path, **how)
        with path.open("rb") as file:
            assert "model.0.scratch" not in whole_models.read(file).tensors
