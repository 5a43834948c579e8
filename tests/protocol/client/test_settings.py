"""Saved settings, and what is left of damaged ones."""

import json

import pytest

from maskwright_client.settings import read_settings

DEFAULTS = {"name": "a", "on": True, "grow": 0.0, "threshold": None, "history": [], "count": 8}
CHOICES = {"name": ("a", "b"), "count": (8,)}


def test_usable_settings_are_taken() -> None:
    saved = {"name": "b", "on": False, "grow": 3, "threshold": 1, "history": ["x"], "count": 8}
    found = read_settings(json.dumps(saved), DEFAULTS, CHOICES)
    assert found == {**saved, "grow": 3.0, "threshold": 1.0}
    assert isinstance(found["grow"], float)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"on": 1, "name": "c", "grow": true, "count": 16, "more": 1}']
)
def test_others_give_way_to_their_defaults(text: str) -> None:
    assert read_settings(text, DEFAULTS, CHOICES) == DEFAULTS
    assert read_settings('{"threshold": "high", "history": 3}', DEFAULTS) == DEFAULTS
