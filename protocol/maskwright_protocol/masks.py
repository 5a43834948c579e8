"""Packing and unpacking of masks. Raw bytes on loopback, zlib elsewhere (and when a raw mask would be too long)."""

import zlib
from typing import Optional, Union

from .errors import BadInput, TooLarge
from .language import tr
from .messages import Mask, PixelRect, Pixels
from .pixels import FORMATS

Buffer = Union[bytes, bytearray, memoryview]

MAX_MASK_PIXELS = 400_000_000
INLINE_BYTES = 4 * 1024 * 1024  # longer bulk fields go ahead in ``part`` messages


def expected_size(item: Union[Mask, Pixels]) -> int:
    """Bytes that the unpacked item has, from its box and depth or format.

    Raises ``BadInput`` for an impossible box or depth, ``TooLarge`` beyond ``MAX_MASK_PIXELS``.
    """
    width, height = item.box.width, item.box.height
    if width < 0 or height < 0:
        raise BadInput(tr("A mask's box has a negative size."))
    if width * height > MAX_MASK_PIXELS:
        raise TooLarge(tr("A mask is larger than the server accepts."))
    if isinstance(item, Pixels):
        if item.format not in FORMATS:
            raise BadInput(tr("The pixel format {0!r} is not known.", item.format))
        return FORMATS[item.format].image_bytes(width, height)
    if item.depth not in (8, 16):
        raise BadInput(tr("A mask must have 8 or 16 bits per pixel."))
    return width * height * (item.depth // 8)


def pack(box: PixelRect, plane: Buffer, depth: int = 8, compress: Optional[bool] = None) -> Mask:
    """A ``Mask`` from the packed rows of its box. ``compress=None`` compresses only what is too long to go inline."""
    if compress is None:
        compress = len(plane) > INLINE_BYTES
    if compress:
        return Mask(box=box, depth=depth, encoding="zlib", data=zlib.compress(plane, 1))
    return Mask(box=box, depth=depth, encoding="raw", data=plane)  # type: ignore[arg-type]


def unpack(item: Union[Mask, Pixels]) -> Buffer:
    """The raw rows of a mask or of pixels, exactly as many bytes as the box says.

    Raises ``BadInput`` when the data is of another size, of an unknown encoding, or inflates beyond it.
    """
    size = expected_size(item)
    data = item.data if item.data is not None else b""
    if item.encoding == "raw":
        if len(data) != size:
            raise BadInput(tr("A mask has {0} bytes where its box needs {1}.", len(data), size))
        return data
    if item.encoding != "zlib":
        raise BadInput(tr("The mask encoding {0!r} is not known.", item.encoding))
    inflater = zlib.decompressobj()
    try:
        plane = inflater.decompress(data, size + 1) if size else b""
    except zlib.error as error:
        raise BadInput(tr("A mask's compressed data is damaged.")) from error
    if len(plane) != size or (size and not inflater.eof):
        raise BadInput(tr("A mask's compressed data does not give the {0} bytes that its box needs.", size))
    return plane


def place(item: Mask, width: int, height: int, x: int = 0, y: int = 0) -> bytearray:
    """The mask in a plane of ``width`` x ``height`` whose origin is document pixel ``(x, y)``; clipped to it."""
    pixel = item.depth // 8
    plane = bytearray(width * height * pixel)
    source = memoryview(unpack(item))
    left, right = max(item.box.x, x), min(item.box.x + item.box.width, x + width)
    if right <= left:
        return plane
    for row in range(max(item.box.y, y), min(item.box.y + item.box.height, y + height)):
        start = ((row - item.box.y) * item.box.width + left - item.box.x) * pixel
        target = ((row - y) * width + left - x) * pixel
        plane[target : target + (right - left) * pixel] = source[start : start + (right - left) * pixel]
    return plane
