"""Picture files -> pixels as the eye sees them, and what travels to the server.

PNG, JPEG, WebP and TIFF, 8 or 16 bits, and some others with 8; EXIF orientation is applied; embedded colour profiles
are converted to sRGB. What kind a file is, its first bytes tell, whatever it is called.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError, features

from maskwright_client.ask import PROXY_SIDE, PictureSource, RasterData, raster_data
from maskwright_protocol.errors import BadImage, BadInput
from maskwright_protocol.masks import pack
from maskwright_protocol.messages import Mask, PixelRect

Array = NDArray[Any]
Image.MAX_IMAGE_PIXELS = 400_000_000
MAX_BYTES = 2 << 30
# Pillow knows many more formats. Some of their readers start programs: Ghostscript for PostScript.
_READ = ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM"]
if "avif" in features.modules and features.check_module("avif"):
    _READ.append("AVIF")
ORIENTATION_TAG = 0x0112
_FORMATS = {(1, 1): "GRAY8", (3, 1): "RGB8", (4, 1): "RGBA8", (1, 2): "GRAY16", (3, 2): "RGB16", (4, 2): "RGBA16"}


@dataclass
class Picture:
    """One frame of a picture file.

    ``pixels``: ``(H, W, C)`` uint8 or uint16, C 1 (grey), 3 (RGB) or 4 (RGBA, straight alpha); upright, sRGB-encoded.
    ``icc_profile`` and ``exif`` are the file's own (the orientation in the latter is set to upright), ``dpi`` is
    horizontal and vertical; ``frame`` counts from 1; ``notes`` are sentences for the user about how it was read.
    """

    pixels: Array
    path: Path | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    frame: int = 1
    frames: int = 1
    notes: list[str] = field(default_factory=list)


class FileSource(PictureSource):
    """A picture file; ``pixels`` is ``(H, W, C)`` uint8 or uint16, C 1, 3 or 4 (RGB order)."""

    def __init__(self, path: Path, frame: int = 1) -> None:
        self.path = path
        self.picture = read_picture(path, frame)
        self.pixels = self.picture.pixels
        self.height, self.width = self.pixels.shape[:2]
        self.box = PixelRect(0, 0, self.width, self.height)
        self.format = _FORMATS[self.pixels.shape[2], self.pixels.itemsize]
        self._overview: RasterData | None = None

    def overview(self) -> RasterData:
        if self._overview is None:
            scale = min(1.0, PROXY_SIDE / max(self.width, self.height))
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


def read_picture(source: Path | bytes | BinaryIO, frame: int = 1) -> Picture:
    """The picture of a file, of its bytes, or of a pipe. Raises ``BadImage`` with what is wrong with it."""
    name = source.name if isinstance(source, Path) else "The picture"
    if isinstance(source, Path) and source.is_dir():
        raise BadImage(f"{source} is a folder, not a picture.", "Name a picture file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Pillow looks at the size as soon as it knows it, before there is memory for pixels.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = _decode(_content(source))
    except FileNotFoundError:
        raise BadImage(f"There is no file {source}.", "Check the name.") from None
    except UnidentifiedImageError:
        raise BadImage(f"{name} is not a picture that can be read.", "Use PNG, JPEG, WebP or TIFF.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(f"{name} has too many pixels.", "Use a smaller picture.") from None
    except MemoryError:
        raise BadImage(f"{name} needs more memory than there is.", "Use a smaller picture.") from None
    except Exception as error:  # decoders raise whatever they like
        told = isinstance(error, (OSError, SyntaxError, ValueError))
        reason = error if told else "its pixels cannot be decoded"
        raise BadImage(f"{name} cannot be read: {reason}.", "The file may be damaged.") from None
    picture.path = source if isinstance(source, Path) else None
    return picture


def _content(source: Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:  # a pipe or a device has none
                raise ValueError(f"it has more than {MAX_BYTES >> 30} GB")
            return _content(file)
    data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES >> 30} GB")
    return data


def _decode(data: bytes) -> Picture:
    with Image.open(io.BytesIO(data), formats=_READ) as picture:
        # Before anything loads the picture, which hides how deep the file is.
        pixels = _deep_pixels(data, picture) if picture.format in ("PNG", "TIFF") else None
        if pixels is None:
            pixels = _eight_bit(picture)
        orientation = picture.getexif().get(ORIENTATION_TAG, 1)
        profile = picture.info.get("icc_profile")
    return Picture(np.ascontiguousarray(_upright(pixels, orientation)), icc_profile=profile)


def _deep_pixels(data: bytes, picture: Image.Image) -> Array | None:
    """16-bit content, which Pillow would cut to 8 bits; None when it is 8-bit."""
    tile = getattr(picture, "tile", None)
    if "16" not in str(picture.mode) + str(tile[0][3] if tile else ""):
        return None
    if picture.format == "PNG" and not _chunks_fit(data):
        raise ValueError("it is shorter than it says")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[1::-1] != picture.size:
        return None
    if pixels.ndim == 2:
        return pixels[:, :, None]
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _chunks_fit(data: bytes) -> bool:
    """Whether each part of a PNG file is as long as it says: OpenCV takes that much memory, up to 4 GB, unseen."""
    position = 8
    while position + 8 <= len(data) and data[position + 4 : position + 8] != b"IEND":
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return position <= len(data)


def _eight_bit(picture: Image.Image) -> Array:
    picture.load()
    profile = picture.info.get("icc_profile")
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: the numbers as they are
    if picture.mode in ("L", "RGB", "RGBA"):
        pixels = np.asarray(picture)
    else:
        pixels = np.asarray(picture.convert("RGBA" if transparent else "RGB"))
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _upright(pixels: Array, orientation: int) -> Array:
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def read_mask(path: Path, width: int, height: int) -> Mask:
    """A mask file as a message part: its alpha if it has one that is used, else its brightness."""
    pixels = read_picture(path).pixels
    if pixels.shape[:2] != (height, width):
        raise BadInput(
            f"The mask is {pixels.shape[1]}x{pixels.shape[0]}, the picture {width}x{height}.",
            "Use a mask of the picture's size.",
        )
    if pixels.shape[2] == 4 and pixels[:, :, 3].min() < np.iinfo(pixels.dtype).max:
        plane = pixels[:, :, 3]
    elif pixels.shape[2] >= 3:
        plane = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), cv2.COLOR_RGB2GRAY)
    else:
        plane = pixels[:, :, 0]
    if not plane.any():
        raise BadInput("The mask is empty.", "Paint white what is selected.")
    left, top, wide, high = cv2.boundingRect((plane > 0).astype(np.uint8))
    part = np.ascontiguousarray(plane[top : top + high, left : left + wide])
    return pack(PixelRect(left, top, wide, high), part.tobytes(), depth=8 * part.itemsize)
