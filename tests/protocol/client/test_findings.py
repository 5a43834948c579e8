"""What was found, by number, by place and by tick."""

import random

import pytest

from maskwright_client.findings import COLOURS, Findings, middle
from maskwright_client.preview_picture import full_preview
from maskwright_protocol import masks
from maskwright_protocol.messages import Instance, Mask, PixelRect, Rect, Report, Selection

REPORT = Report("auto", ["m"], "cpu")


def mask(x: int, y: int, rows: list[str]) -> Mask:
    data = b"".join(bytes(255 if cell == "#" else 0 for cell in row) for row in rows)
    return masks.pack(PixelRect(x, y, len(rows[0]), len(rows)), data)


def thing(label: str, x: int, y: int, rows: list[str], person: int = 0) -> Instance:
    box = Rect(x, y, len(rows[0]), len(rows))
    return Instance(label, label, 0.9, box, "m", person=person, mask=mask(x, y, rows))


LARGE = thing("table", 10, 10, ["#####", "#####", "#####", "#####"])
SMALL = thing("cup", 12, 11, ["##", "##"])
ODD = thing("ring", 30, 0, ["###", "#.#", "###"])
ANSWER = Selection("", 0, REPORT, instances=[LARGE, SMALL, ODD], merged=mask(10, 10, ["#"]))


def test_the_smallest_thing_at_a_place_is_meant() -> None:
    found = Findings(ANSWER)
    assert [one.group for one in found.things] == [1, 2, 3]
    at = {
        place: getattr(found.at(*place), "title", None) for place in [(10.5, 10.5), (12.5, 11.5), (31.5, 1.5), (0, 0)]
    }
    assert at == {(10.5, 10.5): "table", (12.5, 11.5): "cup", (31.5, 1.5): None, (0, 0): None}
    assert found.at(30.5, 1.5) is found.things[2]
    assert [one.colour for one in found.things] == list(COLOURS[:3])


def test_with_all_ticks_the_answer_stays_as_it_is_and_else_is_put_together_anew() -> None:
    found = Findings(ANSWER)
    assert found.chosen() is ANSWER
    found.things[1].ticked = False
    assert found.chosen().instances == [LARGE, ODD]
    assert found.chosen().merged is None, "it shows what is not wanted any more"
    found.tick_all(False)
    assert found.chosen().instances == []
    assert found.ticked == []


def test_boxes_alone_have_places_too() -> None:
    bare = Instance("1", "", 0.8, Rect(5, 5, 10, 20), "m", text="EXIT")
    nameless = Instance("2", "", 0.8, Rect(50, 50, 1, 1), "m", doubtful=True)
    found = Findings(Selection("", 0, REPORT, instances=[bare, nameless]), "sign")
    assert [one.title for one in found.things] == ["EXIT", "sign"]
    assert found.at(14.9, 24.9) is found.things[0]
    assert found.at(15, 25) is None
    assert found.things[0].middle == (5, 5)
    assert found.things[1].rating == "80 % ?"
    assert found.things[1].tip.startswith("Doubtful")


def test_parts_of_a_person_have_the_person_s_number_on_the_largest() -> None:
    hair, coat = thing("hair", 0, 0, ["##"], person=2), thing("coat", 0, 5, ["###", "###"], person=2)
    other = thing("coat", 9, 5, ["##"], person=1)
    found = Findings(Selection("", 0, REPORT, instances=[hair, coat, other]), by_person=True)
    assert [one.group for one in found.things] == [2, 2, 1]
    assert found.things[0].colour == found.things[1].colour != found.things[2].colour
    assert {one.group: one.title for one in found.leading()} == {2: "coat", 1: "coat"}


@pytest.mark.parametrize("seed", range(40))
def test_a_number_is_written_on_what_it_names(seed: int) -> None:
    """Also on rings, crescents and specks, wherever they lie."""
    dice = random.Random(seed)
    width, height = dice.randint(1, 12), dice.randint(1, 12)
    rows = ["".join(dice.choice("#..") for _ in range(width)) for _ in range(height)]
    row = dice.randrange(height)
    rows[row] = "#" * width
    x, y = middle(full_preview(mask(100, 200, rows)))
    assert rows[int(y) - 200][int(x) - 100] == "#"
