"""PNG, JPEG, WebP, GIF, BMP and PPM: opened by Pillow; what it would cut to 8 bits is decoded by imagecodecs."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from PIL import Image

from . import profiles
from .metadata import ORIENTATION, upright_exif, upright_xmp
from .picture import MAX_PIXELS, Array, Space, Stored, check_frame, check_size
from .values import whole_range

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # it looks at the size before there is memory for pixels
# Pillow knows many more formats. Some of their readers start programs: Ghostscript for PostScript.
_FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM"]
_MODES: dict[str, tuple[Space, bool]] = {
    "1": ("gray", False),
    "L": ("gray", False),
    "LA": ("gray", True),
    "I": ("gray", False),
    "I;16": ("gray", False),
    "RGB": ("rgb", False),
    "RGBA": ("rgb", True),
    "CMYK": ("cmyk", False),
}


def frames(data: bytes) -> int:
    """How many frames there are. Raises what Pillow raises for damaged files."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        return _frames(picture)


def read(data: bytes, frame: int) -> Stored:
    """Raises what Pillow and imagecodecs raise for damaged files, and ``ValueError``."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        check_size(*picture.size)
        count = _frames(picture) if frame != 1 else 1
        check_frame(frame, count)
        deep = _deep(data, picture) if frame == 1 else None
        if frame > 1:
            picture.seek(frame - 1)
        stored = from_pillow(picture) if deep is None else _described(picture, deep)
        stored.frames = max(count, _frames(picture))
    if picture.format == "PNG" and stored.icc_profile is None and "srgb" not in picture.info:
        gamma, chromaticity = picture.info.get("gamma"), picture.info.get("chromaticity")
        stored.icc_profile = profiles.by_chunks(gamma, chromaticity, stored.space == "gray")
    return stored


def from_pillow(picture: Image.Image) -> Stored:
    """What Pillow decodes, with what the file says about it."""
    picture.load()
    transparent = "transparency" in picture.info or "A" in picture.getbands() or "a" in picture.getbands()
    palette = picture.mode in ("P", "PA")
    plain = picture
    if picture.mode not in _MODES or (transparent and picture.mode in ("1", "L", "RGB")):
        plain = picture.convert("RGBA" if transparent else "RGB")
    pixels = np.asarray(plain)
    if pixels.dtype == np.int32:  # mode I
        pixels = np.clip(pixels, 0, 65535).astype(np.uint16)
    stored = _described(picture, whole_range(pixels, 8 * pixels.itemsize), plain.mode)
    stored.palette = palette
    return stored


def _described(picture: Image.Image, pixels: Array, mode: str = "") -> Stored:
    """``mode``: of the pixels, where their channels do not tell."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    space, alpha = _MODES.get(mode) or (("gray", "rgb")[pixels.shape[2] > 2], pixels.shape[2] in (2, 4))
    exif = picture.getexif()
    orientation = exif.get(ORIENTATION, 1)
    profile, dpi = picture.info.get("icc_profile"), picture.info.get("dpi")
    return Stored(
        pixels,
        space,
        "straight" if alpha else "",
        icc_profile=profile or None,
        orientation=orientation if isinstance(orientation, int) else 1,
        exif=upright_exif(exif),
        xmp=upright_xmp(picture.info.get("xmp")),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
    )


def _frames(picture: Image.Image) -> int:
    # The other pictures of an MPO are previews, depth or the other eye.
    return 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))


def _deep(data: bytes, picture: Image.Image) -> Array | None:
    """What Pillow would cut to 8 bits, or whose transparent colour it does not know; None for all others."""
    if picture.format == "PPM":
        return _deep_ppm(data)
    if picture.format != "PNG" or picture.mode in ("P", "PA"):
        return None
    if data[24] < 16 and "transparency" not in picture.info:
        return None
    if not _chunks_fit(data):
        raise ValueError("it is shorter than it says")
    import imagecodecs

    return imagecodecs.png_decode(data)


def _chunks_fit(data: bytes) -> bool:
    """Whether each part of a PNG file is as long as it says: decoders take that much memory, up to 4 GB, unseen."""
    position = 8
    while position + 8 <= len(data) and data[position + 4 : position + 8] != b"IEND":
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return position <= len(data)


def _deep_ppm(data: bytes) -> Array | None:
    """Binary PGM and PPM with two bytes a value."""
    blank: Any = rb"(?:\s|#[^\n]*\n)+"
    header = re.match(rb"P([56])" + blank + rb"(\d{1,9})" + blank + rb"(\d{1,9})" + blank + rb"(\d{1,5})\s", data)
    if header is None:
        return None
    kind, width, height, most = (int(one) for one in header.groups())
    if not 255 < most <= 65535:
        return None
    check_size(width, height)
    channels = 3 if kind == 6 else 1
    values = np.frombuffer(data, ">u2", width * height * channels, header.end()).reshape(height, width, channels)
    if most == 65535:
        return values.astype(np.uint16)
    return ((np.minimum(values, most).astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)
