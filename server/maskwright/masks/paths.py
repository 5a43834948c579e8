"""Masks as the data of SVG paths: smooth curves within half a pixel of the outline, holes by the even-odd rule."""

from __future__ import annotations

from .curves import fitted
from .outlines import CURVE_TOLERANCE, Array, Shape, polygon, shapes

_FEW = 12  # points of a ring that stays a polygon


def path_data(mask: Array, left: int = 0, top: int = 0) -> str:
    """The data of a path around where a mask ``(h, w)`` uint8 or uint16 is more than half full, in pixels; its first
    pixel is ``left``, ``top``. Empty where nothing is."""
    return "".join(_path(shape) for shape in shapes(mask, left, top))


def _path(shape: Shape) -> str:
    return "".join(_subpath(ring) for ring in (shape.outer, *shape.holes))


def _subpath(ring: Array) -> str:
    def point(at: Array) -> str:
        return f"{at[0]:.2f} {at[1]:.2f}"

    if len(ring) <= _FEW:
        return "M" + "L".join(point(at) for at in polygon(ring)) + "Z"
    curves = fitted(ring, CURVE_TOLERANCE)
    return f"M{point(curves[0, 0])}" + "".join(f"C{' '.join(point(at) for at in one[1:])}" for one in curves) + "Z"
