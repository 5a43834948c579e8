"""From words that people type to names that a model knows."""

from __future__ import annotations

import pytest

from maskwright.models.catalogue.synonyms import ALONE, KINDS, SAME, SEVERAL
from maskwright.models.catalogue.words import Reading, lookup, meanings, read, resolve
from maskwright.models.coco import COCO, COCO_PANOPTIC
from maskwright_protocol.errors import EmptyPrompt, UnknownWord

FASHION = ("hat", "long dress", "wing", "shoe")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("people", "person"),
        ("Women", "person"),
        ("the puppies", "dog"),
        ("bike", "bicycle"),
        ("sofas", "couch"),
        ("monitor", "tv"),
        ("TV", "tv"),
        ("buses", "bus"),
        ("knives", "knife"),
        ("sheep", "sheep"),
        ("wine glasses", "wine glass"),
        ("cell-phone", "cell phone"),
        ("calves", "cow"),
        ("dining tables", "dining table"),
        ("geese", "bird"),
        ("glasses", None),
    ],
)
def test_words(word: str, name: str | None) -> None:
    assert lookup(word) == name


def test_every_class_knows_itself_and_prompts_may_name_several() -> None:
    assert len(COCO) == 80
    for name in COCO:
        assert lookup(name) == lookup(name, kinds=False) == name
    for name in COCO_PANOPTIC:
        assert name in meanings(name, COCO_PANOPTIC, kinds=False)
    assert list(resolve("dog; Cat, dogs").values()) == ["dog", "cat"]
    with pytest.raises(EmptyPrompt):
        resolve(" ; ,")
    with pytest.raises(UnknownWord) as caught:
        resolve("person; bycicle")
    assert caught.value.details["word"] == "bycicle"
    assert "bicycle" in caught.value.details["near"]
    assert caught.value.hint.startswith("Did you mean bicycle")
    with pytest.raises(UnknownWord) as caught:
        resolve("red car")
    assert caught.value.details["near"][0] == "car"


def test_the_tables_say_nothing_twice() -> None:
    assert not SAME.keys() & KINDS.keys()
    assert not (SAME.keys() | KINDS.keys()) & set(COCO_PANOPTIC)
    names = {*SAME.values(), *KINDS.values(), *(name for some in SEVERAL.values() for name in some)}
    assert names <= {*COCO_PANOPTIC, "lettering"}
    assert SAME.keys() | KINDS.keys() | SEVERAL.keys() >= ALONE


def told(phrase: str, names: tuple[str, ...] = COCO) -> tuple[str, bool, bool, str, str] | None:
    found = read(phrase, names)
    return found and (" ".join(found.names), found.same, found.plural, " ".join(found.before), found.after)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("woman", ("person", False, False, "", "")),
        ("the young women", ("person", False, True, "young", "")),
        ("red car", ("car", True, False, "red", "")),
        ("old red cars", ("car", True, True, "old red", "")),
        ("the left dog", ("dog", True, False, "left", "")),
        ("left-hand dog", ("dog", True, False, "left hand", "")),
        ("dog with a red collar", ("dog", True, False, "", "with a red collar")),
        ("small woman on the bench", ("person", False, False, "small", "on the bench")),
        ("black and white dog", ("dog", True, False, "black and white", "")),
        ("pair of skis", ("skis", True, False, "", "")),
        ("two old teddy bears", ("teddy bear", True, True, "two old", "")),
        ("polar bear", ("bear", True, False, "polar", "")),
        ("glass of water", ("cup", True, False, "", "of water")),
        # Names and what means just these are whole.
        ("hot dog", ("hot dog", True, False, "", "")),
        ("Traffic Lights", ("traffic light", True, False, "", "")),
        ("dog and cat", ("dog cat", True, False, "", "")),
        ("pets", None),
        # What only ends or begins like a thing is none.
        ("magnifying glass", None),
        ("pit bull", None),
        ("action figure", None),
        ("coffee table", None),
        ("bus stop", None),
        ("car keys", None),
        ("zebra crossing", None),
        ("wheel of a car", None),
        ("the man's hat", None),
        ("", None),
        ("with a dog", None),
    ],
)
def test_what_coco_makes_of_a_phrase(phrase: str, expected: tuple[str, bool, bool, str, str] | None) -> None:
    assert told(phrase) == expected


def test_several_classes_of_one_word() -> None:
    assert read("animals") == Reading(tuple(meanings("animal")), "animals")
    assert len(meanings("animal")) == 10
    assert meanings("wall", COCO_PANOPTIC) == ["wall", "brick wall", "stone wall", "tiled wall", "wooden wall"]
    assert meanings("wall") == []
    assert meanings("brick wall", COCO_PANOPTIC) == ["brick wall"]
    assert told("big animals") == (" ".join(meanings("animal")), True, True, "big", "")


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("hats", ("hat", True, False, "", "")),
        ("blue hats", ("hat", True, True, "blue", "")),
        ("long dress", ("long dress", True, False, "", "")),
        ("very long dress", ("long dress", True, False, "very", "")),
        ("dress", None),
        ("left wing", ("wing", True, False, "left", "")),
        ("woman", None),
    ],
)
def test_what_other_names_make_of_a_phrase(phrase: str, expected: tuple[str, bool, bool, str, str] | None) -> None:
    assert told(phrase, FASHION) == expected
