"""Small pictures of pictures: the original beside what came of it, as files in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskwright.files.reading import Picture, read_picture
from maskwright.files.result import Array, Result
from maskwright.files.writing import write_whole
from maskwright_protocol.errors import MaskwrightError

from .summaries import Summary
from .task import told_when_not_written

SIDE = 220  # pixels of each of the two
CHECKER = 16
QUALITY = 80
_FRAME = (40, 200, 90)


class Thumbnails:
    """``folder`` is made when the first is drawn. Names are fingerprints, so what was drawn before is still right."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.webp"

    def has(self, name: str) -> bool:
        return bool(name) and self.path(name).is_file()

    def draw(self, name: str, picture: Picture, result: Result | None, found: Sequence[Summary]) -> None:
        """``found``: the boxes to draw where the result has neither mask nor cut-out. Raises ``BadInput``."""
        cut = None
        if result is not None and result.cutout is not None:
            cut = result.cutout
        elif result is not None and result.mask is not None:
            left, top = result.origin
            part = picture.pixels[top : top + result.height, left : left + result.width]
            cut = np.dstack([rgb(small(part)), eight_bit(small(result.mask))])
        self._write(name, picture, cut, found)

    def draw_files(self, name: str, picture: Picture, files: Sequence[str], found: Sequence[Summary]) -> None:
        """The same from files that were written before. Raises ``BadInput``."""
        cut = None
        try:
            pixels = read_picture(Path(files[0])).pixels if files else None
        except MaskwrightError:
            pixels = None  # no picture: outlines
        if pixels is not None and pixels.shape[2] == 1:
            cut = np.dstack([rgb(small(picture.pixels)), eight_bit(resized(pixels, picture.pixels))])
        elif pixels is not None and pixels.shape[2] == 4:
            cut = pixels
        self._write(name, picture, cut, found)

    def _write(self, name: str, picture: Picture, cut: Array | None, found: Sequence[Summary]) -> None:
        pixels = picture.pixels
        seen = pixels.shape[2] == 4  # parts of it are transparent
        original = _on_checker_small(eight_bit(small(pixels))) if seen else rgb(small(pixels))
        if cut is not None:
            shown = _on_checker_small(eight_bit(cut))
        else:
            shown = _boxed(original, pixels.shape[1], found) if found else original[:, :0]
        height, width = max(original.shape[0], shown.shape[0]), original.shape[1] + shown.shape[1]
        both = np.full((height, width, 3), 255, np.uint8)
        both[: original.shape[0], : original.shape[1]] = original
        both[: shown.shape[0], original.shape[1] :] = shown
        fine, data = cv2.imencode(".webp", both[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
        with told_when_not_written(self.path(name)):
            write_whole(self.path(name), data.tobytes() if fine else b"")


def small(pixels: Array, side: int = SIDE) -> Array:
    """``(H, W, C)`` or ``(H, W)``, scaled so that neither side is longer than ``side``."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    made = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    return made.reshape(made.shape[0], made.shape[1], *pixels.shape[2:])


def resized(mask: Array, to: Array) -> Array:
    """A mask at the size that ``small(to)`` has."""
    height, width = small(to).shape[:2]
    return cv2.resize(np.ascontiguousarray(mask), (width, height), interpolation=cv2.INTER_AREA)


def eight_bit(pixels: Array) -> Array:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return (pixels // 257).astype(np.uint8)
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def rgb(pixels: Array) -> Array:
    """8-bit colours ``(H, W, 3)`` of what a file holds."""
    eight = eight_bit(pixels)
    return np.repeat(eight, 3, axis=2) if eight.shape[2] < 3 else np.ascontiguousarray(eight[:, :, :3])


def over(cut: Array, behind: Array) -> Array:
    """A cut-out, RGBA uint8, on colours ``(H, W, 3)``."""
    alpha = cut[:, :, 3:].astype(np.float32) / 255
    return (cut[:, :, :3] * alpha + behind * (1 - alpha)).astype(np.uint8)


def on_checker(cut: Array) -> Array:
    """A cut-out, RGBA, on the pattern that stands for nothing."""
    return over(cut, _board(*cut.shape[:2]))


def _on_checker_small(cut: Array) -> Array:
    """The same, scaled down: colours count as much as they are seen, so that edges get no dark rim."""
    alpha = np.ascontiguousarray(cut[:, :, 3])
    seen = cv2.multiply(np.ascontiguousarray(cut[:, :, :3]), cv2.merge([alpha, alpha, alpha]), scale=1 / 255)
    light, opaque = small(seen).astype(np.float32), small(alpha)[:, :, None].astype(np.float32) / 255
    return np.clip(light + _board(light.shape[0], light.shape[1]) * (1 - opaque), 0, 255).astype(np.uint8)


def _board(height: int, width: int) -> Array:
    rows, columns = np.indices((height, width)) // CHECKER
    return np.where((rows + columns) % 2, 200, 255).astype(np.float32)[:, :, None]


def _boxed(original: Array, width: int, found: Sequence[Summary]) -> Array:
    shown, scale = original.copy(), original.shape[1] / width
    for one in found:
        box: list[Any] = one["box"]
        x, y, right, bottom = (round(v * scale) for v in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
        cv2.rectangle(shown, (x, y), (right, bottom), _FRAME, 2)
    return shown
