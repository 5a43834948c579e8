"""The prompt language: what the rules understand, and that everything else is text."""

from __future__ import annotations

import pytest

from maskwright.recipes.language import Choice, Concept, Query, read


def one(phrase: str, choice: Choice | None = None, minus: tuple[str, ...] = ()) -> Query:
    return Query((Concept(phrase, minus, choice),))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("dog; red car", Query((Concept("dog"), Concept("red car")))),
        ("dog, cat\nbird", Query((Concept("dog"), Concept("cat"), Concept("bird")))),
        ("dog - collar", one("dog", minus=("collar",))),
        ("dog minus collar minus tail", one("dog", minus=("collar", "tail"))),
        ("woman except the hat", one("woman", minus=("the hat",))),
        ("dog; cat; - collar", Query((Concept("dog"), Concept("cat")), ("collar",))),
        ("the largest dog", one("dog", Choice("area"))),
        ("smallest red cars", one("red cars", Choice("small"))),
        ("two largest dogs", one("dogs", Choice("area", 1, 2))),
        ("the largest 3 dogs", one("dogs", Choice("area", 1, 3))),
        ("second largest car", one("car", Choice("area", 2))),
        ("second person from the left", one("person", Choice("left", 2))),
        ("the 3 people from the right", one("people", Choice("right", 1, 3))),
        ("the 2nd red car from the top", one("red car", Choice("top", 2))),
        ("leftmost cup", one("cup", Choice("left"))),
        ("the dog on the left", one("dog", Choice("left"))),
        ("person in the middle", one("person", Choice("middle"))),
        ("the middle dog", one("dog", Choice("middle"))),
        ("the second dog", one("dog", Choice("left", 2))),
        ("dog #2", one("dog", Choice("score", 2))),
        ("dog #2-4", one("dog", Choice("score", 2, 3))),
        ("all the dogs", one("dogs")),
        ("the largest dog - collar", one("dog", Choice("area"), ("collar",))),
        ('"the largest dog"; cat', Query((Concept("the largest dog"), Concept("cat")))),
        ('"red; blue"', one("red; blue")),
        (" Dog.  ", one("Dog")),
    ],
)
def test_what_is_understood(text, query):
    assert read(text) == query


@pytest.mark.parametrize(
    "text",
    [
        "t-shirt", "a red-haired woman", "left shoe", "middle finger", "first aid kit", "largest", "#2", "dog #0",
        "dog #4-2", "a woman wearing an apron", "dog -collar", "zeroth dog", "ten largest", "Чёрный кот", "50% off",
    ],
)  # fmt: skip
def test_everything_else_is_text(text):
    assert read(text) == one(text)


@pytest.mark.parametrize("text", ["", "  ", ";,;", "\n", '""'])
def test_nothing_is_nothing(text):
    assert read(text) == Query()


def test_it_never_fails_and_is_quick_on_nonsense():
    for text in ("-" * 1000, "the " * 250, "#" * 1000, "second " * 140, '"' * 999, " - " * 300, "a - " * 250):
        read(text)
