"""Fits what ``rating`` estimates to composites with known truth, and tells how far off it is on pictures held out.

``python -m tests.calibrate [PICTURES]`` writes ``rating.json``; ``--check`` only tells. The models are those built in.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskwright.masks.boxes import tight_box
from maskwright.masks.opencv import cv2
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.remembered import Rating
from maskwright.recipes.selecting import rating, select
from maskwright.recipes.selecting.found import Found
from maskwright_protocol.messages import Point, Rect, Select
from tests.benchmarks.found_things import answered, judged
from tests.composites import Composite, Placed, composite
from tests.server.recipes.conftest import Desk
from tests.shared_data import MODELS

PICTURES = 100
FIRST = 1000  # seeds that nothing else uses
SIDES = (400, 2500)
GOOD = 0.7  # IoU below which an answer is doubtful ...
CAUGHT = 0.9  # ... how many of those are to be told ...
ALARMS = 0.2  # ... as long as no more of the good ones are taken for doubtful: what is always said is not heard
KINDS = ("box", "click", "words")
_FOLDS = 8
_RIDGE = 2.0
_LEAST = 30  # pixels that have to be seen of a thing


@dataclass(frozen=True)
class Sample:
    """An answer: the features that are rated and its true IoU; of which ``kind`` and ``picture``; the model's guess."""

    kind: str
    picture: int
    features: tuple[float, ...]
    iou: float
    guess: float


@dataclass(frozen=True)
class Quality:
    """On held-out pictures: mean absolute errors of the estimate and of the models' guess; shares told and wrong."""

    answers: int
    error: float
    guess_error: float
    doubtful: float  # share of answers of too low an IoU
    caught: float
    false_alarms: float


@contextmanager
def recorded() -> Iterator[list[tuple[str, str, tuple[float, ...], float]]]:
    """Ids, kinds, features and models' guesses of all objects that are rated meanwhile."""
    seen: list[tuple[str, str, tuple[float, ...], float]] = []

    def record(found: list[Found], picture: PictureView) -> None:
        for one in found:
            values = rating.features(one, picture)
            seen.append((one.id, rating.kind_of(one), tuple(values.tolist()), one.score))
            one.rating = Rating(0.5, False)

    before, select.rate = select.rate, record
    try:
        yield seen
    finally:
        select.rate = before


def prompts(made: Composite, placed: Placed, random: np.random.Generator) -> list[Select]:
    """A click somewhere inside of the thing, and a box drawn around it by a hand that is 3 % off."""
    height, width = made.pixels.shape[:2]
    seen = (placed.alpha >= 0.5).astype(np.uint8)
    framed = cv2.copyMakeBorder(seen, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    rows, columns = np.nonzero(depth >= 0.5 * depth.max())
    chosen = int(random.integers(len(rows)))
    click = Point(placed.box.x + columns[chosen] + 0.5, placed.box.y + rows[chosen] + 0.5)
    tight = tight_box(seen)
    off = random.normal(0, 0.03, 4) * (tight.width, tight.height, tight.width, tight.height)
    x0, y0, x1, y1 = np.add(tight.moved(placed.box.x, placed.box.y).edges, off)
    x0, y0, x1, y1 = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
    return [Select("1", points=[click]), Select("1", boxes=[Rect(x0, y0, x1 - x0, y1 - y0)])]


def samples(desk: Desk, seeds: Iterable[int]) -> list[Sample]:
    out: list[Sample] = []
    for seed in seeds:
        made, random = composite(seed, SIDES), np.random.default_rng(FIRST * seed)
        for number, placed in enumerate(made.placed):
            if np.count_nonzero(placed.alpha >= 0.5) >= _LEAST:
                for job in prompts(made, placed, random):
                    out += _asked(desk, made, job, [number])
        names = sorted({placed.thing.label for placed in made.placed} - {"lemur"})
        for name in names:
            wanted = [n for n, placed in enumerate(made.placed) if placed.thing.label == name]
            out += _asked(desk, made, Select("1", text=name, min_score=0.2), wanted)
        desk.rasters.clear()
    return out


def _asked(desk: Desk, made: Composite, job: Select, wanted: list[int]) -> list[Sample]:
    """The rated answers, with the IoU with what of the placed things was ``wanted``."""
    with recorded() as seen:
        answer, _ = answered(desk, made, job)
    table = judged(made, answer.instances).iou
    truth = {one.id: float(table[row, wanted].max()) for row, one in enumerate(answer.instances)}
    last = {name: (kind, values, guess) for name, kind, values, guess in seen}
    return [Sample(last[n][0], made.seed, last[n][1], iou, last[n][2]) for n, iou in truth.items() if n in last]


def fitted(some: list[Sample]) -> np.ndarray:
    """Weights of ``FEATURES`` for the log odds of the IoU: logistic regression with a ridge, by Newton's method."""
    features, truth = np.array([one.features for one in some]), np.array([one.iou for one in some])
    mean, spread = features.mean(0), features.std(0)
    still = spread < 1e-9
    mean[0], spread[still] = 0.0, 1.0
    scaled = (features - mean) / spread
    scaled[:, still] = 0.0
    scaled[:, 0] = 1.0
    ridge = np.full(len(mean), _RIDGE)
    ridge[0] = 1e-6
    found = np.zeros(len(mean))
    for _ in range(100):
        shown = 1 / (1 + np.exp(-scaled @ found))
        curve = scaled.T @ (scaled * np.maximum(shown * (1 - shown), 1e-4)[:, None]) + np.diag(ridge)
        step = np.linalg.solve(curve, scaled.T @ (truth - shown) - ridge * found)
        found += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    weights = np.where(still, 0.0, found / spread)
    weights[0] = found[0] - float(np.sum(np.where(still, 0.0, found * mean / spread)[1:]))
    return weights


def estimated(weights: np.ndarray, some: list[Sample]) -> np.ndarray:
    return 1 / (1 + np.exp(-np.array([one.features for one in some]) @ weights))


def limit(scores: np.ndarray, some: list[Sample]) -> float:
    """The score below which ``CAUGHT`` of the doubtful answers lie, or ``ALARMS`` of the good ones if that is less."""
    poor = np.array([one.iou for one in some]) < GOOD
    if not poor.any() or poor.all():
        return 0.0
    return min(float(np.quantile(scores[poor], CAUGHT)), float(np.quantile(scores[~poor], ALARMS)))


def held_out(some: list[Sample], fit: Callable[[list[Sample]], np.ndarray] = fitted) -> Quality:
    """Each answer is estimated by what was fitted to other pictures, limit included."""
    scores, flagged = np.zeros(len(some)), np.zeros(len(some), bool)
    folds = np.array([one.picture % _FOLDS for one in some])
    for fold in range(_FOLDS):
        rest = [one for one, n in zip(some, folds, strict=True) if n != fold]
        own = [one for one, n in zip(some, folds, strict=True) if n == fold]
        if own and rest:
            weights = fit(rest)
            scores[folds == fold] = estimated(weights, own)
            flagged[folds == fold] = scores[folds == fold] < limit(estimated(weights, rest), rest)
    truth, guess = (np.array([getattr(one, name) for one in some]) for name in ("iou", "guess"))
    poor = truth < GOOD
    return Quality(
        len(some), float(np.abs(scores - truth).mean()), float(np.abs(guess - truth).mean()), float(poor.mean()),
        float(flagged[poor].mean()) if poor.any() else 1.0, float(flagged[~poor].mean()) if (~poor).any() else 0.0,
    )  # fmt: skip


def table(qualities: dict[str, Quality]) -> str:
    """Markdown."""
    lines = [
        "| asked by | answers | error of the score | of the model | IoU < 0.7 | of these doubtful | false alarms |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, one in qualities.items():
        lines.append(
            f"| {kind} | {one.answers} | {one.error:.3f} | {one.guess_error:.3f} | {one.doubtful:.0%} "
            f"| {one.caught:.0%} | {one.false_alarms:.0%} |"
        )
    return "\n".join(lines)


def measured(pictures: int = PICTURES) -> tuple[list[Sample], dict[str, Quality]]:
    desk = Desk(ModelPool([MODELS], "cpu", 1))
    found = samples(desk, range(FIRST, FIRST + pictures))
    return found, {kind: held_out([one for one in found if one.kind == kind]) for kind in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="?", type=int, default=PICTURES)
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    found, qualities = measured(given.pictures)
    print(table(qualities))
    if given.check:
        return
    kinds = {}
    for kind in KINDS:
        some = [one for one in found if one.kind == kind]
        weights = fitted(some)
        below = limit(estimated(weights, some), some)
        kinds[kind] = {"doubtful_below": round(below, 4), "weights": [round(float(w), 4) for w in weights]}
    path = Path(rating.__file__).parent / "rating.json"
    path.write_text(json.dumps(kinds, indent=1) + "\n")


if __name__ == "__main__":
    main()
