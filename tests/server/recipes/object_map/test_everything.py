"""The object map of a real photo, what is like one of its objects, and clicks that go on from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.run import run
from maskwright_protocol import masks as wire
from maskwright_protocol.errors import BadInput, EmptyPrompt, JobCancelled, ModelMissing
from maskwright_protocol.messages import Everything, Mask, ObjectMap, PixelRect, Point, Select, Similar
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]
STREET = EVAL / "photos/bus.jpg"
MAN, WOMAN, BUS = (140, 600), (280, 600), (600, 300)


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    return np.array(Image.open(STREET).convert("RGB"))


@pytest.fixture(scope="module")
def room() -> Desk:
    return Desk(ModelPool([MODELS], "cpu", 2))


@pytest.fixture(scope="module")
def mapped(room, street) -> ObjectMap:
    return room.run(Everything("1", picture=room.picture(street, "street"), points_per_side=10))


def labels_of(answer: ObjectMap) -> np.ndarray:
    assert answer.labels is not None
    box = answer.labels.box
    return np.frombuffer(wire.unpack(answer.labels), "<u2").reshape(box.height, box.width)


def whole(answer: ObjectMap, number: int) -> np.ndarray:
    """As a client finds an object's pixels: its own, and those of the objects below it."""
    family = {number}
    for one in answer.objects:  # holders come first
        if one.parent in family:
            family.add(one.number)
    return np.isin(labels_of(answer), list(family))


def test_numbers_boxes_and_holders_agree(mapped, street):
    labels = labels_of(mapped)
    assert labels.shape == street.shape[:2]
    assert [one.number for one in mapped.objects] == list(range(1, len(mapped.objects) + 1))
    assert set(np.unique(labels)) <= {0, *(one.number for one in mapped.objects)}
    assert (labels > 0).mean() > 0.6
    areas = [one.area for one in mapped.objects]
    assert areas == sorted(areas, reverse=True)
    for one in mapped.objects:
        assert one.parent < one.number
        assert 0.5 < one.score <= 1
        rows, columns = np.nonzero(labels == one.number)
        if rows.size:
            assert one.box.x - 4 <= columns.min()
            assert columns.max() <= one.box.x + one.box.width + 4
            assert one.box.y - 4 <= rows.min()
            assert rows.max() <= one.box.y + one.box.height + 4


def test_what_lies_under_the_pointer_is_what_a_click_selects(room, mapped, street):
    picture = room.picture(street, "street")
    labels = labels_of(mapped)
    for x, y in (MAN, WOMAN, BUS):
        clicked = plane(room.run(Select("2", picture=picture, points=[Point(x, y)])).instances[0].mask, street)
        number, overlaps = int(labels[y, x]), []
        while number:
            overlaps.append(iou(whole(mapped, number), clicked))
            number = mapped.objects[number - 1].parent
        assert max(overlaps) > 0.7


def test_a_mapped_object_is_drawn_without_a_model_and_clicked_on(room, mapped, street):
    picture = room.picture(street, "street")
    man = mapped.objects[int(labels_of(mapped)[MAN[1], MAN[0]]) - 1]
    drawn = room.run(Select("3", picture=picture, continue_from=man.id))
    assert drawn.instances[0].id == man.id
    assert not {"embed", "segment", "everything"} & set(drawn.report.timings)
    assert iou(plane(drawn.instances[0].mask, street), whole(mapped, man.number)) > 0.9
    legs = Point(100, 760)
    more = room.run(Select("4", picture=picture, continue_from=man.id, points=[Point(*MAN), legs]))
    assert more.instances[0].id == man.id
    assert plane(more.instances[0].mask, street)[760, 100] > 0.5
    with pytest.raises(EmptyPrompt):
        room.run(Select("5", picture=picture, continue_from="gone"))


def test_what_is_like_a_man_is_the_other_people(room, mapped, street):
    picture = room.picture(street, "street")
    man = room.run(Select("6", picture=picture, points=[Point(*MAN)])).instances[0]
    found = room.run(Similar("7", picture=picture, to=man.id, merge=True))
    assert found.instances[0].id == man.id
    assert found.instances[0].score == 1
    scores = [one.score for one in found.instances]
    assert scores == sorted(scores, reverse=True)
    assert 2 <= len(found.instances) <= 6
    woman = plane(found.instances[1].mask, street)
    assert woman[WOMAN[1], WOMAN[0]] > 0.5
    union = plane(found.merged, street)
    assert union[BUS[1], BUS[0]] < 0.5
    assert union[MAN[1], MAN[0]] > 0.5
    # The same by a selection that came from elsewhere.
    data = (plane(man.mask, street) * 255).astype(np.uint8).tobytes()
    mask = Mask(PixelRect(0, 0, street.shape[1], street.shape[0]), data=data)
    again = room.run(Similar("8", picture=picture, to="unknown", mask=mask, pick="2"))
    assert iou(plane(again.instances[0].mask, street), woman) > 0.9
    with pytest.raises(EmptyPrompt):
        room.run(Similar("9", picture=picture, to="unknown"))


def test_filters_keep_numbers_and_holders_right(room, mapped, street):
    least = sorted(one.area for one in mapped.objects)[len(mapped.objects) // 2]
    few = room.run(
        Everything("10", picture=room.picture(street, "street"), points_per_side=10, min_area=least, min_score=0.6)
    )
    assert "everything" not in few.report.timings
    assert [one.number for one in few.objects] == list(range(1, len(few.objects) + 1))
    assert 0 < len(few.objects) < len(mapped.objects)
    assert all(one.area >= least for one in few.objects)
    assert {one.id for one in few.objects} < {one.id for one in mapped.objects}
    # A pixel of an object that was left out shows the object that holds it, if there is one.
    before, after = labels_of(mapped), labels_of(few)
    number_of = {one.id: one.number for one in few.objects}
    for one in mapped.objects:
        above = one
        while above.id not in number_of and above.parent:
            above = mapped.objects[above.parent - 1]
        assert (after[before == one.number] == number_of.get(above.id, 0)).all()


def test_a_search_that_is_interrupted_goes_on_where_it_was(pool, street):
    desk = Desk(pool, EmbeddingCache(1 << 28))
    small = cv2.resize(street, (203, 270), interpolation=cv2.INTER_AREA)
    request = Everything("1", picture=desk.picture(small, "small"), points_per_side=5)
    told: list[tuple[str, float]] = []

    def emit(stage: str, fraction: float, _: str) -> None:
        told.append((stage, fraction))

    def searching() -> list[float]:
        return [fraction for stage, fraction in told if stage == "everything"]

    with pytest.raises(JobCancelled):
        run(request, desk.rasters, JobContext(pool, desk.cache, emit, lambda: len(searching()) >= 3))
    reached = searching()[-1]
    assert searching()[0] == 0 < reached
    told.clear()
    answer = run(request, desk.rasters, JobContext(pool, desk.cache, emit, lambda: False))
    assert isinstance(answer, ObjectMap)
    assert answer.objects
    assert searching()[0] > reached
    assert "embed" not in dict(told)


def test_crops_find_smaller_things(pool, street):
    desk = Desk(pool, EmbeddingCache(1 << 28))
    picture = desk.picture(street[300:900, :600], "part", 400)
    once = desk.run(Everything("1", picture=picture, points_per_side=4))
    twice = desk.run(Everything("2", picture=picture, points_per_side=4, layers=1))
    assert len(twice.objects) > len(once.objects)
    small = [sum(one.area < 600 for one in answer.objects) for answer in (once, twice)]
    assert small[1] > small[0]
    assert labels_of(twice).shape == (400, 400)


def test_what_cannot_be(room, basic, street):
    picture = room.picture(street, "street")
    for fields in ({"points_per_side": 1}, {"points_per_side": 100}, {"layers": 3}, {"layers": -1}):
        with pytest.raises(BadInput):
            room.run(replace(Everything("1", picture=picture), **fields))
    for request in (Everything("2"), Similar("3", to="x")):
        request.picture = basic.picture(street, "street")
        with pytest.raises(ModelMissing):
            basic.run(request)
