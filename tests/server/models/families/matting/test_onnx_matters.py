"""IS-Net, MODNet and ToonOut in ONNX files: tiny random networks in the published layouts, by the production path.

What a picture becomes before the network, and its answer after, is held against the steps that the authors publish,
written down here once more.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from maskwright.masks.opencv import cv2
from maskwright.models import catalogue
from maskwright.models.catalogue.entries import ModelFile
from maskwright.models.families.matting.inference.modnet import seen_size
from maskwright.models.matting_common import enlarged
from maskwright.models.roles import MattingModel
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken

SIDE = 128
ROUNDED = 0.01
SHAPES = ((96, 128), (130, 61), (64, 200))


class Tiny(nn.Module):
    """Opacities that depend on the colours of each pixel and of those around."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, planes):
        return torch.sigmoid(4 * self.look(planes))


def exported(path: Path, given: str, answer: str, free: bool) -> Tiny:
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    torch.manual_seed(3)
    network = Tiny().eval()
    axes = {name: {2: "height", 3: "width"} for name in (given, answer)} if free else {}
    with mock.patch.object(onnx_proto_utils, "_add_onnxscript_fn", lambda data, *_: data):
        torch.onnx.export(
            network, (torch.zeros(1, 3, SIDE, SIDE),), str(path), input_names=[given], output_names=[answer],
            dynamic_axes=axes, dynamo=False, opset_version=17,
        )  # fmt: skip
    return network


def loaded(folder: Path, model: str) -> MattingModel:
    """As a worker loads it, with the tiny file in place of the published one."""
    entry = catalogue.load().get(model)
    file = ModelFile(name=entry.files[0].name)
    entry = entry.model_copy(update={"files": (file,), "input_size": SIDE})
    return ModelPool([folder], "cpu", 1, known=catalogue.load().model_copy(update={"model": (entry,)})).matting(model)


def file_of(folder: Path, model: str) -> Path:
    (folder / model).mkdir()
    return folder / model / catalogue.load().get(model).files[0].name


def answered(network: Tiny, planes: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(np.ascontiguousarray(planes, np.float32)))[0, 0].numpy()


def image(height: int, width: int) -> np.ndarray:
    cells = np.random.default_rng(height).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    return np.ascontiguousarray(np.kron(cells, np.ones((4, 4, 1), np.uint8))[:height, :width])


def settles(matting: MattingModel, picture: np.ndarray) -> None:
    """A trimap decides where it is sure, and any shape is answered."""
    trimap = np.full(picture.shape[:2], 0.5, np.float32)
    trimap[:, :9], trimap[:, 50:] = 0, 1
    given = matting.matte(picture, trimap)
    assert not given[:, :9].any()
    assert (given[:, 50:] == 1).all()
    for height, width in ((1, 1), (700, 31), (33, 500)):
        alpha = matting.matte(np.full((height, width, 3), 90, np.uint8))
        assert alpha.shape == (height, width)
        assert alpha.dtype == np.float32


def test_isnet_sees_the_picture_in_a_black_square(tmp_path: Path) -> None:
    network = exported(file_of(tmp_path, "isnet-anime"), "img", "mask", free=False)
    matting = loaded(tmp_path, "isnet-anime")
    for height, width in SHAPES:
        picture = image(height, width)
        h, w = (SIDE, int(SIDE * width / height)) if height > width else (int(SIDE * height / width), SIDE)
        top, left = (SIDE - h) // 2, (SIDE - w) // 2
        square = np.zeros((SIDE, SIDE, 3), np.float32)
        square[top : top + h, left : left + w] = cv2.resize(picture, (w, h)) / 255
        theirs = answered(network, square.transpose(2, 0, 1)[None])[top : top + h, left : left + w]
        assert np.ptp(theirs) > 0.2
        # Colours are rounded to whole numbers when the picture is resized.
        assert np.abs(matting.matte(picture) - enlarged(theirs, picture)).max() < ROUNDED
    settles(matting, image(96, 128))


def test_modnet_sees_the_picture_at_its_own_shape(tmp_path: Path) -> None:
    network = exported(file_of(tmp_path, "modnet"), "input", "output", free=True)
    matting = loaded(tmp_path, "modnet")
    for height, width in ((128, 160), *SHAPES):
        picture = image(height, width)
        w, h = seen_size(width, height, SIDE)
        scaled = cv2.resize((picture - 127.5) / 127.5, (w, h), interpolation=cv2.INTER_AREA)
        theirs = answered(network, scaled.transpose(2, 0, 1)[None])
        assert np.ptp(theirs) > 0.2
        assert np.abs(matting.matte(picture) - enlarged(theirs, picture)).max() < ROUNDED
    settles(matting, image(96, 128))


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [
        (1024, 768, (672, 512)),  # 682 is cut to a multiple of 32
        (768, 1024, (512, 672)),
        (400, 300, (672, 512)),  # smaller in both: enlarged
        (800, 400, (800, 384)),  # between: as it is
        (5000, 600, (2048, 512)),  # longer than the authors provide for
        (1, 1, (512, 512)),
    ],
)
def test_modnets_sizes_are_the_authors(width: int, height: int, seen: tuple[int, int]) -> None:
    assert seen_size(width, height, 512) == seen


def test_toonout_without_torch(tmp_path: Path) -> None:
    network = exported(file_of(tmp_path, "toonout-onnx"), "image", "mask", free=False)
    matting = loaded(tmp_path, "toonout-onnx")
    picture = image(SIDE, SIDE)
    normal = (picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    theirs = answered(network, normal.transpose(2, 0, 1)[None])
    assert np.abs(matting.matte(picture) - theirs).max() < 1e-5
    settles(matting, image(96, 128))


@pytest.mark.parametrize("model", ["isnet-anime", "modnet", "toonout-onnx"])
def test_another_graph_is_refused(tmp_path: Path, model: str) -> None:
    exported(file_of(tmp_path, model), "pixels", "mask", free=True)
    with pytest.raises(ModelBroken, match="inputs differ"):
        loaded(tmp_path, model)


def test_what_they_are_for_and_that_they_are_free() -> None:
    known = catalogue.load()
    assert known.get("isnet-anime").suits == known.get("toonout-onnx").suits == ("drawing",)
    assert known.get("modnet").suits == ("portrait",)
    for model in ("isnet-anime", "modnet", "toonout-onnx"):
        entry = known.get(model)
        assert entry.commercial == "yes"
        assert entry.runtime == "onnx"
        assert all(file.sha256 for file in entry.files)
