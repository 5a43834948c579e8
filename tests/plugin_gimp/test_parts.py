"""Parts of people as a text, and which instances of an answer are meant by it."""

from typing import Any

import pytest

from maskwright_gimp import options, parts
from maskwright_gimp.parts import Part
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Instance, Rect

from .test_options import OUTLINE, arguments


def seen(part: str, person: int) -> Instance:
    return Instance(
        f"{part}{person}", f"{part} of person {person}", 0.9, Rect(0, 0, 1, 1), "x", part=part, person=person
    )


SEEN = [seen("hair", 1), seen("skin", 1), seen("hair", 2), seen("skin", 2)]


def test_a_text_is_read_and_written() -> None:
    found = parts.read(" hair ; all clothes #2;")
    assert found == [Part("hair"), Part("all clothes", 2)]
    assert parts.write(found) == "hair; all clothes #2"
    assert parts.names([Part("hair", 1), Part("skin"), Part("hair", 2)]) == ["hair", "skin"]


@pytest.mark.parametrize("text", ["#2", "hair #", "hair #x", "hair #0", "hair #-1"])
def test_odd_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parts.read(text)
    assert "hair #2" in caught.value.hint


def test_no_part_is_an_empty_prompt() -> None:
    with pytest.raises(EmptyPrompt):
        parts.read(" ; ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hair", ["hair1", "hair2"]),
        ("hair #2", ["hair2"]),
        ("Hair #2; skin", ["skin1", "hair2", "skin2"]),
        ("hair #2; skin #1", ["skin1", "hair2"]),
        ("locks #2", ["hair2", "skin2"]),  # a word of the user's own: the server answered under its names
        ("hair #3", []),
    ],
)
def test_what_is_meant(text: str, expected: list[str]) -> None:
    assert [instance.id for instance in parts.chosen(SEEN, parts.read(text))] == expected


def test_people_are_told_apart_only_when_that_is_asked() -> None:
    def job(text: str, **changes: object) -> Any:
        return options.parts_job(arguments("maskwright-select-parts", parts=text, **changes), 8, OUTLINE)

    together, apart = job("hair; skin"), job("hair; skin #1")
    assert (together.parts, together.per_person, together.merge) == (["hair", "skin"], False, True)
    assert (apart.parts, apart.per_person, apart.merge) == (["hair", "skin"], True, False)
    assert job("hair", result="layers").per_person
    assert together.refine
    assert together.region is None
    assert job("hair", current_selection="limit").region is OUTLINE
