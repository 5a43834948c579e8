"""The regions of line art: what lies inside the lines, with small gaps in them closed.

Lines are what is darker than the ground around it, or the opaque part of a drawing on a transparent layer. Regions
are found with balls that shrink: a ball wider than the gaps cannot get out of its region (trapped-ball segmentation,
Zhang et al., *Vectorizing Cartoon Animations*, 2009), smaller ones find the regions that are too narrow for it. All is
done on one distance map, level by level, so that it takes a constant number of passes over the picture. At last each
region grows under its lines until it meets its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .boxes import PixelBox
from .hatching import hatching
from .opencv import cv2

Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Labels = NDArray[np.int32]  # (h, w): the number of each pixel's region, counted from 1; 0 where there is none

LEAST_AREA = 12  # pixels of a region; less is a flaw in a line
_SEEN = 24  # of 255: what a line differs from its ground at least, to say how dark lines are
_FAINT = 0.3  # of the usual line's darkness: less is no line
_NOISE = 4.0  # spreads of the ground that a line must stand out by
_SOLID = 0.8  # of the usual line's darkness: what is as dark everywhere is ink, however wide
_COVERED = 0.4  # share of a layer that lines never cover: beyond it the layer is more than lines
_WIDEST = 1 / 64  # of the long side: what is wider is no line
_SMALLER = 2.0  # from one ball to the next
_ROOM = 1.3  # times the ball that does not get in: how wide a narrow region must be to be one
_LEAST_BALL = 1.2  # pixels
_LEAST_DEPTH = 1.5  # pixels: a region is nowhere narrower in its middle
_GAP = 1 / 400  # of the long side: gaps that are closed where nobody says how wide they are
_GOLDEN = 0.618034  # steps of hue that keep neighbours' numbers apart


def usual_gap(width: int, height: int) -> float:
    """The gaps, in pixels, that are closed where nobody says how wide they are."""
    return min(12.0, max(3.0, round(max(width, height) * _GAP)))


# ---------------------------------------------------------------- lines


def lines(colours: Bytes, alpha: Bytes | None = None) -> Bools:
    """Where the lines of a drawing are, ``(h, w)``. ``colours`` ``(h, w, 3)`` uint8, ``alpha`` ``(h, w)`` uint8.

    Dark lines on a light ground, light ones on a dark ground, of any colour; or, where most of the picture is
    transparent, whatever is opaque.
    """
    if alpha is not None:
        solid = np.count_nonzero(alpha >= 128) / alpha.size
        if solid <= _COVERED:
            return alpha >= max(1, round(_FAINT * _usual(_counts(alpha), _SEEN, 255)))
        colours = _over_white(colours, alpha)
    low, high = _extremes(colours)
    if _quantile(_counts(high), 0.5) < 112:
        low, high = 255 - high, 255 - low
    return _dark_lines(low, high)


def _dark_lines(low: Bytes, high: Bytes) -> Bools:
    """Lines on a light ground. ``low`` and ``high``: the smallest and the largest of a pixel's three colours."""
    above = cv2.subtract(_ground(low), low)
    counts = _counts(above)
    middle = _quantile(counts, 0.5)
    spread = middle - _quantile(counts, 0.16)
    usual = _usual(counts, middle + max(_SEEN, _NOISE * spread), 0)
    if not usual:
        return np.zeros(low.shape, np.bool_)
    least = middle + max(_FAINT * (usual - middle), _NOISE * spread, 10.0)
    found = above >= least
    paper = _quantile(_counts(high), 0.9)
    darkest = paper - _SOLID * usual
    if darkest > 0:
        found |= high <= darkest
    return found


def _ground(low: Bytes) -> Bytes:
    """How light the ground is at each pixel: ``low`` without what is thin and dark; closed at a quarter of the size."""
    height, width = low.shape
    reach = max(3, round(max(height, width) * _WIDEST / 4)) | 1
    size = max(1, width // 4), max(1, height // 4)
    small = cv2.resize(cv2.dilate(low, np.ones((3, 3), np.uint8)), size, interpolation=cv2.INTER_AREA)
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _extremes(colours: Bytes) -> tuple[Bytes, Bytes]:
    first, second, third = cv2.split(colours)
    return cv2.min(cv2.min(first, second), third), cv2.max(cv2.max(first, second), third)


def _over_white(colours: Bytes, alpha: Bytes) -> Bytes:
    weight = cv2.merge([alpha, alpha, alpha])
    return cv2.add(cv2.multiply(colours, weight, scale=1 / 255), cv2.bitwise_not(weight))


def _counts(plane: Bytes) -> NDArray[np.float32]:
    return cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel()


def _quantile(counts: NDArray[np.float32], share: float) -> int:
    total = np.cumsum(counts, dtype=np.float64)
    return int(np.searchsorted(total, share * total[-1]))


def _usual(counts: NDArray[np.float32], least: float, otherwise: int) -> int:
    """How much lines usually stand out, by the counts of all that stand out by ``least``."""
    beyond = counts.copy()
    beyond[: int(least) + 1] = 0
    return _quantile(beyond, 0.75) if beyond.sum() >= 8 else otherwise


# ---------------------------------------------------------------- regions


@dataclass
class Regions:
    """``labels`` ``(h, w)`` int32: each pixel's region, 1 to ``count``; all 0 where there is none.

    ``areas`` ``(count + 1,)``: pixels of each.
    """

    labels: Labels
    count: int
    areas: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Labels) -> Regions:
        """Those of labels without a missing number."""
        areas = np.bincount(labels.ravel())
        areas[0] = 0
        return cls(labels, len(areas) - 1, areas)

    @property
    def nbytes(self) -> int:
        return self.labels.nbytes + self.areas.nbytes

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """``(count + 1, 4)``: x0, y0, x1, y1 around the pixels of each; all 0 for none."""
        from scipy import ndimage

        found = np.zeros((self.count + 1, 4), np.int64)
        for number, place in enumerate(ndimage.find_objects(self.labels, self.count), 1):
            if place is not None:
                rows, columns = place
                found[number] = columns.start, rows.start, columns.stop, rows.stop
        return found

    def inside(self, box: PixelBox) -> list[int]:
        """The regions that lie in a box by more than half."""
        counts = np.bincount(self.labels[box.slices()].ravel(), minlength=self.count + 1)
        return [int(one) for one in np.flatnonzero(counts * 2 > self.areas) if one]


def regions(drawn: Bools, gap: float) -> Regions:
    """The regions between lines ``(h, w)``; passages up to ``gap`` pixels wide are closed.

    Hatching encloses nothing. None where there are no lines.
    """
    if not drawn.any():
        return Regions.of(np.zeros(drawn.shape, np.int32))
    shading = hatching(drawn, gap) if gap >= 1 else None
    if shading is not None:
        drawn = drawn & ~shading
    # The picture's border closes regions as a line would.
    growing = _Growing(np.pad(~drawn, 1))
    ball = max(0.0, (gap + 1) / 2)
    growing.first(ball)
    while ball / _SMALLER >= _LEAST_BALL:
        ball /= _SMALLER
        growing.next(ball)
    growing.next(0.0)
    return Regions.of(_under_lines(growing.labels[1:-1, 1:-1]))


class _Growing:
    """Regions while they are found: ``labels`` are theirs so far, ``depth`` how far lines are, ``free`` where none are.

    All ``(h, w)``, with a border of one pixel that is not free.
    """

    def __init__(self, free: Bools) -> None:
        self.free = free
        self.labels: Labels = np.zeros(free.shape, np.int32)
        self.depth: NDArray[np.float32] = cv2.distanceTransform(free.view(np.uint8), cv2.DIST_L2, 5)
        self.count = 0

    def first(self, ball: float) -> None:
        """The regions that the widest ball gets into, as far as it reaches."""
        core = self.depth > ball
        if ball < 1 or not core.any():
            return
        away, nearest = cv2.distanceTransformWithLabels(
            (~core).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
        )
        reached = away <= ball
        reached &= self.free
        np.copyto(self.labels, nearest, where=reached)
        self.count = int(nearest.max())

    def next(self, ball: float) -> None:
        """What is left for a smaller ball: it belongs to the region that it comes out of, or is one of its own."""
        left = self.depth > ball
        left &= self.labels == 0
        count, parts = cv2.connectedComponents(left.view(np.uint8), connectivity=4, ltype=cv2.CV_32S)
        if count < 2:
            return
        places = np.flatnonzero(left)
        part = parts.ravel()[places]
        own = self._own(places, part, count, ball)
        contact, region = self._contacts(left)
        touched = parts.ravel()[contact]
        first = np.zeros(count, np.int32)
        first[touched] = region
        several = np.zeros(count, np.bool_)
        several[touched[first[touched] != region]] = True
        made = (first == 0) & own
        first[made] = np.arange(self.count + 1, self.count + 1 + np.count_nonzero(made))
        self.count += int(np.count_nonzero(made))
        value = first[part]
        shared = several[part]
        if shared.any():
            value[shared] = self._divided(places[shared], part[shared], contact, touched, region)
        self.labels.ravel()[places] = value

    def _own(self, places: NDArray[np.int64], part: Labels, count: int, ball: float) -> Bools:
        """Which parts are wide and large enough to be regions."""
        widest = np.zeros(count, np.float32)
        np.maximum.at(widest, part, self.depth.ravel()[places])
        wide = widest >= max(_ROOM * ball, _LEAST_DEPTH)
        return wide if ball else wide & (np.bincount(part, minlength=count) >= LEAST_AREA)

    def _contacts(self, left: Bools) -> tuple[NDArray[np.int64], Labels]:
        """Pixels of ``left`` (flat indices) beside ones with a region, and that region; once for each of these."""
        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        beside = cv2.dilate((self.labels > 0).view(np.uint8), cross).view(np.bool_)
        beside &= left
        places = np.flatnonzero(beside)
        labels, width = self.labels.ravel(), self.labels.shape[1]
        found = [labels[places + step] for step in (-width, -1, 1, width)]
        return np.concatenate([places[one > 0] for one in found]), np.concatenate([one[one > 0] for one in found])

    def _divided(
        self, places: NDArray[np.int64], part: Labels, contact: NDArray[np.int64], touched: Labels, region: Labels
    ) -> Labels:
        """For pixels between several regions the nearest of those that their part touches."""
        from scipy.spatial import KDTree

        width = self.labels.shape[1]
        apart = 4.0 * max(self.labels.shape)  # pixels of other parts are farther than any of the same

        def points(flat: NDArray[np.int64], of: Labels) -> NDArray[np.float64]:
            return np.stack([flat // width, flat % width, of * apart], axis=1).astype(np.float64)

        wanted = np.isin(touched, np.unique(part))
        tree = KDTree(points(contact[wanted], touched[wanted]))
        return region[wanted][tree.query(points(places, part), workers=2)[1]]


def _under_lines(labels: Labels) -> Labels:
    """Each region grown until it meets others: lines belong to what is nearest, so that their middle is the border."""
    empty = (labels == 0).view(np.uint8)
    if empty.all():
        return np.ascontiguousarray(labels)
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    own = np.concatenate([np.zeros(1, np.int32), labels[empty == 0]])  # OpenCV counts them in this order, from 1
    return own[nearest]


def without_small(found: Regions, least: float) -> Regions:
    """Regions of fewer than ``least`` pixels taken into what is nearest; the largest always stays."""
    small = found.areas < least
    small[[0, int(found.areas.argmax())]] = False
    if not small.any():
        return found
    number = np.where(small, 0, np.cumsum(~small) - 1).astype(np.int32)
    return Regions.of(_under_lines(number[found.labels]))


# ---------------------------------------------------------------- flat colours


def flat_colours(count: int) -> Bytes:
    """``(count + 1, 3)`` uint8 RGB: a colour of its own for each region, all different, those with neighbouring numbers
    far apart; the first is black, for no region."""
    numbers = np.arange(count + 1)
    hues = numbers * _GOLDEN % 1.0 * 180
    saturations = np.array([90, 130, 60, 110])[numbers // 5 % 4]
    values = np.array([235, 205, 248, 185])[numbers // 3 % 4]
    hsv = np.stack([hues, saturations, values], axis=-1).round().astype(np.uint8)
    colours = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    colours[0] = 0
    return _all_different(colours)


def _all_different(colours: Bytes) -> Bytes:
    """The nearest free colour in the place of each that was there before."""
    taken: set[int] = set()
    for row in colours:
        value = int(row[0]) << 16 | int(row[1]) << 8 | int(row[2])
        while value in taken:
            value = (value + 1) % (1 << 24)
        taken.add(value)
        row[:] = value >> 16, value >> 8 & 255, value & 255
    return colours
