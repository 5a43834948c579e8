"""Photos enlarged or pasted into larger ones, with their true masks."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright_protocol.errors import MorePixelsNeeded
from maskwright_protocol.messages import Picture, PixelRect, Point, Raster, Rect
from tests.server.recipes.conftest import Desk
from tests.shared_data import EVAL


def photo(name: str) -> np.ndarray:
    return np.array(Image.open(EVAL / name).convert("RGB"))


def boundary_f(mask: np.ndarray, truth: np.ndarray, tolerance: float = 2.0) -> float:
    """F-score of the two outlines' pixels that lie within ``tolerance`` pixels of each other."""
    rims, away = [], []
    for one in (mask, truth):
        inside = (one >= 0.5).astype(np.uint8)
        rim = (inside - cv2.erode(inside, np.ones((3, 3), np.uint8))) > 0
        rims.append(rim)
        away.append(cv2.distanceTransform((~rim).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    precision, recall = (away[1][rims[0]] <= tolerance).mean(), (away[0][rims[1]] <= tolerance).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def pasted(thing: np.ndarray, alpha: np.ndarray, side: int, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of 3072 x 2048 with the thing, ``side`` pixels long, at ``(x, y)``; and its alpha."""
    ground = cv2.resize(photo("photos/coffee.png"), (3072, 2048), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    scale = side / max(thing.shape)
    size = (round(thing.shape[1] * scale), round(thing.shape[0] * scale))
    thing, alpha = (cv2.resize(a.astype(np.float32), size, interpolation=cv2.INTER_AREA) for a in (thing, alpha))
    truth = np.zeros(ground.shape[:2], np.float32)
    part = slice(y, y + size[1]), slice(x, x + size[0])
    truth[part] = alpha
    ground[part] += (thing - ground[part]) * alpha[..., None]
    return np.clip(ground, 0, 255).astype(np.uint8), truth


def lemur() -> tuple[np.ndarray, np.ndarray]:
    return photo("matting/lemur.png"), np.array(Image.open(EVAL / "matting/lemur_alpha.png")) / 255


def chair() -> tuple[np.ndarray, np.ndarray]:
    inside = np.array(Image.open(EVAL / "voc/2011_000006_object.png")) == 4
    rows, columns = (slice(v.min(), v.max() + 1) for v in np.nonzero(inside))
    return photo("voc/2011_000006.jpg")[rows, columns], inside[rows, columns].astype(np.float32)


def around(truth: np.ndarray) -> Rect:
    rows, columns = np.nonzero(truth >= 0.5)
    x, y = float(columns.min()), float(rows.min())
    return Rect(x, y, float(columns.max()) + 1 - x, float(rows.max()) + 1 - y)


def middle(truth: np.ndarray) -> Point:
    depth = cv2.distanceTransform((truth >= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(x + 0.5, y + 0.5)


def with_detail(desk: Desk, picture: Picture, pixels: np.ndarray, error: MorePixelsNeeded) -> Picture:
    """What a client sends when it is asked for more pixels."""
    x, y, width, height = error.details["box"]
    key = f"{picture.rasters[0].key}-{x}-{y}-{width}-{height}"
    desk.rasters[key] = memoryview(np.ascontiguousarray(pixels[y : y + height, x : x + width]).tobytes())
    detail = Raster(key, width, height, "RGB8", PixelRect(x, y, width, height))
    return Picture(picture.box, [picture.rasters[0], detail])
