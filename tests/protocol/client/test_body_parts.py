"""Parts of people as a text and as ticks, and which instances of an answer are meant by them."""

import pytest

from maskwright_client import body_parts
from maskwright_client.body_parts import BodyPart
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Instance, Mask, PixelRect, Rect

MASK = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")


def seen(part: str, person: int, mask: Mask | None = MASK, by_label: bool = False) -> Instance:
    label = part if by_label else f"{part} of person {person}"
    name = "" if by_label else part
    return Instance(f"{part}{person}", label, 0.9, Rect(0, 0, 1, 1), "x", part=name, person=person, mask=mask)


SEEN = [seen("Hair", 1), seen("skin", 1), seen("Hair", 2), seen("skin", 2)]


def test_a_text_is_read_and_written() -> None:
    found = body_parts.read(" hair ; all clothes #2;")
    assert found == [BodyPart("hair"), BodyPart("all clothes", 2)]
    assert body_parts.write(found) == "hair; all clothes #2"
    assert body_parts.names([BodyPart("hair", 1), BodyPart("skin"), BodyPart("hair", 2)]) == ["hair", "skin"]


@pytest.mark.parametrize("text", ["#2", "hair #", "hair #x", "hair #0", "hair #-1"])
def test_odd_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        body_parts.read(text)
    assert "hair #2" in caught.value.hint


def test_no_part_is_an_empty_prompt() -> None:
    with pytest.raises(EmptyPrompt):
        body_parts.read(" ; ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hair", ["Hair1", "Hair2"]),
        ("hair #2", ["Hair2"]),
        ("HAIR #2; Skin", ["skin1", "Hair2", "skin2"]),
        ("hair #2; skin #1", ["skin1", "Hair2"]),
        ("locks #2", ["Hair2", "skin2"]),  # a word of the user's own: the server answered under its names
        ("hair #3", []),
    ],
)
@pytest.mark.parametrize("by_label", [False, True])
def test_what_is_meant(text: str, expected: list[str], by_label: bool) -> None:
    instances = [seen(one.part, one.person, by_label=by_label) for one in SEEN]
    assert [instance.id for instance in body_parts.chosen(instances, body_parts.read(text))] == expected


def test_hyphens_do_not_matter() -> None:
    arms = [seen(part, person) for person in (1, 2) for part in ("Left-arm", "Right-arm")]
    kept = body_parts.chosen(arms, body_parts.read("left arm #2; right_arm #1"))
    assert [one.id for one in kept] == ["Right-arm1", "Left-arm2"]
    assert body_parts.is_ticked(BodyPart("Left-arm", 2), "left arm #2")


def test_people_are_told_apart_when_one_of_them_is_meant() -> None:
    assert not body_parts.need_people_apart([BodyPart("hair"), BodyPart("skin")])
    assert body_parts.need_people_apart([BodyPart("hair"), BodyPart("skin", 2)])


def test_the_list_goes_from_the_left_and_has_only_what_can_be_shown() -> None:
    found = [seen("hair", 2), seen("hair", 1), seen("skin", 2, None), seen("skin", 1)]
    parts = [part for part, _ in body_parts.rows(found)]
    assert parts == [BodyPart("hair", 1), BodyPart("skin", 1), BodyPart("hair", 2)]


def test_a_text_ticks_rows_and_ticks_change_the_text() -> None:
    listed = [BodyPart("Hair", 1), BodyPart("skin", 1), BodyPart("Hair", 2)]
    ticked = [part for part in listed if body_parts.is_ticked(part, "hair; skin #2")]
    assert ticked == [BodyPart("Hair", 1), BodyPart("Hair", 2)]
    assert not body_parts.is_ticked(listed[0], "hair #")
    # What was typed and is not in the list stays; what the list knows is as it is ticked there.
    assert body_parts.with_ticks("hair; skin #2; hat", listed, ticked[:1]) == "Hair #1; hat"
    assert body_parts.with_ticks("", listed, []) == ""
