"""The rooms of the code: arrows run one way, no two files import each other, and the map in the docs is the code's."""

from __future__ import annotations

import re

import pytest

from tests import rooms

PAGE = rooms.PAGE.read_text(encoding="utf-8")
UPWARDS = {("models/families", "models/inference"), ("client", "client/scripting")}  # made when they are asked for


def layers() -> dict[str, int]:
    """Room -> its layer in the docs, 0 at the top."""
    block = PAGE.partition("<!-- layers -->")[2].partition("<!-- end of layers -->")[0]
    lines = [line.split() for line in block.splitlines() if line and not line.startswith("```")]
    return {name: number for number, names in enumerate(lines) for name in names}


def test_every_room_is_on_the_map() -> None:
    known = {rooms.room(module) for module in rooms.files()}
    assert set(layers()) == known
    table = set(re.findall(r"`([\w/]+)`(?=[^|]*\|[^|]*\|$)", PAGE, re.MULTILINE))
    assert known <= table


def test_no_two_files_import_each_other() -> None:
    pairs = {(one.source, one.target) for one in rooms.imports()}
    assert sorted(pair for pair in pairs if pair[::-1] in pairs and pair[0] < pair[1]) == []


def test_there_is_no_circle_of_rooms() -> None:
    assert rooms.circle(rooms.arrows(False)) == []


@pytest.mark.parametrize("lazy", [False, True], ids=["at the top", "in functions"])
def test_arrows_run_down(lazy: bool) -> None:
    order = layers()
    wrong = {
        f"{source} -> {target}"
        for source, targets in rooms.arrows(lazy).items()
        for target in targets
        if order[source] >= order[target] and not (lazy and (source, target) in UPWARDS)
    }
    assert wrong == set()


def test_a_circle_would_be_found() -> None:
    assert rooms.circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_the_picture_is_the_code_s() -> None:
    drawn = PAGE.partition(rooms.BEGIN)[2].partition(rooms.END)[0].strip()
    assert drawn == rooms.drawing(), "run: python -m tests.rooms"
