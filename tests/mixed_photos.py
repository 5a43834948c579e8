"""Seventy photos of about half a megapixel, cut and scaled from those at hand; the same ones in every run."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from maskwright.masks.opencv import cv2
from tests.shared_data import EVAL

COUNT = 70
_SAMPLES = Path(skimage.__file__).parent / "data"
_SOURCES = (
    *(EVAL / name for name in ("matting/lemur.png", "voc/2011_000003.jpg", "voc/2011_000006.jpg")),
    *(EVAL / f"person_parts/{name}_image.png" for name in ("0", "000335", "000340", "000342")),
    *(EVAL / f"photos/{name}" for name in ("astronaut.png", "bus.jpg", "chelsea.png", "coffee.png")),
    *(EVAL / f"photos/{name}" for name in ("motorcycle_left.png", "truck.jpg")),
    *(_SAMPLES / name for name in ("rocket.jpg", "camera.png", "motorcycle_right.png", "clock_motion.png")),
)
PERSON = 15  # in VOC's masks of classes


@dataclass
class Photo:
    """``pixels`` ``(H, W, 3)`` uint8; ``truth`` ``(H, W)`` float32 0..1 of the main subject where it is known."""

    name: str
    pixels: np.ndarray
    truth: np.ndarray | None


def mixed_photos(count: int = COUNT) -> Iterator[Photo]:
    """The photos as they are come first, scaled; then crops of 0.6 to 1 of their sides."""
    loaded = [(path.stem, *_loaded(path)) for path in _SOURCES]
    for number in range(count):
        name, pixels, truth = loaded[number % len(loaded)]
        turn = number // len(loaded)
        rng = np.random.default_rng(zlib.crc32(f"{name} {turn}".encode()))
        height, width = pixels.shape[:2]
        share = 1.0 if turn == 0 else float(rng.uniform(0.6, 1.0))
        tall, wide = round(height * share), round(width * share)
        top, left = (int(rng.integers(0, rest + 1)) for rest in (height - tall, width - wide))
        scale = float(np.sqrt(rng.uniform(0.35e6, 0.65e6) / (tall * wide)))
        size = (round(wide * scale), round(tall * scale))
        part = np.s_[top : top + tall, left : left + wide]
        yield Photo(
            f"{number:02d}-{name}", _scaled(pixels[part], size), None if truth is None else _scaled(truth[part], size)
        )


def _scaled(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    smaller = size[0] < plane.shape[1]
    return cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _loaded(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    pixels = np.array(Image.open(path).convert("RGB"))
    folder, stem = path.parent, path.stem
    if stem == "lemur":
        truth = np.array(Image.open(folder / "lemur_alpha.png").convert("L")) / 255
    elif folder.name == "voc":
        truth = np.array(Image.open(folder / f"{stem}_class.png")) == PERSON
    elif folder.name == "person_parts":
        truth = np.array(Image.open(folder / f"{stem.removesuffix('_image')}_annotation.png")) > 0
    else:
        return pixels, None
    return pixels, truth.astype(np.float32)
