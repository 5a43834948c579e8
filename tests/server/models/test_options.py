"""Options from requests are checked against the families' tables."""

from __future__ import annotations

from typing import Any

import pytest

from maskwright.models import families, options
from maskwright_protocol.errors import BadInput


def checked(family: str, given: dict[str, Any] | None) -> dict[str, Any]:
    return options.checked(families.get(family).options, given)


def test_defaults_and_values_of_every_kind() -> None:
    assert checked("yolo", None)["iou"] == 0.7
    given = {"iou": "0.5", "max_det": "20", "agnostic": "yes", "classes": " 0, 2 ", "size": 1280}
    assert checked("yolo", given) == {
        "iou": 0.5,
        "max_det": 20,
        "agnostic": True,
        "classes": "0, 2",
        "size": 1280,
    }
    assert checked("florence2", {"task": "ocr"})["task"] == "ocr"
    assert checked("yunet", {}) == {}


@pytest.mark.parametrize(
    ("family", "name", "value"),
    [
        ("yolo", "iuo", 0.5),
        ("yunet", "iou", 0.5),
        ("yolox", "size", 640),
        ("yolo", "iou", 1.5),
        ("yolo", "iou", float("nan")),
        ("yolo", "iou", "half"),
        ("yolo", "iou", True),
        ("yolo", "iou", [0.5]),
        ("yolo", "max_det", 2.5),
        ("yolo", "max_det", 0),
        ("yolo", "agnostic", "perhaps"),
        ("yolo", "agnostic", 2),
        ("yolo", "classes", 3),
        ("yolo", "classes", "0," * 200),
        ("florence2", "task", "poetry"),
    ],
)
def test_what_is_refused(family: str, name: str, value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        checked(family, {name: value})
    assert caught.value.details["option"] == name
    assert caught.value.hint


def test_options_tell_of_themselves() -> None:
    for family in families.known().values():
        assert len({option.name for option in family.options}) == len(family.options)
        for option in family.options:
            assert option.kind in ("number", "integer", "switch", "choice", "text")
            assert option.title.endswith(".")
            assert bool(option.choices) == (option.kind == "choice")
            assert option.title in options.described(option)
            if option.default is not None:
                assert checked(family.name, {option.name: option.default})[option.name] == option.default
