"""What Florence-2 writes: words and places, read from its tokens. Light.

A place is a number 0..999, the bin of a coordinate: its middle is ``(bin + 0.5) / 1000`` of the picture's width (the
first, third, ... of a group) or height. Words before a group are its label. Grammar, in tokens:

    answer   = { label places }
    places   = 4 bins per box | 8 bins per quad | polygons
    polygons = [ "<poly>" ] bins { "<sep>" bins } [ "</poly>" ]

Xiao et al., "Florence-2: Advancing a Unified Representation for a Variety of Vision Tasks", 2023. Reading tokens and
not text keeps letters of all scripts, and a picture that shows the words "<loc_5>" harms nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

BINS = 1000
Place = tuple[float, float]
Kind = Literal["box", "quad", "polygon"]


@dataclass(frozen=True)
class Mark:
    """One of the tokens ``<sep>``, ``<poly>``, ``</poly>``."""

    name: str


SEPARATOR, OPEN, CLOSE = Mark("<sep>"), Mark("<poly>"), Mark("</poly>")
Piece = str | int | Mark  # words, the bin of a place, a mark


@dataclass
class Region:
    """Something with places, 0..1 of the picture: two corners of a box, four of a quad, or polygons."""

    label: str
    corners: list[Place] = field(default_factory=list)
    polygons: list[list[Place]] = field(default_factory=list)


def parse(pieces: Iterable[Piece], kind: Kind) -> list[Region]:
    """The regions of an answer, in its order. Groups of too few places are passed over, as are words without places.

    ``kind``: what bare groups of bins mean; groups with marks are polygons whatever it is.
    """
    regions: list[Region] = []
    label, group = "", list[int | Mark]()
    for piece in [*pieces, ""]:
        if not isinstance(piece, str):
            group.append(piece)
            continue
        if group:
            regions += _regions(label.strip(), group, kind)
            label, group = "", []
        label += piece
    return regions


def _regions(label: str, group: list[int | Mark], kind: Kind) -> list[Region]:
    if kind == "polygon" or any(isinstance(item, Mark) for item in group):
        return [Region(label, polygons=polygons) for polygons in _objects(group)]
    size = 4 if kind == "box" else 8
    bins = [item for item in group if isinstance(item, int)]
    return [Region(label, places(bins[i : i + size])) for i in range(0, len(bins) - size + 1, size)]


def _objects(group: list[int | Mark]) -> list[list[list[Place]]]:
    """The polygons of each object: one object between ``<poly>`` and ``</poly>``, or all of it without those."""
    objects: list[list[list[Place]]] = []
    polygons: list[list[Place]] = []
    bins: list[int] = []
    for item in [*group, CLOSE]:
        if isinstance(item, int):
            bins.append(item)
            continue
        if len(bins) >= 6:  # fewer than three corners enclose nothing
            polygons.append(places(bins[: len(bins) // 2 * 2]))
        bins = []
        if item != SEPARATOR and polygons:
            objects.append(polygons)
            polygons = []
    return objects


def places(bins: list[int]) -> list[Place]:
    """Pairs of bins as places 0..1."""
    middles = [(value + 0.5) / BINS for value in bins]
    return list(zip(middles[0::2], middles[1::2], strict=True))


def spell(box: Iterable[float]) -> str:
    """A box ``x0, y0, x1, y1`` of 0..1 as the model reads it."""
    return "".join(f"<loc_{min(BINS - 1, max(0, int(value * BINS)))}>" for value in box)
