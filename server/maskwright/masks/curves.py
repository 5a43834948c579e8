"""Smooth curves through outlines: cubic Bezier segments by least squares, after Schneider, *An Algorithm for
Automatically Fitting Digitized Curves* (Graphics Gems, 1990)."""

from __future__ import annotations

import numpy as np

from .outlines import Array

_CORNER = np.cos(np.radians(50))  # turns by more are kept sharp
_REACH = 3.0  # pixels on each side that a turn is measured over
_AHEAD = 6  # points that a direction is taken over, so that steps of pixels do not show
_HOPEFUL = 2.0  # times the tolerance from which moving points along the curve may still help
_STEPS = 4  # of moving the points along the curve


def fitted(ring: Array, tolerance: float) -> Array:
    """``(N, 4, 2)`` cubic segments, end to end and closed, within ``tolerance`` of the points of a closed ring
    ``(M, 2)``."""
    ring = np.stack([ring, (ring + np.roll(ring, -1, axis=0)) / 2], axis=1).reshape(-1, 2)  # held between points too
    cuts = _corners(ring)
    rolled = np.roll(ring, -cuts[0], axis=0)
    cuts = [cut - cuts[0] for cut in cuts]
    closed = np.concatenate([rolled, rolled[:1]])
    segments: list[Array] = []
    for first, last in zip(cuts, [*cuts[1:], len(ring)], strict=True):
        segments.extend(_run(closed[first : last + 1], tolerance))
    return np.array(segments)


def _corners(ring: Array) -> list[int]:
    """Where the ring turns sharply; at least two places, so that no run begins where it ends."""
    count = len(ring)
    length = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1).mean()
    reach = max(1, min(count // 4, round(_REACH / max(length, 1e-9))))
    before, after = ring - np.roll(ring, reach, axis=0), np.roll(ring, -reach, axis=0) - ring
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    turn = (before * after).sum(axis=1) / np.maximum(size, 1e-9)
    around = np.stack([np.roll(turn, shift) for shift in range(-reach, reach + 1)])
    sharp = np.flatnonzero((turn < _CORNER) & (turn <= around.min(axis=0) + 1e-12))
    cuts: list[int] = []
    for place in sharp.tolist():
        if not cuts or (place - cuts[-1] > reach and cuts[0] + count - place > reach):
            cuts.append(place)
    if len(cuts) < 2:
        begin = cuts[0] if cuts else 0
        cuts = sorted({begin, (begin + count // 2) % count})
    return cuts


def _run(points: Array, tolerance: float) -> list[Array]:
    """An open run of points, split until each part is one segment."""
    done: list[Array] = []
    waiting = [(0, len(points) - 1, _tangent(points, 0, 1), _tangent(points, len(points) - 1, -1))]
    while waiting:
        first, last, leaving, arriving = waiting.pop()
        part = points[first : last + 1]
        curve, worst = _segment(part, leaving, arriving, tolerance)
        if worst is None:
            done.append(curve)
            continue
        middle = first + worst
        through = _through(points, middle, first, last)
        waiting.append((middle, last, through, arriving))
        waiting.append((first, middle, leaving, -through))
    return done


def _segment(part: Array, leaving: Array, arriving: Array, tolerance: float) -> tuple[Array, int | None]:
    """A curve, and None if it is near enough, else the point that it misses most."""
    if len(part) == 2:
        third = np.linalg.norm(part[1] - part[0]) / 3
        return np.array([part[0], part[0] + leaving * third, part[1] + arriving * third, part[1]]), None
    steps = part[1:] - part[:-1]
    along = np.zeros(len(part))
    np.cumsum(np.sqrt(np.einsum("ij,ij->i", steps, steps)), out=along[1:])
    length = along[-1]
    along = along / length
    curve, worst = part[[0, 0, -1, -1]], len(part) // 2
    for _ in range(_STEPS):
        curve = _least_squares(part, along, length, leaving, arriving)
        gap = _at(curve, along) - part
        away = np.einsum("ij,ij->i", gap, gap)
        worst = int(away[1:-1].argmax()) + 1
        if away[worst] <= tolerance**2:
            return curve, None
        if away[worst] > (_HOPEFUL * tolerance) ** 2:
            break
        along = _nearer(curve, gap, along)
    return curve, worst


def _least_squares(part: Array, along: Array, length: float, leaving: Array, arriving: Array) -> Array:
    """The two handles' lengths that come nearest to the points at the parameters ``along``."""
    t, s = along, 1 - along
    b1, b2 = 3 * t * s * s, 3 * t * t * s
    first = s * s * s + b1  # weight of the first point, were both handles of no length
    rest = part - np.outer(first, part[0]) - np.outer(1 - first, part[-1])
    between = float(leaving @ arriving)
    c00, c01, c11 = float(b1 @ b1), float(b1 @ b2) * between, float(b2 @ b2)
    x0, x1 = float(b1 @ (rest @ leaving)), float(b2 @ (rest @ arriving))
    determinant = c00 * c11 - c01 * c01
    chord = float(np.hypot(*(part[-1] - part[0])))
    handles = (chord / 3, chord / 3)
    if abs(determinant) > 1e-12:
        solved = ((x0 * c11 - x1 * c01) / determinant, (c00 * x1 - c01 * x0) / determinant)
        if all(0.05 * chord < one <= 0.6 * length for one in solved):
            handles = solved
    return np.array([part[0], part[0] + leaving * handles[0], part[-1] + arriving * handles[1], part[-1]])


def _at(curve: Array, along: Array) -> Array:
    t, s = along, 1 - along
    return np.stack([s * s * s, 3 * t * s * s, 3 * t * t * s, t * t * t], axis=1) @ curve


def _nearer(curve: Array, gap: Array, along: Array) -> Array:
    """One step of Newton's method towards the parameters at which the curve is nearest to the points.

    ``gap``: from the points to where the curve is at their parameters.
    """
    t, s = along, 1 - along
    slope = (curve[1:] - curve[:-1]) * 3
    bend = (slope[1:] - slope[:-1]) * 2
    first = np.stack([s * s, 2 * t * s, t * t], axis=1) @ slope
    second = np.stack([s, t], axis=1) @ bend
    above = np.einsum("ij,ij->i", gap, first)
    below = np.einsum("ij,ij->i", first, first) + np.einsum("ij,ij->i", gap, second)
    below[np.abs(below) < 1e-12] = np.inf
    return np.maximum.accumulate(np.clip(along - above / below, 0, 1))


def _tangent(points: Array, place: int, direction: int) -> Array:
    """The unit vector from a run's end into it."""
    ahead = min(max(place + direction * min(_AHEAD, len(points) // 3 + 1), 0), len(points) - 1)
    return _unit(points[ahead] - points[place], points[place + direction] - points[place])


def _through(points: Array, middle: int, first: int, last: int) -> Array:
    before, after = points[max(first, middle - _AHEAD)], points[min(last, middle + _AHEAD)]
    return _unit(after - before, points[middle + 1] - points[middle])


def _unit(vector: Array, otherwise: Array) -> Array:
    length = float(np.linalg.norm(vector))
    if length > 1e-9:
        return vector / length
    return otherwise / max(float(np.linalg.norm(otherwise)), 1e-9)
