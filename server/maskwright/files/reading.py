"""Picture files -> pixels as the eye sees them, and what travels to the server.

``kinds`` tells by a file's first bytes what it is, a module for each family of formats gives its numbers (``Stored``),
and here they get their meaning: alpha straight, floats and colours as sRGB, upright.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

import cv2
import numpy as np
from PIL import Image

from maskwright_client.ask import PictureSource, RasterData, overview_side, raster_data
from maskwright_protocol.errors import BadImage
from maskwright_protocol.messages import PixelRect

from . import kinds, layered, modern, plain, profiles, raw, tiff
from .picture import MAX_BYTES, Array, Picture, Stored, TooLarge, Unreadable, upright
from .values import display_floats

Source = Path | bytes | BinaryIO
Answer = TypeVar("Answer")
_FORMATS = {(1, 1): "GRAY8", (3, 1): "RGB8", (4, 1): "RGBA8", (1, 2): "GRAY16", (3, 2): "RGB16", (4, 2): "RGBA16"}
for _name in ("tifffile", "psd_tools", "PIL"):  # what they tell of damaged files is not for stderr
    logging.getLogger(_name).addHandler(logging.NullHandler())


class FileSource(PictureSource):
    """A picture, read or to be read; ``pixels`` is ``(H, W, C)`` uint8 or uint16, C 1, 3 or 4 (RGB order)."""

    def __init__(self, source: Source | Picture, frame: int = 1, layer: str = "") -> None:
        self.picture = source if isinstance(source, Picture) else read_picture(source, frame, layer)
        self.path = self.picture.path
        self.pixels = self.picture.pixels
        self.height, self.width = self.pixels.shape[:2]
        self.box = PixelRect(0, 0, self.width, self.height)
        self.format = _FORMATS[self.pixels.shape[2], self.pixels.itemsize]
        self._overview: RasterData | None = None

    def overview(self) -> RasterData:
        if self._overview is None:
            scale = min(1.0, overview_side(self.width, self.height) / max(self.width, self.height))
            small = self.pixels
            if scale < 1.0:
                size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
                small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
            self._overview = self._raster(small, self.box)
        return self._overview

    def detail(self, box: PixelRect) -> RasterData:
        left, top = max(0, box.x), max(0, box.y)
        right, bottom = min(self.width, box.x + box.width), min(self.height, box.y + box.height)
        part = self.pixels[top:bottom, left:right]
        return self._raster(part, PixelRect(left, top, right - left, bottom - top))

    def _raster(self, pixels: Array, box: PixelRect) -> RasterData:
        height, width = pixels.shape[:2]
        data = np.ascontiguousarray(pixels).data.cast("B")
        return raster_data(data, width, height, self.format, box)


def read_picture(source: Source, frame: int = 1, layer: str = "") -> Picture:
    """The picture of a file, of its bytes, or of a pipe: its first frame or that of another number, or one layer.

    Raises ``BadImage`` with what is wrong with it.
    """

    def finished(data: bytes) -> Picture:
        stored = read_stored(data, frame, layer)
        if stored.frames > 1 and frame == 1:
            stored.notes.append(f"It has {stored.frames} frames: the first is used. Others: --frame N, or all.")
        return _picture(stored, frame)

    picture = explained(source, finished)
    picture.path = source if isinstance(source, Path) else None
    return picture


def frames_in(source: Source) -> int:
    """How many frames ``read_picture`` can give, at least 1. Raises ``BadImage``."""

    def count(data: bytes) -> int:
        counted = {"plain": plain.frames, "avif": modern.avif_frames, "heic": modern.heic_frames, "tiff": tiff.frames}
        return counted.get(kinds.kind(data), lambda _: 1)(data)

    return explained(source, count)


def read_stored(data: bytes, frame: int = 1, layer: str = "") -> Stored:
    """The numbers of a file. Raises whatever the decoders raise; ``explained`` makes sentences of it."""
    kind = kinds.kind(data)
    if kind == "psd":
        return layered.read_psd(data, frame, layer)
    if kind == "layers in a zip":
        return layered.read_zip(data, frame, layer, lambda part: plain.read(part, 1))
    if layer:
        raise Unreadable("it has no layers", "Leave the layer's name out.")
    readers: dict[str, Callable[[bytes, int], Stored]] = {
        "plain": plain.read,
        "avif": modern.read_avif,
        "heic": modern.read_heic,
        "jpeg xl": modern.read_jpeg_xl,
        "jpeg 2000": modern.read_jpeg_2000,
        "tiff": tiff.read,
        "raw": raw.read,
    }
    return readers[kind](data, frame)


def explained(source: Source, work: Callable[[bytes], Answer]) -> Answer:
    """``work`` on a file's bytes. Whatever goes wrong is a ``BadImage`` with a sentence that names the file."""
    name = source.name if isinstance(source, Path) else "The picture"
    if isinstance(source, Path) and source.is_dir():
        raise BadImage(f"{source} is a folder, not a picture.", "Name a picture file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return work(_content(source))
    except FileNotFoundError:
        raise BadImage(f"There is no file {source}.", "Check the name.") from None
    except Unreadable as error:
        raise BadImage(f"{name} cannot be used: {error}.", error.hint) from None
    except (TooLarge, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(f"{name} has too many pixels.", "Use a smaller picture.") from None
    except MemoryError:
        raise BadImage(f"{name} needs more memory than there is.", "Use a smaller picture.") from None
    except Exception as error:  # decoders raise whatever they like
        raise BadImage(f"{name} cannot be read: {_reason(error)}.", "The file may be damaged.") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    told = isinstance(error, (OSError, SyntaxError, ValueError)) and not isinstance(error, UnicodeError)
    words = " ".join(str(error).split()).rstrip(".")
    return words if told and words and "<" not in words else "its pixels cannot be decoded"


def _content(source: Source) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:  # a pipe or a device has none
                raise ValueError(f"it has more than {MAX_BYTES >> 30} GB")
            return _content(file)
    data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES >> 30} GB")
    return data


def _picture(stored: Stored, frame: int) -> Picture:
    if stored.alpha == "premultiplied":
        _divide_by_alpha(stored)
    pixels = display_floats(stored) if stored.pixels.dtype.kind == "f" else stored.pixels
    count = pixels.shape[2] - bool(stored.alpha)
    colour, alpha = pixels[:, :, :count], pixels[:, :, count:]
    own = None
    if not stored.is_srgb:
        if stored.space == profiles.space_of(stored.icc_profile) == "rgb":
            own = upright(colour, stored.orientation)
        colour = profiles.to_srgb(colour, stored.space, stored.icc_profile)
    if alpha.shape[2]:
        colour = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
        colour = np.concatenate([colour, alpha], axis=2)
    return Picture(
        np.ascontiguousarray(upright(colour, stored.orientation)),
        icc_profile=stored.icc_profile,
        exif=stored.exif,
        xmp=stored.xmp,
        dpi=stored.dpi if stored.orientation < 5 or stored.dpi is None else (stored.dpi[1], stored.dpi[0]),
        frame=frame,
        frames=stored.frames,
        notes=stored.notes,
        own=own,
    )


def _divide_by_alpha(stored: Stored) -> None:
    """Premultiplied colours -> straight ones; nothing where nothing is covered."""
    colour, alpha = stored.pixels[:, :, :-1].astype(np.float32), stored.pixels[:, :, -1:].astype(np.float32)
    whole = stored.pixels.dtype.kind == "u"
    full = float(np.iinfo(stored.pixels.dtype).max) if whole else 1.0
    straight = np.divide(colour * np.float32(full), alpha, out=np.zeros_like(colour), where=alpha > 0)
    if whole:
        straight = np.clip(np.round(straight), 0, full)
    stored.pixels = np.concatenate([straight.astype(stored.pixels.dtype), stored.pixels[:, :, -1:]], axis=2)
    stored.alpha = "straight"
