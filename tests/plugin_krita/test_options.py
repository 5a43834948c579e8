"""Settings survive, and odd settings do no harm."""

import json

import pytest

from maskwright_krita.options import HISTORY_LENGTH, Options


def test_settings_survive() -> None:
    options = Options(
        mode="add", kind="layer", grow=2.5, threshold=0.5, models={"matting": "u2netp"}, recipes={"select": "sam"},
        limit=True, precise="off", invert=True, min_area=40.0, exclude="collar",
    )  # fmt: skip
    options.remember("cat")
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        json.dumps({"mode": "explode", "grow": "wide", "history": 3, "threshold": 7.0, "gap": -3.0}),
        json.dumps({"tiles": "sometimes", "precise": True, "mask_depth": 16, "recipes": "sam"}),
    ],
)
def test_what_cannot_be_used_is_left_at_its_default(text: str) -> None:
    assert Options.from_json(text) == Options()


def test_numbers_without_a_point_are_numbers_too() -> None:
    options = Options.from_json('{"grow": 3, "feather": 1, "limit": 1, "threshold": 1}')
    assert (options.grow, options.feather, options.limit, options.threshold) == (3.0, 1.0, False, 1.0)


def test_the_history_has_each_prompt_once_newest_first() -> None:
    options = Options()
    for number in range(HISTORY_LENGTH + 5):
        options.remember(f"thing {number}")
    options.remember("thing 10")
    assert options.history[0] == "thing 10"
    assert len(options.history) == HISTORY_LENGTH == len(set(options.history))
