"""Names in other languages: each name of COCO has all six, none says two things, and English goes first."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from maskwright.models.catalogue.other_languages import NAMES, PEOPLE
from maskwright.models.catalogue.words import lookup, meanings, read
from maskwright.models.coco import COCO


def test_every_name_is_there_and_every_word_says_one_thing() -> None:
    assert set(NAMES) == set(COCO)
    told = Counter(word for words in (*NAMES.values(), *PEOPLE.values()) for word in words.split(";"))
    assert [word for word, count in told.items() if count > 1] == []
    assert all(word == unicodedata.normalize("NFKC", word).casefold() for word in told), "as prompts are compared"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_word_means_its_name(name: str) -> None:
    for word in NAMES[name].split(";"):
        assert lookup(word) == name, word
        assert lookup(word.upper()) == name, word
        japanese_or_chinese = any(ord(letter) > 0x2E80 for letter in word)
        assert japanese_or_chinese or word.isprintable()
    scripts = {"".join(NAMES[name].split(";"))[-1] > "\u2e80", NAMES[name][0] < "\u0250"}
    assert scripts == {True}, "from Latin letters to Chinese ones"


@pytest.mark.parametrize("word", ["velo", "pajaro", "avion", "raton", "cao", "movil", "maca"])
def test_accents_may_be_left_out(word: str) -> None:
    assert lookup(word) is not None


@pytest.mark.parametrize("name", COCO)
def test_english_goes_first(name: str) -> None:
    assert lookup(name) == name
    assert meanings(name) == [name]


@pytest.mark.parametrize(
    ("word", "english"), [("女性", "person"), ("Frau", "person"), ("niños", "person"), ("enfants", "person")]
)
def test_who_is_meant_by_more_than_person(word: str, english: str) -> None:
    reading = read(word)
    assert reading is not None
    assert reading.names == (english,)
    assert not reading.same, "the answer says that all people were looked for"


@pytest.mark.parametrize("word", ["bar", "four", "manner", "case", "lamp", "zebra crossing"])
def test_english_words_for_other_things_stay_unknown(word: str) -> None:
    assert lookup(word) is None
