"""Smooth curves through outlines: cubic Bezier segments by least squares, after Schneider, *An Algorithm for
Automatically Fitting Digitized Curves* (Graphics Gems, 1990)."""

from __future__ import annotations

import numpy as np

from .result import Array

_CORNER = np.cos(np.radians(50))  # turns by more are kept sharp
_REACH = 3.0  # pixels on each side that a turn is measured over
_AHEAD = 6  # points that a direction is taken over, so that steps of pixels do not show
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
    steps = np.linalg.norm(np.diff(part, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    along /= along[-1]
    curve, worst = part[[0, 0, -1, -1]], len(part) // 2
    for _ in range(_STEPS):
        curve = _least_squares(part, along, leaving, arriving)
        away = np.linalg.norm(_at(curve, along) - part, axis=1)
        worst = int(away[1:-1].argmax()) + 1
        if away[worst] <= tolerance:
            return curve, None
        if away[worst] > 4 * tolerance:
            break
        along = _nearer(curve, part, along)
    return curve, worst


def _least_squares(part: Array, along: Array, leaving: Array, arriving: Array) -> Array:
    """The two handles' lengths that come nearest to the points at the parameters ``along``."""
    t, s = along, 1 - along
    b0, b1, b2, b3 = s**3, 3 * t * s**2, 3 * t**2 * s, t**3
    first, second = b1[:, None] * leaving, b2[:, None] * arriving
    rest = part - ((b0 + b1)[:, None] * part[0] + (b2 + b3)[:, None] * part[-1])
    c00, c01, c11 = (first * first).sum(), (first * second).sum(), (second * second).sum()
    x0, x1 = (first * rest).sum(), (second * rest).sum()
    determinant = c00 * c11 - c01 * c01
    chord = float(np.linalg.norm(part[-1] - part[0]))
    handles = [chord / 3, chord / 3]
    if abs(determinant) > 1e-12:
        solved = [(x0 * c11 - x1 * c01) / determinant, (c00 * x1 - c01 * x0) / determinant]
        longest = 0.6 * np.linalg.norm(np.diff(part, axis=0), axis=1).sum()
        if all(0.05 * chord < one <= longest for one in solved):
            handles = solved
    return np.array([part[0], part[0] + leaving * handles[0], part[-1] + arriving * handles[1], part[-1]])


def _at(curve: Array, along: Array) -> Array:
    t, s = along[:, None], 1 - along[:, None]
    return s**3 * curve[0] + 3 * t * s**2 * curve[1] + 3 * t**2 * s * curve[2] + t**3 * curve[3]


def _nearer(curve: Array, part: Array, along: Array) -> Array:
    """One step of Newton's method towards the parameters at which the curve is nearest to the points."""
    t, s = along[:, None], 1 - along[:, None]
    slope = np.diff(curve, axis=0) * 3
    bend = np.diff(slope, axis=0) * 2
    away = _at(curve, along) - part
    first = s**2 * slope[0] + 2 * t * s * slope[1] + t**2 * slope[2]
    second = s * bend[0] + t * bend[1]
    above, below = (away * first).sum(axis=1), (first * first).sum(axis=1) + (away * second).sum(axis=1)
    moved = along - np.divide(above, below, out=np.zeros_like(above), where=np.abs(below) > 1e-12)
    return np.maximum.accumulate(np.clip(moved, 0, 1))


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
