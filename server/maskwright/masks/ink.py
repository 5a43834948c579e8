"""The strokes of a line of lettering, by their colours.

What is written has few colours that its ground, just outside of the line, has not. Colours are grouped (k-means in
CIE Lab); of the groups that are commoner inside than outside the one whose pixels look most like letters is the ink:
closed shapes with sharp edges, all along the line. Opacities at the edges follow from the ink and the ground nearby, as
if one had been painted over the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2

RING = 0.3  # how far around the line its ground is looked at, in heights of the line
_GROUPS, _CANDIDATES = 8, 3
_SAMPLE = 6000  # pixels that are grouped, of the line and of its ground each
_LAB = 12.0  # distance of colours that count as one
_BINS = np.arange(0.0, 140.0, 2.0)
_WITHIN = 0.7  # share of a letter that lies inside of the line
_SPECK = 0.0015  # of the squared height: smaller parts are grain
_SHARE = 0.08  # share of a line that ink usually covers at least
_FEW = 0.02  # share of a window that says something of the colour there

Bools = NDArray[np.bool_]
Colours = NDArray[np.float32]


@dataclass(frozen=True)
class _Line:
    """``colours`` 0..1 and ``lab`` ``(h, w, 3)`` float32; ``sharpness`` ``(h, w)``: how fast the colours change.

    ``inside``: the line; ``ring``: its ground; ``near``: both. ``along`` ``(h, w)``: how far along the line, in pixels.
    """

    colours: Colours
    lab: Colours
    sharpness: Plane
    inside: Bools
    ring: Bools
    near: Bools
    along: Plane
    height: float


@dataclass(frozen=True)
class _Ink:
    """``core``: pixels that are mostly ink, ``distance`` of all colours from it, ``half``: where ink ends.

    ``likeness``: how much the core looks like letters.
    """

    core: Bools
    distance: Plane
    half: float
    likeness: float


def strokes(image: NDArray[np.uint8], inside: Bools, others: Bools, height: float) -> Plane:
    """Opacity ``(h, w)`` float32 0..1 of the ink of a line of lettering.

    ``image`` ``(h, w, 3)`` uint8 sRGB shows the line and ``RING`` times its ``height`` (pixels) around it. ``inside``:
    the line. ``others``: other lines, of which nothing is learnt.
    """
    if not inside.any():
        return np.zeros(inside.shape, np.float32)
    line = _line(image, inside, others, height)
    inks = (_ink(line, colour) for colour in _likely_colours(line))
    return _opacity(line, max(inks, key=lambda ink: ink.likeness))


def _line(image: NDArray[np.uint8], inside: Bools, others: Bools, height: float) -> _Line:
    colours = image.astype(np.float32) * np.float32(1 / 255)
    lab = cv2.cvtColor(colours, cv2.COLOR_RGB2Lab)
    reach = 2 * max(3, round(RING * height)) + 1
    grown = cv2.dilate(inside.view(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))).view(bool)
    near = grown & ~others
    sideways, down = (cv2.Sobel(lab, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
    sharpness = np.sqrt((sideways**2 + down**2).sum(axis=2))
    rows, columns = np.nonzero(inside)
    _, (width, depth), angle = cv2.minAreaRect(np.stack([columns, rows], axis=1).astype(np.float32))
    direction = np.deg2rad(angle if width >= depth else angle + 90)
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]].astype(np.float32)
    along = x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))
    return _Line(colours, lab, sharpness, inside, near & ~inside, near, along, height)


def _likely_colours(line: _Line) -> list[Colours]:
    """Lab colours that are commoner in the line than around it, the likeliest first; at least one."""
    chance = np.random.default_rng(0)
    some = [_sample(line.lab[where], chance) for where in (line.inside, line.ring)]
    both = np.concatenate(some)
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.5)
    count = min(_GROUPS, len(both))
    _, labels, centres = cv2.kmeans(both, count, np.empty(0, np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
    inner, outer = np.split(labels.ravel(), [len(some[0])])
    shares = [np.bincount(part, minlength=count) / max(1, len(part)) for part in (inner, outer)]
    gain = shares[0] - shares[1]
    order = np.argsort(-gain)[:_CANDIDATES]
    return [_typical(some[0], centres[i]) for i in order[: max(1, np.count_nonzero(gain[order] > 0.01))]]


def _sample(colours: Colours, chance: np.random.Generator) -> Colours:
    return colours if len(colours) <= _SAMPLE else colours[chance.choice(len(colours), _SAMPLE, replace=False)]


def _typical(colours: Colours, centre: Colours) -> Colours:
    """The median of the colours near the middle of a group, which half covered pixels pull away from the ink."""
    close = colours[np.linalg.norm(colours - centre, axis=1) < _LAB]
    return np.median(close, axis=0).astype(np.float32) if len(close) > 10 else centre


def _ink(line: _Line, colour: Colours) -> _Ink:
    """What of the line has that colour, if it is that of its letters."""
    distance = np.linalg.norm(line.lab - colour, axis=2)
    shares = []
    for where in (line.inside, line.ring):
        counts = np.histogram(distance[where], _BINS)[0]
        shares.append(np.cumsum(counts / max(1, counts.sum())))
    half = float(_BINS[int(np.argmax(shares[0] - shares[1])) + 1])  # here line and ground differ most
    ground = float(np.median(distance[line.ring])) if line.ring.any() else 2 * half
    half = min(half, ground / 2) if ground > 8 else half
    core = (distance < half) & line.near
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core.view(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = np.bincount(labels[line.inside], minlength=count) > _WITHIN * areas
    keep &= areas >= max(2.0, _SPECK * line.height**2)
    keep[0] = False
    kept = keep[labels]
    return _Ink(kept, distance, half, _likeness(line, core, kept))


def _likeness(line: _Line, core: Bools, kept: Bools) -> float:
    """How much ``kept`` looks like letters: most of the ``core`` lies in the line, all along it, with sharp edges."""
    if not kept.any():
        return 0.0
    rim = cv2.dilate(kept.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool) & ~kept
    whole = line.along[line.inside]
    ends = (float(whole.min()), float(whole.max()) + 1e-3)
    parts = max(2, int((ends[1] - ends[0]) / (0.5 * line.height)))
    filled = np.histogram(line.along[kept], parts, ends)[0] > 0
    amount = min(1.0, np.count_nonzero(kept) / (_SHARE * np.count_nonzero(line.inside)))
    sharp = float(line.sharpness[rim].mean()) if rim.any() else 0.0
    return np.count_nonzero(kept) / np.count_nonzero(core) * float(filled.mean()) * sharp * amount


def _opacity(line: _Line, ink: _Ink) -> Plane:
    """1 within the core, 0 away from it, and on its rim how far the colour is from the ground's to the ink's."""
    radius = max(2, round(0.25 * line.height))
    ground = _around(line.colours, (ink.distance > 1.3 * ink.half) & line.near, radius)
    inked = _around(line.colours, (ink.distance < 0.6 * ink.half) & ink.core, radius)
    way = inked - ground
    length = np.maximum((way * way).sum(axis=2), np.float32(1e-4))
    part = np.clip(((line.colours - ground) * way).sum(axis=2) / length, 0.0, 1.0)
    core = ink.core.view(np.uint8)
    close = cv2.dilate(core, np.ones((3, 3), np.uint8)).view(bool)
    inner = cv2.erode(core, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))).view(bool)
    return np.where(inner, np.float32(1), np.where(close, part, np.float32(0)))


def _around(colours: Colours, where: Bools, radius: int) -> Colours:
    """The mean colour of the pixels ``where`` is true, within ``radius`` of each pixel, or further off where there are
    few. ``(h, w, 3)`` float32."""
    if not where.any():
        return np.broadcast_to(colours.mean(axis=(0, 1)), colours.shape)
    out = np.broadcast_to(colours[where].mean(axis=0), colours.shape)
    weights = where.astype(np.float32)
    for reach in (4 * radius, radius):
        size = (2 * reach + 1, 2 * reach + 1)
        share = cv2.blur(weights, size)[..., None]
        mean = cv2.blur(colours * weights[..., None], size) / np.maximum(share, np.float32(1e-6))
        out = np.where(share > _FEW, mean, out)
    return out
