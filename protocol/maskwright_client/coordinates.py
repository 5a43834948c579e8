"""Points, strokes and boxes in image pixels, also as people write them: ``120,80 200,95`` and ``100,50,300,200``."""

import math
import re
from typing import Iterable, List, Sequence, Tuple

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Example, Mask, PixelRect, Point, Rect, Stroke

_WIDTH = re.compile(r"\bwidth\s*=\s*([\d.]+)")


def _groups(text: str, count: int, what: str) -> List[Tuple[float, ...]]:
    """Groups of ``count`` finite numbers; spaces or semicolons separate the groups."""
    found: List[Tuple[float, ...]] = []
    for group in re.sub(r"\s*,\s*", ",", text).replace(";", " ").split():
        try:
            values = tuple(float(piece) for piece in group.split(","))
        except ValueError:
            values = ()
        if len(values) != count or not all(map(math.isfinite, values)):
            example = "120,80 200,95" if count == 2 else "100,50,300,200"
            raise BadInput(tr("{0!r} is not {1}.", group, what), tr('Write {0} as "{1}".', what, example))
        found.append(values)
    return found


def points(include: str, exclude: str = "") -> List[Point]:
    """Points ``x,y`` to include, then those to exclude. Raises ``BadInput``."""
    texts = ((include, True), (exclude, False))
    return [Point(x, y, wanted) for text, wanted in texts for x, y in _groups(text, 2, tr("a point"))]


def stroke(text: str, include: bool = True, closed: bool = False) -> Stroke:
    """One stroke along ``x,y x,y ...``, or with ``closed`` a lasso; ``width=12`` at its end tells the brush's width.

    Raises ``BadInput``.
    """
    widths = [float(found) for found in _WIDTH.findall(text) if found.count(".") < 2 and found != "."]
    places = _groups(_WIDTH.sub(" ", text), 2, tr("a point"))
    if len(widths) > 1 or len(places) < (3 if closed else 1):
        what = (
            tr("a lasso, which has at least three places") if closed else tr("a stroke, which has at least one place")
        )
        raise BadInput(tr("{0!r} is not {1}.", text, what), tr('Write it as "120,80 160,90 200,95".'))
    return Stroke([value for place in places for value in place], include, sum(widths), closed)


def strokes(
    scribble: Iterable[str], exclude_scribble: Iterable[str], lasso: Iterable[str], exclude_lasso: Iterable[str]
) -> List[Stroke]:  # fmt: skip
    """Strokes over what is meant and over what is not, then those that go round it. Raises ``BadInput``."""
    groups = (
        (scribble, True, False),
        (exclude_scribble, False, False),
        (lasso, True, True),
        (exclude_lasso, False, True),
    )
    return [stroke(text, include, closed) for texts, include, closed in groups for text in texts]


def thinned(path: Sequence[float], least: float) -> List[float]:
    """A path, ``x`` and ``y`` in turn, without the places that lie nearer than ``least`` to the last kept one.

    Its two ends stay.
    """
    places = list(zip(path[0::2], path[1::2]))
    kept = places[:1]
    for x, y in places[1:-1]:
        if math.hypot(x - kept[-1][0], y - kept[-1][1]) >= least:
            kept.append((x, y))
    kept += places[1:][-1:]
    return [value for place in kept for value in place]


def span(text: str) -> Tuple[float, float]:
    """A range, ``from,to``. Raises ``BadInput``."""
    found = re.fullmatch(r"\s*([\d.]+)\s*[,-]\s*([\d.]+)\s*", text)
    try:
        first, last = (float(piece) for piece in found.groups()) if found else (1.0, 0.0)
    except ValueError:
        first, last = 1.0, 0.0
    if not 0 <= first <= last <= 100:
        raise BadInput(tr("{0!r} is no range from 0 to 100.", text), tr('Write it as "20,60".'))
    return first, last


def boxes(text: str) -> List[Rect]:
    """Boxes ``x,y,width,height``. Raises ``BadInput``."""
    return [Rect(*box) for box in _groups(text, 4, tr("a box"))]


def examples(like: str, unlike: str = "") -> List[Example]:
    """Boxes around things that are wanted, then around things that are not. Raises ``BadInput``."""
    texts = ((like, True), (unlike, False))
    return [Example(*box, include=wanted) for text, wanted in texts for box in _groups(text, 4, tr("a box"))]


def rect_of(mask: Mask) -> Rect:
    """The box of a mask."""
    return Rect(float(mask.box.x), float(mask.box.y), float(mask.box.width), float(mask.box.height))


def bounds(boxes: Iterable[PixelRect]) -> PixelRect:
    """The smallest box around all; empty without any."""
    found = [box for box in boxes if box.width > 0 and box.height > 0]
    if not found:
        return PixelRect(0, 0, 0, 0)
    left, top = min(b.x for b in found), min(b.y for b in found)
    right, bottom = max(b.x + b.width for b in found), max(b.y + b.height for b in found)
    return PixelRect(left, top, right - left, bottom - top)


def intersection(first: PixelRect, second: PixelRect) -> PixelRect:
    """What two boxes share; of width and height 0 when that is nothing."""
    left, top = max(first.x, second.x), max(first.y, second.y)
    right = min(first.x + first.width, second.x + second.width)
    bottom = min(first.y + first.height, second.y + second.height)
    inside = right > left and bottom > top
    return PixelRect(left, top, right - left, bottom - top) if inside else PixelRect(left, top, 0, 0)
