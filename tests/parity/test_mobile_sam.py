"""MobileSAM, trained, as its authors' own code computes it, in torch and as the ONNX export; differences are printed.

``vectors/mobile_sam.npz`` holds what ChaoningZhang/MobileSAM (34bbbfd, ``SamPredictor``, float32, on a processor)
answered with ``mobile_sam.pt`` of the shared models about ``picture``: every eighth channel of every fourth cell of
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
from maskwright.models.roles import Box
from maskwright.models.runtime.pool import ModelPool
from tests.parity import clicks
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

VECTORS = np.load(Path(__file__).parent / "vectors" / "mobile_sam.npz")
PASS = 1e-4  # of logits that reach 15
ASKED = clicks.prompts((500, 400), (40, 700), Box(200, 150, 900, 760), 256)

pytestmark = [needs_models, needs_eval]


def picture() -> np.ndarray:
    """Of a size that no model scales: ``(768, 1024, 3)`` uint8."""
    photo = cv2.imread(str(EVAL / "matting" / "lemur.png"))
    assert photo is not None
    return np.ascontiguousarray(photo[..., ::-1].repeat(2, 0).repeat(2, 1)[:768, :1024])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mobile-sam").symlink_to(MODELS / "mobile-sam")
    (tmp_path / "mobile-sam-torch").mkdir()
    convert(MODELS / "mobile-sam" / "mobile_sam.pt", tmp_path / "mobile-sam-torch" / "mobile_sam.safetensors")
    return tmp_path


@pytest.mark.parametrize("name", ["mobile-sam-torch", "mobile-sam"])
def test_clicks_are_the_authors(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model: Any = ModelPool([folder], "cpu", 1, known=catalogue.built_in()).segmenter(name)
    embedding = model.embed(picture())
    data = embedding.data if name == "mobile-sam" else embedding.data["image"].numpy()
    found = {"embedding": float(np.abs(data[0, ::8, :48:4, ::4] - VECTORS["embedding"]).max())}
    found |= clicks.differences(model, embedding, ASKED, VECTORS, step=16)
    with capsys.disabled():
        for case, value in found.items():
            print(f"\n  parity: {name} {case}: max |diff| {value:.1e}", end="")
    assert all(value < PASS for value in found.values()), found
