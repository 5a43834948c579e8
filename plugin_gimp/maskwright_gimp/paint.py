"""Planes of bytes for what is drawn over pictures, without numpy: by translate, slices and long integers."""

from typing import Dict, Tuple

Colour = Tuple[int, int, int]

_tints: Dict[int, bytes] = {}
_HARD = bytes(255 if value >= 128 else 0 for value in range(256))


def _tint(strength: int) -> bytes:
    if strength not in _tints:
        _tints[strength] = bytes(value * strength // 255 for value in range(256))
    return _tints[strength]


def outline(plane: bytes, width: int, thick: int = 1) -> bytes:
    """255 where the half-way line of the mask runs (a pixel that differs from its left or upper neighbour)."""
    hard = plane.translate(_HARD)
    number = int.from_bytes(hard, "little")
    edges = (number ^ (number << 8)) | (number ^ (number << (8 * width)))
    for _ in range(1, thick):
        edges |= (edges << 8) | (edges << (8 * width))
    return (edges & ((1 << (8 * len(hard))) - 1)).to_bytes(len(hard), "little")


def overlay(plane: bytes, width: int, colour: Colour, strength: int, thick: int = 1) -> bytes:
    """Straight RGBA: the mask tinted at ``strength`` (0..255), its outline in full colour."""
    count = len(plane)
    line = int.from_bytes(outline(plane, width, thick), "little")
    alpha = int.from_bytes(plane.translate(_tint(strength)), "little") | line
    pixels = bytearray(bytes((*colour, 0)) * count)
    pixels[3::4] = alpha.to_bytes(count, "little")
    return bytes(pixels)


def marker(radius: int, colour: Colour, minus: bool) -> Tuple[int, bytes]:
    """A disc with a white rim and a plus or minus sign; returns its side and straight RGBA."""
    side = 2 * radius + 1
    pixels = bytearray()
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            distance = (x * x + y * y) ** 0.5
            cover = max(0.0, min(1.0, radius + 0.5 - distance))
            arm = radius // 2
            sign = (y == 0 and abs(x) <= arm) or (not minus and x == 0 and abs(y) <= arm)
            rim = distance > radius - 1.6
            pixels += bytes((*((255, 255, 255) if sign or rim else colour), round(255 * cover)))
    return side, bytes(pixels)
