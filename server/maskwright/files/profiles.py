"""Colours by their profiles: to the sRGB that models look at, and back.

By Little CMS as imagecodecs has it, which converts 8 and 16 bits as they are; Pillow's converts 8 bits alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from maskwright.images.pixels import encode_srgb

from .picture import Array, Space

_PERCEPTUAL = 0
_NO_SHORTCUT = 0x0100  # cmsFLAGS_NOOPTIMIZE
_MANY = 500_000  # values, from where that takes long
SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_SPACES: dict[bytes, Space] = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk", b"Lab ": "lab"}


def space_of(profile: bytes | None) -> Space | None:
    """Of which kind of colours an ICC profile tells; None for a broken one or a kind that is not read."""
    return _SPACES.get(profile[16:20]) if profile and profile[36:40] == b"acsp" else None


def to_srgb(colour: Array, space: Space, profile: bytes | None) -> Array:
    """``(H, W, C)`` uint8 or uint16 of ``space`` -> the same depth in sRGB, C 1 (from grey) or 3.

    Without a profile, or with one that is broken or for other colours, grey and RGB are sRGB already, inks are taken as
    simple complements, and Lab has a meaning of its own.
    """
    if space_of(profile) == space and profile is not None:
        if space in ("gray", "rgb") and _is_srgb(profile, space):
            return colour
        try:
            return _converted(colour, profile, srgb(), space)
        except (RuntimeError, ValueError):
            pass  # a broken profile: the numbers as they are
    if space == "lab":
        import imagecodecs

        return _converted(colour, imagecodecs.cms_profile("lab4"), srgb(), "lab")
    if space == "cmyk":
        full = np.iinfo(colour.dtype).max
        light = (full - colour[:, :, :3]).astype(np.uint32) * (full - colour[:, :, 3:]).astype(np.uint32)
        return ((light + full // 2) // full).astype(colour.dtype)
    return colour


def from_srgb(colour: Array, profile: bytes) -> Array | None:
    """``(H, W, 3)`` sRGB uint8 or uint16 -> RGB of ``profile``; None where that is not one of RGB, or is broken."""
    if space_of(profile) != "rgb":
        return None
    if _is_srgb(profile, "rgb"):
        return colour
    try:
        return _converted(colour, srgb(), profile, "rgb")
    except (RuntimeError, ValueError):
        return None


def linear_light(colour: Array, profile: bytes) -> Array:
    """``(H, W, C)`` float32 of a grey or RGB profile -> ``(H, W, 3)`` light-linear sRGB, unbounded.

    Raises ``ValueError`` for a broken profile.
    """
    space = "gray" if colour.shape[2] == 1 else "rgb"
    try:
        return _converted(colour, profile, _rgb_profile(1.0, SRGB_CHROMATICITY), space)
    except RuntimeError as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """An sRGB profile."""
    import imagecodecs

    return imagecodecs.cms_profile("srgb")


def by_chunks(gamma: float | None, chromaticity: tuple[float, ...] | None, grey: bool) -> bytes | None:
    """A profile of what PNG's gAMA (as Pillow gives it) and cHRM say; None where they say sRGB or nothing."""
    if gamma is None or not 0.1 <= gamma <= 10:
        return None
    plain = chromaticity is None or np.allclose(chromaticity, SRGB_CHROMATICITY, atol=0.002)
    if plain and abs(gamma - 0.45455) < 0.01:
        return None
    if grey:
        import imagecodecs

        return imagecodecs.cms_profile("gray", gamma=1 / gamma)
    return _rgb_profile(1 / gamma, chromaticity or SRGB_CHROMATICITY)


def _rgb_profile(gamma: float, chromaticity: tuple[float, ...]) -> bytes:
    """``chromaticity``: x and y of white, red, green and blue."""
    import imagecodecs

    white, *primaries = np.reshape(chromaticity, (4, 2)).tolist()
    corners = [value for one in primaries for value in (*one, 1.0)]
    return imagecodecs.cms_profile("rgb", whitepoint=[*white, 1.0], primaries=corners, gamma=gamma)


def _converted(colour: Array, source: bytes, target: bytes, space: Space) -> Array:
    """Beyond eight bits Little CMS's shortcut is a coarse table: some colours would be off by 8 %."""
    if space == "rgb" and colour.dtype == np.uint16 and colour.size > _MANY and target == srgb():
        curves = _curves(source)
        if curves is not None:
            return _by_curves(colour, curves)
    flags = 0 if colour.dtype == np.uint8 else _NO_SHORTCUT
    plane = colour[:, :, 0] if space == "gray" else colour
    out = _transform(plane, source, target, space, flags)
    # Grey of an sRGB profile has three equal channels.
    return out[:, :, 1:2] if space == "gray" and colour.dtype.kind == "u" else out


def _transform(plane: Array, source: bytes, target: bytes, space: Space, flags: int) -> Array:
    import imagecodecs

    return imagecodecs.cms_transform(
        np.ascontiguousarray(plane),
        source,
        target,
        colorspace=space,
        outcolorspace="rgb",
        intent=_PERCEPTUAL,
        outdtype=plane.dtype,
        flags=flags,
    )


@lru_cache(maxsize=4)
def _curves(profile: bytes) -> Array | None:
    """``(3, 65536, 3)`` float32: what each channel of a profile adds to linear sRGB; None if they do not simply add up.

    They do where a profile has curves and primaries and no tables, as those of cameras and screens.
    """
    linear = _rgb_profile(1.0, SRGB_CHROMATICITY)
    ramps = np.zeros((3, 65536, 3), np.float32)
    for channel in range(3):
        ramps[channel, :, channel] = np.linspace(0, 1, 65536)
    found = _transform(ramps, profile, linear, "rgb", _NO_SHORTCUT)
    probe = np.random.default_rng(0).integers(0, 65536, (1, 500, 3), np.uint16)
    light = _transform(probe.astype(np.float32) / np.float32(65535), profile, linear, "rgb", _NO_SHORTCUT)
    return found if np.abs(_summed(probe, found) - light).max() < 1e-3 else None


def _summed(colour: Array, curves: Array) -> Array:
    return curves[0][colour[:, :, 0]] + curves[1][colour[:, :, 1]] + curves[2][colour[:, :, 2]]


def _by_curves(colour: Array, curves: Array) -> Array:
    """The same as Little CMS's answer to a few steps of 65535, in a fraction of its time."""
    out = np.empty_like(colour)
    encoded = np.round(encode_srgb(np.linspace(0, 1, 65536, dtype=np.float32)) * 65535).astype(np.uint16)
    for top in range(0, len(colour), 64):  # what it holds meanwhile stays small
        light = _summed(colour[top : top + 64], curves)
        out[top : top + 64] = encoded[np.round(np.clip(light, 0, 1) * 65535).astype(np.uint16)]
    return out


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes, space: Space) -> bool:
    """Whether it changes no byte by more than one: then nothing is to be converted, and nothing to be rounded."""
    ramp = np.linspace(0, 255, 18).astype(np.uint8)
    if space == "gray":
        probe = ramp[None, :, None]
    else:
        probe = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(18, -1, 3)
    try:
        found = _converted(probe, profile, srgb(), space)
    except (RuntimeError, ValueError):
        return False
    return int(np.abs(found.astype(int) - probe).max()) <= 1
