"""Checking of prompts, and their sorting into one prompt per wanted object. Document coordinates throughout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import LogitMap
from maskwright.models.roles import Box
from maskwright_protocol.errors import BadInput, EmptyPrompt, OutsideImage, TooLarge
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Example, Point, PostProcess, Rect, Select, Stroke

from . import prompt_language

MAX_POINTS = 256
MAX_BOXES = 128
MAX_STROKES = 64
MAX_TEXT = 1000
ONE_PLACE = 1.5 / 1024  # of the picture's long side: no segmenter tells two places apart that are nearer
MAX_LENGTH = 2000.0  # pixels, for the lengths of the post-processing chain

T = TypeVar("T")


@dataclass
class ObjectPrompt:
    """One object to segment: ``points``, ``strokes`` and ``box`` in document pixels, or none of them for "what the mask
    shows"."""

    points: list[Point] = field(default_factory=list)
    box: Box | None = None
    label: str = ""
    score: float | None = None  # the detector's, when one found it
    padding: float = 0.0  # how much the box is to be widened on each side, as a share of its size
    logits: LogitMap | None = None  # the detector's own mask, in document pixels
    strokes: list[Stroke] = field(default_factory=list)


def check_number(value: float, what: str) -> float:
    """Raises ``BadInput`` for NaN and infinity."""
    if not math.isfinite(value):
        raise BadInput(tr("The {0} is not a number.", what))
    return float(value)


def check_points(points: list[Point], canvas: PixelBox) -> list[Point]:
    """Points inside the picture, of several in one place (a double click) the first.

    Raises ``BadInput``, ``OutsideImage``, ``TooLarge``.
    """
    if len(points) > MAX_POINTS:
        raise TooLarge(tr("There are more than {0} points.", MAX_POINTS), hint=tr("Use fewer clicks, or a box."))
    for point in points:
        x, y = point.x, point.y
        check_number(x + y, "place of a point")
        if not (canvas.x <= x <= canvas.right and canvas.y <= y <= canvas.bottom):
            raise OutsideImage(tr("The point {0:g}, {1:g} lies outside the picture.", x, y))
    kept, near = points[:1], ONE_PLACE * max(canvas.width, canvas.height)
    for p in points[1:]:
        here = [q for q in kept if abs(p.x - q.x) <= near and abs(p.y - q.y) <= near and p.include == q.include]
        if not here:
            kept.append(p)
    return kept


def check_strokes(strokes: list[Stroke], canvas: PixelBox) -> list[Stroke]:
    """Strokes with the places that lie inside the picture; loops along its border where they leave it.

    Raises ``BadInput`` for what is no line, ``OutsideImage``, ``TooLarge``.
    """
    if len(strokes) > MAX_STROKES:
        raise TooLarge(
            tr("There are more than {0} strokes.", MAX_STROKES), hint=tr("Apply what is selected, then go on.")
        )
    for stroke in strokes:
        if len(stroke.path) < 2 or len(stroke.path) % 2:
            raise BadInput(tr("A stroke has no places."), hint=tr("Draw over what you want to select."))
        for value in (*stroke.path, stroke.width):
            check_number(value, tr("place or width of a stroke"))
    return [_clipped(stroke, canvas) for stroke in strokes]


def _clipped(stroke: Stroke, canvas: PixelBox) -> Stroke:
    places = list(zip(stroke.path[0::2], stroke.path[1::2], strict=True))
    inside = [(x, y) for x, y in places if canvas.x <= x <= canvas.right and canvas.y <= y <= canvas.bottom]
    if not inside:
        raise OutsideImage(tr("A stroke lies outside the picture."))
    if stroke.closed:
        inside = [(min(max(x, canvas.x), canvas.right), min(max(y, canvas.y), canvas.bottom)) for x, y in places]
    return replace(stroke, path=[value for place in inside for value in place])


def check_boxes(boxes: list[Rect], canvas: PixelBox) -> list[Box]:
    """Boxes clipped to the picture. Raises ``BadInput`` (no size), ``OutsideImage`` (nothing inside), ``TooLarge``."""
    if len(boxes) > MAX_BOXES:
        raise TooLarge(tr("There are more than {0} boxes.", MAX_BOXES), hint=tr("Use fewer boxes."))
    checked = []
    for rect in boxes:
        for value in (rect.x, rect.y, rect.width, rect.height):
            check_number(value, "place or size of a box")
        if rect.width <= 0 or rect.height <= 0:
            raise BadInput(tr("A box has no size."), hint=tr("Drag the box from one corner to the opposite one."))
        x0, y0 = max(rect.x, canvas.x), max(rect.y, canvas.y)
        x1, y1 = min(rect.x + rect.width, canvas.right), min(rect.y + rect.height, canvas.bottom)
        if x1 <= x0 or y1 <= y0:
            raise OutsideImage(tr("A box lies outside the picture."))
        checked.append(Box(x0, y0, x1, y1))
    return checked


def check_examples(examples: list[Example], canvas: PixelBox, alone: bool) -> list[tuple[Box, bool]]:
    """Boxes and whether such things are wanted. Raises as ``check_boxes``.

    ``alone``: nothing else says what is wanted. Then ``EmptyPrompt`` is raised when none of the examples does.
    """
    if not examples:
        return []
    boxes = check_boxes([Rect(one.x, one.y, one.width, one.height) for one in examples], canvas)
    if alone and not any(one.include for one in examples):
        raise EmptyPrompt(
            tr("The examples only tell what is not meant."),
            hint=tr("Draw a box around one of the things that you want."),
        )
    return [(box, one.include) for box, one in zip(boxes, examples, strict=True)]


def check_text(text: str) -> str:
    """The text without surrounding blanks; empty where it names nothing, as ";" does. Raises ``TooLarge``."""
    if len(text) > MAX_TEXT:
        raise TooLarge(tr("The text is longer than {0} letters.", MAX_TEXT), hint=tr("Use a few words."))
    text = text.strip()
    return text if not text or prompt_language.split_phrases(text) else ""


def check_min_score(value: float | None) -> float | None:
    """Raises ``BadInput`` outside 0..1."""
    if value is not None and not 0 <= check_number(value, "least score") <= 1:
        raise BadInput(tr("The least score lies outside 0 to 1."))
    return value


def check_depth(depth: int) -> int:
    if depth not in (8, 16):
        raise BadInput(tr("Masks have 8 or 16 bits."))
    return depth


def check_pick(pick: str) -> str:
    """Raises ``BadInput`` for anything but "all", "best" and whole numbers from 1."""
    if pick in ("all", "best") or (pick.isascii() and pick.isdigit() and int(pick[:9]) > 0):
        return pick
    raise BadInput(tr("{0!r} picks nothing.", pick), hint=tr("Use 'all', 'best' or a number from 1."))


def picked(items: Sequence[T], pick: str) -> list[T]:
    """Which of ``items``, in order, a checked pick means; none beyond the end."""
    if pick == "all":
        return list(items)
    first = 0 if pick == "best" else int(pick) - 1
    return list(items[first : first + 1])


def check_post(post: PostProcess) -> PostProcess:
    """Raises ``BadInput`` for NaN, negative lengths, levels that cross, or lengths beyond ``MAX_LENGTH``."""
    if post == PostProcess():
        return post
    for name in ("levels_low", "levels_high", "max_hole_area", "min_area", "smooth", "grow", "feather"):
        value = check_number(getattr(post, name), name.replace("_", " "))
        if name in ("smooth", "grow", "feather") and abs(value) > MAX_LENGTH:
            raise BadInput(tr("The amount for {0} is more than {1:g} pixels.", name, MAX_LENGTH))
        if name != "grow" and value < 0:
            raise BadInput(tr("The amount for {0} is negative.", name.replace("_", " ")))
    if post.threshold is not None and not 0 <= check_number(post.threshold, "threshold") <= 1:
        raise BadInput(tr("The threshold lies outside 0 to 1."))
    if post.levels_low > post.levels_high:
        raise BadInput(tr("The lower level is above the upper one."))
    return post


def objects(request: Select, canvas: PixelBox) -> list[ObjectPrompt]:
    """What points and boxes ask for: one object for the points; one for each of several boxes, with its own points.

    Raises as ``check_points`` and ``check_boxes`` do, and ``EmptyPrompt`` when nothing is asked for.
    """
    points = check_points(request.points, canvas)
    boxes = check_boxes(request.boxes, canvas)
    if request.start is not None:
        return [ObjectPrompt(points, boxes[0] if boxes else None, strokes=request.strokes)]
    if request.strokes:
        return _drawn(request.strokes, points, boxes)
    if not boxes:
        if any(point.include for point in points):
            return [ObjectPrompt(points)]
        if points:
            raise EmptyPrompt(
                tr("The clicks only tell what is not meant."), hint=tr("Click on what you want to select first.")
            )
        raise EmptyPrompt(tr("There is nothing to select."))
    if len(boxes) == 1:
        return [ObjectPrompt(points, boxes[0])]
    return distribute(points, [ObjectPrompt(box=box) for box in boxes])


def _drawn(strokes: list[Stroke], points: list[Point], boxes: list[Box]) -> list[ObjectPrompt]:
    """One object for each loop around one, with what lies in it; one more for all else that is meant.

    What is not meant is left out of all of them.
    """
    if len(boxes) == 1 and not any(s.include and s.closed for s in strokes):
        return [ObjectPrompt(points, boxes[0], strokes=strokes)]
    unwanted, clicks = [s for s in strokes if not s.include], [p for p in points if not p.include]
    wanted = [one for one in [*strokes, *points] if one.include]
    loops = [s for s in strokes if s.include and s.closed]
    made = [ObjectPrompt(box=box) for box in boxes]
    if len(loops) + len(boxes) > 1:
        made += [ObjectPrompt(clicks, strokes=[loop, *unwanted]) for loop in loops]
        wanted = [one for one in wanted if one not in loops]
    rest = [s for s in wanted if isinstance(s, Stroke)], [p for p in wanted if isinstance(p, Point)]
    if rest[0] or rest[1]:
        made.append(ObjectPrompt([*rest[1], *clicks], strokes=[*rest[0], *unwanted]))
    if not made:
        raise EmptyPrompt(
            tr("The strokes only tell what is not meant."), hint=tr("Draw over what you want to select first.")
        )  # fmt: skip
    return made


def distribute(points: list[Point], wanted: list[ObjectPrompt]) -> list[ObjectPrompt]:
    """Give each point to the objects whose boxes it lies in; clicks outside all boxes ask for an object of their own.

    A click that excludes and lies in no box belongs to that last object, if there is one.
    """
    outside = [point for point in points if not any(w.box and holds(w.box, point) for w in wanted)]
    for one in wanted:
        one.points = [point for point in points if one.box and holds(one.box, point)]
    if any(point.include for point in outside):
        return [*wanted, ObjectPrompt(outside)]
    return wanted


def holds(box: Box, point: Point) -> bool:
    return box.x0 <= point.x <= box.x1 and box.y0 <= point.y <= box.y1
