"""Names of images by content: an image's key is a hash over the digests of its 64-row strips.

An image whose content changed in one place shares all other strips' digests with its earlier self, so only the
changed strips travel.
"""

import hashlib
from typing import Iterable, Iterator, List, Tuple, Union

Buffer = Union[bytes, bytearray, memoryview]

STRIP_ROWS = 64
KEY_PREFIX = "sha256-"


def strip_digest(strip: Buffer) -> str:
    """SHA-256 of a strip's packed rows, hexadecimal (64 characters)."""
    return hashlib.sha256(strip).hexdigest()


def strip_spans(height: int) -> Iterator[Tuple[int, int]]:
    """``(first row, rows)`` of each strip; the last may be shorter."""
    for top in range(0, height, STRIP_ROWS):
        yield top, min(STRIP_ROWS, height - top)


def strip_digests(data: Buffer, height: int, row_bytes: int) -> List[str]:
    """Digests of all strips of an image held in one buffer of ``height * row_bytes`` bytes."""
    view = memoryview(data).cast("B")
    return [strip_digest(view[top * row_bytes : (top + rows) * row_bytes]) for top, rows in strip_spans(height)]


def image_key(width: int, height: int, format: str, transfer: str, strips: Iterable[str]) -> str:
    """``sha256-`` + SHA-256 over ``"WIDTHxHEIGHT FORMAT TRANSFER 64"`` and each strip digest, joined by newlines."""
    text = "\n".join([f"{width}x{height} {format} {transfer} {STRIP_ROWS}", *strips])
    return KEY_PREFIX + hashlib.sha256(text.encode()).hexdigest()
