"""Look-ups in an object map against the same done with numpy."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright_client.object_map import Lookup
from maskwright_protocol import masks
from maskwright_protocol.messages import MappedObject, ObjectMap, PixelRect, Rect, Report

SHOWN = PixelRect(-40, 20, 200, 160)  # twice the overview's size
WIDTH, HEIGHT = 100, 80


def example(first: int = 1) -> tuple[Lookup, np.ndarray]:
    """A face (its own number and those of two eyes below it), and a hat apart."""
    labels = np.zeros((HEIGHT, WIDTH), "<u2")
    face, eye, other_eye, pupil, hat = range(first, first + 5)
    labels[20:60, 10:50] = face
    labels[30:35, 15:22] = eye
    labels[30:35, 36:43] = other_eye
    labels[31:33, 17:19] = pupil
    labels[2:12, 60:90] = hat
    parents = {face: 0, eye: face, other_eye: face, pupil: eye, hat: 0}
    boxes = {face: (10, 20, 40, 40), eye: (15, 30, 7, 5), other_eye: (36, 30, 7, 5), pupil: (17, 31, 2, 2)}
    objects = []
    for number, parent in parents.items():
        x, y, w, h = boxes.get(number, (60, 2, 30, 10))
        box = Rect(x * 2.0 - 40, y * 2.0 + 20, w * 2.0, h * 2.0)
        objects.append(MappedObject(number, f"id{number}", 0.9, w * h * 4.0, box, parent))
    mask = masks.pack(PixelRect(0, 0, WIDTH, HEIGHT), labels.tobytes(), 16)
    found = ObjectMap("1", 0, Report("auto", [], "cpu"), objects=objects, labels=mask)
    return Lookup(found, SHOWN), labels


def test_what_is_under_the_pointer() -> None:
    lookup, labels = example()
    for x, y in ((-40, 20), (-10.5, 90), (0.0, 84.0), (33.9, 85), (120, 30), (159.9, 179.9)):
        number = int(labels[int((y - 20) / 2), int((x + 40) / 2)])
        found = lookup.at(x, y)
        assert (found.number if found else 0) == number
    assert lookup.scale == 0.5


@pytest.mark.parametrize(("x", "y"), [(-40.1, 50), (160, 50), (0, 19.9), (0, 180), (1e9, 1e9)])
def test_outside_there_is_nothing(x: float, y: float) -> None:
    assert example()[0].at(x, y) is None


@pytest.mark.parametrize("first", [1, 253, 40000])
def test_a_shape_holds_what_lies_below(first: int) -> None:
    lookup, labels = example(first)
    for one in lookup.objects.values():
        below = {n for n, other in lookup.objects.items() if one in lookup.around(other)}
        shape = lookup.shape(one)
        plane = np.zeros((HEIGHT, WIDTH), np.uint8)
        box = shape.box
        part = np.frombuffer(shape.plane, np.uint8).reshape(box.height, box.width)
        plane[box.y : box.y + box.height, box.x : box.x + box.width] = part
        assert np.array_equal(plane == 255, np.isin(labels, list(below)))
        assert set(np.unique(plane)) <= {0, 255}
        assert lookup.shape(one) is shape


def test_what_holds_an_object_comes_after_it() -> None:
    lookup, _ = example()
    pupil = lookup.at(-5, 83)
    assert pupil is not None
    assert [one.id for one in lookup.around(pupil)] == ["id4", "id2", "id1"]


def test_parents_in_a_circle_end() -> None:
    lookup, _ = example()
    lookup.objects[1].parent = 2
    assert len(lookup.around(lookup.objects[2])) <= 6
    assert lookup.shape(lookup.objects[1]).plane


def test_an_empty_map_knows_nothing() -> None:
    lookup = Lookup(ObjectMap("1", 0, Report("auto", [], "cpu")), SHOWN)
    assert lookup.at(0, 50) is None
