"""Words to objects, with the trained models: choosing, leaving out, regions, clicks, tiles, parts of people."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Box, Detection
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import tiling, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.selecting.by_words import wanted_of
from maskwright.recipes.selecting.segment import Segmenting
from maskwright_protocol import errors
from maskwright_protocol.messages import Detect, Mask, PixelRect, Point, PostProcess, Rect, Select
from tests.server.models.families import tiny_sams as tiny
from tests.server.recipes import tiny_models
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import EVAL, needs_eval, needs_models

trained = [needs_models, needs_eval]


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    return np.array(Image.open(EVAL / "photos/bus.jpg").convert("RGB"))


def words(desk: Desk, photo: np.ndarray, text: str, key: str = "bus", **fields):
    return desk.run(Select("1", picture=desk.picture(photo, key), text=text, precise="off", **fields))


def middle(rect: Rect) -> float:
    return rect.x + rect.width / 2


class TestTrained:
    pytestmark = trained

    def test_plain_names_say_what_they_understood(self, desk, street):
        everybody = words(desk, street, "people").instances
        first = min(everybody, key=lambda i: middle(i.box))
        for text, expected, told, whole in (
            ("women", everybody, "looked for person, which is all it knows", False),
            ("the left person", [first], "furthest to the left.", True),
            ("the left old man", [first], 'furthest to the left; it left out "old".', False),
            ("people in winter coats", everybody, 'left out "in winter coats".', False),
        ):
            answer = words(desk, street, text)
            assert len(answer.instances) == len(expected), text
            for one, other in zip(answer.instances, expected, strict=True):
                assert iou(plane(one.mask, street), plane(other.mask, street)) > 0.85, text
            (note,) = [note for note in answer.report.notes if "looked for" in note]
            assert told in note
            assert bool(answer.report.offer) != whole
            boxes = desk.run(Detect("2", picture=desk.picture(street, "bus"), text=text))
            assert [abs(middle(b.box) - middle(i.box)) < 15 for b, i in zip(boxes.instances, expected, strict=True)]
            assert boxes.report.offer == answer.report.offer

    def test_one_model_is_named_for_what_no_name_says(self, desk, street):
        for text in ("scarf", "magnifying glass", "wheel of a bus", "people; zebra crossing"):
            with pytest.raises(errors.UnknownWord) as caught:
                words(desk, street, text)
            assert caught.value.hint.count("maskwright models pull") == 1
            assert len(caught.value.details["models"]) == 1
            assert caught.value.message.startswith("YOLOX-Nano does not know")

    def test_people_are_chosen_by_place_size_and_number(self, desk, street):
        everybody = words(desk, street, "people").instances
        across = sorted(everybody, key=lambda i: middle(i.box))
        assert len(across) == 3
        chosen = {
            "second person from the left": across[1],
            "the person on the right": across[2],
            "the 1st person from the left": across[0],
            "people #2": everybody[1],
            "the largest person": max(everybody, key=lambda i: plane(i.mask, street).sum()),
            "the last person": across[2],
            "the tallest person": max(everybody, key=lambda i: i.box.height),
            "the person nearest the top left corner": across[0],
        }
        for text, expected in chosen.items():
            (found,) = words(desk, street, text).instances
            assert iou(plane(found.mask, street), plane(expected.mask, street)) > 0.85, text
        two = words(desk, street, "two largest people; bus")
        assert sorted(i.label for i in two.instances) == ["bus", "person", "person"]
        rest = words(desk, street, "all people but the leftmost").instances
        assert sorted(middle(i.box) for i in rest) == pytest.approx([middle(i.box) for i in across[1:]], abs=15)
        none = words(desk, street, "the fifth person from the left")
        assert (none.reason, none.instances) == ("nothing_found", [])
        assert none.message.startswith('Only 3 were found for "person", and ')
        (box,) = desk.run(
            Detect("2", picture=desk.picture(street, "bus"), text="second person from the left")
        ).instances
        assert abs(middle(box.box) - middle(across[1].box)) < 15

    def test_what_is_left_out(self, desk, street):
        bus = words(desk, street, "bus - people").instances[0]
        for other in words(desk, street, "people").instances:
            core = plane(other.mask, street) > 0.95
            assert plane(bus.mask, street)[core].mean() < 0.05
        both = words(desk, street, "bus; people; - bus")
        assert {i.label for i in both.instances} == {"person"}

    def test_one_of_several_is_left_out(self, desk, street):
        left, centre, _ = sorted(words(desk, street, "people").instances, key=lambda i: middle(i.box))
        bus = words(desk, street, "bus - the person on the left").instances[0]
        shown = plane(bus.mask, street)
        assert shown[plane(left.mask, street) > 0.95].mean() < 0.05
        same = words(desk, street, "bus", exclude_text="the person on the left").instances[0]
        assert plane(same.mask, street).tolist() == shown.tolist()
        both = words(desk, street, "bus - the two people from the left").instances[0]
        core = plane(centre.mask, street) > 0.95
        assert plane(both.mask, street)[core].mean() < 0.05

    def test_everything_else(self, desk, street):
        people = words(desk, street, "people", merge=True).merged
        answer = words(desk, street, "everything except the people", merge=True)
        (one,) = answer.instances
        assert one.label == "everything else"
        assert np.abs(plane(answer.merged, street) + plane(people, street) - 1).max() < 0.01
        twice = words(desk, street, "everything but people", post=PostProcess(invert=True)).instances[0]
        assert np.abs(plane(twice.mask, street) - plane(people, street)).max() < 0.01
        boxes = desk.run(Detect("2", picture=desk.picture(street, "bus"), text="everything except the people"))
        assert len(boxes.instances) == 3
        assert boxes.report.notes == ["The boxes are those of what is left out."]
        assert words(desk, street, "everything except the dog").reason == "nothing_found"

    def test_what_of_several_things_is_not_there_is_told(self, desk, street):
        picture = desk.picture(street, "bus")
        for text in ("bus; giraffe", "the largest person; giraffe", "giraffe; people; a lorry"):
            answer = desk.run(Detect("1", picture=picture, text=text))
            assert answer.report.notes == ["No giraffe was found."], text
            assert answer.instances
        assert words(desk, street, "bus; giraffe").report.notes == ["No giraffe was found."]
        assert words(desk, street, "bus; people").report.notes == []
        nothing = desk.run(Detect("1", picture=picture, text="giraffe; zebra"))
        assert (nothing.reason, nothing.report.notes) == ("nothing_found", [])

    def test_options_of_the_class_detector(self, desk, street):
        def found(text: str = "", **options):
            answer = desk.run(Detect("1", picture=desk.picture(street, "bus"), text=text, detector_options=options))
            return [(i.label, round(i.score, 4)) for i in answer.instances]

        everything = found(max_det=300)
        assert [label for label, _ in everything[:4]] == ["bus", "person", "person", "person"]
        assert found(classes="0") == [one for one in everything if one[0] == "person"]
        assert found(classes="4-6") == found("bus")
        assert found("people", classes="bus") == found("people; bus")
        assert found(max_det=2) == everything[:2]
        assert len(found("people", iou=0.0)) <= len(found("people", iou=1.0))
        assert found(agnostic="yes", iou=0.0) == everything[:1], "the people stand before the bus"
        with pytest.raises(errors.BadInput):
            found(classes="80")
        with pytest.raises(errors.BadInput, match="no option called 'task'"):
            found("bus", task="ocr")

    def test_several_things_with_and_between(self, desk, street):
        for text in ("bus and people", "the bus and the people", "bus + people"):
            found = words(desk, street, text).instances
            assert sorted(i.label for i in found) == ["bus", "person", "person", "person"], text

    def test_words_within_a_selection(self, desk, street):
        left = Mask(PixelRect(0, 0, 300, 1080), data=bytes([255]) * 300 * 1080)
        inside = words(desk, street, "the largest person", region=left).instances
        assert len(inside) == 1
        assert inside[0].box.x + inside[0].box.width <= 300
        nobody = Mask(PixelRect(300, 0, 200, 200), data=bytes([255]) * 200 * 200)
        assert words(desk, street, "people", region=nobody).reason == "nothing_found"

    def test_a_click_that_excludes_means_one_of_several(self, desk, street):
        everybody = words(desk, street, "people").instances
        gone = everybody[1]
        rows, columns = np.nonzero(plane(gone.mask, street) > 0.99)
        pick = len(rows) // 2
        click = Point(float(columns[pick]) + 0.5, float(rows[pick]) + 0.5, False)
        rest = words(desk, street, "people", points=[click]).instances
        assert len(rest) == 2
        assert all(plane(i.mask, street)[rows[pick], columns[pick]] < 0.5 for i in rest)

    def test_the_automatic_choice_is_named(self, desk, street):
        answer = words(desk, street, "bus")
        assert answer.report.recipe == "yolox+mobile-sam"
        assert answer.report.models == ["yolox-nano", "mobile-sam"]
        same = words(desk, street, "bus", recipe="yolox+mobile-sam")
        assert plane(same.instances[0].mask, street).tolist() == plane(answer.instances[0].mask, street).tolist()
        with pytest.raises(errors.ModelMissing):
            words(desk, street, "bus", recipe="grounding-dino+sam-hq")

    def test_detect_and_select_find_the_same(self, desk, street):
        picture = desk.picture(street, "bus")
        boxes = desk.run(Detect("1", picture=picture, text="bus; people")).instances
        masks = words(desk, street, "bus; people").instances
        assert [(i.label, i.score) for i in boxes] == [(i.label, i.confidence) for i in masks]

    def test_together_is_as_good_as_each_box_alone(self, desk):
        together, alone = [], []
        for name, text in (("2011_000003", "bottle; person"), ("2011_000006", "chair; person")):
            photo = np.array(Image.open(EVAL / f"voc/{name}.jpg").convert("RGB"))
            objects = np.array(Image.open(EVAL / f"voc/{name}_object.png"))
            picture = desk.picture(photo, name)

            def best(mask: Mask | None, photo: np.ndarray = photo, objects: np.ndarray = objects) -> float:
                shown = np.where(objects != 255, plane(mask, photo), 0)
                return max(iou(shown, objects == number) for number in range(1, int(objects[objects < 255].max()) + 1))

            together += [best(i.mask) for i in words(desk, photo, text, key=name).instances]
            for box in desk.run(Detect("1", picture=picture, text=text)).instances:
                one = desk.run(Select("2", picture=picture, boxes=[box.box], precise="off"))
                alone.append(best(one.instances[0].mask))
        assert len(together) == len(alone) == 8
        assert np.mean(together) >= np.mean(alone) - 0.002
        assert np.mean(together) > 0.7

    def test_people_who_touch_are_told_apart(self, desk):
        photo = np.array(Image.open(EVAL / "voc/2011_000006.jpg").convert("RGB"))
        masks = [plane(i.mask, photo) for i in words(desk, photo, "people", key="2011_000006").instances]
        assert len(masks) >= 3
        hard = [(mask > 0.5).astype(np.uint8) for mask in masks]
        assert np.sum(hard, axis=0).max() == 1, "nobody's pixel is another's"
        near = [cv2.dilate(mask, np.ones((7, 7), np.uint8)) for mask in hard]
        assert any((a & b).any() for i, a in enumerate(near) for b in near[i + 1 :]), "some stand side by side"
        both = [np.minimum(a, b).sum() / min(a.sum(), b.sum()) for i, a in enumerate(masks) for b in masks[i + 1 :]]
        assert max(both) < 0.05, "they share no more than their soft edge"

    def test_tiles_find_what_is_small(self, desk):
        scene = np.full((1800, 2400, 3), 120, np.uint8)
        photo = np.array(Image.open(EVAL / "photos/bus.jpg").convert("RGB"))
        scene[1200:1470, 1500:1702] = cv2.resize(photo, (202, 270), interpolation=cv2.INTER_AREA)
        picture = desk.picture(scene, "small-bus")
        off = desk.run(Detect("1", picture=picture, text="bus", tiles="off"))
        auto = desk.run(Detect("2", picture=picture, text="bus"))
        assert off.reason == "nothing_found"
        best = auto.instances[0].box
        assert 1480 < middle(best) < 1720
        assert 150 < best.width < 260
        with pytest.raises(errors.MorePixelsNeeded):
            desk.run(Detect("3", picture=desk.picture(scene, "small-bus-proxy", 800), text="bus", tiles="on"))
        with pytest.raises(errors.BadInput):
            desk.run(Detect("4", picture=picture, text="bus", tiles="many"))

    def test_words_for_parts_go_to_the_parser(self, desk):
        photo = np.array(Image.open(EVAL / "person_parts/0_image.png").convert("RGB"))
        truth = np.array(Image.open(EVAL / "person_parts/0_annotation.png")) == 3
        picture = desk.picture(photo, "parts-0")
        answer = desk.run(Select("1", picture=picture, text="the hair", merge=True))
        assert answer.report.recipe == "parts"
        assert answer.instances[0].label == "hair"
        assert iou(plane(answer.merged, photo), truth) > 0.8
        assert "no installed model finds it by its name" in answer.report.notes[0]
        one = desk.run(Select("2", picture=picture, text="hair of person 1"))
        assert iou(plane(one.instances[0].mask, photo), truth) > 0.8
        rest = desk.run(Select("2", picture=picture, text="everything but the hair and the skin", merge=True))
        hair = desk.run(Select("2", picture=picture, text="hair; skin", merge=True))
        assert np.abs(plane(rest.merged, photo) + plane(hair.merged, photo) - 1).mean() < 0.01
        nobody = desk.run(Select("2", picture=picture, text="hair except the largest"))
        assert nobody.reason == "nothing_found" or len(nobody.instances) >= 1
        with pytest.raises(errors.UnknownWord):
            desk.run(Select("3", picture=picture, text="unicorn"))


@needs_models
@needs_eval
def test_a_detectors_mask_becomes_a_prompt(desk, street):
    y, x = np.mgrid[:108, :81].astype(np.float32)
    inside = np.minimum.reduce([x - 3, 77 - x, y - 24, 72 - y])  # roughly the bus, in cells of ten pixels
    logits = LogitMap(inside, -70, 1000, -70 + 810, 1000 + 1080)
    seen = Detection(Box(-60, 1230, 740, 1740), "bus", 0.9, logits)
    view = PictureView(desk.picture(street, "bus-half", 540, x=-70, y=1000), desk.rasters)
    context = JobContext(desk.pool, desk.cache, lambda *_: None, lambda: False)
    segmenter = desk.pool.segmenter("mobile-sam")
    job = Segmenting(segmenter, vision.embed(segmenter, view, context), view, context)
    prompt = job.prompt(wanted_of(seen), [])
    assert prompt.mask is not None
    assert prompt.mask.shape == view.size == (540, 405)
    rows, columns = np.nonzero(prompt.mask > 0.5)
    edges = (columns.min(), rows.min(), columns.max(), rows.max())
    assert np.abs(np.subtract(edges, (17, 122, 387, 362))).max() <= 6
    alone = desk.run(Select("1", picture=desk.picture(street, "bus"), text="bus", precise="off")).instances[0]
    drawn = cv2.resize(plane(alone.mask, street), (405, 540), interpolation=cv2.INTER_AREA)
    rough = cv2.resize(drawn, (81, 108), interpolation=cv2.INTER_AREA).astype(np.float32) * 8 - 4
    (found,) = job.run([wanted_of(replace(seen, logits=logits.like(rough)))])
    assert iou(found.logits.draw(PixelBox(0, 0, 405, 540), found.logits.slope()), drawn) > 0.9


def test_a_segmenter_that_reads_needs_no_detector(tmp_path, monkeypatch, broken_installation):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # digests are recorded there
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    tiny.saved_sam3(tiny.sam3(), tmp_path / "models" / "sam3")
    desk = Desk(ModelPool([tmp_path / "models"], "cpu", 1, known=tiny_models.known()))
    picture = desk.picture(tiny.picture(50, 80), "tiny")
    answer = desk.run(Select("1", picture=picture, text="a cat; dog", recipe="sam3", min_score=0.0, precise="off"))
    assert answer.report.models == ["sam3"]
    assert answer.report.recipe == "sam3"
    assert {i.label for i in answer.instances} <= {"a cat", "dog"}
    assert answer.instances
    first = desk.run(Select("2", picture=picture, text="cat #1", recipe="sam3", min_score=0.0, precise="off"))
    assert len(first.instances) == 1
    boxes = desk.run(Detect("3", picture=picture, text="cat", min_score=0.0, tiles="off"))
    assert boxes.report.models == ["sam3"]


def test_tiles_cover_and_overlap():
    area = PixelBox(10, 20, 3000, 2000)
    tiles = tiling.grid(area, 640, 64)
    seen = np.zeros((2020, 3010), int)
    for tile in tiles:
        assert area.contains(tile)
        seen[tile.slices()] += 1
    assert seen[20:, 10:].min() >= 1
    assert seen.max() >= 4
    assert len(tiling.grid(area, 640, 16)) <= 16
    assert tiling.grid(PixelBox(0, 0, 300, 200), 640, 16) == [PixelBox(0, 0, 300, 200)]


def test_each_size_of_tiles_is_half_of_the_one_before():
    area = PixelBox(10, 20, 3000, 2000)
    found = tiling.grids(area, 416, 48)
    assert len(found[-1]) <= 48
    sides = [max(some[0].width, some[0].height) for some in found]
    assert sides == sorted(sides, reverse=True)
    assert 416 <= sides[-1] < sides[0] < 3000
    assert all(1.6 <= larger / smaller <= 2.4 for larger, smaller in pairwise(sides))
    assert not tiling.grids(PixelBox(0, 0, 300, 200), 416, 48)


@needs_models
@needs_eval
def test_large_pictures_are_looked_at_closely_though_something_was_found(desk, street):
    scene = np.full((2000, 3000, 3), 120, np.uint8)
    scene[60:1140, 60:870] = street
    small = cv2.resize(street, (162, 216), interpolation=cv2.INTER_AREA)
    places = ((1200, 300), (2000, 1500), (2600, 700))
    for x, y in places:
        scene[y : y + 216, x : x + 162] = small
    picture = desk.picture(scene, "large and small buses")
    seen = [desk.run(Detect("1", picture=picture, text="bus", tiles=tiles)).instances for tiles in ("off", "auto")]
    assert seen[0], "the large one is found without"
    centres = [(one.box.x + one.box.width / 2, one.box.y + one.box.height / 2) for one in seen[1]]
    for x, y in places:
        assert any(x < a < x + 162 and y < b < y + 216 for a, b in centres)
    assert all(one.box.width < 830 for one in seen[1])


def test_pieces_at_tiles_edges_give_way_to_the_whole():
    whole = Detection(Box(100, 100, 300, 300), "dog", 0.6)
    piece = Detection(Box(100, 100, 200, 300), "dog", 0.9)
    other = Detection(Box(110, 110, 190, 290), "cat", 0.5)
    kept = tiling.merged([(piece, True), (whole, False), (other, True)])
    assert kept == [whole, other]
    assert tiling.merged([(piece, True)]) == [piece]
