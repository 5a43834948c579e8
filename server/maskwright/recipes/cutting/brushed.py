"""The edge of a mask as the sliders and the strokes of the edge brush say it is to be found, and what is remembered of
it while somebody moves them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

import numpy as np

from maskwright.masks import edges, tiles
from maskwright.masks.boxes import AnyMask, PixelBox, Plane, as_float, recrop
from maskwright.masks.edge_hints import Hints, Stroke, painted
from maskwright.masks.edges import without_haze
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import Matted, Memory, Piece, Solver, find_edge, reach
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import EdgeJob, EdgeStroke, Refine

MAX_STROKES = 2000
MAX_BRUSH = 10_000  # pixels
DRAWN = 0.1  # opacity from which on a selection shows something, which is no haze


@dataclass
class EdgeTask:
    """``mask`` covers ``box`` of the picture; ``width`` of the band, and ``settings``, are in the picture's pixels.

    ``name`` stands for picture and mask where what is found is to be remembered.
    """

    settings: Refine
    picture: PictureView
    mask: AnyMask
    box: PixelBox
    width: float
    name: Hashable = None


def check_strokes(strokes: list[EdgeStroke]) -> None:
    """Raises ``BadInput`` for strokes without places."""
    if len(strokes) > MAX_STROKES:
        raise BadInput(
            tr("There are more than {0} strokes.", MAX_STROKES), tr("Take over what there is and begin anew.")
        )
    for stroke in strokes:
        if not stroke.path or len(stroke.path) % 2 or not all(map(math.isfinite, (stroke.width, *stroke.path))):
            raise BadInput(tr("A stroke of the edge brush has no places."))
        if stroke.width > MAX_BRUSH:
            raise BadInput(tr("A stroke of the edge brush is wider than {0} pixels.", MAX_BRUSH))


def hints_of(task: EdgeTask) -> Hints | None:
    """What the strokes leave on the picture; None when that is nothing."""
    strokes: list[Stroke] = []
    for stroke in task.settings.edge_strokes:
        strokes.append((stroke.kind, stroke.width, list(zip(stroke.path[::2], stroke.path[1::2], strict=True))))
    return painted(strokes, task.picture.box) if strokes else None


def found_edge(
    task: EdgeTask, hints: Hints | None, keep: bool, solver: Callable[[], Solver], context: JobContext
) -> Matted:
    """The task's mask with its edge found again, or as it is (``keep``), and then as the hints say near them."""
    settings = task.settings
    if hints is not None or not keep:
        need_all(task, hints)
    name = (task.name, task.width, settings.hair, keep)
    base = _remembered(("edge", name), task, context, lambda: _base(task, keep, solver, context))
    if hints is None:
        return base
    strokes = tuple((stroke.kind, stroke.width, tuple(stroke.path)) for stroke in settings.edge_strokes)
    return _remembered(("edge", name, strokes), task, context, lambda: brushed(task, base, hints, solver(), context))


def need_all(task: EdgeTask, hints: Hints | None) -> None:
    """Raises ``MorePixelsNeeded`` for all that the edge and the strokes are looked for in, at once."""
    box = task.box.padded(reach(task.width, task.settings.hair) + tiles.HALO)
    if hints is not None:
        box = box.union(hints.area(task.width).padded(tiles.HALO))
    task.picture.need_detail(box.intersect(task.picture.box))


def _base(task: EdgeTask, keep: bool, solver: Callable[[], Solver], context: JobContext) -> Matted:
    mask, box, width = task.mask, task.box, task.width
    if keep or not mask.size or as_float(mask).max() < 0.5:
        return Matted(as_float(mask), box, 1.0, "")
    done = find_edge(mask, box, task.picture, solver(), context, width=width, hair=task.settings.hair)
    # What the selection itself shows was meant.
    drawn = as_float(recrop(mask, box, done.box)) >= DRAWN
    done.alpha = np.where(drawn, done.alpha, without_haze(done.alpha, width))
    return done


def brushed(task: EdgeTask, base: Matted, hints: Hints, solver: Solver, context: JobContext) -> Matted:
    """``base`` with its edge found again near the strokes, as they say; elsewhere nothing changes."""
    picture, width = task.picture, task.width
    rough, wide = hints.on_mask(base.alpha, base.box)
    area = hints.area(width).intersect(picture.box)
    found, covered = rough, wide
    if rough.max() >= 0.5:
        memory = _memory(task, context)
        # All of a view, so that the pieces stay where they were for the next stroke.
        limit = picture.box if memory is not None else area.padded(tiles.HALO).intersect(picture.box)
        done = find_edge(
            rough, wide, picture, solver, context, width=width, hints=hints, memory=memory,
            limit=limit, text=tr("Finding the edge where it was painted"),
        )  # fmt: skip
        found, covered = done.alpha, done.box
    both = base.box.union(area)
    out = np.array(recrop(base.alpha, base.box, both))
    before = recrop(base.alpha, base.box, area)
    out[area.moved(-both.x, -both.y).slices()] = hints.blended(before, recrop(found, covered, area), area, width)
    route = "+".join(filter(None, (base.route, solver.route if base.route != solver.route else "")))
    return Matted(out, both, base.agreement, route)


def adjusted(alpha: Plane, box: PixelBox, settings: EdgeJob, hints: Hints | None = None) -> Plane:
    """The found edge as the user wants it: rounded, steeper, shifted, in this order; exact where it was painted.

    ``alpha`` ``(h, w)`` float32 0..1 covers ``box``.
    """
    alpha = edges.smooth_outline(alpha, settings.smooth)
    alpha = edges.contrast(alpha, settings.contrast)
    alpha = edges.shift(alpha, settings.shift_edge)
    return alpha if hints is None else hints.settled(alpha, box)


def _remembered(key: Hashable, task: EdgeTask, context: JobContext, make: Callable[[], Matted]) -> Matted:
    known: Matted | None = context.embeddings.get(key) if task.name is not None else None
    if known is None:
        known = make()
        if task.name is not None:
            context.embeddings.put(key, known, known.alpha.nbytes)
    return replace(known)


def _memory(task: EdgeTask, context: JobContext) -> Memory | None:
    """What is remembered of the pieces with strokes; None where nothing is to be."""
    if task.name is None:
        return None
    lock, held = threading.Lock(), context.embeddings

    def get(name: Hashable, make: Callable[[], Piece]) -> Piece:
        key = ("piece", task.name, task.width, name)
        with lock:
            known: Piece | None = held.get(key)
        if known is None:
            known = make()
            with lock:
                held.put(key, known, known[0].nbytes)
        return known

    return get
