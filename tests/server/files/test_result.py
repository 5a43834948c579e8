"""Answers of the server as arrays in the picture's frame."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.files import result as results
from maskwright_protocol.masks import pack
from maskwright_protocol.messages import (
    CutoutResult,
    Instance,
    MappedObject,
    ObjectMap,
    PixelRect,
    Pixels,
    Rect,
    Report,
    Selection,
)

REPORT = Report("", [], "", "", {})


def _mask(plane: np.ndarray, x: int, y: int) -> results.Mask:
    return pack(PixelRect(x, y, plane.shape[1], plane.shape[0]), plane.tobytes(), depth=8 * plane.itemsize)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("x", "y"), [(3, 2), (-4, -3), (18, 13), (40, 40)])
def test_instances_lie_where_their_masks_do_within_the_picture(dtype: type, x: int, y: int) -> None:
    plane = np.random.default_rng(2).integers(1, 200, (6, 9)).astype(dtype)
    one = Instance(id="1", label="cat", score=0.5, box=Rect(x, y, 9, 6), source="", mask=_mask(plane, x, y))
    result = results.of_selection(Selection("", 0, REPORT, instances=[one]), 20, 15)
    whole = np.zeros((60, 60), dtype)
    place = whole[20 + y : 26 + y, 20 + x : 29 + x]
    place[:] = plane[: place.shape[0], : place.shape[1]]
    expected = whole[20:35, 20:40]
    assert result.mask is not None
    assert np.array_equal(result.mask, expected)
    (found,) = result.instances
    drawn = np.zeros_like(expected)
    box = found.box
    drawn[box.y : box.y + box.height, box.x : box.x + box.width] = found.mask
    assert np.array_equal(drawn, expected)
    assert found.name == "cat"


@pytest.mark.parametrize(("format", "dtype"), [("RGBA8", np.uint8), ("RGBA16", np.uint16)])
def test_a_cutout_lies_in_its_place_and_can_be_cropped(format: str, dtype: type) -> None:
    colours = np.random.default_rng(3).integers(0, 255, (4, 5, 4)).astype(dtype)
    answer = CutoutResult("", 0, REPORT, alpha=_mask(np.ascontiguousarray(colours[:, :, 3]), 6, 7))
    answer.foreground = Pixels(box=PixelRect(6, 7, 5, 4), format=format, data=colours.tobytes())
    result = results.of_cutout(answer, 20, 15)
    assert result.cutout is not None
    assert np.array_equal(result.cutout[7:11, 6:11], colours)
    assert np.count_nonzero(result.cutout) == np.count_nonzero(colours)
    part = result.cropped(PixelRect(7, 7, 4, 3))
    assert part.cutout is not None
    assert np.array_equal(part.cutout, colours[:3, 1:])
    assert part.origin == (7, 7)


@pytest.mark.parametrize("scale", [1, 2, 3.7])
def test_objects_of_a_map_have_their_parts_and_the_picture_s_size(scale: float) -> None:
    numbers = np.zeros((40, 60), np.uint16)
    numbers[5:35, 5:40] = 1
    numbers[10:20, 10:20] = 2
    numbers[12:15, 12:15] = 3
    numbers[0:4, 56:60] = 4
    boxes = {1: (5, 5, 35, 30), 2: (10, 10, 10, 10), 3: (12, 12, 3, 3), 4: (56, 0, 4, 4)}
    objects = [
        MappedObject(
            number=n, id=str(n), score=0.9, area=float(w * h), box=Rect(x, y, w, h), parent={2: 1, 3: 2}.get(n, 0),
            name=f"thing {n}",
        )
        for n, (x, y, w, h) in boxes.items()
    ]  # fmt: skip
    width, height = round(60 * scale), round(40 * scale)
    result = results.of_map(ObjectMap("", 0, REPORT, objects=objects, labels=_mask(numbers, 0, 0)), width, height)
    assert [one.name for one in result.instances] == ["thing 3", "thing 4", "thing 2", "thing 1"]
    for one in result.instances:
        x, y, w, h = (value * scale for value in boxes[int(one.name[-1])])
        drawn = np.zeros((height, width), bool)
        drawn[one.box.y : one.box.y + one.box.height, one.box.x : one.box.x + one.box.width] = one.mask > 127
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        assert np.abs(found - [x, y, x + w, y + h]).max() <= 1
        assert drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.9  # parts are no holes
