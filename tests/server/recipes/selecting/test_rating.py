"""That scores estimate the IoU: on a few composites that nothing was fitted to, and in what is told of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskwright.recipes.selecting import rating
from maskwright_protocol.messages import Cutout, Point, Rect, Select
from tests import calibrate
from tests.benchmarks.found_things import answered, judged
from tests.composites import composite
from tests.server.recipes.conftest import Desk
from tests.shared_data import needs_eval, needs_models

pytestmark = [needs_models, needs_eval]
SEEDS = range(7000, 7003)
SIDES = (400, 900)


def test_there_is_a_weight_for_each_feature() -> None:
    fitted = json.loads((Path(rating.__file__).parent / "rating.json").read_text())
    assert set(fitted) == set(calibrate.KINDS)
    for one in fitted.values():
        assert len(one["weights"]) == len(rating.FEATURES)
        assert 0.3 < one["doubtful_below"] < 0.95


def test_scores_of_boxes_are_near_the_truth(desk: Desk) -> None:
    scores, truth, flagged = [], [], []
    for seed in SEEDS:
        made, random = composite(seed, SIDES), np.random.default_rng(seed)
        for number, placed in enumerate(made.placed):
            box = calibrate.prompts(made, placed, random)[1]
            answer, _ = answered(desk, made, box)
            scores.append(answer.instances[0].score)
            flagged.append(answer.instances[0].doubtful)
            truth.append(judged(made, answer.instances[:1]).iou[0, number])
    errors, poor = np.abs(np.subtract(scores, truth)), np.array(truth) < calibrate.GOOD
    assert len(errors) > 8
    assert errors.mean() < 0.1
    assert np.mean(np.array(flagged)[~poor]) < 0.4
    assert min(scores) < max(scores) - 0.05


def test_the_same_object_keeps_its_score(desk: Desk, lemur: np.ndarray) -> None:
    picture = desk.picture(lemur, "lemur")
    first = desk.run(Select("1", picture, boxes=[Rect(150, 10, 400, 420)])).instances[0]
    again = desk.run(Select("2", picture, continue_from=first.id)).instances[0]
    assert again.id == first.id
    assert (again.score, again.doubtful) == (first.score, first.doubtful)
    assert first.confidence is None


def test_words_tell_how_sure_the_detector_is_too(desk: Desk) -> None:
    made = composite(7001, SIDES, lemur=False)
    text = "; ".join(made.labels)
    answer, _ = answered(desk, made, Select("1", text=text))
    assert answer.instances
    sure = [one.confidence for one in answer.instances if one.confidence is not None]
    assert len(sure) == len(answer.instances)
    assert all(0.3 <= value <= 1 for value in sure)
    assert sure == sorted(sure, reverse=True)
    assert any(one.score != one.confidence for one in answer.instances)
    least = (max(sure) + min(sure)) / 2
    less, _ = answered(desk, made, Select("2", text=text, min_score=least))
    assert all((one.confidence or 0.0) >= least for one in less.instances)


@pytest.mark.parametrize("guess", [0.5, 0.9])
def test_a_fit_finds_what_made_the_samples(guess: float) -> None:
    random = np.random.default_rng(5)
    weights = np.zeros(len(rating.FEATURES))
    weights[[0, 1, 4]] = (0.3, 1.2, -0.8)
    rows = random.normal(0, 1, (400, len(weights)))
    rows[:, 0] = 1
    truth = 1 / (1 + np.exp(-rows @ weights))
    some = [
        calibrate.Sample("box", n % 40, tuple(row), float(iou), guess)
        for n, (row, iou) in enumerate(zip(rows.tolist(), truth, strict=True))
    ]
    quality = calibrate.held_out(some)
    assert quality.error < 0.02
    assert quality.caught > 0.85
    assert quality.false_alarms <= 0.25
    assert quality.guess_error == pytest.approx(float(np.abs(truth - guess).mean()))


def test_a_click_on_nothing_much_is_doubted_more_than_one_on_a_thing(desk: Desk, lemur: np.ndarray) -> None:
    flat = np.clip(np.random.default_rng(1).normal(128, 6, lemur.shape), 0, 255).astype(np.uint8)
    some = desk.run(Select("1", desk.picture(flat, "noise"), points=[Point(300, 200)])).instances
    thing = desk.run(Select("2", desk.picture(lemur, "lemur"), points=[Point(340, 220)])).instances[0]
    assert not some or some[0].score < thing.score


def test_a_cut_out_is_as_good_as_what_was_selected_for_it(desk: Desk, lemur: np.ndarray) -> None:
    picture, box = desk.picture(lemur, "lemur"), [Rect(150, 10, 400, 420)]
    selected = desk.run(Select("1", picture, boxes=box)).instances[0]
    cut = desk.run(Cutout("2", picture, boxes=box, foreground=False, edges="matte"))
    assert (cut.score, cut.doubtful) == (selected.score, selected.doubtful)
    assert cut.subjects[0].score == cut.score
