"""Names for the objects of a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import LogitMap
from maskwright.masks.objectmap import Candidate
from maskwright.models.roles import Box, Detection
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.object_map.naming import _Naming
from maskwright_protocol import masks as wire
from maskwright_protocol.messages import Everything, ObjectMap, Select
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

CELLS = 64
CANVAS = LogitMap(np.zeros((CELLS, CELLS), np.float32), 0, 0, CELLS, CELLS)


def shape(x: int, y: int, width: int, height: int) -> LogitMap:
    values = np.full((CELLS, CELLS), -4, np.float32)
    values[y : y + height, x : x + width] = 4
    return CANVAS.like(values)


def thing(name: str, score: float, *box: int, mask: bool = True, stuff: bool = False) -> Detection:
    x, y, width, height = box
    return Detection(Box(x, y, x + width, y + height), name, score, shape(*box) if mask else None, stuff=stuff)


def objects(*boxes: tuple[int, int, int, int]) -> list[Candidate]:
    return [Candidate(shape(*box), 0.9) for box in boxes]


def test_things_are_named_once_and_parts_are_not() -> None:
    dog, head, tree = (10, 10, 30, 30), (10, 10, 10, 10), (50, 0, 10, 50)
    for mask in (True, False):
        work = _Naming(objects(dog, head, tree), CANVAS)
        assert work.take(thing("dog", 0.9, 11, 10, 30, 30, mask=mask))
        assert not work.take(thing("cat", 0.8, 11, 10, 30, 30, mask=mask)), "the dog has its name"
        assert not work.take(thing("bird", 0.7, 0, 50, 10, 10, mask=mask)), "there is no such object"
        assert [one.name for one in work.objects] == ["dog", "", ""]


def test_pieces_of_grass_are_grass_and_what_lies_on_it_is_not() -> None:
    lawn, left, ball, house = (0, 32, 64, 32), (0, 32, 30, 32), (40, 50, 4, 4), (0, 20, 20, 20)
    work = _Naming(objects(lawn, left, ball, house), CANVAS)
    assert work.take(thing("grass", 0.9, 0, 32, 64, 32, stuff=True))
    assert [one.name for one in work.objects] == ["grass", "grass", "", ""]


def test_what_was_missed_is_added_once() -> None:
    work = _Naming(objects((10, 10, 30, 30)), CANVAS)
    work.add(Candidate(shape(11, 10, 30, 30), 0.8, None, "dog"))
    work.add(Candidate(shape(45, 45, 10, 10), 0.8, None, "ball"))
    work.add(Candidate(shape(45, 45, 10, 11), 0.7, None, "orange"))
    work.add(Candidate(shape(0, 0, 0, 0), 0.7, None, "nothing"))
    assert [(one.name, one.score) for one in work.objects] == [("dog", 0.9), ("ball", 0.8)]


def numbers_of(answer: ObjectMap) -> np.ndarray:
    assert answer.labels is not None
    box = answer.labels.box
    return np.frombuffer(wire.unpack(answer.labels), "<u2").reshape(box.height, box.width)


@pytest.fixture(scope="module")
def room() -> Desk:
    return Desk(ModelPool([MODELS], "cpu", 2))


def named(answer: ObjectMap, name: str) -> np.ndarray:
    """Where something of that name is: its own pixels, and those of all that it holds."""
    inside = {0: False}
    for one in answer.objects:  # holders come first
        inside[one.number] = one.name == name or inside[one.parent]
    return np.array([inside[number] for number in range(len(inside))])[numbers_of(answer)]


@needs_models
@needs_eval
def test_people_and_bottles_of_an_annotated_photo_are_called_so(room: Desk) -> None:
    photo = np.array(Image.open(EVAL / "voc/2011_000003.jpg").convert("RGB"))
    classes = np.array(Image.open(EVAL / "voc/2011_000003_class.png"))
    answer = room.run(Everything("1", picture=room.picture(photo, "voc"), points_per_side=8))
    assert answer.report.models == ["mobile-sam", "yolox-nano", "skin-clothes-hair"]
    assert answer.report.recipe == "mobile-sam"
    for name, number, least in (("person", 15, 0.5), ("bottle", 5, 0.6)):
        truth, shown = classes == number, named(answer, name)
        found, right = (shown & truth).sum() / truth.sum(), (shown & truth).sum() / shown.sum()
        print(f"{name}: {found:.2f} of it is called so, and {right:.2f} of what is called so is right")
        assert found > least
        assert right > 0.8


@needs_models
@needs_eval
def test_what_is_named_keeps_its_name_when_it_is_selected(room: Desk) -> None:
    street = np.array(Image.open(EVAL / "photos/bus.jpg").convert("RGB").resize((405, 540)))
    picture = room.picture(street, "street")
    answer = room.run(Everything("1", picture=picture, points_per_side=8))
    bus = next(one for one in answer.objects if one.name == "bus")
    assert bus.area > 0.2 * 405 * 540
    people = [one for one in answer.objects if one.name == "person"]
    assert len(people) >= 3
    drawn = room.run(Select("2", picture=picture, continue_from=people[0].id))
    assert drawn.instances[0].label == "person"
    again = room.run(Everything("3", picture=picture, points_per_side=8))
    assert [(one.id, one.name) for one in again.objects] == [(one.id, one.name) for one in answer.objects]
    assert "name" not in again.report.timings


@needs_models
def test_a_panoptic_model_names_what_has_no_shape_of_its_own(tmp_path: Path) -> None:
    """A tiny random one: its sky and grass are objects of the map, as it draws them."""
    from tests.server.models.families import tiny_panoptic
    from tests.server.recipes import tiny_models

    tiny_panoptic.eomt(tmp_path / "eomt-dinov3-small", names=tiny_panoptic.NAMES)
    desk = Desk(
        ModelPool([tmp_path, MODELS / "mobile-sam", MODELS / "yolox-nano"], "cpu", 1, known=tiny_models.known())
    )
    noise = np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8)
    photo = np.kron(noise, np.ones((10, 10, 1), np.uint8))
    picture = desk.picture(photo, "noise")
    answer = desk.run(Everything("1", picture=picture, points_per_side=3))
    assert "eomt-dinov3-small" in answer.report.models
    assert "yolox-nano" not in answer.report.models
    regions = desk.pool.panoptic("eomt-dinov3-small").regions(photo)
    names = {one.label for one in regions}
    assert names <= {one.name for one in answer.objects} <= {*names, "", "hair", "skin", "clothes"}
    for region in regions:
        same = [one for one in answer.objects if one.name == region.label and abs(one.score - region.score) < 1e-5]
        assert len(same) == 1
        whole = desk.run(Select("2", picture=picture, continue_from=same[0].id))
        assert whole.instances[0].label == region.label
    sky = desk.run(Select("3", picture=picture, text="the sky"))
    assert [one.label for one in sky.instances] == ["sky"]
    assert sky.report.models == ["eomt-dinov3-small"], "a box around it says little, so that no segmenter is asked"
    assert sky.report.recipe == "eomt"
    box = PixelBox(0, 0, 150, 90)
    truth = next(one for one in regions if one.label == "sky").logits
    assert truth is not None
    assert iou(plane(sky.instances[0].mask, photo), truth.draw(box, truth.slope())) > 0.9


@needs_models
def test_a_detector_that_needs_words_is_not_asked_for_names(tmp_path: Path) -> None:
    """Another one names the objects in its place."""
    from tests.server.models.families import tiny_detectors
    from tests.server.recipes import tiny_models

    tiny_detectors.grounding_dino(tmp_path / "grounding-dino-tiny")
    shared = (MODELS / name for name in ("mobile-sam", "yolox-nano"))
    desk = Desk(ModelPool([tmp_path, *shared], "cpu", 1, known=tiny_models.known()))
    photo = np.full((60, 90, 3), 128, np.uint8)
    photo[20:40, 30:60] = 255
    request = Everything("1", picture=desk.picture(photo, "box"), points_per_side=3)
    request.models = {"detector": "grounding-dino-tiny"}
    report = desk.run(request).report
    assert report.models[:2] == ["mobile-sam", "yolox-nano"]
