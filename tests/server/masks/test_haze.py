"""Haze around things is taken away, and wisps stay."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.edges import without_haze
from maskwright.masks.opencv import cv2


def thing(seed: int, size: int = 300) -> tuple[np.ndarray, np.random.Generator]:
    """A soft disk with wisps that thin out."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), np.float32)
    cv2.circle(mask, (size // 2, size // 2), size // 5, 1.0, -1, cv2.LINE_AA)
    for angle in rng.uniform(0, 2 * np.pi, 9):
        reach = rng.uniform(0.22, 0.34) * size
        end = (int(size / 2 + reach * np.cos(angle)), int(size / 2 + reach * np.sin(angle)))
        cv2.line(mask, (size // 2, size // 2), end, float(rng.uniform(0.35, 0.8)), 2, cv2.LINE_AA)
    cv2.circle(mask, (size // 2, size // 2), size // 5, 1.0, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 1.0), rng


@pytest.mark.parametrize("seed", range(10))
def test_haze_goes_and_wisps_stay(seed: int) -> None:
    clean, rng = thing(seed)
    haze = cv2.GaussianBlur(rng.random(clean.shape).astype(np.float32), (0, 0), 12)
    haze = np.clip((haze - haze.min()) / np.ptp(haze) * 0.095, 0, 0.095).astype(np.float32)
    cleaned = without_haze(np.maximum(clean, haze), 12)
    far = cv2.distanceTransform((clean < 0.1).view(np.uint8), cv2.DIST_L2, 5) > 6
    assert (cleaned[far] == 0).all(), "no ants far from the thing"
    wisps = clean >= 0.1
    assert np.abs(cleaned - np.maximum(clean, haze))[wisps].max() < 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_what_is_clean_stays_as_it_is(seed: int) -> None:
    clean, _ = thing(seed)
    clean[clean < 0.02] = 0
    assert np.abs(without_haze(clean, 16) - clean).max() < 0.03


@pytest.mark.parametrize("where", [(20, 20), (280, 150), (150, 285)])
@pytest.mark.parametrize("value", [0.2, 0.45])
def test_a_soft_island_far_away_goes(where: tuple[int, int], value: float) -> None:
    clean, _ = thing(1)
    island = clean.copy()
    cv2.circle(island, where, 9, value, -1)
    assert without_haze(island, 12)[where[1], where[0]] == 0


def test_an_island_that_is_a_thing_stays() -> None:
    clean, _ = thing(2)
    cv2.circle(clean, (25, 25), 9, 0.9, -1)
    assert without_haze(clean, 12)[25, 25] == pytest.approx(0.9)


def test_a_mask_that_is_soft_everywhere_is_left_alone() -> None:
    smoke = np.full((40, 50), 0.3, np.float32)
    assert (without_haze(smoke, 8) == smoke).all()
    assert not without_haze(np.zeros((4, 4), np.float32), 8).any()
