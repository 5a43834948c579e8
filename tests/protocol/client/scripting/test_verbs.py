"""The verbs: their names are the command line's, and what is wrong is said before anything is sent."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import typer

from maskwright.cli.app import app
from maskwright_client import scripting
from maskwright_client.scripting import questions
from maskwright_protocol.errors import BadInput, EmptyPrompt, MaskwrightError
from maskwright_protocol.messages import Point, Rect, Select

PICTURE = np.zeros((8, 8, 3), np.uint8)
VERBS = ("select", "cutout", "refine", "parse", "everything", "detect", "similar", "flats")


def flags(verb: str) -> set[str]:
    command = typer.main.get_command(app)
    return {option for parameter in command.commands[verb].params for option in parameter.opts}  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS)
def test_keywords_are_the_flags(verb: str) -> None:
    names = set(inspect.signature(getattr(questions, verb)).parameters) - {"image", "progress"}
    assert {f"--{name.rstrip('_').replace('_', '-')}" for name in names} <= flags(verb)


@pytest.mark.parametrize("verb", VERBS)
def test_both_clients_have_them(verb: str) -> None:
    for client in (scripting.Maskwright, scripting.AsyncMaskwright):
        assert getattr(client, verb).__doc__ == getattr(questions, verb).__doc__


def job(question: questions.Question[Any]) -> Any:
    return question.job(lambda given: pytest.fail("no mask was given"))


@pytest.mark.parametrize(
    "given", [(3, 4), [(3, 4)], "3,4", np.array([3, 4]), np.array([[3.0, 4.0]]), [np.float32(3), np.float32(4)]]
)
def test_points_in_every_way(given: Any) -> None:
    assert job(questions.select(PICTURE, point=given)).points == [Point(3, 4)]
    assert job(questions.select(PICTURE, box=(0, 0, 8, 8), exclude=given)).points == [Point(3, 4, False)]


@pytest.mark.parametrize("given", [(1, 2, 3, 4), [(1, 2, 3, 4)], "1,2,3,4", np.array([[1, 2, 3, 4]])])
def test_boxes_in_every_way(given: Any) -> None:
    assert job(questions.select(PICTURE, box=given)).boxes == [Rect(1, 2, 3, 4)]
    assert job(questions.cutout(PICTURE, box=given)).boxes == [Rect(1, 2, 3, 4)]


@pytest.mark.parametrize("given", [(1,), (1, 2, 3), [(1, 2), (3,)], [(1, float("nan"))], "here", [("a", "b")], [None]])
def test_points_that_are_none(given: Any) -> None:
    with pytest.raises(BadInput) as caught:
        questions.select(PICTURE, point=given)
    assert "point" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given", "count"),
    [([(3, 4), (5, 6)], 1), ("3,4 5,6", 1), (np.array([[3, 4], [5, 6]]), 1), ([[(3, 4), (5, 6)], "1,2"], 2), ([], 0)],
)
def test_strokes_in_every_way(given: Any, count: int) -> None:
    for verb in (questions.select, questions.cutout):
        made = job(verb(PICTURE, text="dog", scribble=given))  # type: ignore[operator]
        assert len(made.strokes) == count
        assert [one.path for one in made.strokes[:1]] == [[3, 4, 5, 6]][:count]
    made = job(questions.select(PICTURE, lasso=[(0, 0), (9, 0), (5, 9)], exclude_scribble="1,1"))
    assert [(one.include, one.closed) for one in made.strokes] == [(False, False), (True, True)]
    with pytest.raises(BadInput):
        questions.select(PICTURE, lasso=[(0, 0), (9, 0)])


def test_settings_of_the_detector() -> None:
    for option in ({"iou": 0.5, "max_det": 3}, ["iou=0.5", "max_det=3"]):
        made = job(questions.detect(PICTURE, text="dog", option=option))
        assert made.detector_options == {"iou": "0.5", "max_det": "3"}


def test_distances() -> None:
    made: Select = job(questions.select(PICTURE, range=(20, 60), softness=10))
    assert made.distance is not None
    assert (made.distance.near, made.distance.far, made.distance.softness) == (0.2, 0.6, 0.1)
    assert job(questions.select(PICTURE, as_far=(3, 4))).distance.than == "same"
    with pytest.raises(BadInput):
        questions.select(PICTURE, nearer=(1, 2), farther=(3, 4))
    with pytest.raises(BadInput):
        questions.select(PICTURE, nearer=[(1, 2), (3, 4)])


def test_nothing_asked_for() -> None:
    with pytest.raises(EmptyPrompt):
        job(questions.select(PICTURE))


def test_a_misspelt_keyword_is_no_secret() -> None:
    for verb in VERBS:
        with pytest.raises(TypeError):
            getattr(questions, verb)(PICTURE, txet="dog")
    assert issubclass(BadInput, MaskwrightError)
