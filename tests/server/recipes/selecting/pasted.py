"""Things of the photos with ground truth, pasted into other photos: exact masks at any size and place."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from maskwright.masks.boxes import tight_box
from maskwright.masks.opencv import cv2
from maskwright_protocol.messages import Point, Rect
from tests.server.recipes.conftest import photo
from tests.shared_data import EVAL

GROUNDS = ("photos/chelsea.png", "photos/coffee.png", "photos/motorcycle_left.png", "photos/bus.jpg")


@cache
def thing(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The pixels ``(h, w, 3)`` uint8 of "lemur", "bottle" or "woman" and its mask ``(h, w)`` float32 0..1, tight."""
    if name == "lemur":
        picture, mask = photo("matting/lemur.png"), np.array(Image.open(EVAL / "matting/lemur_alpha.png")) >= 128
    elif name == "bottle":
        picture, mask = photo("voc/2011_000003.jpg"), np.array(Image.open(EVAL / "voc/2011_000003_object.png")) == 3
    else:
        picture, mask = (
            photo("person_parts/0_image.png"),
            np.array(Image.open(EVAL / "person_parts/0_annotation.png")) > 0,
        )
    inner = tight_box(mask.view(np.uint8)).slices()
    return picture[inner], mask[inner].astype(np.float32)


@cache
def ground(number: int, width: int, height: int) -> np.ndarray:
    """A photo, cut to that shape and brought to that size, out of focus."""
    picture = photo(GROUNDS[number % len(GROUNDS)])
    rows, columns = picture.shape[:2]
    scale = min(columns / width, rows / height)
    part = np.ascontiguousarray(picture[: max(1, int(height * scale)), : max(1, int(width * scale))])
    return cv2.GaussianBlur(cv2.resize(part, (width, height)), (0, 0), max(width, height) / 300)


def pasted(picture: np.ndarray, name: str, x: float, y: float, size: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a thing around a place, its long side of that size, and the thing's mask ``(H, W)`` bool."""
    pixels, mask = thing(name)
    scale = size / max(mask.shape)
    width, height = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    move = np.array([[scale, 0, x - width / 2], [0, scale, y - height / 2]], np.float32)
    shape = picture.shape[1::-1]
    alpha = cv2.warpAffine(mask, move, shape, flags=cv2.INTER_AREA)[..., None]
    moved = cv2.warpAffine(pixels, move, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return (picture * (1 - alpha) + moved * alpha + 0.5).astype(np.uint8), alpha[..., 0] >= 0.5


def inside(mask: np.ndarray, number: int = 0) -> Point:
    """A place well inside of a mask; another number, another place."""
    depth = cv2.distanceTransform(cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, 0), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(depth >= 0.6 * depth.max())
    if not number:
        row, column = np.unravel_index(depth.argmax(), depth.shape)
    else:
        chosen = np.random.default_rng(number).integers(len(rows))
        row, column = rows[chosen], columns[chosen]
    return Point(float(column) + 0.5, float(row) + 0.5)


def around(mask: np.ndarray) -> Rect:
    box = tight_box(mask.view(np.uint8))
    return Rect(float(box.x), float(box.y), float(box.width), float(box.height))
