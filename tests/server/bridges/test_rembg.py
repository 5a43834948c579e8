"""rembg's parameters, read; what they do to real answers is in ``test_http``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maskwright.bridges import rembg
from maskwright.models import catalogue
from maskwright_protocol.errors import BadInput


def test_defaults_are_rembgs() -> None:
    assert rembg.read({}) == rembg.Wanted("u2net", False, 240, 10, 10, False, False, None, [], [], [])


@pytest.mark.parametrize("text", ["true", "True", "1", "on", "yes"])
def test_switches(text: str) -> None:
    assert rembg.read({"a": text, "om": text, "ppm": text}) == rembg.Wanted(a=True, om=True, ppm=True)
    assert rembg.read({"a": "false", "om": "0", "ppm": ""}) == rembg.Wanted()


@pytest.mark.parametrize(
    ("text", "colour"), [("1,2,3,4", (1, 2, 3, 4)), ("1, 2, 3", (1, 2, 3, 255)), ("", None), ("0,0,0,0", (0, 0, 0, 0))]
)
def test_colours(text: str, colour: tuple[int, ...] | None) -> None:
    assert rembg.read({"bgc": text}).bgc == colour


@pytest.mark.parametrize(
    "given",
    [
        {"a": "perhaps"}, {"af": "256"}, {"af": "-1"}, {"ab": "1.5"}, {"ae": "9" * 5000}, {"ae": "1001"}, {"ae": "²"},
        {"a": "true", "af": "10", "ab": "10"}, {"bgc": "red"}, {"bgc": "1,2"}, {"bgc": "1,2,3,4,5"}, {"bgc": "1,2,300"},
        {"model": "u2net_cloth_seg"}, {"model": "u2net_custom"}, {"model": "ben_custom"}, {"model": "dis_custom"},
        {"model": "sam", "extras": '{"sam_prompt": [{"type": "point", "data": [1]}]}'},
        {"model": "sam", "extras": '{"sam_prompt": [{"type": "circle", "data": [1, 2]}]}'},
        {"model": "sam", "extras": '{"sam_prompt": [{"type": "point", "data": ["a", "b"]}]}'},
        {"model": "sam", "extras": '{"sam_prompt": [{"type": "point", "data": [1, NaN]}]}'},
        {"model": "sam", "extras": '{"sam_prompt": [7]}'},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_used(given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        rembg.read(given)


@pytest.mark.parametrize("extras", ["", "no JSON", "[" * 50_000, "7", "[]", "{}", '{"putalpha": true}'])
def test_other_extras_are_passed_over(extras: str) -> None:
    assert rembg.read({"extras": extras}) == rembg.Wanted()
    assert rembg.read({"extras": extras, "model": "sam"}) == rembg.Wanted(model="sam")


def test_prompts_of_sam() -> None:
    marks = [
        {"type": "point", "data": [5, 6], "label": 1},
        {"type": "point", "data": [7, 8], "label": 0},
        {"type": "rectangle", "data": [10, 20, 30, 60]},
    ]
    wanted = rembg.read({"model": "sam", "extras": json.dumps({"sam_prompt": marks})})
    assert (wanted.points, wanted.excluded, wanted.boxes) == ([(5, 6)], [(7, 8)], [(10, 20, 20, 40)])


def test_models_are_those_of_the_catalogue() -> None:
    known = {entry.id for entry in catalogue.load().model}
    assert {name for names in rembg.MODELS.values() for name in names} <= known


def test_a_cleaned_mask_is_hard_and_without_specks() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:45, 20:45] = 255
    mask[5, 5] = 255
    mask[30, 30] = 0
    cleaned = rembg.cleaned(mask)
    assert set(np.unique(cleaned)) == {0, 255}
    assert cleaned[5, 5] == 0
    assert cleaned[30, 30] == 255
    assert abs(int((cleaned > 0).sum()) - 25 * 25) < 60
