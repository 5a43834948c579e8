"""No soft result has haze far from its thing, hair keeps its wisps, and a subject is one however it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright.recipes.cutting import brushed, cutout, object_matte
from maskwright_protocol.messages import Cutout, Mask, PixelRect, Point, Refine
from tests.made_up_edges import MadeUp, made_up
from tests.server.recipes.conftest import Desk, photo, plane
from tests.shared_data import needs_eval, needs_models

PALE, LEAST = 0.1, 2 / 255  # what lies between is pale
FURTHEST = 16.0  # pixels from the thing at which pale alpha may end, for the widest bands
PHOTOS = ("matting/lemur.png", "photos/chelsea.png", "photos/astronaut.png", "voc/2011_000006.jpg")


def furthest_pale(alpha: np.ndarray) -> float:
    """How far from denser places the palest visible alpha lies, in pixels."""
    away = cv2.distanceTransform((alpha < PALE).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    pale = (alpha >= LEAST) & (alpha < PALE)
    return float(away[pale].max()) if pale.any() else 0.0


def around(thing: MadeUp, finest: int = 11) -> Mask:
    """A rough selection of what is solid over so many pixels, as clicks give it."""
    solid = cv2.morphologyEx((thing.alpha > 0.9).astype(np.float32), cv2.MORPH_OPEN, np.ones((finest, finest)))
    rough = cv2.GaussianBlur(solid, (0, 0), 3)
    height, width = rough.shape
    return Mask(PixelRect(0, 0, width, height), data=np.round(rough * 255).astype(np.uint8).tobytes())


def results(desk: Desk, image: np.ndarray, name: str, **how) -> dict[str, np.ndarray]:
    picture = desk.picture(image, name)
    asked = {
        "subject": Cutout("1", picture=picture, foreground=False, **how),
        "layer": Cutout("2", picture=picture, **how),
        "hair": Cutout("3", picture=picture, foreground=False, hair=True, **how),
    }
    return {kind: plane(desk.run(request).alpha, image) for kind, request in asked.items()}


@needs_models
@needs_eval
@pytest.mark.parametrize("name", PHOTOS)
def test_photos_have_no_haze_and_one_subject(desk: Desk, name: str) -> None:
    found = results(desk, photo(name), name)
    print(name, {kind: round(furthest_pale(alpha), 1) for kind, alpha in found.items()})
    assert max(furthest_pale(alpha) for alpha in found.values()) <= FURTHEST
    same_place(found["subject"], found["layer"])


def same_place(first: np.ndarray, second: np.ndarray) -> None:
    near = np.ones((3, 3), np.uint8)
    for one, other in ((first, second), (second, first)):
        assert not ((one >= LEAST) & ~cv2.dilate((other >= LEAST).astype(np.uint8), near).astype(bool)).any()


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("kind", ["strands", "fur", "motion blur"])
def test_made_up_things_have_no_haze_whoever_finds_them(basic: Desk, kind: str, seed: int) -> None:
    thing = made_up(kind, seed)
    found = results(basic, thing.pixels, kind, mask=around(thing))
    same_place(found["subject"], found["layer"])
    picture = basic.picture(thing.pixels, kind)
    for hair in (False, True):
        answer = basic.run(Refine("4", picture=picture, mask=around(thing), hair=hair))
        found[f"refined, {hair}"] = plane(answer.instances[0].mask, thing.pixels)
    print(kind, seed, {name: round(furthest_pale(alpha), 1) for name, alpha in found.items()})
    assert max(furthest_pale(alpha) for alpha in found.values()) <= FURTHEST


@pytest.mark.parametrize("seed", [5, 6])
@pytest.mark.parametrize("kind", ["strands", "fur"])
def test_wisps_stay(basic: Desk, kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the strands that a selection touches and matting finds, at most a hundredth goes with the haze."""
    thing = made_up(kind, seed)
    wisps = (thing.alpha > 0.25) & ~cv2.dilate((thing.alpha > 0.98).astype(np.uint8), np.ones((5, 5))).astype(bool)
    request = Refine("1", picture=basic.picture(thing.pixels, kind), mask=around(thing, 1), hair=True, mask_depth=16)
    clean = plane(basic.run(request).instances[0].mask, thing.pixels)
    basic.cache.clear()
    for module in (brushed, cutout, object_matte):
        monkeypatch.setattr(module, "without_haze", lambda mask, width: mask)
    raw = plane(basic.run(request).instances[0].mask, thing.pixels)
    print(kind, seed, "wisps", wisps.sum(), "found", raw[wisps].sum(), "kept", clean[wisps].sum())
    assert raw[wisps].sum() > 0.1 * thing.alpha[wisps].sum(), "there is something to keep"
    assert clean[wisps].sum() > 0.99 * raw[wisps].sum()


def test_soft_parts_of_a_selection_stay_where_they_were_drawn(basic: Desk) -> None:
    thing = made_up("fur", 7)
    height, width = thing.alpha.shape
    drawn = (thing.alpha > 0.9).astype(np.float32)
    drawn[20:60, 20:80] = 0.3  # a veil, far away
    mask = Mask(PixelRect(0, 0, width, height), data=np.round(drawn * 255).astype(np.uint8).tobytes())
    answer = basic.run(Refine("1", picture=basic.picture(thing.pixels, "veil"), mask=mask))
    found = plane(answer.instances[0].mask, thing.pixels)
    assert found[25:55, 25:75].min() > 0.28


@pytest.mark.parametrize("at", [(5, 5), (600, 20), (320, 470)])
def test_a_click_elsewhere_has_no_haze_either(desk: Desk, at: tuple[int, int]) -> None:
    thing = made_up("strands", 8)
    answer = desk.run(Cutout("1", picture=desk.picture(thing.pixels, "strands-8"), points=[Point(*at)]))
    if answer.alpha is not None:
        assert furthest_pale(plane(answer.alpha, thing.pixels)) <= FURTHEST
