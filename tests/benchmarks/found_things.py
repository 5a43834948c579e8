"""How well things are found by their names and drawn, on composites: average precision of detector and segmenter.

``python -m tests.benchmarks.found_things [PICTURES]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol import masks as wire
from maskwright_protocol.errors import MorePixelsNeeded
from maskwright_protocol.messages import Instance, Select, Selection
from tests.composites import Composite, composite
from tests.server.recipes.conftest import Desk
from tests.server.recipes.selecting.large_photos import with_detail
from tests.shared_data import MODELS

PICTURES = 40
LIMITS = (0.5, 0.75)
_PROXY = 1024
_RECALLS = np.linspace(0, 1, 101)


@dataclass
class Judged:
    """What was found in a composite: ``iou`` ``(found, placed)``; ``picture`` numbers it."""

    picture: int
    made: Composite
    found: list[Instance]
    iou: np.ndarray
    seconds: float = 0.0


@dataclass
class Score:
    """``precision``: mean over the labels of the average precision, by the least IoU. ``seconds`` of CPU a picture."""

    precision: dict[float, float]
    seconds: float
    doubles: int = 0
    recall: dict[str, tuple[float, int]] = field(default_factory=dict)  # share found at .5 by size, and of how many


def answered(desk: Desk, made: Composite, job: Select) -> tuple[Selection, float]:
    """The answer as a client gets it: by a proxy, then with the pixels that are asked for. And seconds of CPU."""
    pixels, key = made.pixels, f"composite-{made.seed}-{max(made.pixels.shape)}"
    picture = desk.picture(pixels, key, _PROXY if max(pixels.shape) > _PROXY else None)
    start = time.process_time()
    while True:
        try:
            answer = desk.run(replace(job, picture=picture))
            return answer, time.process_time() - start
        except MorePixelsNeeded as error:
            picture = with_detail(desk, picture, pixels, error)


def judged(made: Composite, found: list[Instance], number: int = 0) -> Judged:
    """Every found mask against every placed thing."""
    height, width = made.pixels.shape[:2]
    truths = [one.mask(height, width) for one in made.placed]
    table = np.zeros((len(found), len(truths)))
    for row, one in enumerate(found):
        assert one.mask is not None
        mask = np.frombuffer(wire.place(one.mask, width, height), np.uint8).reshape(height, width) >= 128
        area = int(np.count_nonzero(mask))
        for column, (truth, placed) in enumerate(zip(truths, made.placed, strict=True)):
            part = placed.box.slices()
            common = int(np.count_nonzero(mask[part] & truth[part]))
            table[row, column] = common / max(1, area + int(np.count_nonzero(truth[part])) - common)
    return Judged(number, made, found, table)


def looked_for(desk: Desk, seeds: Iterable[int], job: Select | None = None, **size: Any) -> Iterator[Judged]:
    """What is found in each composite when all of its things are asked for by name."""
    for number, seed in enumerate(seeds):
        made = composite(seed, lemur=False, **size)
        wanted = replace(job or Select("1"), text="; ".join(made.labels))
        answer, seconds = answered(desk, made, wanted)
        yield replace(judged(made, answer.instances, number), seconds=seconds)


def average_precision(all_judged: list[Judged], label: str, limit: float) -> float | None:
    """As COCO has it, for one label and IoU: precision at 101 recalls. None where no such thing was placed."""
    rows: list[tuple[float, bool]] = []
    total = 0
    for one in all_judged:
        columns = [n for n, placed in enumerate(one.made.placed) if placed.thing.label == label]
        total += len(columns)
        free = set(columns)
        for row in sorted(range(len(one.found)), key=lambda n: -rank(one.found[n])):
            if one.found[row].label != label:
                continue
            best = max(free, key=lambda n: one.iou[row, n], default=None)
            hit = best is not None and one.iou[row, best] >= limit
            if hit:
                free.discard(best)
            rows.append((rank(one.found[row]), hit))
    if not total:
        return None
    rows.sort(key=lambda pair: -pair[0])
    hits = np.cumsum([hit for _, hit in rows])
    precision = hits / np.arange(1, len(rows) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / total, _RECALLS - 1e-9)
    return float(np.mean([float(precision[n]) if n < len(precision) else 0.0 for n in places]))


def rank(one: Instance) -> float:
    return one.score


def scored(all_judged: list[Judged]) -> Score:
    labels = sorted({label for one in all_judged for label in one.made.labels})
    precision = {}
    for limit in LIMITS:
        values = [average_precision(all_judged, label, limit) for label in labels]
        precision[limit] = float(np.mean([value for value in values if value is not None]))
    sizes: dict[str, list[bool]] = {"under 1/30": [], "1/30 to 1/10": [], "over 1/10": []}
    hidden: dict[str, list[bool]] = {"free": [], "partly hidden": []}
    doubles = 0
    for one in all_judged:
        for column, placed in enumerate(one.made.placed):
            share = max(placed.box.width, placed.box.height) / max(one.made.pixels.shape)
            size = "under 1/30" if share < 1 / 30 else "1/30 to 1/10" if share < 0.1 else "over 1/10"
            rows = [n for n, found in enumerate(one.found) if found.label == placed.thing.label]
            fits = sum(one.iou[row, column] >= 0.5 for row in rows)
            sizes[size].append(fits > 0)
            hidden["partly hidden" if placed.hidden > 0.1 else "free"].append(fits > 0)
            doubles += max(0, fits - 1)
    recall = {name: (float(np.mean(hits)), len(hits)) for name, hits in {**sizes, **hidden}.items() if hits}
    return Score(precision, float(np.mean([one.seconds for one in all_judged])), doubles, recall)


def main() -> None:
    desk = Desk(ModelPool([MODELS], "cpu", 1))
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    score = scored(list(looked_for(desk, range(pictures))))
    print(
        ", ".join(f"AP at {limit}: {value:.3f}" for limit, value in score.precision.items()), f"{score.seconds:.2f} s"
    )
    for name, (share, count) in score.recall.items():
        print(f"  found of {count} {name}: {share:.2f}")
    print(f"  doubles: {score.doubles}")


if __name__ == "__main__":
    main()
