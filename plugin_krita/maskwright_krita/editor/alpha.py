"""Puts an 8-bit mask into the alpha channel of pixels of any depth, by byte slices. Alpha is the last channel.

Knows neither Krita nor Qt.
"""

import struct
from typing import Dict, List


def _tables() -> Dict[str, List[bytes]]:
    """For each depth, one table of 256 bytes per byte of a channel: mask value -> that byte of the alpha value."""
    values = {
        "U8": [struct.pack("<B", v) for v in range(256)],
        "U16": [struct.pack("<H", v * 257) for v in range(256)],
        "F16": [struct.pack("<e", v / 255) for v in range(256)],
        "F32": [struct.pack("<f", v / 255) for v in range(256)],
    }
    return {
        depth: [bytes(value[place] for value in packed) for place in range(len(packed[0]))]
        for depth, packed in values.items()
    }


TABLES = _tables()


def with_alpha(pixels: bytes, mask: bytes, depth: str) -> bytes:
    """The pixels with the mask as their alpha; ``depth`` is Krita's name of the channels' type."""
    if not mask:
        return pixels
    tables = TABLES[depth]
    size = len(pixels) // len(mask)
    out = bytearray(pixels)
    for place, table in enumerate(tables):
        out[size - len(tables) + place :: size] = mask if depth == "U8" else mask.translate(table)
    return bytes(out)
