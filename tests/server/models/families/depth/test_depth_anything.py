"""Depth Anything by the production path: of the real class with random weights, and an ONNX graph in its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import ModelFile
from maskwright.models.roles import DepthModel
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import tiny_depth as tiny

TORCH, ONNX = "depth-anything-v2-small", "depth-anything-v2-small-onnx"


def loaded(folder: Path, model: str, side: int = tiny.SIDE) -> DepthModel:
    entry = catalogue.load().get(model)
    files = tuple(ModelFile(name=file.name) for file in entry.files)
    entry = entry.model_copy(update={"files": files, "input_size": side})
    known = catalogue.load().model_copy(update={"model": (entry,)})
    return ModelPool([folder], "cpu", 1, known=known).depth(model)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("shape", [(56, 56), (60, 90), (200, 120)])
def test_the_answer_is_the_librarys_upside_down(tmp_path: Path, shape: tuple[int, int]) -> None:
    """Of the library's own class and image processor."""
    network = tiny.random(tmp_path / TORCH)
    depth = loaded(tmp_path, TORCH)
    assert isinstance(depth, DepthModel)
    picture = image(*shape)
    seen = tiny.tf.DPTImageProcessor.from_pretrained(tmp_path / TORCH)(Image.fromarray(picture), return_tensors="pt")
    with torch.no_grad():
        theirs = network(**seen).predicted_depth[0].numpy()
    ours = depth.distance(picture)
    assert ours.shape == theirs.shape
    assert ours.min() == 0
    assert ours.max() == 1
    expected = (theirs.max() - theirs) / np.ptp(theirs)
    print("largest difference:", np.abs(ours - expected).max())
    assert np.abs(ours - expected).max() < 0.02


def test_an_export_without_torch(tmp_path: Path) -> None:
    tiny.bright(tmp_path / ONNX / "model.onnx")
    depth = loaded(tmp_path, ONNX)
    ramp = np.repeat(np.linspace(0, 255, 140).astype(np.uint8)[None, :, None], 70, axis=0).repeat(3, axis=2)
    far = depth.distance(ramp)
    assert far.shape == (56, 112)
    assert np.abs(far - np.linspace(1, 0, 112)).max() < 0.02


def test_where_all_is_equally_far_nothing_is_farther(tmp_path: Path) -> None:
    tiny.bright(tmp_path / ONNX / "model.onnx")
    assert not loaded(tmp_path, ONNX).distance(np.full((30, 40, 3), 90, np.uint8)).any()


@pytest.mark.parametrize(
    ("shape", "seen"), [((1, 1), (518, 518)), ((768, 1024), (686, 518)), ((50, 5000), (1554, 518))]
)
def test_sides_are_multiples_of_fourteen(tmp_path: Path, shape: tuple[int, int], seen: tuple[int, int]) -> None:
    tiny.bright(tmp_path / ONNX / "model.onnx")
    height, width = shape
    assert loaded(tmp_path, ONNX, 518).distance(np.zeros((height, width, 3), np.uint8)).shape == seen[::-1]


def test_another_graph_is_refused(tmp_path: Path) -> None:
    tiny.random(tmp_path / TORCH)
    weights = tmp_path / TORCH / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-64])
    with pytest.raises(ModelBroken):
        loaded(tmp_path, TORCH)
