"""Made-up photos with exact truth: things cut out of photos, pasted into other photos at many sizes and blurs.

The things: the lemur with its true alpha, the people and furniture of Pascal VOC, the people of ``person_parts``, and
things of the other photos within hand-corrected outlines (``outlines.json``). What is cut is what is true: where a
thing lies in a composite, how far others hide it and how it blurs is known to the pixel. All follows from a seed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.masks.boxes import PixelBox, Plane, tight_box
from maskwright.masks.opencv import cv2
from tests.shared_data import EVAL

RGB = NDArray[np.uint8]
Range = tuple[int, int]

SMALLEST = 40  # pixels of a thing's long side
_ENLARGED = 1.6  # how much larger than in its own photo a thing may become
_SEEN = 0.4  # share of a thing that others leave in sight
_TRIES = 30

# Photos to paste into, and what of the detector's things they show or may be taken for showing: none of it is pasted.
_GROUNDS = (
    ("photos/coffee.png", {"cup", "bottle"}),
    ("photos/chelsea.png", {"cat", "couch"}),
    ("photos/motorcycle_left.png", {"motorcycle", "bottle"}),
    ("photos/truck.jpg", {"truck", "car", "bus"}),
    ("matting/lemur.png", {"lemur", "cat"}),
    ("photos/bus.jpg", {"person", "bus", "truck", "car"}),
    ("voc/2011_000006.jpg", {"person", "couch", "chair"}),
    ("voc/2011_000003.jpg", {"person", "bottle", "cup", "couch"}),
)  # fmt: skip
_VOC = (
    ("2011_000003", 1, "person"),
    ("2011_000003", 3, "bottle"),
    ("2011_000006", 1, "person"),
    ("2011_000006", 2, "person"),
    ("2011_000006", 3, "person"),
    ("2011_000006", 4, "couch"),  # a chair to VOC, a couch to what was trained on COCO
)
_PEOPLE = ("0", "000342")


@dataclass(frozen=True)
class Thing:
    """``pixels`` ``(h, w, 3)`` uint8 sRGB, ``alpha`` ``(h, w)`` float32 0..1. ``label``: COCO's name, or "lemur"."""

    name: str
    label: str
    pixels: RGB
    alpha: Plane


@dataclass(frozen=True)
class Placed:
    """A thing in a composite: ``alpha`` ``(box.height, box.width)`` float32 0..1 of what others leave in sight.

    ``hidden``: share of it that others cover. ``blur``: standard deviation or half the way of its motion, pixels.
    """

    thing: Thing
    box: PixelBox
    alpha: Plane
    hidden: float
    blur: float

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """``(height, width)``: where at least half of it is seen."""
        out = np.zeros((height, width), bool)
        out[self.box.slices()] = self.alpha >= 0.5
        return out


@dataclass
class Composite:
    """``pixels`` ``(H, W, 3)`` uint8 sRGB; ``placed`` from the back to the front. ``ground``: the photo's name."""

    seed: int
    pixels: RGB
    ground: str
    placed: list[Placed] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        return sorted({one.thing.label for one in self.placed})


@dataclass
class _Layer:
    thing: Thing
    box: PixelBox
    colours: Plane  # times alpha
    alpha: Plane
    blur: float


def composite(
    seed: int, sides: Range = (1000, 4000), count: Range = (2, 7), largest: float = 0.5, lemur: bool = True
) -> Composite:
    """A picture whose long side lies within ``sides``, with so many things, some overlapping.

    A thing is up to ``largest`` of the picture's short side. ``lemur``: whether it is among them; detectors of common
    things have no name for it.
    """
    random = np.random.default_rng(seed)
    fitting = [[t for t in things() if t.label not in shown and (lemur or t.label != "lemur")] for _, shown in _GROUNDS]
    weights = np.array([len(some) for some in fitting], float)
    number = int(random.choice(len(_GROUNDS), p=weights / weights.sum()))
    name, some = _GROUNDS[number][0], fitting[number]
    long = round(float(np.exp(random.uniform(*np.log(sides)))))
    short = round(long * random.uniform(0.6, 0.8))
    width, height = (long, short) if random.random() < 0.7 else (short, long)
    pixels = _ground(name, width, height, random)
    layers: list[_Layer] = []
    for _ in range(int(random.integers(count[0], count[1] + 1))):
        for _ in range(_TRIES):
            one = _layer(some[int(random.integers(len(some)))], layers, (width, height), largest, random)
            if all(share >= _SEEN for share in _in_sight([*layers, one])):
                layers.append(one)
                break
    for one in layers:
        part = pixels[one.box.slices()]
        part *= 1 - one.alpha[..., None]
        part += one.colours
    grain = random.normal(0, random.uniform(0, 3), (height, width, 1)).astype(np.float32)
    return Composite(seed, _photographed(pixels + grain, random), name, _placed(layers))


@cache
def things() -> tuple[Thing, ...]:
    """All things that can be pasted, cut tightly."""
    found = [_cut("lemur", "lemur", _photo("matting/lemur.png"), _plane("matting/lemur_alpha.png") / np.float32(255))]
    for name, number, label in _VOC:
        inside = _plane(f"voc/{name}_object.png") == number
        found.append(_cut(f"{name}-{number}", label, _photo(f"voc/{name}.jpg"), _soft(inside)))
    for name in _PEOPLE:
        inside = _plane(f"person_parts/{name}_annotation.png") > 0
        found.append(_cut(f"person-{name}", "person", _photo(f"person_parts/{name}_image.png"), _soft(inside)))
    for number, one in enumerate(json.loads((Path(__file__).parent / "outlines.json").read_text())):
        photo = _photo(one["photo"])
        inside = np.zeros(photo.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.array(one["outline"], np.int32)], 1)
        found.append(_cut(f"{one['label']}-{number}", one["label"], photo, _soft(inside > 0)))
    return tuple(found)


def _cut(name: str, label: str, photo: RGB, alpha: Plane) -> Thing:
    part = tight_box(alpha).slices()
    return Thing(name, label, np.ascontiguousarray(photo[part]), np.ascontiguousarray(alpha[part]))


@cache
def _photo(name: str) -> RGB:
    return np.array(Image.open(EVAL / name).convert("RGB"))


def _plane(name: str) -> Plane:
    return np.array(Image.open(EVAL / name)).astype(np.float32)


def _soft(inside: NDArray[np.bool_]) -> Plane:
    """A hard mask's largest part, without the rim that shows what lay behind, with an edge as photos have it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    main = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.float32)
    eroded = cv2.erode(main, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(eroded, (0, 0), 0.7)


def _ground(name: str, width: int, height: int, random: np.random.Generator) -> Plane:
    """``(height, width, 3)`` float32 0..255: a photo at most four times enlarged, mirrored on until it fills that."""
    photo = _photo(name)
    scale = float(np.clip(max(width / photo.shape[1], height / photo.shape[0]), 0.5, 4.0))
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if random.random() < 0.5:
        photo = photo[:, ::-1]
    rows, columns = photo.shape[:2]
    y, x = int(random.integers(rows)), int(random.integers(columns))
    place = [_mirrored(np.arange(start, start + length), span) for start, length, span in
             ((y, height, rows), (x, width, columns))]  # fmt: skip
    return photo[np.ix_(*place)].astype(np.float32)


def _mirrored(index: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    index = index % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def _layer(
    thing: Thing, layers: list[_Layer], picture: tuple[int, int], largest: float, random: np.random.Generator
) -> _Layer:
    """The thing at some size, blurred and placed; half of the time so that it overlaps one that is there."""
    beside = layers[int(random.integers(len(layers)))] if layers and random.random() < 0.5 else None
    most = min(largest * min(picture), _ENLARGED * max(thing.alpha.shape))
    if beside is None:
        side = float(np.exp(random.uniform(np.log(SMALLEST), np.log(max(most, SMALLEST + 1)))))
    else:
        side = min(most, max(beside.box.width, beside.box.height) * float(np.exp(random.uniform(-0.7, 0.7))))
    colours, alpha, blur = _drawn(thing, max(SMALLEST, side), random)
    height, width = alpha.shape
    if beside is None:
        x, y = random.integers(0, max(1, picture[0] - width)), random.integers(0, max(1, picture[1] - height))
    else:
        x = beside.box.x + beside.box.width / 2 - width / 2 + random.uniform(-0.5, 0.5) * (beside.box.width + width)
        y = beside.box.bottom - height + random.uniform(-0.15, 0.15) * (beside.box.height + height)
    box = PixelBox(
        int(np.clip(x, 0, max(0, picture[0] - width))), int(np.clip(y, 0, max(0, picture[1] - height))), width, height
    )
    return _Layer(thing, box, colours, alpha, blur)


def _drawn(thing: Thing, side: float, random: np.random.Generator) -> tuple[Plane, Plane, float]:
    """Colours times alpha ``(h, w, 3)`` 0..255, alpha ``(h, w)`` 0..1, and the blur in pixels."""
    scale = side / max(thing.alpha.shape)
    size = max(1, round(thing.alpha.shape[1] * scale)), max(1, round(thing.alpha.shape[0] * scale))
    stack = np.dstack([thing.pixels.astype(np.float32) * thing.alpha[..., None], thing.alpha])
    if random.random() < 0.5:
        stack = stack[:, ::-1]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    stack = cv2.resize(np.ascontiguousarray(stack), size, interpolation=method)
    kind, blur = random.random(), 0.0
    if kind < 0.5:
        blur = side * float(np.exp(random.uniform(np.log(0.003), np.log(0.03))))
        margin = int(np.ceil(3 * blur))
        stack = cv2.copyMakeBorder(stack, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
        if kind < 0.35:
            stack = cv2.GaussianBlur(stack, (0, 0), max(blur, 0.2), borderType=cv2.BORDER_CONSTANT)
        else:
            stack = cv2.filter2D(stack, -1, _motion(blur, random.uniform(0, np.pi)), borderType=cv2.BORDER_CONSTANT)
    colours, alpha = stack[..., :3], np.clip(stack[..., 3], 0, 1)
    light = float(np.exp(random.normal(0, 0.15)))
    return np.minimum(colours * light, 255 * alpha[..., None]), alpha, blur


def _motion(half: float, angle: float) -> Plane:
    """The kernel of a straight motion over ``half`` pixels to both sides, of sum 1."""
    reach = int(np.ceil(half)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-half, half, 8 * reach + 1):
        x, y = reach + step * np.cos(angle), reach + step * np.sin(angle)
        kernel[round(float(y)), round(float(x))] += 1
    return kernel / kernel.sum()


def _visible(layers: list[_Layer]) -> list[Plane]:
    """The alpha of each layer that those in front of it leave."""
    seen = []
    for number, one in enumerate(layers):
        alpha = one.alpha.copy()
        for other in layers[number + 1 :]:
            common = one.box.intersect(other.box)
            if not common.empty:
                own = common.moved(-one.box.x, -one.box.y).slices()
                alpha[own] *= 1 - other.alpha[common.moved(-other.box.x, -other.box.y).slices()]
        seen.append(alpha)
    return seen


def _in_sight(layers: list[_Layer]) -> list[float]:
    return [float(seen.sum() / max(one.alpha.sum(), 1e-6)) for one, seen in zip(layers, _visible(layers), strict=True)]


def _placed(layers: list[_Layer]) -> list[Placed]:
    placed = []
    for one, alpha, share in zip(layers, _visible(layers), _in_sight(layers), strict=True):
        tight = tight_box(alpha)
        box = tight.moved(one.box.x, one.box.y)
        placed.append(Placed(one.thing, box, alpha[tight.slices()], 1 - share, one.blur))
    return placed


def _photographed(pixels: Plane, random: np.random.Generator) -> RGB:
    """What a camera would have kept: whole numbers, and JPEG's loss."""
    whole = np.clip(pixels + 0.5, 0, 255).astype(np.uint8)
    quality = int(random.integers(80, 97))
    _, packed = cv2.imencode(".jpg", whole[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
