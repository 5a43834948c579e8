"""Points and boxes as people write them."""

import pytest

from maskwright_client import coordinates
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Example, Mask, PixelRect, Point, Rect, Stroke


def test_points_boxes_and_examples() -> None:
    assert coordinates.points(" 1, 2 3.5,-4", "5 ,6") == [Point(1, 2), Point(3.5, -4), Point(5, 6, False)]
    assert coordinates.boxes("0,1,2,3; 4,5,6,7") == [Rect(0, 1, 2, 3), Rect(4, 5, 6, 7)]
    assert coordinates.examples("0,1,2,3", "8,9,1,1") == [Example(0, 1, 2, 3), Example(8, 9, 1, 1, include=False)]
    assert coordinates.points("") == coordinates.boxes("") == []


@pytest.mark.parametrize("text", ["1", ",", "1,2,3", "a,b", "1;2", "nan,1", "1,inf"])
def test_odd_points_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        coordinates.points(text)
    assert "120,80" in caught.value.hint
    with pytest.raises(BadInput, match="is not a box"):
        coordinates.boxes(text)


def test_the_box_of_a_mask() -> None:
    assert coordinates.rect_of(Mask(PixelRect(-1, 2, 3, 4))) == Rect(-1.0, 2.0, 3.0, 4.0)


def test_strokes_as_people_write_them() -> None:
    found = coordinates.strokes(["1,2 3,4; 5,6 width=12", "7 , 8"], ["0,0 9,9"], ["0,0 10,0 5,9"], [])
    assert found == [
        Stroke([1, 2, 3, 4, 5, 6], True, 12.0),
        Stroke([7, 8], True),
        Stroke([0, 0, 9, 9], False),
        Stroke([0, 0, 10, 0, 5, 9], True, 0.0, True),
    ]


@pytest.mark.parametrize(
    ("text", "closed"),
    [("", False), ("1", False), ("1,2 x", False), ("1,2,3", False), ("1,2 width=", False), ("1,2 3,4", True),
     ("width=3", False), ("1,2 width=3 width=4", False), ("nan,1 2,3", False)],
)  # fmt: skip
def test_what_is_no_stroke_says_so(text: str, closed: bool) -> None:
    with pytest.raises(BadInput) as caught:
        coordinates.stroke(text, closed=closed)
    assert caught.value.hint
