"""What a file's numbers mean: integers of any width over their whole range, floats as brightness.

Floats are 0..1 in the file's colours. Where more than a thousandth of the pixels are brighter, the numbers mean
something else: whole numbers are bytes or 16-bit values that were stored as floats; else the file's own span says what
is white; else they are light without an upper end, and what is brighter than all but half a percent of the picture
becomes white.
"""

from __future__ import annotations

import numpy as np

from maskwright.images.pixels import encode_srgb

from . import profiles
from .picture import Array, Stored

_FEW = 0.001  # of the pixels: highlights that may be cut
_WHITE = 99.5  # percentile of what has no upper end


def whole_range(pixels: Array, bits: int) -> Array:
    """Integers of ``bits`` bits and booleans -> uint8 or uint16 over the whole range; floats -> float32.

    What has up to 8 bits becomes uint8. Signed integers without negatives go from 0, others from their lowest.
    """
    kind = pixels.dtype.kind
    if kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        return pixels.astype(np.float32)
    if kind == "i":
        wide = pixels.astype(np.int64)
        if pixels.size and wide.min() < 0:
            pixels = wide + (1 << (bits - 1))
        else:
            bits -= 1
    target = np.uint8 if bits <= 8 else np.uint16
    if bits == 8 * np.dtype(target).itemsize:
        return pixels.astype(target)
    if bits > 16:
        return (pixels >> (bits - 16)).astype(np.uint16)
    full = np.iinfo(target).max
    most = (1 << bits) - 1
    return ((np.minimum(pixels, most).astype(np.uint32) * full + most // 2) // most).astype(target)


def display_floats(stored: Stored) -> Array:
    """``stored.pixels`` as uint16 in the file's colours; says in ``stored.notes`` when that took a decision.

    What had no upper end comes out in sRGB, grey with a profile as RGB; ``stored.is_srgb`` says so.
    """
    colours = stored.pixels.shape[2] - bool(stored.alpha)
    colour = np.nan_to_num(stored.pixels[:, :, :colours], nan=0.0, posinf=3e38, neginf=0.0)
    if _beyond(colour):
        colour = _scaled(colour, stored)
    parts = [colour, np.nan_to_num(stored.pixels[:, :, colours:], nan=0.0)]
    return np.concatenate([to_uint16(one) for one in parts], axis=2)


def to_uint16(values: Array) -> Array:
    """Floats of 0..1 -> uint16; what is beyond is cut."""
    return (np.clip(values, 0.0, 1.0) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)


def whole_numbers(values: Array) -> float | None:
    """255 or 65535 when the floats are whole numbers up to there and more than 1, else None."""
    top = float(values.max()) if values.size else 0.0
    if not 1 < top <= 65535 or float(values.min()) < 0 or (values != np.floor(values)).any():
        return None
    return 255.0 if top <= 255 else 65535.0


def _beyond(colour: Array) -> bool:
    return float((colour.max(axis=2) > 1.001).mean()) > _FEW


def _scaled(colour: Array, stored: Stored) -> Array:
    white = whole_numbers(colour)
    if white is not None:
        stored.notes.append(f"Its floats are whole numbers: read as 0 to {white:.0f}.")
        return colour / np.float32(white)
    if stored.span is not None and stored.span[0] < stored.span[1]:
        low, high = stored.span
        stored.notes.append(f"Its floats go from {low:g} to {high:g}, as it says: read as black to white.")
        return (colour - np.float32(low)) / np.float32(high - low)
    light = colour
    if profiles.space_of(stored.icc_profile) == stored.space and stored.icc_profile:
        try:
            light = profiles.linear_light(colour, stored.icc_profile)
        except ValueError:
            pass  # a broken profile
    return _exposed(light, stored)


def _exposed(light: Array, stored: Stored) -> Array:
    """Light-linear, without an upper end -> sRGB-encoded 0..1."""
    brightest = light.max(axis=2)
    white = max(float(np.percentile(brightest[brightest < 1e38], _WHITE)), 1e-6)
    stored.notes.append(f"Its light reaches {float(brightest.max()):.3g}: {white:.3g} is shown as white.")
    stored.is_srgb = True
    return encode_srgb((light / white).astype(np.float32))
