"""Closed-form and KNN matting: what they make of the lemur, in one piece, in many, and without enough to go by."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskwright.models.families.matting.inference import closed_form
from maskwright.models.roles import MattingModel
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import BadInput
from tests.shared_data import EVAL, needs_eval


@pytest.fixture(scope="module")
def pool() -> ModelPool:
    return ModelPool([], "cpu", 1)


@pytest.fixture(scope="module")
def lemur() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, trimap and true alpha."""
    image = np.asarray(Image.open(EVAL / "matting" / "lemur.png").convert("RGB")).copy()
    trimap, alpha = (
        np.asarray(Image.open(EVAL / "matting" / f"lemur_{name}.png").convert("L")).astype(np.float32) / 255
        for name in ("trimap", "alpha")
    )
    return image, trimap, alpha


def sad(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Sum of absolute differences in thousands, as the alpha-matting benchmark counts."""
    return float(np.abs(alpha - truth).sum() / 1000)


@needs_eval
def test_closed_form_betters_u2netp_on_the_lemur(pool, lemur, monkeypatch) -> None:
    image, trimap, truth = lemur
    matting = pool.matting("closed-form")
    assert isinstance(matting, MattingModel)
    assert matting.needs_trimap
    before = sad(pool.matting("u2netp").matte(image, trimap), truth)
    alpha = matting.matte(image, trimap)
    assert sad(alpha, truth) < before / 5
    monkeypatch.setattr(closed_form, "CORE", 160)
    monkeypatch.setattr(closed_form, "HALO", 32)
    assert sad(matting.matte(image, trimap), truth) < 1.2 * sad(alpha, truth)


@needs_eval
def test_knn_betters_u2netp_on_the_lemur(pool, lemur) -> None:
    image, trimap, truth = (plane[40:200, 200:400] for plane in lemur)
    image = np.ascontiguousarray(image)
    alpha = pool.matting("knn-matting").matte(image, trimap)
    whole = pool.matting("u2netp").matte(lemur[0], lemur[1])[40:200, 200:400]
    assert sad(alpha, truth) < sad(whole, truth)


def test_trimaps_that_say_little(pool) -> None:
    matting = pool.matting("closed-form")
    image = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)
    with pytest.raises(BadInput, match="refines"):
        matting.matte(image)
    for value, expected in ((0.5, 0), (0, 0), (1, 1)):
        assert (matting.matte(image, np.full((20, 30), value, np.float32)) == expected).all()
    half = np.full((20, 30), 0.5, np.float32)
    half[:5] = 1
    assert (matting.matte(image, half) == 1).all()
    assert matting.matte(image[:1, :1], half[:1, :1]).shape == (1, 1)


def test_a_piece_with_one_side_only_follows_the_whole(pool, monkeypatch) -> None:
    """A wide open band: most pieces see neither side or one."""
    monkeypatch.setattr(closed_form, "CORE", 40)
    monkeypatch.setattr(closed_form, "HALO", 8)
    matting = pool.matting("closed-form")
    image = np.zeros((120, 240, 3), np.uint8)
    image[:, :120], image[:, 120:] = (200, 60, 30), (20, 80, 160)
    trimap = np.full((120, 240), 0.5, np.float32)
    trimap[:, :6], trimap[:, -6:] = 1, 0
    alpha = matting.matte(image, trimap)
    assert alpha[:, :110].min() > 0.9
    assert alpha[:, 130:].max() < 0.1
