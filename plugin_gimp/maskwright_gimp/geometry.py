"""Sizes and boxes; plain Python, no GIMP."""

from typing import Tuple, Union

from maskwright_protocol.messages import PixelRect


def overview_size(width: int, height: int, longest: int) -> Tuple[int, int, float]:
    """Width, height and scale of a picture whose long side is at most ``longest``.

    GIMP scales both sides by the same factor, so of the next smaller sizes the one is taken whose short side comes
    out whole: then the overview shows the whole box and nothing else.
    """
    long, short = max(width, height), min(width, height)
    if long <= longest:
        return width, height, 1.0
    tries = range(longest, longest - longest // 32, -1)
    best = min(tries, key=lambda side: abs(short * side / long - max(1, round(short * side / long))))
    other = max(1, round(short * best / long))
    return (best, other, best / long) if width >= height else (other, best, best / long)


def crop(data: Union[bytes, bytearray, memoryview], box: PixelRect, inside: PixelRect, pixel_bytes: int) -> bytes:
    """The packed rows of ``inside``, a part of ``box`` that ``data`` covers."""
    if inside == box:
        return bytes(data)
    view, row = memoryview(data), box.width * pixel_bytes
    left, length = (inside.x - box.x) * pixel_bytes, inside.width * pixel_bytes
    top = inside.y - box.y
    return b"".join(view[y * row + left : y * row + left + length] for y in range(top, top + inside.height))
