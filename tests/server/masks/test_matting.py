"""Tiles, bands, subjects, shadows and what is done to soft edges."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks import edges, tiles, trimap
from maskwright.masks.boxes import PixelBox, recrop
from maskwright.masks.opencv import cv2
from maskwright.masks.shadow import cast_shadow
from maskwright.masks.subjects import subjects


def ring(size: int, radius: float, soft: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size].astype(np.float32)
    middle = (size - 1) / 2
    return np.clip((radius - np.hypot(y - middle, x - middle)) / soft + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("box", [PixelBox(0, 0, 40, 30), PixelBox(-17, 5, 911, 333), PixelBox(3, 3, 200, 1201)])
@pytest.mark.parametrize(("core", "overlap"), [(128, 32), (200, 0), (512, 64)])
def test_tiles_cover_everything_once(box, core, overlap):
    total = np.zeros((box.height, box.width), np.float32)
    written = list(tiles.cover(box, core, overlap, 20))
    assert len(written) == tiles.count(box, core)
    for tile in written:
        assert box.contains(tile.read)
        assert tile.read.contains(tile.write)
        assert tile.weights.shape == (tile.write.height, tile.write.width)
        total[tile.write.moved(-box.x, -box.y).slices()] += tile.weights
    assert np.abs(total - 1).max() < 1e-5


def test_no_tile_leaves_a_seam():
    # Each tile errs by an offset of its own; what is put together must not step.
    box = PixelBox(0, 0, 900, 700)
    ramp = np.linspace(0, 1, 900, dtype=np.float32)[None, :].repeat(700, 0)
    out = np.zeros_like(ramp)
    offsets = np.random.default_rng(1).uniform(-0.05, 0.05, tiles.count(box, 200))
    for offset, tile in zip(offsets, tiles.cover(box, 200, 64, 0), strict=True):
        part = recrop(ramp, box, tile.write) + np.float32(offset)
        out[tile.write.slices()] += part * tile.weights
    assert np.abs(np.diff(out, axis=0)).max() < 0.1 / 64 + 1e-4
    assert np.abs(np.diff(out, axis=1) - 1 / 899).max() < 0.1 / 64 + 1e-4


def test_the_band_follows_size_and_softness():
    hard, small = (ring(400, 150, 1) * 255).astype(np.uint8), (ring(400, 30, 1) * 255).astype(np.uint8)
    soft = (ring(400, 150, 20) * 255).astype(np.uint8)
    assert trimap.softness(soft) == pytest.approx(20, rel=0.25)
    assert trimap.auto_edge_width(hard) == pytest.approx(15, rel=0.05)
    assert trimap.auto_edge_width(small) == trimap.NARROWEST
    assert trimap.auto_edge_width(soft) > 2 * trimap.auto_edge_width(hard)
    assert trimap.softness(np.zeros((9, 9), np.uint8)) == 0


def test_the_band_widens_only_where_the_alpha_asks():
    mask = ring(300, 100, 1)
    tri = trimap.trimap(mask, 12)
    alpha = np.where(tri == 0.5, mask, tri).astype(np.float32)
    assert trimap.widened(tri, alpha, 10) is tri
    rows, columns = np.nonzero((tri == 0.5) & (np.indices(tri.shape)[0] < 80))
    alpha[rows, columns] = 0.4
    wider = trimap.widened(tri, alpha, 10)
    grown = (wider == 0.5) & (tri != 0.5)
    assert grown[:85].any()
    assert not grown[150:].any()


def test_contrast_and_shift():
    mask = ring(120, 40, 12)
    assert edges.contrast(mask, 0) is mask
    assert set(np.unique(edges.contrast(mask, 1))) == {0.0, 1.0}
    steep = edges.contrast(mask, 0.5)
    assert ((steep >= 0.5) == (mask >= 0.5)).all()
    assert (steep * (1 - steep)).sum() == pytest.approx((mask * (1 - mask)).sum() / 2, rel=0.05)
    for amount in (-1.0, -0.3, 0.3, 1.0):
        moved = edges.shift(mask, amount)
        assert np.sign(moved.sum() - mask.sum()) == np.sign(amount)
        assert (moved[mask == 0] == 0).all()
        assert (moved[mask == 1] == 1).all()
    hard = (mask >= 0.5).astype(np.float32)
    assert np.array_equal(edges.shift(hard, 1), hard)


@pytest.mark.parametrize("soft", [1.5, 10])
def test_smoothing_rounds_and_keeps_the_softness(soft):
    jagged = ring(200, 60, soft)
    noise = np.random.default_rng(3).normal(0, 1, (40, 40)).astype(np.float32)
    bump = cv2.resize(noise, (200, 200), interpolation=cv2.INTER_CUBIC) * 2
    y, x = np.mgrid[:200, :200].astype(np.float32)
    jagged = np.clip((60 + bump - np.hypot(y - 99.5, x - 99.5)) / soft + 0.5, 0, 1).astype(np.float32)
    round_ = edges.smooth_outline(jagged, 12)

    def raggedness(mask: np.ndarray) -> float:
        outline, _ = cv2.findContours((mask >= 0.5).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = max(outline, key=len)[:, 0].astype(float)
        return float(np.hypot(*(points - 99.5).T).std())

    assert raggedness(round_) < 0.6 * raggedness(jagged)
    before, after = ((m * (1 - m)).sum() for m in (jagged, round_))
    assert after == pytest.approx(before, rel=0.4)
    assert edges.smooth_outline(jagged, 0) is jagged


def test_subjects_are_told_apart_with_their_skirts():
    alpha = np.zeros((200, 300), np.float32)
    alpha[40:160, 30:130] = 1
    alpha[60:140, 180:260] = 0.9
    alpha[5:8, 5:8] = 1  # a speck is none
    haze = cv2.GaussianBlur(alpha, (0, 0), 6)
    found = subjects(np.maximum(alpha, haze))
    assert [one.area for one in found.found] == sorted((one.area for one in found.found), reverse=True)
    assert len(found.found) == 2
    assert found.at(220, 100) == 1
    assert found.at(60, 100) == 0
    left = found.keep(haze, [0])
    assert not left[100, 190:].any()
    assert np.array_equal(left[:, :100], haze[:, :100])
    assert found.keep(haze, [0, 1]) is haze
    assert subjects(np.zeros((9, 9), np.float32)).found == ()


def studio(strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey thing on a lit backdrop with a soft shadow to its right: image, alpha, the shadow's true opacity."""
    y, x = np.mgrid[:240, :320].astype(np.float32)
    alpha = np.clip(50 - np.hypot(y - 120, x - 140) + 0.5, 0, 1).astype(np.float32)
    shadow = np.clip(1 - np.hypot((y - 165) / 22, (x - 190) / 70), 0, 0.6).astype(np.float32) * np.float32(strength)
    backdrop = np.stack([0.85 - x / 2000, 0.8 - y / 2500, 0.75 + x / 3000], axis=2).astype(np.float32)
    noise = np.random.default_rng(5).normal(0, 0.006, backdrop.shape).astype(np.float32)
    lit = backdrop * (1 - shadow)[..., None] + noise
    subject = np.array([0.3, 0.35, 0.5], np.float32)
    image = np.clip(lit * (1 - alpha)[..., None] + subject * alpha[..., None], 0, 1).astype(np.float32)
    return image, alpha, shadow


def test_a_cast_shadow_is_kept_on_a_plain_background():
    image, alpha, truth = studio(1.0)
    found = cast_shadow(image, alpha)
    assert found is not None
    outside = alpha == 0
    assert np.abs(found - truth)[outside].mean() < 0.25 * truth[outside].mean()
    assert np.corrcoef(found[outside], truth[outside])[0, 1] > 0.95
    none, alpha, _ = studio(0.0)
    empty = cast_shadow(none, alpha)
    assert empty is not None
    assert empty.mean() < 0.002
    busy = np.random.default_rng(0).uniform(0, 1, (240, 320, 3)).astype(np.float32)
    assert cast_shadow(busy, alpha) is None
