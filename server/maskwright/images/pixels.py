"""Rasters as the editors hold them <-> numpy arrays.

Models look at sRGB bytes, so that is what ``rgb8`` gives; ``colours`` gives float32 for work on the colours themselves.
Both are gamma-encoded (sRGB curve); rasters tagged ``linear`` are encoded on the way in and decoded on the way out.

Transparent pixels: their own colours are arbitrary (often black), so the models are shown the picture over a neutral
grey, which lets both dark and light drawings on empty layers stand out; which one, ``backdrop`` says. ``colours`` keeps
the pixels' own.
"""

from __future__ import annotations

from typing import Any

import cv2 as _cv2
import numpy as np
from numpy.typing import NDArray

from maskwright_protocol.errors import BadImage
from maskwright_protocol.language import tr
from maskwright_protocol.pixels import FORMATS, TRANSFERS, PixelFormat

cv2: Any = _cv2  # its stubs say of every result only that it is some array
Buffer = bytes | bytearray | memoryview
RGB8 = NDArray[np.uint8]
Colours = NDArray[np.float32]
Plane = NDArray[np.float32]

Crop = tuple[slice, slice]  # rows, columns
EVERYTHING: Crop = (slice(None), slice(None))

BACKDROP = 128  # the grey, in sRGB bytes, that shows through transparent pixels where nothing speaks against it
_OTHERS = (255, 0, 192, 64)  # the next ones
_ALIKE = 48  # distance of colours, in bytes, below which a thing is hard to see before a ground
_WORTH = 0.1  # by which share of a rim another grey has to be better


def pixel_format(name: str) -> PixelFormat:
    """The format's record. Raises ``BadImage`` for a name that is not in ``FORMATS``."""
    try:
        return FORMATS[name]
    except KeyError:
        raise BadImage(
            tr("The pixel format {0!r} is not known.", name), hint=tr("Convert the layer to RGB or grey.")
        ) from None


def view(data: Buffer, width: int, height: int, name: str) -> NDArray[Any]:
    """The bytes as a read-only ``(H, W, C)`` array of uint8, uint16, float16 or float32, without a copy.

    Raises ``BadImage`` when the size does not fit the format.
    """
    layout = pixel_format(name)
    size = len(data) if not isinstance(data, memoryview) else data.nbytes
    if width < 1 or height < 1 or size != layout.image_bytes(width, height):
        raise BadImage(tr("An image of {0}x{1} {2} has {3} bytes.", width, height, name, size))
    array = np.frombuffer(data, _dtype(layout)).reshape(height, width, len(layout.channels))
    array.flags.writeable = False
    return array


def _dtype(layout: PixelFormat) -> np.dtype:
    kinds = {("uint", 1): "u1", ("uint", 2): "<u2", ("float", 2): "<f2", ("float", 4): "<f4"}
    return np.dtype(kinds[layout.kind, layout.channel_bytes])


def _check_transfer(transfer: str) -> None:
    if transfer not in TRANSFERS:
        raise BadImage(tr("The transfer curve {0!r} is not known.", transfer))


def encode_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light-linear 0..1 -> sRGB-encoded 0..1 (IEC 61966-2-1), float32."""
    linear = np.clip(linear, 0.0, 1.0)
    curve = np.float32(1.055) * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(linear <= 0.0031308, linear * np.float32(12.92), curve).astype(np.float32)


def decode_srgb(encoded: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB-encoded 0..1 -> light-linear 0..1, float32."""
    encoded = np.clip(encoded, 0.0, 1.0)
    curve = np.power((encoded + np.float32(0.055)) * np.float32(1 / 1.055), np.float32(2.4))
    return np.where(encoded <= 0.04045, encoded * np.float32(1 / 12.92), curve).astype(np.float32)


def _encode_table(entries: int) -> NDArray[np.uint8]:
    ramp = np.arange(entries, dtype=np.float32) / np.float32(entries - 1)
    return np.round(encode_srgb(ramp) * 255).astype(np.uint8)


def _to_bytes(array: NDArray[Any], transfer: str) -> RGB8:
    """Any channel type -> sRGB bytes, alpha channels not treated apart."""
    if array.dtype == np.uint8:
        return _encode_table(256)[array] if transfer == "linear" else array.view(np.uint8)
    if array.dtype == np.uint16:
        if transfer == "linear":
            return _encode_table(65536)[array]
        return cv2.convertScaleAbs(np.ascontiguousarray(array), alpha=255 / 65535).reshape(array.shape)
    values = np.nan_to_num(array.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    if transfer == "linear":
        values = encode_srgb(values)
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _three(array: NDArray[Any], channels: str) -> NDArray[Any]:
    """The colour channels in the order R, G, B, contiguous."""
    if channels[0] == "Y":
        return np.repeat(array[..., :1], 3, axis=2)
    if channels == "RGB":
        return array
    if array.dtype == np.uint8:
        code = cv2.COLOR_BGRA2RGB if channels == "BGRA" else cv2.COLOR_RGBA2RGB
        return cv2.cvtColor(np.ascontiguousarray(array), code)
    order = [channels.index(c) for c in "RGB"]
    return np.ascontiguousarray(array[..., order])


def alpha(data: Buffer, width: int, height: int, name: str, crop: Crop = EVERYTHING) -> Plane | None:
    """The alpha channel, ``(H, W)`` float32 0..1, or None when there is none or all pixels are opaque.

    Here as in the next two, only ``crop`` is converted; its size is the answer's.
    """
    layout = pixel_format(name)
    if not layout.channels.endswith("A"):
        return None
    plane = view(data, width, height, name)[crop][..., -1]
    if plane.dtype.kind == "u":
        full = np.iinfo(plane.dtype).max
        if int(plane.min()) == full:
            return None
        return plane.astype(np.float32) * np.float32(1 / full)
    plane = np.clip(np.nan_to_num(plane.astype(np.float32), nan=0.0), 0, 1)
    return None if float(plane.min()) >= 1 else plane


def backdrop(data: Buffer, width: int, height: int, name: str, transfer: str = "srgb") -> int | None:
    """The grey 0..255 before which the rim of what is visible shows best, for ``rgb8``; None where nothing is visible.

    A thing of the ground's own colour would vanish.
    """
    coverage = alpha(data, width, height, name)
    if coverage is None:
        return BACKDROP
    seen = (coverage >= 0.5).view(np.uint8)
    if not coverage.any():
        return None
    rim = (seen - cv2.erode(seen, np.ones((5, 5), np.uint8), borderValue=1)).view(bool)
    if not rim.any():
        return BACKDROP
    layout = pixel_format(name)
    rows, columns = np.nonzero(rim)
    step = max(1, len(rows) // 20_000)
    picked = view(data, width, height, name)[rows[::step], columns[::step]][None]
    around = _to_bytes(_three(picked, layout.channels), transfer)[0].astype(np.float32)

    def hidden(grey: int) -> float:
        return float((np.linalg.norm(around - grey, axis=1) < _ALIKE).mean())

    best = min(_OTHERS, key=hidden)
    return best if hidden(best) < hidden(BACKDROP) - _WORTH else BACKDROP


def rgb8(
    data: Buffer,
    width: int,
    height: int,
    name: str,
    transfer: str = "srgb",
    crop: Crop = EVERYTHING,
    ground: int = BACKDROP,
) -> RGB8:
    """What the models look at: ``(H, W, 3)`` uint8 sRGB, C-contiguous; transparent pixels over the grey ``ground``.

    A view for opaque RGB8, one conversion for the other 8-bit formats. Raises ``BadImage``.
    """
    _check_transfer(transfer)
    layout = pixel_format(name)
    array = view(data, width, height, name)[crop]
    out = np.ascontiguousarray(_to_bytes(_three(array, layout.channels), transfer))
    coverage = alpha(data, width, height, name, crop)
    if coverage is None:
        return out
    weight = coverage[..., None]
    blended = out.astype(np.float32) * weight + np.float32(ground) * (1 - weight)
    return np.round(blended).astype(np.uint8)


def straight8(
    data: Buffer, width: int, height: int, name: str, transfer: str = "srgb", crop: Crop = EVERYTHING
) -> tuple[RGB8, NDArray[np.uint8] | None]:
    """The pixels' colours ``(H, W, 3)`` uint8 sRGB, alpha ignored, and that alpha ``(H, W)`` uint8; None: opaque."""
    _check_transfer(transfer)
    layout = pixel_format(name)
    array = view(data, width, height, name)[crop]
    own = np.ascontiguousarray(_to_bytes(_three(array, layout.channels), transfer))
    if not layout.channels.endswith("A"):
        return own, None
    opacity = np.ascontiguousarray(_to_bytes(np.ascontiguousarray(array[..., -1:]), "srgb")[..., 0])
    return own, None if int(opacity.min()) == 255 else opacity


def colours(
    data: Buffer, width: int, height: int, name: str, transfer: str = "srgb", crop: Crop = EVERYTHING
) -> Colours:
    """The pixels' own colours: ``(H, W, 3)`` float32 0..1, sRGB-encoded, alpha ignored. Raises ``BadImage``."""
    _check_transfer(transfer)
    layout = pixel_format(name)
    array = _three(view(data, width, height, name)[crop], layout.channels)
    out = np.asarray(array, np.float32)
    if array.dtype.kind == "u":
        out = out * np.float32(1 / np.iinfo(array.dtype).max)
    else:
        out = np.clip(np.nan_to_num(out, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    return encode_srgb(out) if transfer == "linear" else out


def pack(colour: Colours, coverage: Plane, name: str, transfer: str = "srgb") -> bytes:
    """``(H, W, 3)`` float32 0..1 sRGB-encoded colours and ``(H, W)`` alpha 0..1 -> rows in the named format.

    Straight alpha; integers are rounded to nearest. Grey formats take Rec. 709 luma; formats without alpha drop it.
    Raises ``BadImage`` for an unknown format or curve.
    """
    _check_transfer(transfer)
    layout = pixel_format(name)
    values = decode_srgb(colour) if transfer == "linear" else colour
    planes = {c: values[..., i] for i, c in enumerate("RGB")}
    planes["A"] = coverage
    if "Y" in layout.channels:
        planes["Y"] = values @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    out = np.stack([planes[c] for c in layout.channels], axis=-1)
    dtype = _dtype(layout)
    if layout.kind == "uint":
        full = np.float32(np.iinfo(dtype).max)
        return np.round(np.clip(out, 0, 1) * full).astype(dtype).tobytes()
    return np.ascontiguousarray(out, dtype).tobytes()
