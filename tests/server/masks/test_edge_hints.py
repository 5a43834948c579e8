"""Strokes of the edge brush as labels: many made-up strokes against the distance to their line."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.boxes import PixelBox, recrop
from maskwright.masks.edge_hints import HAIR, HARD, IN, KINDS, NOTHING, OUT, Hints, painted

CANVAS = PixelBox(-20, 10, 160, 120)


def strokes(seed: int) -> list[tuple[str, float, list[tuple[float, float]]]]:
    """One to five strokes that begin and end anywhere, outside of the canvas too."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rng.integers(1, 6)):
        places = rng.uniform((-40, -10), (160, 150), (rng.integers(1, 6), 2))
        found.append((str(rng.choice(list(KINDS))), float(rng.uniform(1, 30)), [(x, y) for x, y in places]))
    return found


def distance(places: list[tuple[float, float]]) -> np.ndarray:
    """Of each pixel's middle to the line through the places."""
    y, x = np.mgrid[CANVAS.y : CANVAS.bottom, CANVAS.x : CANVAS.right] + 0.5
    at = np.stack([x, y], axis=-1)
    first = np.array(places[0])
    out = np.linalg.norm(at - first, axis=-1)
    for last in np.array(places[1:]).reshape(-1, 2):
        along = last - first
        share = np.clip(((at - first) @ along) / max(1e-9, along @ along), 0, 1)
        out = np.minimum(out, np.linalg.norm(at - first - share[..., None] * along, axis=-1))
        first = last
    return out


def everywhere(hints: Hints | None) -> np.ndarray:
    if hints is None:
        return np.zeros((CANVAS.height, CANVAS.width), np.uint8)
    assert CANVAS.contains(hints.box)
    return recrop(hints.labels, hints.box, CANVAS)


@pytest.mark.parametrize("seed", range(40))
def test_a_stroke_covers_what_is_near_its_line_and_the_later_one_counts(seed: int) -> None:
    wanted, unsure = np.zeros((CANVAS.height, CANVAS.width), np.uint8), np.zeros((CANVAS.height, CANVAS.width), bool)
    for kind, width, places in strokes(seed):
        away = distance(places) - width / 2
        wanted[away < 0] = KINDS[kind]
        rim = np.abs(away) < 1.6  # widths are whole pixels, and rims are drawn without a soft edge
        unsure |= rim
    found = everywhere(painted(strokes(seed), CANVAS))
    assert (found == wanted)[~unsure].all()


def test_nothing_painted_is_no_hint() -> None:
    assert painted([], CANVAS) is None
    assert painted([("hair", 10.0, [(500.0, 500.0), (600.0, 500.0)])], CANVAS) is None


ON_THE_CANVAS = [seed for seed in range(40) if painted(strokes(seed), CANVAS) is not None][:20]


def test_most_strokes_touch_the_canvas() -> None:
    assert len(ON_THE_CANVAS) == 20


@pytest.mark.parametrize("seed", ON_THE_CANVAS)
def test_masks_and_trimaps_become_what_was_painted_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hints = painted(strokes(seed), CANVAS)
    assert hints is not None
    labels = everywhere(hints)
    for kind in (np.float32, np.uint8):
        mask = rng.random((CANVAS.height, CANVAS.width)).astype(np.float32)
        mask = mask if kind is np.float32 else (mask * 255).astype(np.uint8)
        out, box = hints.on_mask(mask, CANVAS)
        assert box == CANVAS
        full = 1.0 if kind is np.float32 else 255
        assert (out[labels == IN] == full).all()
        assert not out[labels == OUT].any()
        other = (labels != IN) & (labels != OUT)
        assert (out[other] == mask[other]).all()
    tri = rng.choice(np.array([0, 0.5, 1], np.float32), (CANVAS.height, CANVAS.width))
    out = hints.on_trimap(tri, CANVAS, 8.0)
    assert set(np.unique(out)) <= {0.0, 0.5, 1.0}
    assert (out[labels == HAIR] == 0.5).all()
    assert (out[labels == IN] == 1).all()
    assert not out[labels == OUT].any()
    same = (labels == HARD) | ((labels == NOTHING) & (out == 0.5))
    assert (out[same] == tri[same]).all()


@pytest.mark.parametrize("seed", ON_THE_CANVAS)
def test_what_was_found_counts_near_the_strokes_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hints = painted(strokes(seed), CANVAS)
    assert hints is not None
    before, found = rng.random((2, CANVAS.height, CANVAS.width)).astype(np.float32)
    width = float(rng.uniform(2, 20))
    out = hints.blended(before, found, CANVAS, width)
    labels = everywhere(hints)
    away = np.min([distance(places) - thick / 2 for _, thick, places in strokes(seed)], axis=0)
    far = away > width / 2 + 8
    assert (out[far] == before[far]).all()
    assert (out[labels == IN] == 1).all()
    assert (out[labels == OUT] == 0).all()
    assert np.allclose(out[labels == HAIR], found[labels == HAIR], atol=1e-6)
