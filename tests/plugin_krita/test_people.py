"""Parts of people as they are ticked: who is meant, and what must be asked."""

from maskwright_krita.people import Part, chosen, names, people, rows
from maskwright_protocol.messages import Instance, Mask, PixelRect, Rect

MASK = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")


def seen(part: str, person: int, mask: Mask | None = MASK) -> Instance:
    return Instance(f"{part}{person}", part, 1.0, Rect(0, 0, 1, 1), "parser", part=part, person=person, mask=mask)


def test_people_are_told_apart_when_one_of_them_is_meant() -> None:
    assert not people([Part("hair"), Part("skin")])
    assert people([Part("hair"), Part("skin", 2)])
    assert names([Part("hair", 1), Part("skin"), Part("hair", 2)]) == ["hair", "skin"]


def test_only_what_was_ticked_is_kept() -> None:
    found = [seen("hair", 1), seen("hair", 2), seen("skin", 1), seen("skin", 2), seen("hat", 1)]
    kept = chosen(found, [Part("hair", 2), Part("skin")])
    assert [(one.part, one.person) for one in kept] == [("hair", 2), ("skin", 1), ("skin", 2)]


def test_the_list_goes_from_the_left_and_has_only_what_can_be_shown() -> None:
    found = [seen("hair", 2), seen("hair", 1), seen("skin", 2, None), seen("skin", 1)]
    assert [part for part, _ in rows(found)] == [Part("hair", 1), Part("skin", 1), Part("hair", 2)]
