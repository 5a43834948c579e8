"""What a detector of plain names makes of a query that says more."""

from __future__ import annotations

import pytest

from maskwright.models.coco import COCO
from maskwright.recipes.job.plain_names import understand
from maskwright.recipes.job.prompt_language import Choice, parse_query


def told(text: str, names: tuple[str, ...] = COCO) -> tuple[list[tuple[str, Choice | None]], tuple[str, ...], int]:
    found = understand(parse_query(text), names, "Finder")
    return [(one.phrase, one.choice) for one in found.query.concepts], found.notes, len(found.lost)


@pytest.mark.parametrize(
    "text", ["dog", "dogs and cats", "animals", "the largest dog", "two bikes", "scarf", "bus stop"]
)
def test_what_names_say_or_do_not_know_stays_as_it_is(text: str) -> None:
    found = understand(parse_query(text), COCO, "Finder")
    assert found.query == parse_query(text)
    assert not found.notes
    assert not found.lost


@pytest.mark.parametrize(
    ("text", "phrase", "choice", "note"),
    [
        ("woman", "person", None, 'Finder looked for person, which is all it knows of "woman".'),
        ("red car", "car", None, 'Finder looked for car; it left out "red".'),
        ("the old women", "person", None, 'person, which is all it knows of "women"; it left out "old".'),
        ("dog with a collar", "dog", None, 'Finder looked for dog; it left out "with a collar".'),
        ("the largest red car", "car", Choice("area"), 'Finder looked for car; it left out "red".'),
        ("second man from the left", "person", Choice("left", 2), 'which is all it knows of "man".'),
        ("the left dog", "dog", Choice("left"), "Finder looked for dog, and took the one furthest to the left."),
        ("right-hand dog", "dog", Choice("right"), "and took the one furthest to the right."),
        ("the top left kite", "kite", Choice("top left"), "and took the one furthest to the top left."),
        ("far right car", "car", Choice("right"), None),
        ("lower bottle", "bottle", Choice("bottom"), "and took the one furthest to the bottom."),
        ("central dog", "dog", Choice("middle"), "and took the one nearest the middle."),
        ("big dog", "dog", Choice("area"), "and took the largest."),
        ("the tiny bird", "bird", Choice("small"), "and took the smallest."),
        ("the tall man", "person", Choice("tall"), 'all it knows of "man", and took the tallest.'),
        ("the left red car", "car", Choice("left"), 'and took the one furthest to the left; it left out "red".'),
        ("red left car", "car", None, 'it left out "red left".'),
        ("left cars", "car", None, 'it left out "left".'),
        ("the largest left dog", "dog", Choice("area"), 'it left out "left".'),
        ("large animal", " and ".join(("bird", "cat", "dog")), Choice("area"), "bird and cat and dog and others"),
    ],
)
def test_the_rest_is_decided_from_boxes_or_left_out(
    text: str, phrase: str, choice: Choice | None, note: str | None
) -> None:
    ((found, which),), notes, _ = told(text)
    assert found.startswith(phrase)
    assert which == choice
    if note is None:
        assert not notes
    else:
        assert note in notes[0]


def test_places_alone_lose_nothing() -> None:
    for text, count in (("the left dog", 0), ("big dog", 0), ("red car", 1), ("women; red car; dog", 2)):
        assert told(text)[2] == count


def test_every_concept_is_read_by_itself() -> None:
    concepts, notes, _ = told("red car; dog; the left woman - hat")
    assert concepts == [("car", None), ("dog", None), ("person", Choice("left"))]
    assert len(notes) == 2
    query = understand(parse_query("red car - wheel"), COCO, "Finder").query
    assert query.concepts[0].minus == ("wheel",)


def test_other_names() -> None:
    assert told("left wing", ("wing", "tail"))[0] == [("wing", Choice("left"))]
    assert told("woman", ("wing", "tail"))[0] == [("woman", None)]
    assert told("woman", ("woman", "person")) == ([("woman", None)], (), 0)
