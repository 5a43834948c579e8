"""What a click, one stroke, two strokes and a lasso are worth: ``python -m tests.quality.scribbles``.

The strokes are those of ``strokes_by_hand``: the first over the middle of the thing, the second over the largest
mistake of what came. Times are of the whole job when the picture's embedding is known, in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
from PIL import Image

from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright_protocol.messages import Point, Select, Stroke
from tests.composites import composite
from tests.quality.cases import VOID, Case, cases
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import EVAL, MODELS
from tests.strokes_by_hand import around, correction, over

WAYS = ("click", "two clicks", "stroke", "two strokes", "lasso")
_COUNT = 60
_HALF_SEEN = ("lace", "glass")  # half transparent: no outline is right


def some_cases() -> Iterator[Case]:
    """Single things of photos and made-up ones; then things in composites of several, until there are enough."""
    for case in cases():
        if case.pointed and case.group not in _HALF_SEEN and (case.truth >= 0.5).sum() > 200:
            yield case
    for seed in range(1000):
        made = composite(seed, (900, 1300), (2, 5))
        for number, placed in enumerate(made.placed):
            share = placed.alpha.sum() / made.pixels[..., 0].size
            if placed.hidden < 0.3 and share > 0.005:
                truth = placed.mask(*made.pixels.shape[:2]).astype(np.float32)
                yield Case("things among others", f"among-{seed}-{number}", made.pixels, truth)


class Trial:
    """Asks about one case in all ways; keeps the overlap and the time of each."""

    def __init__(self, desk: Desk, case: Case, more: dict[str, str]) -> None:
        self.case, self.more, self._desk = case, more, desk
        self._picture = desk.picture(case.pixels, case.name, 1024 if max(case.pixels.shape) > 1024 else None)
        self._truth = case.truth >= 0.5
        self._told = _told(case)
        self.ious: dict[str, float] = {}
        self.times: dict[str, float] = {}

    def run(self) -> None:
        click = self.case.point
        mask, name = self._ask("click", points=[click])
        wrong = correction(mask, self._truth)
        points = [click] + ([_middle(wrong)] if wrong is not None else [])
        self._ask("two clicks", points=points, continue_from=name)
        first = over(self._truth)
        mask, name = self._ask("stroke", strokes=[first])
        second = correction(mask, self._truth)
        strokes = [first] + ([second] if second is not None else [])
        self._ask("two strokes", strokes=strokes, continue_from=name)
        loop = around(self._truth)
        self._ask("lasso", strokes=[loop])
        self.drawn = [[first], strokes, [loop]]

    def _ask(self, way: str, **prompt: object) -> tuple[np.ndarray, str]:
        asked = Select("1", self._picture, pick="best", **{"precise": "off", **self.more}, **prompt)  # type: ignore[arg-type]
        begun = time.perf_counter()
        answer = self._desk.run(asked)
        self.times[way] = 1000 * (time.perf_counter() - begun)
        height, width = self._truth.shape
        mask, name = np.zeros((height, width), bool), ""
        if answer.instances:
            name = answer.instances[0].id
            mask = plane(answer.instances[0].mask, self.case.pixels) >= 0.5
        mask &= self._told
        self.ious[way] = iou(mask, self._truth)
        return mask, name


def _told(case: Case) -> np.ndarray:
    """Where the truth is known: VOC leaves a band along the outlines open."""
    if not case.name.startswith("voc-"):
        return np.ones(case.truth.shape, bool)
    return np.array(Image.open(EVAL / f"voc/{case.name.split('-')[1]}_object.png")) < VOID


def _middle(stroke: Stroke) -> Point:
    place = len(stroke.path) // 4 * 2
    return Point(stroke.path[place], stroke.path[place + 1], stroke.include)


def summary(trials: list[Trial], title: str) -> str:
    """A line for each way: mean and median overlap, the share of at least 0.95, and the median time."""
    lines = [f"{title}: {len(trials)} cases"]
    for way in WAYS:
        found = [trial.ious[way] for trial in trials]
        times = statistics.median(trial.times[way] for trial in trials)
        good = sum(one >= 0.95 for one in found) / len(found)
        lines.append(
            f"  {way:12} mean {np.mean(found):.3f}  median {np.median(found):.3f}  >= .95: {good:4.0%}  {times:5.0f} ms"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=_COUNT)
    parser.add_argument("--precise", default="off")
    parser.add_argument("--recipe", default="auto")
    parser.add_argument("--segmenter", default="")
    given = parser.parse_args()
    desk = Desk(ModelPool([MODELS], "cpu", 2), EmbeddingCache(1 << 30))
    more = {"precise": given.precise, "recipe": given.recipe}
    if given.segmenter:
        more["models"] = {"segmenter": given.segmenter}  # type: ignore[assignment]
    trials = []
    for case in islice(some_cases(), given.count):
        trial = Trial(desk, case, more)
        trial.run()
        trials.append(trial)
        print(case.name, {way: (round(trial.ious[way], 3), round(trial.times[way])) for way in WAYS}, flush=True)
    print(summary(trials, "All"))
    told = [trial for trial in trials if trial.ious["click"] >= 0.9]
    if told:
        print(summary(told, "Where a click gives 0.90"))


if __name__ == "__main__":
    main()
