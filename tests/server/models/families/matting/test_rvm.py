"""Robust Video Matting: the trained network on people, and a file with the inputs and outputs of the release."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import nn

from maskwright.masks.instances import mask_iou
from maskwright.masks.opencv import cv2
from maskwright.models import catalogue
from maskwright.models.catalogue.entries import ModelFile
from maskwright.models.roles import MattingModel
from maskwright.models.runtime.pool import ModelPool
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

MODEL = "rvm"


class Recurrent(nn.Module):
    """Takes and gives what the release ``rvm_mobilenetv3_fp32.onnx`` does, with states of the sizes that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, src, r1i, r2i, r3i, r4i, downsample_ratio):
        seen = torch.sigmoid(4 * self.look(src) + r1i + r2i + r3i + r4i)
        states = [nn.functional.avg_pool2d(seen, step) for step in (2, 4, 8, 16)]
        return seen[:, :3], seen[:, 3:] * downsample_ratio, *states


def released(path: Path) -> Recurrent:
    """Write such a network in the authors' layout."""
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    torch.manual_seed(2)
    network, state = Recurrent().eval(), torch.zeros(1, 1, 1, 1)
    states = [f"r{n}i" for n in range(1, 5)]
    free = {"src": {2: "height", 3: "width"}} | {name: {1: f"c{name}", 2: f"h{name}", 3: f"w{name}"} for name in states}
    with mock.patch.object(onnx_proto_utils, "_add_onnxscript_fn", lambda data, *_: data):
        torch.onnx.export(
            network, (torch.zeros(1, 3, 64, 64), *[state] * 4, torch.ones(1)), str(path),
            input_names=["src", *states, "downsample_ratio"],
            output_names=["fgr", "pha", *(f"r{n}o" for n in range(1, 5))],
            dynamic_axes=free, dynamo=False, opset_version=17,
        )  # fmt: skip
    return network


def test_it_reads_the_authors_release_with_its_states(tmp_path) -> None:
    folder = tmp_path / MODEL
    folder.mkdir()
    network = released(folder / "rvm_mobilenetv3_fp32.onnx")
    entry = catalogue.load().get(MODEL)
    entry = entry.model_copy(update={"files": (ModelFile(name="rvm_mobilenetv3_fp32.onnx"),), "input_size": 128})
    known = catalogue.load().model_copy(update={"model": (entry,)})
    matting = ModelPool([tmp_path], "cpu", 1, known=known).matting(MODEL)
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    state, planes = torch.zeros(1, 1, 1, 1), torch.from_numpy(image.transpose(2, 0, 1)[None] / np.float32(255))
    with torch.no_grad():
        theirs = network(planes, *[state] * 4, torch.ones(1))[1][0, 0].numpy()
    assert np.ptp(theirs) > 0.2
    assert np.abs(matting.matte(image) - theirs).max() < 1e-6
    trimap = np.full(theirs.shape, 0.5, np.float32)
    trimap[:, :9], trimap[:, 90:] = 0, 1
    given = matting.matte(image, trimap)
    assert not given[:, :9].any()
    assert (given[:, 90:] == 1).all()
    assert np.array_equal(given[:, 9:90], matting.matte(image)[:, 9:90])
    for height, width in ((1, 1), (700, 31), (33, 500)):
        alpha = matting.matte(np.full((height, width, 3), 90, np.uint8))
        assert alpha.shape == (height, width)
        assert alpha.dtype == np.float32


@needs_models
@needs_eval
def test_it_cuts_out_people_and_nothing_else(tmp_path) -> None:
    shutil.copytree(MODELS / "rvm", tmp_path / MODEL)
    matting = ModelPool([tmp_path], "cpu", 1).matting(MODEL)
    assert isinstance(matting, MattingModel)
    found = {}
    for path in sorted((EVAL / "person_parts").glob("*_image.png")):
        image = np.asarray(Image.open(path).convert("RGB"))
        truth = np.asarray(Image.open(path.with_name(path.name.replace("_image", "_annotation")))) > 0
        alpha = matting.matte(image)
        found[path.name] = mask_iou(alpha > 0.5, truth)
        doubled = matting.matte(cv2.resize(image, None, fx=2.0, fy=2.0))
        assert mask_iou(doubled[::2, ::2] > 0.5, alpha > 0.5) > 0.95
    print("IoU with the union of the parts:", {name: round(iou, 3) for name, iou in found.items()})
    assert np.mean(list(found.values())) >= 0.91
    for name in ("photos/motorcycle_left.png", "photos/coffee.png"):
        assert (matting.matte(np.asarray(Image.open(EVAL / name).convert("RGB"))) > 0.5).mean() < 0.01, name
