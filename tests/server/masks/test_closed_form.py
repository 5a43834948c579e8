"""The equations of closed-form matting against PyMatting's, and what the look at smaller pictures changes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskwright.masks import closed_form
from maskwright.masks.opencv import cv2
from maskwright.masks.trimap import trimap, unknown
from tests.shared_data import EVAL, needs_eval


def made_up(seed: int, height: int = 90, width: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, trimap and true alpha of a soft blob with strands, on a ground of another colour, with grain."""
    rng = np.random.default_rng(seed)
    alpha = np.zeros((4 * height, 4 * width), np.float32)
    middle = (int(4 * width * rng.uniform(0.4, 0.6)), int(4 * height * rng.uniform(0.4, 0.6)))
    cv2.circle(alpha, middle, int(height * rng.uniform(0.8, 1.2)), 1.0, -1)
    for _ in range(12):
        angle, length = rng.uniform(0, 2 * np.pi), height * rng.uniform(1.2, 1.6)
        end = (int(middle[0] + length * np.cos(angle)), int(middle[1] + length * np.sin(angle)))
        cv2.line(alpha, middle, end, 1.0, int(rng.integers(2, 9)))
    alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    colours = rng.uniform(0, 255, (2, 3)).astype(np.float32)
    picture = alpha[..., None] * colours[0] + (1 - alpha[..., None]) * colours[1]
    picture += rng.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), trimap(alpha, float(rng.uniform(6, 16))), alpha


@pytest.mark.parametrize("seed", range(6))
def test_the_equations_are_those_of_the_paper(seed: int) -> None:
    pymatting = pytest.importorskip("pymatting")
    image, tri, _ = made_up(seed)
    library = pymatting.cf_laplacian(image / 255.0, 1e-7, 1, ~unknown(tri)).tocsr()
    alone = np.flatnonzero(unknown(tri).ravel())
    expected = library[alone]
    known = np.flatnonzero(~unknown(tri).ravel())
    matrix, right = closed_form._equations(image, tri, unknown(tri), np.full(tri.shape, 0.5, np.float32))
    assert np.abs((matrix - expected[:, alone]).toarray()).max() < 2e-6  # the guess has a weight of 1e-6
    assert np.abs(right + expected[:, known] @ tri.ravel()[known]).max() < 2e-6


@pytest.mark.parametrize("seed", range(12))
def test_coarse_to_fine_is_as_near_to_the_truth_as_all_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image, tri, truth = made_up(100 + seed, 240, 320)

    def error() -> float:
        return float(np.abs(closed_form.solve(image, tri) - truth).sum() / 1000)

    monkeypatch.setattr(closed_form, "_AT_ONCE", 1 << 30)
    monkeypatch.setattr(closed_form, "_MOST", 1 << 30)
    at_once = error()
    monkeypatch.setattr(closed_form, "_AT_ONCE", 500)
    assert error() < 1.1 * at_once + 0.05


@needs_eval
def test_the_fur_of_the_lemur_on_other_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against all open pixels at once, from rough selections, on several grounds and in several sizes."""
    alpha = np.asarray(Image.open(EVAL / "matting" / "lemur_alpha.png").convert("L")) / np.float32(255)
    lemur = np.asarray(Image.open(EVAL / "matting" / "lemur.png").convert("RGB")).astype(np.float32)
    coarse = direct = 0.0
    for name, scale in (("coffee.png", 0.8), ("bus.jpg", 1.2), ("truck.jpg", 0.8), ("motorcycle_left.png", 1.2)):
        size = (round(680 * scale), round(440 * scale))
        truth, own = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (alpha, lemur))
        ground = cv2.resize(np.asarray(Image.open(EVAL / "photos" / name).convert("RGB")), size)
        image = (own * truth[..., None] + ground * (1 - truth[..., None])).astype(np.uint8)
        tri = trimap(cv2.GaussianBlur(truth, (0, 0), 3), 24)
        monkeypatch.setattr(closed_form, "_AT_ONCE", 12_000)
        monkeypatch.setattr(closed_form, "_MOST", 36_000)
        coarse += float(np.abs(closed_form.solve(image, tri) - truth).sum() / 1000)
        monkeypatch.setattr(closed_form, "_AT_ONCE", 1 << 30)
        monkeypatch.setattr(closed_form, "_MOST", 1 << 30)
        direct += float(np.abs(closed_form.solve(image, tri) - truth).sum() / 1000)
    print(f"SAD from coarse to fine {coarse:.2f}, all at once {direct:.2f}")
    assert coarse < 1.15 * direct


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 3), (2, 300), (300, 2), (47, 61)])
def test_small_and_thin_pictures(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    tri = rng.choice(np.array([0, 0.5, 1], np.float32), shape)
    alpha = closed_form.solve(image, tri)
    assert alpha.shape == shape
    assert alpha.dtype == np.float32
    assert np.isfinite(alpha).all()
    assert (alpha[tri == 0] == 0).all()
    assert (alpha[tri == 1] == 1).all()


@pytest.mark.parametrize("value", [0, 40, 255])
def test_one_colour_says_nothing_and_breaks_nothing(value: int) -> None:
    image = np.full((60, 80, 3), value, np.uint8)
    tri = np.full((60, 80), 0.5, np.float32)
    tri[:, :20], tri[:, 60:] = 1, 0
    alpha = closed_form.solve(image, tri)
    assert np.isfinite(alpha).all()
    assert (np.diff(alpha.mean(axis=0)) <= 1e-3).all(), "from one side to the other"
