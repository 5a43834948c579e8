"""TIFF by tifffile: every depth, plane order, tile and packing; which page is the picture; what its samples mean."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from . import raw
from .metadata import upright_exif, upright_xmp
from .picture import CHANNELS, Array, Space, Stored, Unreadable, check_frame, check_size, upright
from .values import whole_range

if TYPE_CHECKING:
    import tifffile

# Photometric interpretations.
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _INKS, _YCBCR = range(7)
_CIELAB, _ICCLAB, _CFA, _LOGL, _LOGLUV, _LINEAR_RAW = 8, 9, 32803, 32844, 32845, 34892
_SPACES: dict[int, Space] = {
    **dict.fromkeys((_WHITE_IS_ZERO, _BLACK_IS_ZERO, _MASK), "gray"),
    **dict.fromkeys((_RGB, _PALETTE, _YCBCR), "rgb"),
    **dict.fromkeys((_CIELAB, _ICCLAB), "lab"),
    _INKS: "cmyk",
}
_JPEG = (6, 7, 34892)  # compressions; their YCbCr is decoded to RGB
_MOST_PAGES = 10_000
_EXIF, _DNG = 34665, 50706
_ABOUT = (271, 272, 306, 315, 33432)  # maker, model, time, artist, copyright


def frames(data: bytes) -> int:
    """How many pictures there are beside their thumbnails and smaller versions."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return 1 if _is_raw(file) else len(_pages(file))


def read(data: bytes, frame: int) -> Stored:
    """Raises what tifffile and imagecodecs raise for damaged files, and ``ValueError``."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if _is_raw(file):
            return raw.read(data, frame)
        pages = _pages(file)
        check_frame(frame, len(pages))
        page = pages[frame - 1]
        stored = _stored(page, data)
        stored.frames = len(pages)
        _describe(page, stored, data)
    return stored


def _all_pages(file: tifffile.TiffFile) -> list[Any]:
    found: list[Any] = []
    for page in file.pages:
        page = page.aspage()
        found += [page, *(_sub_pages(page))]
        if len(found) > _MOST_PAGES:
            raise ValueError(f"it has more than {_MOST_PAGES} pages")
    return found


def _sub_pages(page: Any) -> list[Any]:
    return [one.aspage() for one in page.pages] if page.subifds else []


def _pages(file: tifffile.TiffFile) -> list[Any]:
    """The pages that are pictures of their own: no thumbnails, steps of a pyramid or masks, marked as such or not."""
    pages = [one for one in _all_pages(file) if one.imagewidth > 0 and one.imagelength > 0]
    if not pages:
        raise ValueError("it has no page with a picture")
    whole = [one for one in pages if not (one.is_reduced or one.is_mask)] or pages
    largest = max(whole, key=lambda one: one.imagewidth * one.imagelength)
    return [one for one in whole if not _smaller_version(one, largest)] if len(whole) > 1 else whole


def _smaller_version(page: Any, largest: Any) -> bool:
    """At most half as large, in the same shape within a pixel of rounding."""
    width, height = page.imagewidth, page.imagelength
    if 2 * width > largest.imagewidth + 1:
        return False
    scale = largest.imagewidth / width
    return abs(largest.imagelength - height * scale) <= scale


def _is_raw(file: tifffile.TiffFile) -> bool:
    first = file.pages[0].aspage()
    if _DNG in first.tags:
        return True
    return any(one.photometric in (_CFA, _LINEAR_RAW) for one in [first, *_sub_pages(first)])


def _stored(page: Any, data: bytes) -> Stored:
    photometric = int(page.photometric)
    space = _SPACES.get(photometric, "rgb")
    check_size(page.imagewidth, page.imagelength)
    _check_segments(page, len(data))
    if photometric in (_LOGL, _LOGLUV) or (photometric == _YCBCR and int(page.compression) not in _JPEG):
        return Stored(_by_libtiff(page, data))
    if photometric not in _SPACES:
        raise Unreadable("its kind of colours is not known", "Save it as RGB, CMYK, Lab or grey.")
    if space == "cmyk" and _tag(page, "InkSet", 1) != 1:
        raise Unreadable("its inks are not cyan, magenta, yellow and black", "Save it as RGB or CMYK.")
    pixels = _samples(page)
    if photometric == _PALETTE:
        return Stored(_with_palette(pixels, page), "rgb", palette=True)
    count = CHANNELS[space]
    if pixels.shape[2] < count:
        raise ValueError(f"it has {pixels.shape[2]} channels of {count}")
    colour, alpha = pixels[:, :, :count], _alpha(page, pixels, count)
    bits = _bits(page, pixels)
    colour = _lab(colour, photometric) if space == "lab" else whole_range(colour, bits)
    if photometric == _WHITE_IS_ZERO:
        colour = 1 - colour if colour.dtype.kind == "f" else np.iinfo(colour.dtype).max - colour
    if alpha is None:
        return Stored(colour, space)
    plane, kind = alpha
    return Stored(np.concatenate([colour, whole_range(plane, bits).astype(colour.dtype)], axis=2), space, kind)


def _check_segments(page: Any, size: int) -> None:
    """Strips and tiles within the file, and none larger than a picture may be."""
    if page.imagedepth > 1 or page.tiledepth > 1:
        raise Unreadable("it is a volume, not a picture", "Save its slices as pages.")
    check_size(page.tilewidth, page.tilelength)
    check_size(page.imagewidth * page.imagelength, max(1, page.samplesperpixel // 8))
    ends = [at + length for at, length in zip(page.dataoffsets, page.databytecounts, strict=False) if length]
    if not ends or max(ends) > size:
        raise ValueError("it is shorter than it says")


def _samples(page: Any) -> Array:
    """``(H, W, S)`` as decoded, whatever the order of planes in the file."""
    values = page.asarray(squeeze=False)  # planes, depth, rows, columns, samples
    return np.moveaxis(values[:, 0], 0, 2).reshape(values.shape[2], values.shape[3], -1)


def _bits(page: Any, pixels: Array) -> int:
    bits = page.bitspersample
    if isinstance(bits, tuple):
        if len(set(bits)) > 1:
            raise Unreadable("its channels have different depths", "Save it with 8 or 16 bits a channel.")
        bits = bits[0]
    return min(int(bits), 8 * pixels.itemsize) if int(page.compression) not in _JPEG else 8 * pixels.itemsize


def _alpha(page: Any, pixels: Array, count: int) -> tuple[Array, Any] | None:
    """The plane of the first extra sample that is coverage, and how the colours have it; None where none is.

    A fourth channel that says nothing of itself is alpha only where the file names no extra samples at all.
    """
    if pixels.shape[2] == count:
        return None
    kinds = [int(one) for one in page.extrasamples]
    if "ExtraSamples" not in page.tags:
        kinds = [2]
    for number, kind in enumerate(kinds[: pixels.shape[2] - count]):
        if kind in (1, 2):
            at = count + number
            return pixels[:, :, at : at + 1], "premultiplied" if kind == 1 else "straight"
    return None


def _lab(colour: Array, photometric: int) -> Array:
    """TIFF's numbers for L, a and b -> those of ``Stored``. CIELab has signed a and b, ICC's Lab an offset."""
    if colour.dtype.kind == "f":
        values = colour.astype(np.float32) * np.array([655.35, 257, 257]) + np.array([0, 32896, 32896])
        return np.clip(np.round(values), 0, 65535).astype(np.uint16)
    if colour.dtype.itemsize == 1:
        shifted = colour.view(np.uint8).copy()
        if photometric == _CIELAB:
            shifted[:, :, 1:] ^= 128
        return shifted
    if colour.dtype.itemsize != 2:
        raise Unreadable("its Lab colours have neither 8 nor 16 bits", "Save it with 16 bits a channel.")
    values = colour.view(np.uint16).astype(np.float32)
    if photometric == _CIELAB:
        values[:, :, 1:] = (values[:, :, 1:] + 32768) % 65536
    else:  # an ICC Lab of version 2: white is 65280
        values[:, :, 0] *= 65535 / 65280
    values[:, :, 1:] *= 257 / 256
    return np.clip(np.round(values), 0, 65535).astype(np.uint16)


def _with_palette(pixels: Array, page: Any) -> Array:
    colours = np.asarray(page.colormap, np.uint16).T
    if len(colours) <= int(pixels.max()):
        raise ValueError("it uses colours that its palette does not have")
    if colours.max() > 255:  # some writers have 8 bits here
        colours = colours >> 8
    return colours.astype(np.uint8)[pixels[:, :, 0]]


def _by_libtiff(page: Any, data: bytes) -> Array:
    """RGB, 8 bits, of colours that tifffile does not convert: YCbCr with fewer samples of colour, and logarithms."""
    import imagecodecs

    if page.is_subifd:
        raise Unreadable("its colours are read in the first level of pages alone", "Save it as RGB.")
    pixels = imagecodecs.tiff_decode(data, index=page.index, asrgb=True)
    if pixels.shape != (page.imagelength, page.imagewidth, 4):
        raise ValueError("its pixels cannot be decoded")
    # libtiff mirrors by the orientation, and does not turn: that is undone here, and done once for all files later.
    mirrored = {2: 2, 6: 2, 3: 3, 7: 3, 4: 4, 8: 4}.get(_orientation(page), 1)
    return upright(pixels[:, :, :3], mirrored)


def _tag(page: Any, name: str, default: Any) -> Any:
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _orientation(page: Any) -> int:
    orientation = _tag(page, "Orientation", 1)
    return int(orientation) if isinstance(orientation, int) else 1


def _describe(page: Any, stored: Stored, data: bytes) -> None:
    profile = _tag(page, "InterColorProfile", None)
    stored.icc_profile = bytes(profile) if isinstance(profile, bytes) else None
    stored.orientation = _orientation(page)
    low, high = (_number(_tag(page, name, None)) for name in ("SMinSampleValue", "SMaxSampleValue"))
    if high is not None and stored.pixels.dtype.kind == "f":
        stored.span = (low or 0.0, high)
    try:
        x, y = (float(Fraction(*_tag(page, name, (0, 1)))) for name in ("XResolution", "YResolution"))
        inches = {2: 1.0, 3: 2.54}.get(int(_tag(page, "ResolutionUnit", 2)), 0.0)
        if x * inches > 0 and y * inches > 0:
            stored.dpi = (x * inches, y * inches)
    except (TypeError, ValueError, ZeroDivisionError):
        pass  # it names none
    stored.exif = _exif(data)
    stored.xmp = upright_xmp(_tag(page, "XMP", None))


def _exif(data: bytes) -> bytes | None:
    """Camera data of the first page, by Pillow."""
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as picture:
            stored, camera = picture.getexif(), Image.Exif()
            camera.update({tag: value for tag, value in stored.items() if tag in _ABOUT})
            details = stored.get_ifd(_EXIF)
            if details:
                camera[_EXIF] = details
            return upright_exif(camera)
    except Exception:  # whatever Pillow does not read: the picture goes without
        return None


def _number(value: Any) -> float | None:
    values = np.ravel(np.asarray(value, np.float64)) if value is not None else np.zeros(0)
    return float(values[0]) if values.size and np.isfinite(values[0]) else None
