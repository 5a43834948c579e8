"""Results as one flat picture: PNG, WebP, TIFF, AVIF, JPEG XL and JPEG."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import PixelRect

from .colours import Colours, over, rescaled
from .formats import WriteOptions, by_format, no_transparency
from .result import Array, Result

_DTYPES = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16), 32: np.dtype(np.float32)}
_LOSSLESS = 100
_JPEG_QUALITY = 95
_JPEG_XMP = 65_000  # bytes that fit into one part of a JPEG file
_AVIF_SPEED = 8  # a third of the time of the usual 6, files 3 % larger
_MOST = {"webp": 16_383, "jpg": 65_535, "avif": 65_536}  # pixels a side


@dataclass
class Flat:
    """``pixels``: ``(H, W)`` for a mask, ``(H, W, 3 or 4)`` for a cut-out, uint8, uint16 or float32 (0..1)."""

    pixels: Array
    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


def encode(result: Result, options: WriteOptions, name: str) -> bytes:
    """The cut-out, or the mask where there is none. ``name``: which of this module's formats. Raises ``BadInput``."""
    flat = flattened(result, options, name)
    high, wide = flat.pixels.shape[:2]
    if max(high, wide) > _MOST.get(name, high + wide):
        raise BadInput(
            f"{by_format(name).title} pictures have at most {_MOST[name]} pixels a side; this one has {wide}x{high}.",
            "Write TIFF or PNG.",
        )
    return _ENCODERS[name](flat, options.quality)


def flattened(result: Result, options: WriteOptions, name: str) -> Flat:
    """What goes into the file, in a depth that its format holds."""
    picture = result.picture
    depths = by_format(name).depths
    dpi = picture.dpi if picture is not None else None
    if result.cutout is None:
        if result.mask is None:
            raise BadInput("There is neither a mask nor a cut-out to write.")
        return Flat(rescaled(result.mask, _dtype(result.mask, options.depth, depths)), dpi=dpi)
    cutout = over(result.cutout, options.background) if options.background else result.cutout
    # JPEG XL is written without a profile: its numbers are sRGB.
    colours = Colours(result, srgb=name == "jxl")
    pixels = colours.painted(cutout, PixelRect(0, 0, result.width, result.height))
    pixels = rescaled(pixels, _dtype(pixels, options.depth, depths))
    if name == "jpg":
        if pixels[:, :, 3].min(initial=255) < 255:
            raise no_transparency()
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    exif, xmp = (picture.exif, picture.xmp) if picture is not None else (None, None)
    return Flat(pixels, colours.icc_profile, exif, xmp, dpi)


def _dtype(pixels: Array, depth: int, depths: tuple[int, ...]) -> np.dtype:
    return _DTYPES[min(depth or 8 * pixels.itemsize, max(depths))]


# ------------------------------------------------------------ one function a format


def png(flat: Flat, quality: int | None = None, level: int = 3) -> bytes:
    """8 or 16 bits. By OpenCV, as Pillow has no 16-bit colours; what OpenCV does not write is put in between."""
    import cv2

    pixels = flat.pixels
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    fine, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])
    if not fine:
        raise BadInput("The picture cannot be written as PNG.", "Write TIFF.")
    chunks = []
    if flat.icc_profile is not None:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(flat.icc_profile)))
    if flat.dpi is not None:
        across, down = (max(1, round(one / 0.0254)) for one in flat.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if flat.exif:
        chunks.append((b"eXIf", flat.exif.removeprefix(b"Exif\0\0")))
    if flat.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + flat.xmp))
    whole = data.tobytes()
    head = 33  # signature and IHDR
    return whole[:head] + b"".join(_chunk(*one) for one in chunks) + whole[head:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _webp(flat: Flat, quality: int | None) -> bytes:
    how: dict[str, Any] = (
        {"lossless": True, "exact": True} if quality is None else {"quality": quality, "alpha_quality": 100}
    )
    return _by_pillow(flat, "WEBP", **how)


def _avif(flat: Flat, quality: int | None) -> bytes:
    if quality is None:
        return _by_pillow(flat, "AVIF", quality=_LOSSLESS, subsampling="4:4:4", speed=_AVIF_SPEED)
    return _by_pillow(flat, "AVIF", quality=quality, speed=_AVIF_SPEED)


def _jpeg(flat: Flat, quality: int | None) -> bytes:
    dpi = tuple(round(one) for one in flat.dpi) if flat.dpi else (0, 0)
    return _by_pillow(flat, "JPEG", quality=quality or _JPEG_QUALITY, subsampling="4:4:4", dpi=dpi)


def _by_pillow(flat: Flat, kind: str, **how: Any) -> bytes:
    from PIL import Image, features

    if kind == "AVIF" and not features.check("avif"):
        from maskwright_protocol.errors import NeedsPackage

        raise NeedsPackage("This Pillow cannot write AVIF.", "Run: pip install --upgrade pillow", package="pillow")
    fits = flat.xmp is not None and (kind != "JPEG" or len(flat.xmp) <= _JPEG_XMP)
    extra = {"icc_profile": flat.icc_profile, "exif": flat.exif, "xmp": flat.xmp if fits else None}
    file = io.BytesIO()
    Image.fromarray(flat.pixels).save(file, kind, **how, **{name: one for name, one in extra.items() if one})
    return file.getvalue()


def _jpeg_xl(flat: Flat, quality: int | None) -> bytes:
    import imagecodecs

    if quality is None:
        data = imagecodecs.jpegxl_encode(flat.pixels, lossless=True, usecontainer=True)
    else:
        # What libjxl itself makes of a quality as JPEG has it.
        distance = 0.1 + (100 - quality) * 0.09 if quality >= 30 else 53 / 3000 * quality**2 - 23 / 20 * quality + 25
        data = imagecodecs.jpegxl_encode(flat.pixels, distance=distance, lossless=False, usecontainer=True)
    if flat.exif:
        box = b"\0\0\0\0" + flat.exif.removeprefix(b"Exif\0\0")
        data = bytes(data) + struct.pack(">I", 8 + len(box)) + b"Exif" + box
    if flat.xmp:
        data = bytes(data) + struct.pack(">I", 8 + len(flat.xmp)) + b"xml " + flat.xmp
    return bytes(data)


def _tiff(flat: Flat, quality: int | None) -> bytes:
    import tifffile
    from PIL import Image

    pixels = flat.pixels
    colour: dict[str, Any] = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack"}
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        colour["extrasamples"] = "unassalpha"
    exif = Image.Exif()
    if flat.exif:
        exif.load(flat.exif)
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder="<", bigtiff=pixels.nbytes > 0xE0000000) as writer:
        writer.write(
            pixels,
            compression="adobe_deflate",
            predictor=pixels.dtype != np.float32,
            rowsperstrip=max(1, (1 << 18) // max(1, pixels[:1].nbytes)),
            iccprofile=flat.icc_profile,
            resolution=flat.dpi or (72, 72),
            resolutionunit="INCH",
            metadata=None,
            extratags=_exif_tags(exif) + ([(700, 1, len(flat.xmp), flat.xmp, True)] if flat.xmp else []),
            **colour,
        )
    _append_directories(file, exif)
    return file.getvalue()


# What EXIF says of the picture as a whole lies in the main directory of a TIFF file: description, make, model, date,
# artist, copyright. The rest has directories of its own: of the exposure, and of the place.
_ABOUT = (270, 271, 272, 306, 315, 33432)
_DIRECTORIES = (0x8769, 0x8825)


def _exif_tags(exif: Any) -> list[tuple[int, int, int, Any, bool]]:
    """For ``TiffWriter.write``: texts, and a place for where each directory of its own will lie."""
    texts = {tag: str(exif[tag]).encode() for tag in _ABOUT if tag in exif}
    tags: list[tuple[int, int, int, Any, bool]] = [(tag, 2, len(one) + 1, one, True) for tag, one in texts.items()]
    # tifffile refuses these two: written as their neighbours, and renamed afterwards.
    return tags + [(tag - 1, 4, 1, 0, True) for tag in _DIRECTORIES if exif.get_ifd(tag)]


def _append_directories(file: io.BytesIO, exif: Any) -> None:
    """tifffile writes no directory but the main one: Pillow makes the others, behind the file's end."""
    import tifffile
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    for tag in _DIRECTORIES:
        content = exif.get_ifd(tag)
        if not content:
            continue
        directory = ImageFileDirectory_v2(prefix=b"II")
        for name, value in content.items():
            if not isinstance(value, dict):
                directory[name] = value
        offset = file.seek(0, io.SEEK_END)
        offset += file.write(b"\0" * (offset % 2))
        file.write(directory.tobytes(offset))
        file.seek(0)
        with tifffile.TiffFile(file, mode="r+") as written:
            entry = written.pages.first.tags[tag - 1]
            entry.overwrite(offset)
            file.seek(entry.offset)
            file.write(struct.pack("<H", tag))


_ENCODERS = {"png": png, "webp": _webp, "tif": _tiff, "avif": _avif, "jxl": _jpeg_xl, "jpg": _jpeg}
