"""Which pixels of a cut-out are its soft edge, and new colours for these alone. Plain Python, no GIMP, no numpy."""

import re
from array import array
from typing import Iterator, Tuple

GAMUT = 1e-3  # how far outside 0..1 a colour may be that sRGB still holds
_SOME = bytes([0]) + bytes([1]) * 255
_FULL = bytes(255) + bytes([1])
_RUN = re.compile(b"\x01+")


def soft(alpha: bytes) -> bytes:
    """1 where 16-bit alpha is neither transparent nor opaque, one byte a pixel."""
    low, high = alpha[0::2], alpha[1::2]
    a, b = int.from_bytes(low, "little"), int.from_bytes(high, "little")
    some = (a | b).to_bytes(len(low), "little").translate(_SOME)
    full = (a & b).to_bytes(len(low), "little").translate(_FULL)
    return (int.from_bytes(some, "little") ^ int.from_bytes(full, "little")).to_bytes(len(low), "little")


def alpha_of(pixels: bytes) -> bytes:
    """The 16-bit alpha of 16-bit RGBA pixels."""
    alpha = bytearray(len(pixels) // 4)
    alpha[0::2], alpha[1::2] = pixels[6::8], pixels[7::8]
    return bytes(alpha)


def both(a: bytes, b: bytes) -> bytes:
    """1 where both are 1."""
    return (int.from_bytes(a, "little") & int.from_bytes(b, "little")).to_bytes(len(a), "little")


def runs(marks: bytes, seen: "array[float]") -> Iterator[Tuple[int, int]]:
    """Where marked pixels begin and end, without those whose own colour sRGB would clip.

    ``seen``: the pixels' red, green and blue as floats, 0..1 in sRGB.
    """
    for run in _RUN.finditer(marks):
        start, end = run.span()
        if _inside(seen, start, end):
            yield start, end
            continue
        for pixel in range(start, end):
            if _inside(seen, pixel, pixel + 1):
                yield pixel, pixel + 1


def _inside(seen: "array[float]", start: int, end: int) -> bool:
    values = seen[3 * start : 3 * end]
    return min(values) >= -GAMUT and max(values) <= 1.0 + GAMUT


def replace(own: bytearray, clean: bytes, start: int, end: int, pixel_bytes: int, colour_bytes: int) -> None:
    """Take the colours of a run of pixels from ``clean``, and leave their alpha, which comes last."""
    first, last = start * pixel_bytes, end * pixel_bytes
    for offset in range(colour_bytes):
        own[first + offset : last : pixel_bytes] = clean[first + offset : last : pixel_bytes]
