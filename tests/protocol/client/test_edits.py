"""Sentences that change what is selected, and prompts, which do not."""

from __future__ import annotations

import pytest

from maskwright_client import edits
from maskwright_client.edits import Edit, Thing

THINGS = {
    "also the hat": (edits.ADD, "hat"),
    "Also the red hat.": (edits.ADD, "red hat"),
    "and his shoes": (edits.ADD, "shoes"),
    "the hat too": (edits.ADD, "hat"),
    "plus a dog": (edits.ADD, "dog"),
    "without the chair": (edits.SUBTRACT, "chair"),
    "but not the man's beard": (edits.SUBTRACT, "man's beard"),
    "except for people": (edits.SUBTRACT, "people"),
    "remove: the tree": (edits.SUBTRACT, "tree"),
    "only the front row": (edits.INTERSECT, "front row"),
    "keep only the face": (edits.INTERSECT, "face"),
    "auch der Hut": (edits.ADD, "Hut"),
    "ohne den Stuhl": (edits.SUBTRACT, "Stuhl"),
    "nur das Gesicht": (edits.INTERSECT, "Gesicht"),
    "aussi le chapeau": (edits.ADD, "chapeau"),
    "sans la chaise": (edits.SUBTRACT, "chaise"),
    "también el sombrero": (edits.ADD, "sombrero"),
    "sin la silla": (edits.SUBTRACT, "silla"),
    "solo la cara": (edits.INTERSECT, "cara"),
    "帽子も": (edits.ADD, "帽子"),
    "椅子なし": (edits.SUBTRACT, "椅子"),
    "顔だけ": (edits.INTERSECT, "顔"),
    "还有帽子": (edits.ADD, "帽子"),
    "不要椅子": (edits.SUBTRACT, "椅子"),
    "只要脸": (edits.INTERSECT, "脸"),
}
EDGES = {
    "tighter": (edits.GROW, -1),
    "a bit tighter": (edits.GROW, -0.5),
    "make it a little bit tighter, please": (edits.GROW, -0.5),
    "much larger": (edits.GROW, 3),
    "softer": (edits.FEATHER, 1),
    "Slightly softer edges": (edits.FEATHER, 0.5),
    "sharper": (edits.HARDEN, 1),
    "smoother": (edits.SMOOTH, 1),
    "etwas weicher": (edits.FEATHER, 0.5),
    "viel enger": (edits.GROW, -3),
    "un peu plus petit": (edits.GROW, -0.5),
    "un poco más suave": (edits.FEATHER, 0.5),
    "もっと小さく": (edits.GROW, -1),
    "少し柔らかく": (edits.FEATHER, 0.5),
    "更紧": (edits.GROW, -1),
}
PROMPTS = (
    "dog", "the red car", "dog - collar", "hat; shoes", "a man without a hat", "two largest dogs", "feather",
    "smooth stone",
    "no parking sign", "drop", "smaller dog", "androgynous statue", "notebook", "addax", "withered tree",
    "onlyfans logo",
    "person with a hat", "plush toy", "left shoe", "", "  ", "und", "also", "Mitra",
)  # fmt: skip


@pytest.mark.parametrize("sentence", THINGS)
def test_a_thing_more_or_less(sentence: str) -> None:
    found = edits.read(sentence)
    assert found is not None
    assert (found.kind, found.text) == THINGS[sentence]


@pytest.mark.parametrize("sentence", EDGES)
def test_another_edge(sentence: str) -> None:
    found = edits.read(sentence)
    assert found is not None
    assert (found.kind, found.strength, found.pixels) == (*EDGES[sentence], 0)


@pytest.mark.parametrize("sentence", PROMPTS)
def test_prompts_stay_prompts(sentence: str) -> None:
    assert edits.read(sentence) is None


def test_pixels_that_are_said_count() -> None:
    for sentence, kind, amount in (
        ("grow by 5 px", edits.GROW, 5), ("tighter by 2.5 pixels", edits.GROW, -2.5),
        ("feather 12px", edits.FEATHER, 12),
        ("smooth it by 3 pixels", edits.SMOOTH, 3), ("3 Pixel enger", edits.GROW, -3),
    ):  # fmt: skip
        found = edits.read(sentence)
        assert found is not None, sentence
        assert (found.kind, found.amount(100, 5000)) == (kind, amount)


def test_amounts_follow_the_picture_s_size() -> None:
    small, large = (Edit(edits.GROW).amount(*size) for size in ((640, 480), (3000, 4000)))
    assert (small, large) == (2, 10)
    assert Edit(edits.GROW, strength=-0.5).amount(300, 200) == -1
    assert Edit(edits.GROW, strength=-0.5).amount(3000, 4000) == -5


@pytest.mark.parametrize("sentence", ["invert", "everything else", "The rest.", "alles andere", "反転"])
def test_everything_else(sentence: str) -> None:
    found = edits.read(sentence)
    assert found is not None
    assert found.kind == edits.INVERT


def test_one_of_those_that_were_found() -> None:
    things = [Thing(10, 50, 300), Thing(90, 20, 100), Thing(40, 80, 200)]
    for sentence, left in {
        "only the largest": [0], "only the smallest one": [1], "just the left one": [0], "only the rightmost": [1],
        "without the left one": [1, 2], "only the bottom one": [2], "except the biggest": [1, 2], "nur die größte": [0],
    }.items():  # fmt: skip
        found = edits.read(sentence)
        assert found is not None, sentence
        assert found.kind == edits.PICK, sentence
        assert found.picked(things) == left, sentence
    assert Edit(edits.PICK, order=("x", True)).picked([]) == []
