"""The prompt language: what the rules understand, and that everything else is text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.recipes.job.prompt_language import Choice, Concept, Query, absent, parse_query, split_phrases, which
from maskwright_protocol.errors import BadInput


def one(
    phrase: str, choice: Choice | None = None, minus: tuple[str, ...] = (), without: tuple[Choice, ...] = ()
) -> Query:
    return Query((Concept(phrase, minus, choice, without),))


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
        ("2nd dog from right", one("dog", Choice("right", 2))),
        ("the person second from the left", one("person", Choice("left", 2))),
        ("last person from the left", one("person", Choice("right"))),
        ("the last dog", one("dog", Choice("right"))),
        ("the first two dogs", one("dogs", Choice("left", 1, 2))),
        ("last two dogs from the top", one("dogs", Choice("bottom", 1, 2))),
        ("the two people on the left", one("people", Choice("left", 1, 2))),
        ("rightmost two dogs", one("dogs", Choice("right", 1, 2))),
        ("left-most dog", one("dog", Choice("left"))),
        ("Second-largest car", one("car", Choice("area", 2))),
        ("the largest of the dogs", one("dogs", Choice("area"))),
        ("one of the dogs", one("dogs", Choice("score"))),
        ("two dogs", one("dogs", Choice("score", 1, 2))),
        ("3 people", one("people", Choice("score", 1, 3))),
        ("the tallest person", one("person", Choice("tall"))),
        ("narrowest bottle", one("bottle", Choice("narrow"))),
        ("dog on left", one("dog", Choice("left"))),
        ("the dog on the far right", one("dog", Choice("right"))),
        ("dog on the left hand side", one("dog", Choice("left"))),
        ("far left dog", one("dog", Choice("left"))),
        ("the person furthest to the left", one("person", Choice("left"))),
        ("the dog nearest the centre", one("dog", Choice("middle"))),
        ("dog in the upper left corner", one("dog", Choice("top left"))),
        ("the dog at the bottom right", one("dog", Choice("bottom right"))),
        ("dog #1, #3", Query((Concept("dog", (), Choice("score")), Concept("dog", (), Choice("score", 3))))),
        ("dog #1 and #3", Query((Concept("dog", (), Choice("score")), Concept("dog", (), Choice("score", 3))))),
        ("dog #1,3", Query((Concept("dog", (), Choice("score")), Concept("dog", (), Choice("score", 3))))),
        ("cat, 2", Query((Concept("cat"), Concept("2")))),
        ("dog + cat", Query((Concept("dog"), Concept("cat")))),
        ("a dog and the red car", Query((Concept("a dog"), Concept("the red car")))),
        (
            "the largest dog and the cat on the left",
            Query((Concept("dog", (), Choice("area")), Concept("cat", (), Choice("left")))),
        ),
        ("people except the leftmost", one("people", None, (), (Choice("left"),))),
        ("all dogs but the smallest", one("dogs", None, (), (Choice("small"),))),
        ("all dogs but the two smallest", one("dogs", None, (), (Choice("small", 1, 2),))),
        ("the people except the one on the right", one("the people", None, (), (Choice("right"),))),
        ("dogs - #2", one("dogs", None, (), (Choice("score", 2),))),
        ("dogs - collar - the second from the left", one("dogs", None, ("collar",), (Choice("left", 2),))),
        ("everything except the dog", Query((Concept("the dog"),), inverse=True)),
        (
            "everything but the dog - collar; cat",
            Query((Concept("the dog", ("collar",)), Concept("cat")), inverse=True),
        ),
        ('"red; blue"', one("red; blue")),
        ('"the dog and the cat"', one("the dog and the cat")),
        ('"dog + cat"', one("dog + cat")),
        (" Dog.  ", one("Dog")),
    ],
)
def test_what_is_understood(text, query):
    assert parse_query(text) == query


@pytest.mark.parametrize(
    "text",
    [
        "t-shirt", "a red-haired woman", "left shoe", "middle finger", "first aid kit", "largest", "#2", "dog #0",
        "ice-cream", "two-door car", "three piece suit", "dog and cat", "black and white dog", "last supper", "top dog",
        "woman with a hat and a scarf", "man between the car and the bus", "hat on top", "the cat in the middle of it",
        "s\u0131xth dog", "the m\u0131ddle dog", "dog on the r\u0131ght", "everything",
        "but the dog",        "dog #4-2", "a woman wearing an apron", "dog -collar", "zeroth dog", "ten largest",
        "Чёрный кот", "50% off",
    ],
)  # fmt: skip
def test_everything_else_is_text(text):
    assert parse_query(text) == one(text)


@pytest.mark.parametrize("text", ["", "  ", ";,;", "\n", '""'])
def test_nothing_is_nothing(text):
    assert parse_query(text) == Query()


WORDS = (
    "the a all dog dogs cat people t-shirt largest smallest left-most second 2nd last two 3 one both of and but not "
    "except minus - + & ; , # #2 #1-3 from on in at left right top bottom middle corner nearest far everything red "
    "\u0131 \u0130 \u017f \u0665 \u6f22 \u201edog\u201c \n"
)


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS.split(" ")), max_size=14).map(" ".join)))
def test_it_never_fails_and_asks_for_something_sensible(text: str) -> None:
    query = parse_query(text)
    for concept in query.concepts:
        assert concept.phrase.strip()
        for choice in (concept.choice, *concept.without):
            assert choice is None or (1 <= choice.first <= 999 and 1 <= choice.count <= 999 and choice.text())
        assert all(phrase.strip() and which(phrase)[0].strip() for phrase in concept.minus)
    assert all(phrase.strip() for phrase in (*query.minus, *split_phrases(text)))
    assert not query.inverse or query.concepts


@given(st.text("abc -#;,+&\u0131 ", min_size=1, max_size=30).filter(lambda text: text.strip()))
def test_what_stands_in_quotation_marks_is_text(text: str) -> None:
    assert parse_query(f'"{text}"') == one(" ".join(text.split()))


def test_it_is_quick_on_nonsense() -> None:
    hostile = (
        "-" * 1000, "the " * 250, "#" * 1000, "second " * 140, '"' * 999, " - " * 300, "a - " * 250, "s" * 1000,
        "two " * 250, "a and the " * 100, "dog #1 and #2 " * 70, "left of the left " * 60, "everything but " * 66,
        "one but " * 125, "two as " * 140, "the far left " * 77,
    )  # fmt: skip
    for text in hostile:  # all within a second; a pattern that explodes takes hours
        assert parse_query(text) == parse_query(text)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("person . bus .", ("person", "bus")),
        (". person . bus", ("person", "bus")),
        ("犬、猫", ("犬", "猫")),
        ("犬，猫；鳥。", ("犬", "猫", "鳥")),
        ("dog | cat", ("dog", "cat")),
        ("dog/cat / bird", ("dog", "cat", "bird")),
        ("st. bernard", ("st. bernard",)),
        ("dog\r\ncat", ("dog", "cat")),
        ("dog\tcollar", ("dog collar",)),
        ("\ufeffdog\u200b", ("dog",)),
        ("do\u00adg", ("dog",)),
        ("\u202ared\u00a0car\u202c", ("red car",)),
        ("1 person", ("person",)),
        ("one person", ("person",)),
        ("one red car", ("red car",)),
        ("one way sign", ("one way sign",)),
        ("one-piece swimsuit", ("one-piece swimsuit",)),
    ],
)
def test_what_separates_and_what_is_not_seen(text: str, phrases: tuple[str, ...]) -> None:
    assert parse_query(text).phrases == phrases


@pytest.mark.parametrize("text", ["1 person", "one person", "1 red car", "One dog"])
def test_one_is_a_single_one(text: str) -> None:
    assert parse_query(text).concepts[0].choice == Choice("score")


@pytest.mark.parametrize("text", ["", ";", " ; , ", "、", "|", ". .", "\u200b", "\n\n", '""', "!?"])
def test_a_text_that_names_nothing_has_no_concepts(text: str) -> None:
    assert parse_query(text) == Query()


@pytest.mark.parametrize("text", ["woman without hat", "woman w/o hat", "woman minus hat", "woman - hat"])
def test_without_leaves_out(text: str) -> None:
    assert parse_query(text) == one("woman", minus=("hat",))


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [("person - person", ()), ("Dog minus dog", ()), ("dog", ("Dog",)), ("a without a", ())],
)
def test_what_leaves_nothing_is_said(text: str, unwanted: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="asked for and left out"):
        parse_query(text).check(unwanted)


@pytest.mark.parametrize(
    "text", ["dog - collar", "dogs - dog", "everything but dog", "dog; cat - dog", "cat; dog; - dog"]
)
def test_other_exceptions_are_fine(text: str) -> None:
    parse_query(text).check()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dog", "No dog was found."),
        ("dogs", "No dogs were found."),
        ("red cars", "No red cars were found."),
        ("people", "No people were found."),
        ("bus", "No bus was found."),
        ("glass", "No glass was found."),
        ("the largest dog", "No dog was found."),
        ("two largest dogs", "No dogs were found."),
        ("second person from the left", "No person was found."),
        ("dog - collar", "No dog was found."),
        ("dogs - collar; leash", 'Nothing was found for "dogs - collar; leash".'),
        ("dog; cat", 'Nothing was found for "dog; cat".'),
        ("", "Nothing was found."),
        (" ; ", "Nothing was found."),
    ],
)
def test_the_sentence_for_nothing_found(text: str, sentence: str) -> None:
    assert absent(text) == sentence
