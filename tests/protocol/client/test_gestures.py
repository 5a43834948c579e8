"""Presses and drags become clicks, strokes, loops and boxes of the right object, each taken back by one undo."""

from __future__ import annotations

import random

import pytest

from maskwright_client.candidates import known_candidates
from maskwright_client.click_session import ClickSession
from maskwright_client.gestures import Gesture, Meaning, Mode, perform
from maskwright_client.hover import Hover
from maskwright_protocol import masks
from maskwright_protocol.messages import (
    Example,
    Instance,
    MappedObject,
    Mask,
    ObjectMap,
    PixelRect,
    Point,
    Rect,
    Report,
    Selection,
    Stroke,
)  # fmt: skip

REACH = 3.0
NOTHING = Selection("", 0, Report("auto", [], "cpu"))


def gesture(path: list[float], meaning: Meaning = Meaning.THIS, mode: Mode = Mode.BOX) -> Gesture:
    return Gesture(mode, meaning, path, REACH, 6.0)


def answer(session: ClickSession, x: int, y: int, side: int) -> None:
    """What the server shows for the current object: a square."""
    mask = Mask(PixelRect(x, y, side, side), data=b"\xff" * side * side)
    found = Instance(f"{x},{y}", "", 0.9, Rect(x, y, side, side), "m", mask=mask)
    session.take(session.key(session.current), known_candidates(found, NOTHING))


def hover(*places: tuple[int, int, int, int]) -> Hover:
    """A map of 40 x 30 with a rectangle for each object, numbered from 1."""
    plane, objects = bytearray(2 * 40 * 30), []
    for number, (x, y, width, height) in enumerate(places, 1):
        objects.append(
            MappedObject(number, f"o{number}", 0.9, width * height, Rect(x, y, width, height), clicked=number)
        )
        for row in range(y, y + height):
            for column in range(x, x + width):
                plane[2 * (row * 40 + column)] = number
    labels = masks.pack(PixelRect(0, 0, 40, 30), bytes(plane), 16)
    known = Hover()
    known.take_map(ObjectMap("", 0, Report("auto", [], "cpu"), objects=objects, labels=labels), PixelRect(0, 0, 40, 30))
    return known


@pytest.mark.parametrize("mode", list(Mode))
def test_a_shaking_hand_clicks_in_every_mode(mode: Mode) -> None:
    session = ClickSession()
    perform(session, gesture([10, 10, 11, 12, 9.5, 10.5], mode=mode))
    assert session.points == [Point(10, 10)]
    assert not session.strokes
    assert not session.boxes
    assert not session.examples


def test_what_a_drag_draws_follows_from_the_mode() -> None:
    path = [0.0, 0.0, 20.0, 5.0, 30.0, 40.0]
    drawn = {}
    for mode in Mode:
        session = ClickSession()
        perform(session, gesture(path, mode=mode))
        drawn[mode] = session
    assert drawn[Mode.BOX].boxes == [Rect(0, 0, 30, 40)]
    assert drawn[Mode.SCRIBBLE].strokes == [Stroke(path, True, 6.0)]
    assert drawn[Mode.LASSO].strokes == [Stroke(path, True, 0.0, closed=True)]
    assert drawn[Mode.EXAMPLE].examples == [Example(0, 0, 30, 40)]
    session = drawn[Mode.LASSO]
    perform(session, gesture([5, 5, 50, 5, 5, 50], mode=Mode.LASSO))
    assert [one.path[0] for one in session.strokes] == [5], "a second loop takes the place of the first"
    perform(session, gesture([0, 0, 9, 9], Meaning.NOT))
    assert session.strokes[-1] == Stroke([0, 0, 9, 0, 9, 9, 0, 9], False, 0.0, closed=True)


def test_another_object_keeps_the_first_and_anew_drops_all() -> None:
    session = ClickSession()
    perform(session, gesture([5, 5]))
    answer(session, 0, 0, 10)
    perform(session, gesture([25, 5], Meaning.ANOTHER))
    answer(session, 20, 0, 10)
    assert len(session.result()) == 2
    perform(session, gesture([5, 25], Meaning.ANEW))
    answer(session, 0, 20, 10)
    assert [one.points for one, _ in session.result()] == [((5, 25, True),)]
    assert session.undo()
    assert len(session.result()) == 2, "one undo for one click"
    assert session.undo()
    assert [one.points for one, _ in session.result()] == [((5, 5, True),)]


def test_a_click_is_about_the_object_that_it_lies_on() -> None:
    session = ClickSession()
    perform(session, gesture([5, 5]))
    answer(session, 0, 0, 10)
    perform(session, gesture([25, 5], Meaning.ANOTHER))
    answer(session, 20, 0, 10)
    perform(session, gesture([2, 2], Meaning.NOT))
    assert [one.points for one in session.state.objects] == [((5, 5, True), (2, 2, False)), ((25, 5, True),)]
    assert session.state.chosen == 0
    session.undo()
    perform(session, gesture([38, 28]))
    assert session.current.points[-1] == (38, 28, True), "outside of all it goes on with the one before"


def test_the_first_click_on_an_object_takes_what_the_map_shows_there() -> None:
    session, known = ClickSession(), hover((0, 0, 10, 10), (20, 0, 10, 10))
    taken = perform(session, gesture([5, 5]), known)
    assert taken is not None
    assert (taken.id, session.current.base, session.current.alone) == ("o1", "o1", True)
    answer(session, 0, 0, 10)
    taken = perform(session, gesture([25, 5], Meaning.ANOTHER), known)
    assert getattr(taken, "id", "") == "o2", "without a move of the pointer before, as a pen has it"
    answer(session, 20, 0, 10)
    assert perform(session, gesture([22, 2], Meaning.NOT), known) is None
    assert perform(session, gesture([28, 8]), known) is None, "a further click goes on from it"
    assert session.current.points[-1] == (28, 8, True)


def test_long_strokes_stay_short_enough_for_the_wire() -> None:
    chance = random.Random(1)
    session = ClickSession()
    path = [chance.uniform(0, 4000) for _ in range(20_000)]
    perform(session, gesture(path, mode=Mode.SCRIBBLE))
    (stroke,) = session.strokes
    assert len(stroke.path) <= 800
    assert stroke.path[:2] == pytest.approx(path[:2], abs=0.01)
    assert stroke.path[-2:] == pytest.approx(path[-2:], abs=0.01)
