"""Results -> files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
from numpy.typing import NDArray

from maskwright_protocol import whole_file
from maskwright_protocol.errors import BadInput

from .result import Result

Array = NDArray[Any]


@dataclass(frozen=True)
class WriteOptions:
    """``format``: a suffix without its dot, for a target whose name does not tell; empty for the target's own."""

    format: str = ""
    overwrite: bool = False


def write(result: Result, target: Path | BinaryIO, options: WriteOptions = WriteOptions()) -> list[Path]:
    """The cut-out, or the mask where there is none. Gives what was written. Raises ``BadInput``."""
    pixels = result.mask if result.cutout is None else result.cutout
    if pixels is None:
        return []
    if not isinstance(target, Path):
        target.write(_png(pixels))
        return []
    write_png(target, pixels)
    return [target]


def write_png(path: Path, pixels: Array) -> None:
    """Grey or RGBA, 8 or 16 bits. Raises ``BadInput`` when the file cannot be written."""
    try:
        write_whole(path, _png(pixels))
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Choose another place with -o.") from None


def _png(pixels: Array) -> bytes:
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    fine, data = cv2.imencode(".png", pixels)
    return data.tobytes() if fine else b""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file and the folders it lies in; whole or not at all. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write_whole(path, data)
