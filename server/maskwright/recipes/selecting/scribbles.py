"""What strokes over a thing mean, over what does not belong to it, and loops around it.

A stroke says more than a click: all of it lies on the thing, and a hand draws it about as long as the thing is. So the
segmenter is asked about places along it, and of its answers the one is taken that holds the stroke and is not much
larger.
Each further stroke corrects the answer to those before it, near that stroke: as in interactive segmentation generally
(Sofiiuk, Petrov and Konushin, "Reviving Iterative Training with Mask Guidance", 2022) the answer goes back into the
network, and what comes out is taken only where the stroke asks for a change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.logits import LogitMap, union, without
from maskwright.masks.objectmap import stability
from maskwright.masks.opencv import cv2
from maskwright.masks.strokes import Line, along, spread, touched, within
from maskwright.models.roles import Box, Embedding, Hypothesis, Segmenter, SegmentPrompt

Ask = Callable[[Sequence[SegmentPrompt]], list[list[Hypothesis]]]  # the answers to prompts, each best first
Bits = NDArray[np.bool_]
Memory = dict[tuple[tuple[bytes, bool, bool], ...], list[Hypothesis]]  # answers, by the lines that they are to

_FEWEST, _MOST = 3, 5  # places along a stroke that the segmenter is asked about
_REMEMBERED = 4
_ROUNDS, _PIECE = 3, 0.2  # how many pieces of a stroke are looked after, and from what share of it on
_HOLDS = 0.9  # share of a stroke on its side of an answer, from which on nothing is to be done
_CLEAR = 0.8  # score times stability of an answer, from which on it is believed
_REACH, _MOSTLY = 0.7, 0.7  # how far around a stroke a change may be, in its lengths, and what share has to be there
_SPAN = 0.4  # length of a stroke in lengths of an answer, below which that is larger than what was meant


def meant(
    lines: Sequence[Line], segmenter: Segmenter, embedding: Embedding, known: Hypothesis | None, memory: Memory
) -> list[Hypothesis]:
    """What lines in order mean, best first; empty where nothing is seen. ``known``: the answer that they go on from.

    ``memory`` has answers to the first ones of them, and gets those to all.
    """

    def ask(prompts: Sequence[SegmentPrompt]) -> list[list[Hypothesis]]:
        return segmenter.segment(embedding, list(prompts))

    # What corrects comes after what it corrects.
    ordered = lines if known is not None else sorted(lines, key=lambda line: not line.include)
    names = [(line.places.tobytes(), line.include, line.closed) for line in ordered]
    found = [known] if known is not None else []
    begun = next((count for count in range(len(names), 0, -1) if tuple(names[:count]) in memory), 0)
    if begun:
        found = memory.pop(tuple(names[:begun]))
        memory[tuple(names[:begun])] = found
    for count, line in enumerate(ordered[begun:], begun + 1):
        if found:
            found = _corrected(found, line, ordered[: count - 1], ask)
        elif line.include:
            found = _in_loop(line, ask) if line.closed else _on_stroke(line, ask)
        memory[tuple(names[:count])] = found
    while len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
    return found


def size_of(memory: Memory) -> int:
    """In bytes."""
    return sum(2 * h.logits.values.nbytes for found in memory.values() for h in found)


def _obeyed(line: Line, logits: LogitMap) -> float:
    """The share of an open line that lies on its side of what a map shows."""
    rows, columns = _cells(line, logits)
    return float(np.count_nonzero((logits.values[rows, columns] > 0) == line.include)) / len(rows)


# ---------------------------------------------------------------- the first line


def _on_stroke(line: Line, ask: Ask) -> list[Hypothesis]:
    """The thing under a stroke, asked for by several places and by one, and again where neither shows it clearly."""
    points = places(line)
    several, single = ask([SegmentPrompt(points), SegmentPrompt(points[len(points) // 2 :][:1])])
    shown = [h for h in (*several, *single) if (h.logits.values > 0).any()]
    ranked = sorted(shown, key=lambda h: -_fits(line, h))
    if not ranked:
        return []
    best = ranked[0]
    if _obeyed(line, best.logits) < _HOLDS or best.score * stability(best.logits.values) < _CLEAR:
        (again,) = ask([SegmentPrompt(points, logits=best.low_res)])
        best = max([best, *again[:1]], key=lambda h: _fits(line, h))
    found = [best, *(h for h in ranked if h is not best)]
    return _corrected(found, line, [], ask)  # it may run over several things, or parts that look like some


def _fits(line: Line, one: Hypothesis) -> float:
    """How well an answer suits a stroke over a thing; larger is better."""
    logits = one.logits
    if not (logits.values > 0).any():
        return -10.0
    span = _long(line.extent) / max(1.0, _long(logits.extent()))
    too_large = max(0.0, float(np.log(_SPAN / max(span, 1e-3))))
    return 2 * _obeyed(line, logits) + one.score * stability(logits.values) - 0.5 * too_large


def _long(edges: tuple[float, float, float, float]) -> float:
    return max(edges[2] - edges[0], edges[3] - edges[1])


def _in_loop(loop: Line, ask: Ask) -> list[Hypothesis]:
    """The thing inside of a loop, or the things where none fills it."""
    box = Box(*loop.extent)
    (boxed,) = ask([SegmentPrompt(box=box)])
    if not boxed:
        return []
    inner = within(loop, boxed[0].logits)
    ranked = sorted(boxed, key=lambda h: -_fills(inner, h))
    (again,) = ask([SegmentPrompt([_solid(ranked[0].logits, inner)], box, logits=ranked[0].low_res)])
    ranked = sorted([*again, *boxed], key=lambda h: -_fills(inner, h))
    grown = cv2.dilate(inner.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    return [_only(h, grown) for h in ranked if (h.logits.values[grown] > 0).any()]


def _fills(inner: Bits, one: Hypothesis) -> float:
    """How well an answer suits a loop around a thing: it lies in it and fills it."""
    shown = one.logits.values > 0
    area = np.count_nonzero(shown)
    if not area:
        return -10.0
    common = np.count_nonzero(shown & inner)
    full = min(1.0, common / np.count_nonzero(inner) / 0.6)
    return 2 * common / area + full + one.score * stability(one.logits.values)


def _solid(logits: LogitMap, inner: Bits) -> tuple[float, float, bool]:
    """The place furthest inside of what a map shows within a loop, as a click."""
    shown = ((logits.values > 0) & inner).view(np.uint8)
    deep = cv2.distanceTransform(np.pad(shown if shown.any() else inner.view(np.uint8), 1), cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(deep[1:-1, 1:-1].argmax()), inner.shape)
    cell_x, cell_y = logits.cell
    return logits.x0 + (int(column) + 0.5) * cell_x, logits.y0 + (int(row) + 0.5) * cell_y, True


def _only(one: Hypothesis, where: Bits) -> Hypothesis:
    values = np.where(where, one.logits.values, np.minimum(one.logits.values, np.float32(-1)))
    return replace(one, logits=one.logits.like(values))


# ---------------------------------------------------------------- further ones


def _corrected(found: list[Hypothesis], line: Line, done: Sequence[Line], ask: Ask) -> list[Hypothesis]:
    """The answer with what one more line adds to it or takes from it."""
    now = found[0]
    if line.closed:
        other = _in_loop(line, ask)[:1]
        logits = _joined(now.logits, other) if line.include else _without_loop(now.logits, line, other)
        return [replace(now, logits=logits), *found[1:]]
    for _ in range(_ROUNDS):
        if _obeyed(line, now.logits) >= _HOLDS:
            break
        wrong = _longest_wrong(line, now.logits)
        if len(wrong.places) < _PIECE * len(along(line, max(now.logits.cell))):
            break
        changed = _changed(now, line, wrong, done, ask)
        if changed is None:
            break
        now = changed
    return [now, *found[1:]]


def _changed(now: Hypothesis, line: Line, wrong: Line, done: Sequence[Line], ask: Ask) -> Hypothesis | None:
    """``now`` as it should be along a piece of a line that lies on the wrong side; None where nothing shows that."""
    points = [point for one in (*done, line) if not one.closed for point in places(one)]
    here = SegmentPrompt([(x, y, True) for x, y, _ in places(wrong)])
    together, alone = ask([SegmentPrompt(points, logits=now.low_res), here])
    side = np.float32(1 if line.include else -1)
    offered = [h.logits.values for h in together[:1]] + [side * h.logits.values for h in alone]
    against = [one for one in done if not one.closed and one.include != line.include]
    against = [one for one in against if _obeyed(one, now.logits) >= _HOLDS]
    before, ranked = now.logits.values, []
    for values in offered:
        logits = now.logits.like(values)
        right = _obeyed(wrong, logits)
        if right < _HOLDS / 2 or any(_obeyed(one, logits) < _HOLDS for one in against):
            continue
        change = _touching(
            (values > 0) & (before <= 0) if line.include else (values <= 0) & (before > 0), wrong, logits
        )
        if _is_near(change, line, logits):
            better = np.maximum(before, values) if line.include else np.minimum(before, values)
            ranked.append((min(right, _HOLDS), logits.like(np.where(_wider(change), better, before))))
    if not ranked:
        return None
    best = max(ranked, key=lambda pair: pair[0])[1]
    return replace(now, logits=best, low_res=together[0].low_res if together else now.low_res)


def _longest_wrong(line: Line, logits: LogitMap) -> Line:
    """The longest piece of an open line that lies on the wrong side of a map."""
    fine = along(line, max(logits.cell))
    rows, columns = _cells(line, logits)
    wrong = (logits.values[rows, columns] > 0) != line.include
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wrong, [False]]).astype(np.int8)))
    first, last = max(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
    return replace(line, places=fine[first:last])


def _is_near(change: Bits, line: Line, grid: LogitMap) -> bool:
    """Whether most of a change lies about where the stroke is that asks for it."""
    reach = _REACH * max(line.width, _long(line.extent), max(grid.cell))
    near = touched(line, grid, 2 * reach)
    return bool(np.count_nonzero(change & near) >= _MOSTLY * np.count_nonzero(change) > 0)


def _joined(now: LogitMap, other: Sequence[Hypothesis]) -> LogitMap:
    return union([now, *(h.logits for h in other)])


def _without_loop(now: LogitMap, loop: Line, other: Sequence[Hypothesis]) -> LogitMap:
    """``now`` without the thing in a loop; without all in it where there is no such thing."""
    inner = within(loop, now)
    there = (now.values > 0) & inner
    for one in other:
        shown = one.logits.values > 0
        if np.count_nonzero(shown & there) > 0.5 * np.count_nonzero(there):
            return without(now, [one.logits])
    return now.like(np.where(inner, np.minimum(now.values, np.float32(-1)), now.values))


def painted(logits: LogitMap, lines: Sequence[Line]) -> LogitMap:
    """A map in which the middle of each stroke is inside, or outside, whatever was found there."""
    values = logits.values
    for line in lines:
        if not line.closed:
            bits = touched(line, logits, line.width / 2)
            wrong = bits & ((values > 0) != line.include)
            if wrong.any():
                side = np.float32(2 if line.include else -2)
                soft = cv2.GaussianBlur(np.where(wrong, side, np.float32(0)), (0, 0), 0.7)
                values = np.where(wrong, side, values + soft).astype(np.float32)
    return logits if values is logits.values else logits.like(values)


def places(line: Line) -> list[tuple[float, float, bool]]:
    """Places along a stroke to ask a segmenter about."""
    reach = _long(line.extent)
    count = min(_MOST, max(_FEWEST, round(_FEWEST * line.length / reach))) if reach else 1
    return [(float(x), float(y), line.include) for x, y in spread(line, count)]


def _cells(line: Line, logits: LogitMap) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Rows and columns of the cells that a line's middle runs through."""
    middle = along(line, max(logits.cell))
    rows, columns = logits.values.shape
    column = ((middle[:, 0] - logits.x0) / logits.cell[0]).astype(int)
    row = ((middle[:, 1] - logits.y0) / logits.cell[1]).astype(int)
    return np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)


def _touching(bits: Bits, line: Line, grid: LogitMap) -> Bits:
    """The connected parts of ``bits`` through which a line runs."""
    _, labels = cv2.connectedComponents(bits.view(np.uint8), connectivity=8)
    rows, columns = _cells(line, grid)
    return np.isin(labels, np.setdiff1d(labels[rows, columns], [0]))


def _wider(bits: Bits) -> Bits:
    """One cell further, so that an edge runs where the map that it comes from has it."""
    return cv2.dilate(bits.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
