"""The line that tells a detector how to find things."""

from __future__ import annotations

import pytest

from maskwright_client.detector_options import named, read
from maskwright_protocol.errors import BadInput


def test_what_is_read() -> None:
    assert read("") == read(" ; \n") == {"detector_options": {}, "min_score": None}
    assert read("task = ocr; classes=0,2, 5-7;iou=0.5") == {
        "detector_options": {"task": "ocr", "classes": "0,2, 5-7", "iou": "0.5"},
        "min_score": None,
    }
    assert read("min_score=0.25\nmax_det=3") == {"detector_options": {"max_det": "3"}, "min_score": 0.25}
    assert named(["region=a=b"]) == {"region": "a=b"}


@pytest.mark.parametrize("text", ["iou", "=3", "task ocr", "iou=1; nonsense", "min_score=much", "min_score=nan"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text)
    assert caught.value.hint
