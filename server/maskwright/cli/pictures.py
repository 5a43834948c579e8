"""Masks -> files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright_protocol.errors import BadInput
from maskwright_protocol.masks import place, unpack
from maskwright_protocol.messages import Mask, Pixels

Array = NDArray[Any]


def mask_plane(mask: Mask, width: int, height: int) -> Array:
    """The mask in the picture's frame, ``(height, width)`` uint8 or uint16."""
    plane = place(mask, width, height)
    return np.frombuffer(plane, np.uint8 if mask.depth == 8 else "<u2").reshape(height, width)


def pixels_array(pixels: Pixels) -> Array:
    """Foreground colours as ``(H, W, 4)`` uint8."""
    return np.frombuffer(unpack(pixels), np.uint8).reshape(pixels.box.height, pixels.box.width, 4)


def write_png(path: Path, pixels: Array) -> None:
    """Grey or RGBA, 8 or 16 bits. Raises ``BadInput`` when the file cannot be written."""
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    fine, data = cv2.imencode(".png", pixels)
    try:
        write_whole(path, data.tobytes() if fine else b"")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Choose another place with -o.") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is whole, or as it was before, whenever this process ends. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a pipe or a device
        target.write_bytes(data)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
