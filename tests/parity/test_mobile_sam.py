"""MobileSAM, trained, as its authors' own code computes it, in torch and as the ONNX export; differences are printed.

``vectors/mobile_sam.npz`` holds what ChaoningZhang/MobileSAM (34bbbfd, ``SamPredictor``, float32, on a processor)
answered with ``mobile_sam.pt`` of the shared models about ``_picture``: every eighth channel of every fourth cell of
the embedding, and of each prompt's four masks every sixteenth logit where the picture is, with their scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright.models import catalogue
from maskwright.models.install.convert import convert
from maskwright.models.roles import Box, SegmentPrompt
from maskwright.models.runtime.pool import ModelPool
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

VECTORS = np.load(Path(__file__).parent / "vectors" / "mobile_sam.npz")
PASS = 1e-4  # of logits that reach 15
ONE, TWO, BOX = [(500, 400, True)], [(500, 400, True), (40, 700, False)], Box(200, 150, 900, 760)

pytestmark = [needs_models, needs_eval]


def _picture() -> np.ndarray:
    """Of a size that no model scales: ``(768, 1024, 3)`` uint8."""
    photo = cv2.imread(str(EVAL / "matting" / "lemur.png"))
    assert photo is not None
    return np.ascontiguousarray(photo[..., ::-1].repeat(2, 0).repeat(2, 1)[:768, :1024])


def _continued() -> np.ndarray:
    raw = np.random.Philox(key=8).random_raw(256 * 256).reshape(256, 256)
    return ((raw >> np.uint64(11)) * 2.0**-53 * 12 - 6).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mobile-sam").symlink_to(MODELS / "mobile-sam")
    (tmp_path / "mobile-sam-torch").mkdir()
    convert(MODELS / "mobile-sam" / "mobile_sam.pt", tmp_path / "mobile-sam-torch" / "mobile_sam.safetensors")
    return tmp_path


@pytest.mark.parametrize("name", ["mobile-sam-torch", "mobile-sam"])
def test_clicks_are_the_authors(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model: Any = ModelPool([folder], "cpu", 1, known=catalogue.built_in()).segmenter(name)
    embedding = model.embed(_picture())
    data = embedding.data if name == "mobile-sam" else embedding.data["image"].numpy()
    found = {"embedding": float(np.abs(data[0, ::8, :48:4, ::4] - VECTORS["embedding"]).max())}
    prompts = {
        "point": SegmentPrompt(ONE), "points": SegmentPrompt(TWO), "box": SegmentPrompt(box=BOX),
        "box_and_point": SegmentPrompt(ONE, BOX), "again": SegmentPrompt(ONE, logits=_continued()),
    }  # fmt: skip
    for case, prompt in prompts.items():
        masks, scores = VECTORS[f"{case}.masks"], VECTORS[f"{case}.scores"]
        (answer,) = model.segment(embedding, [prompt])
        off = [[float(np.abs(mask - one.low_res[:192:16, ::16]).max()) for mask in masks] for one in answer]
        nearest = np.argmin(off, axis=1)
        assert sorted(nearest) == [0, 1, 2, 3]
        assert nearest[0] == (1 + int(np.argmax(scores[1:])) if case == "point" else 0)
        apart = np.abs(scores[nearest] - [one.score for one in answer]).max()
        found[case] = max(float(np.min(off, axis=1).max()), float(apart))
    with capsys.disabled():
        for case, value in found.items():
            print(f"\n  parity: {name} {case}: max |diff| {value:.1e}", end="")
    assert all(value < PASS for value in found.values()), found
