"""A result's colours as its picture's file has them: the same numbers inside, the same profile, the same depth."""

from __future__ import annotations

import numpy as np

from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import PixelRect

from . import profiles
from .result import Array, Result

_BAND = 256  # rows
_SAME = 0.5 / 255  # colours that differ by less are those of the picture; the server rounds deep ones


class Colours:
    """``base``: ``(result.height, result.width, 3)`` uint8 or uint16, RGB as the file has it, in ``icc_profile``.

    That is None for sRGB: without a picture, where its file has no profile, or ones for other colours than RGB, and
    where ``srgb`` asks for it. ``clear``: the picture's own alpha in the same depth, None where it has none.
    """

    def __init__(self, result: Result, srgb: bool = False) -> None:
        self.icc_profile: bytes | None = None
        self.clear: Array | None = None
        picture = result.picture
        if picture is None:
            dtype = np.uint8 if result.cutout is None else result.cutout.dtype
            self.base = np.full((result.height, result.width, 3), np.iinfo(dtype).max, dtype)
            self._seen: Array | None = None
            return
        left, top = result.origin
        window = slice(top, top + result.height), slice(left, left + result.width)
        seen = picture.pixels[window]
        if seen.shape[2] == 4:
            self.clear = seen[:, :, 3]
        self._seen = _rgb(seen)
        self.base = self._seen
        if not srgb and picture.own is not None and picture.icc_profile is not None:
            self.base, self.icc_profile = picture.own[window], picture.icc_profile

    @property
    def full(self) -> int:
        return int(np.iinfo(self.base.dtype).max)

    def masked(self, mask: Array, box: PixelRect) -> Array:
        """The picture seen through ``mask``, which covers ``box`` of the result; RGBA."""
        rows, columns = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        alpha = rescaled(mask, self.base.dtype)
        if self.clear is not None:
            own = self.clear[rows, columns].astype(np.uint32)
            alpha = ((alpha * own + self.full // 2) // self.full).astype(self.base.dtype)
        out = np.dstack([self.base[rows, columns], alpha])
        out[alpha == 0] = 0
        return out

    def painted(self, cutout: Array, box: PixelRect) -> Array:
        """``cutout``, RGBA in sRGB over ``box`` of the result, with the picture's own numbers wherever it looks so."""
        rows, columns = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        alpha = rescaled(cutout[:, :, 3], self.base.dtype)
        out = np.dstack([self.base[rows, columns], alpha])
        out[alpha == 0] = 0
        changed = alpha > 0
        if self._seen is not None:
            changed &= _differ(cutout, self._seen[rows, columns])
        if changed.any():
            fresh = rescaled(np.ascontiguousarray(cutout[changed][:, :3]), self.base.dtype)
            if self.icc_profile is not None:
                fresh = profiles.from_srgb(fresh[None], self.icc_profile)[0]  # type: ignore[index]  # of RGB: see base
            out[changed, :3] = fresh
        return out


def over(cutout: Array, background: str) -> Array:
    """RGBA ``cutout`` over a colour ``#rrggbb``: RGBA, all opaque. Raises ``BadInput``."""
    text = background.removeprefix("#")
    try:
        if len(text) != 6:
            raise ValueError
        colour = [int(text[i : i + 2], 16) for i in (0, 2, 4)]
    except ValueError:
        raise BadInput(f"{background!r} is no colour.", "Write a colour as #rrggbb.") from None
    full = np.iinfo(cutout.dtype).max
    behind = np.float32(full / 255) * np.array(colour, np.float32)
    alpha = cutout[:, :, 3:].astype(np.float32) / np.float32(full)
    out = np.empty_like(cutout)
    out[:, :, :3] = np.clip(cutout[:, :, :3] * alpha + behind * (1 - alpha) + 0.5, 0, full)
    out[:, :, 3] = full
    return out


def rescaled(values: Array, dtype: np.dtype) -> Array:
    """Whole range to whole range between uint8, uint16 and float32 (0..1)."""
    if values.dtype == dtype:
        return values
    if dtype == np.float32:
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    if values.dtype == np.float32:
        return (np.clip(values, 0, 1) * np.float32(np.iinfo(dtype).max) + np.float32(0.5)).astype(dtype)
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _differ(cutout: Array, seen: Array) -> Array:
    """``(H, W)``: where the colours are others. Band by band, for large pictures."""
    limit = int(_SAME * np.iinfo(seen.dtype).max)
    out = np.empty(seen.shape[:2], bool)
    for top in range(0, len(seen), _BAND):
        band = slice(top, top + _BAND)
        gap = rescaled(cutout[band, :, :3], seen.dtype).astype(np.int32) - seen[band]
        np.any(np.abs(gap) > limit, axis=2, out=out[band])
    return out


def _rgb(pixels: Array) -> Array:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]
