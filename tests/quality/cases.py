"""Pictures with known truth, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright_protocol.messages import Point, Rect
from tests.composites import composite
from tests.made_up_edges import KINDS, made_up
from tests.shared_data import EVAL

PERSON, VOID = 15, 220  # in VOC's masks of classes, and from where on nothing is told
_PEOPLE = ("0", "000335", "000340", "000342")
_GROUPS = ("2011_000003", "2011_000006")
_LARGE, _SMALL = 6, 4  # composites
_EACH = 3  # made-up things of a kind


@dataclass
class Case:
    """``pixels`` ``(H, W, 3)`` uint8, ``truth`` ``(H, W)`` float32 0..1. ``word`` is empty where no detector of plain
    names knows one; ``main``: whether it is the main subject of its picture."""

    group: str
    name: str
    pixels: np.ndarray
    truth: np.ndarray
    word: str = ""
    main: bool = True
    pointed: bool = True  # whether it is one thing, which can be clicked and boxed

    @property
    def point(self) -> Point:
        """The place furthest inside."""
        solid = np.pad((self.truth >= 0.5).astype(np.uint8), 1)
        inside = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        y, x = np.unravel_index(int(inside.argmax()), inside.shape)
        return Point(float(x) + 0.5, float(y) + 0.5)

    @property
    def box(self) -> Rect:
        rows, columns = (np.flatnonzero((self.truth >= 0.5).any(axis=axis)) for axis in (1, 0))
        left, top = float(columns[0]), float(rows[0])
        return Rect(left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top)


def cases() -> Iterator[Case]:
    yield Case("lemur", "lemur", _photo("matting/lemur.png"), _plane("matting/lemur_alpha.png") / np.float32(255))
    for name in _PEOPLE:
        truth = (_plane(f"person_parts/{name}_annotation.png") > 0).astype(np.float32)
        yield Case("a person", f"person-{name}", _photo(f"person_parts/{name}_image.png"), truth, "person")
    for name in _GROUPS:
        pixels = _photo(f"voc/{name}.jpg")
        kinds, objects = _plane(f"voc/{name}_class.png"), _plane(f"voc/{name}_object.png")
        people = (kinds == PERSON).astype(np.float32)
        yield Case("groups of people", f"voc-{name}", pixels, people, "person", pointed=False)
        for number in np.unique(objects[(objects > 0) & (objects < VOID)]).astype(int):
            truth = (objects == number).astype(np.float32)
            yield Case("objects of VOC", f"voc-{name}-{number}", pixels, truth, main=False)
    yield from _composites()
    for kind in KINDS:
        for seed in range(_EACH):
            made = made_up(kind, seed)
            yield Case(kind, f"{kind}-{seed}", made.pixels, made.alpha)


def _composites() -> Iterator[Case]:
    """One thing each: large ones, which are the main subject, and small ones, which seldom are what stands out."""
    left = {True: _LARGE, False: _SMALL}
    for seed in count():
        made = composite(seed, (640, 1000), (1, 1), largest=0.8)
        placed = made.placed[0]
        truth = np.zeros(made.pixels.shape[:2], np.float32)
        truth[placed.box.slices()] = placed.alpha
        large = bool(truth.sum() > 0.08 * truth.size)
        if left[large]:
            left[large] -= 1
            word = "" if placed.thing.label == "lemur" else placed.thing.label
            group = "large things in other photos" if large else "small things in other photos"
            yield Case(group, f"composite-{seed}", made.pixels, truth, word, large)
        if not any(left.values()):
            return


def _photo(name: str) -> np.ndarray:
    return np.array(Image.open(EVAL / name).convert("RGB"))


def _plane(name: str) -> np.ndarray:
    plane = np.array(Image.open(EVAL / name))
    return (plane if plane.ndim == 2 else plane[..., 0]).astype(np.float32)
