"""Which object of a map a click takes: what the segmenter answers with to a click there, so that a place means the same
object before and after the map is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from maskwright.masks import objectmap
from maskwright.masks.boxes import tight_box
from maskwright.masks.logits import LogitMap
from maskwright.masks.objectmap import Candidate
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Embedding, Hypothesis, Segmenter, SegmentPrompt
from maskwright.recipes.job.context import JobContext
from maskwright_protocol.language import tr

_SAME = 0.6  # IoU from which on an object of the map is what a click shows
_LEAST_CELLS = 12
_AT_ONCE = 8
CLICKS_SHARE = 0.2  # of a map's progress

Place = tuple[float, float]


class Clicks:
    """Single clicks on a picture, of which the answers are kept."""

    def __init__(self, segmenter: Segmenter, embedding: Embedding, context: JobContext) -> None:
        self._segmenter, self._embedding, self._context = segmenter, embedding, context
        self._known: dict[Place, Hypothesis] = {}

    def show(self, places: Sequence[Place]) -> list[Hypothesis]:
        """The likeliest answer to a click at each place. Raises ``JobCancelled``."""
        new = [place for place in dict.fromkeys(places) if place not in self._known]
        for first in range(0, len(new), _AT_ONCE):
            fraction = 1.0 - CLICKS_SHARE / (1 + len(self._known) / _AT_ONCE)  # how many there will be nobody knows
            with self._context.stage("everything", tr("Trying clicks"), fraction):
                some = new[first : first + _AT_ONCE]
                answers = self._segmenter.segment(self._embedding, [SegmentPrompt([(*p, True)]) for p in some])
                self._known.update((place, answer[0]) for place, answer in zip(some, answers, strict=True))
        return [self._known[place] for place in places]


def with_clicked(
    kept: Sequence[Candidate],
    canvas: LogitMap,
    draw: Callable[[Sequence[Candidate]], NDArray[np.uint16]],
    clicks: Clicks,
) -> list[Candidate]:
    """The objects, and what clicks on their own places show that is none of them. ``draw`` makes their label image."""
    ordered = sorted(kept, key=lambda one: one.logits.area(), reverse=True)
    places = middles(draw(ordered), len(ordered))
    bits = [objectmap.packed(one.logits, canvas) for one in ordered]
    for shown in clicks.show(list(places.values())):
        own = objectmap.packed(shown.logits, canvas)
        size = int(objectmap.count(own))
        if size >= _LEAST_CELLS and max(_overlaps(own, size, bits), default=0.0) < _SAME:
            ordered.append(Candidate(shown.logits, shown.score, shown.low_res))
            bits.append(own)
    return ordered[: objectmap.MAX_OBJECTS]


def clicked(
    ordered: Sequence[Candidate],
    above: Sequence[int],
    labels: NDArray[np.uint16],
    canvas: LogitMap,
    clicks: Clicks,
) -> list[int]:
    """For each object the number, from 1, of what a click takes where it is the smallest: itself or one that holds it.

    ``above``: the holders' numbers, 0 for none.
    """
    places = middles(labels, len(ordered))
    answers = dict(zip(places, clicks.show(list(places.values())), strict=True))
    bits = [objectmap.packed(one.logits, canvas) for one in ordered]
    taken = []
    for number in range(1, len(ordered) + 1):
        chain = [number]
        while above[chain[-1] - 1]:
            chain.append(above[chain[-1] - 1])
        best = number
        if number in answers and len(chain) > 1:
            own = objectmap.packed(answers[number].logits, canvas)
            overlaps = _overlaps(own, int(objectmap.count(own)), [bits[n - 1] for n in chain])
            best = chain[int(np.argmax(overlaps))]
        taken.append(best)
    return taken


def middles(labels: NDArray[np.uint16], count: int) -> dict[int, Place]:
    """The pixel furthest inside of each object's own pixels, its middle, by number."""
    found = {}
    for number in range(1, count + 1):
        mask = labels == number
        box = tight_box(mask.view(np.uint8))
        if not box.empty:
            framed = cv2.copyMakeBorder(mask[box.slices()].view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
            depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
            row, column = divmod(int(depth.argmax()), box.width)
            found[number] = (box.x + column + 0.5, box.y + row + 0.5)
    return found


def _overlaps(own: objectmap.Bits, size: int, others: Sequence[objectmap.Bits]) -> list[float]:
    """IoU of a mask of ``size`` cells with others."""
    out = []
    for bits in others:
        common = int(objectmap.count(bits & own))
        out.append(common / max(1, size + int(objectmap.count(bits)) - common))
    return out
