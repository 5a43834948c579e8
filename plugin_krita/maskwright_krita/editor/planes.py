"""Work on planes of bytes with what every Krita has: Qt's image routines and Python's byte slices."""

from dataclasses import dataclass
from typing import Any, Iterable, List, Tuple

from maskwright_client.coordinates import bounds, intersection
from maskwright_protocol.messages import PixelRect

from .qt import QImage, QPainter, Qt

_INVERSE = bytes(range(255, -1, -1))


@dataclass
class Plane:
    """A soft mask, one byte for each pixel of ``box``; everything outside is 0."""

    box: PixelRect
    data: Any  # bytes; for colours anything with slices


def image_bytes(image: QImage, row_bytes: int) -> bytes:
    """The packed rows of an image (Qt pads them to four bytes)."""
    pointer = image.constBits()
    pointer.setsize(image.bytesPerLine() * image.height())
    data = bytes(pointer)
    stride = image.bytesPerLine()
    if stride == row_bytes:
        return data
    return b"".join(data[top : top + row_bytes] for top in range(0, len(data), stride))


def gray_image(plane: Plane) -> QImage:
    """Does not copy: the plane must outlive the image."""
    width, height = plane.box.width, plane.box.height
    return QImage(plane.data, width, height, width, QImage.Format.Format_Grayscale8)


def gray_plane(image: QImage, box: PixelRect) -> Plane:
    return Plane(box, image_bytes(image, box.width))


def shrink_band(data: bytes, width: int, rows: int, out_width: int, out_rows: int) -> bytes:
    """Rows of BGRA8 at a smaller scale, averaged."""
    image = QImage(data, width, rows, width * 4, QImage.Format.Format_ARGB32)
    if (width, rows) == (out_width, out_rows):
        return data
    smooth = image.scaled(
        out_width, out_rows, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    if smooth.format() != QImage.Format.Format_ARGB32:
        smooth = smooth.convertToFormat(QImage.Format.Format_ARGB32)
    return image_bytes(smooth, out_width * 4)


def _combine(first: Plane, second: Plane, box: PixelRect, mode: "QPainter.CompositionMode") -> Plane:
    image = QImage(box.width, box.height, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(first.box.x - box.x, first.box.y - box.y, gray_image(first))
    painter.setCompositionMode(mode)
    painter.drawImage(second.box.x - box.x, second.box.y - box.y, gray_image(second))
    painter.end()
    return gray_plane(image, box)


def union(planes: List[Plane]) -> Plane:
    """The larger value of all planes at each pixel."""
    found = [plane for plane in planes if plane.data]
    if not found:
        return Plane(PixelRect(0, 0, 0, 0), b"")
    result = found[0]
    for plane in found[1:]:
        box = bounds([result.box, plane.box])
        result = _combine(result, plane, box, QPainter.CompositionMode.CompositionMode_Lighten)
    return result


def crop(plane: Plane, box: PixelRect) -> Plane:
    """The part of a plane inside ``box``, as large as their intersection."""
    common = intersection(plane.box, box)
    if common == plane.box:
        return plane
    if not common.width:
        return Plane(common, b"")
    image = gray_image(plane).copy(common.x - plane.box.x, common.y - plane.box.y, common.width, common.height)
    return gray_plane(image, common)


def darker(first: Plane, second: Plane) -> Plane:
    """The smaller value of both at each pixel: a mask limited by another."""
    box = intersection(first.box, second.box)
    if not box.width:
        return Plane(box, b"")
    return _combine(crop(first, box), crop(second, box), box, QPainter.CompositionMode.CompositionMode_Darken)


def without(first: Plane, second: Plane) -> Plane:
    """What is left of a mask outside of another."""
    inner = crop(second, first.box)
    if not inner.data:
        return first
    whole = _combine(
        Plane(first.box, bytes(first.box.width * first.box.height)),
        inner,
        first.box,
        QPainter.CompositionMode.CompositionMode_Lighten,
    )
    return darker(first, Plane(first.box, whole.data.translate(_INVERSE)))


def multiply(first: bytes, second: bytes, width: int, height: int) -> bytes:
    """``first * second / 255`` of two planes of the same size."""
    box = PixelRect(0, 0, width, height)
    mode = QPainter.CompositionMode.CompositionMode_Multiply
    return _combine(Plane(box, first), Plane(box, second), box, mode).data


def bands(height: int, rows: int) -> Iterable[Tuple[int, int]]:
    """``(first row, rows)`` of consecutive bands."""
    for top in range(0, height, rows):
        yield top, min(rows, height - top)
