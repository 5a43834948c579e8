"""Selections by a detector's own masks, with tiny models of the real classes and without any segmenter."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from maskwright.masks.logits import LogitMap
from maskwright.models import catalogue
from maskwright.models.catalogue import abilities
from maskwright.models.roles import Box
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.selecting.by_words import wanted_of
from maskwright.recipes.selecting.detector_masks import DetectorMasks
from maskwright.recipes.selecting.draw import Drawing
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Point, PostProcess, Prefetch, Rect, Select
from tests.server.conftest import break_installation
from tests.server.models.families import tiny_detectors as detectors
from tests.server.models.families import yolo_files as yolos
from tests.server.recipes import tiny_models as tiny
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import MODELS

RF_DETR = "rf-detr-seg-small"
PHOTO = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
YOLO_NEEDED = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Detectors that draw, one that does not, and no segmenter but the basic engine: the built-in one is missing."""
    base = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(base / "data"))
        detectors.rf_detr(base / RF_DETR, masks=True)
        detectors.florence2(base / "florence-2-base", places=96)
        if find_spec("ultralytics") is not None:
            made = yolos.converted(base / tiny.YOLO, "yolo11-seg", seed=3)
            shutil.copy(made, made.with_name("person_yolov8n-seg.safetensors"))
        break_installation(patch, base / "embedded", "u2netp")
        yield Desk(ModelPool([base, MODELS / "yolox-nano"], "cpu", 1, known=tiny.known()))


@pytest.fixture
def picture(room: Desk):
    return room.picture(PHOTO, "own", x=-20, y=35)


def select(room: Desk, picture: Any, **fields: Any) -> Any:
    common: dict[str, Any] = {"recipe": "rf-detr", "text": "person", "min_score": 0.3}
    return room.run(Select("1", picture, **{**common, **fields}))


@YOLO_NEEDED
def test_yolos_masks_are_as_fine_as_the_librarys_finest(room: Desk) -> None:
    """Against what Ultralytics draws with ``retina_masks=True``: prototypes enlarged to the picture, then cut off.

    It enlarges by straight lines and cuts at the box, we by splines and with a slope, so they differ within a cell
    (four pixels) of the edge, and these masks of noise have long edges: the median IoU was 0.977.
    """
    import torch
    from ultralytics.data.augment import LetterBox
    from ultralytics.nn.tasks import load_checkpoint
    from ultralytics.utils import nms, ops

    large = np.repeat(np.repeat(PHOTO, 4, 0), 4, 1)
    picture = room.picture(large, "retina")
    (folder,) = (path for path in room.pool.folders if (path / tiny.YOLO).is_dir())
    network, _ = load_checkpoint(str(folder / tiny.YOLO / "tiny.pt"), fuse=True)
    boxed: Any = LetterBox(640, auto=True, stride=32)(image=large)
    planes = torch.from_numpy(boxed.transpose(2, 0, 1).copy())[None].float() / 255
    with torch.inference_mode():
        output = network(planes)[0]
    suppress: Any = nms.non_max_suppression
    (rows,) = suppress(output, 0.3, 0.5, nc=3, classes=[2])
    boxes: Any = ops.scale_boxes((planes.shape[2], planes.shape[3]), rows[:, :4].clone(), large.shape[:2])
    theirs = ops.process_mask_native(output[1][0], rows[:, 6:], boxes, large.shape[:2]).numpy() > 0
    found = room.pool.detector(tiny.YOLO).detect(large, "person", min_score=0.3, options={"iou": 0.5})
    assert len(found) == len(theirs) > 50
    shown = [(d, mask) for d, mask in zip(found, theirs, strict=True) if d.logits is not None and mask.sum() >= 400]
    context = JobContext(room.pool, EmbeddingCache(1 << 20), lambda *_: None, lambda: False)
    ours = DetectorMasks(PictureView(picture, room.rasters), context).run([wanted_of(d) for d, _ in shown])
    drawing = Drawing(PictureView(picture, room.rasters), 8, PostProcess(), None)
    alike = [iou(plane(drawing.mask(one), large), mask) for one, (_, mask) in zip(ours, shown, strict=True)]
    assert len(alike) >= 20
    assert np.median(alike) > 0.97
    assert np.percentile(alike, 5) > 0.9
    best = select(room, picture, recipe="yolo", detector_options={"iou": 0.5, "max_det": 1})
    assert (best.report.recipe, best.report.models) == ("yolo", [tiny.YOLO])
    assert iou(plane(best.instances[0].mask, large), plane(drawing.mask(ours[0]), large)) > 0.99


def masks_of(answer: Any) -> np.ndarray:
    return np.stack([plane(one.mask, PHOTO, -20, 35) for one in answer.instances])


def test_masks_are_soft_and_apart_and_no_segmenter_is_loaded(room: Desk, picture: Any) -> None:
    room.pool.unload()
    room.stages.clear()
    answer = select(room, picture, precise="on")
    assert (answer.report.recipe, answer.report.models) == ("rf-detr", [RF_DETR])
    assert room.pool.resident() == [RF_DETR]
    assert not {"embed", "segment", "close"} & set(room.stages)
    assert any("looked at closely" in note for note in answer.report.notes)
    masks = masks_of(answer)
    assert len(masks) >= 2
    taken = (masks > 0.5).sum(axis=0)
    assert np.count_nonzero(taken > 1) <= 0.03 * np.count_nonzero(taken), "what several claim has one owner"
    assert ((masks > 0.05) & (masks < 0.95)).any()
    whole = select(room, picture, merge=True)
    assert iou(plane(whole.merged, PHOTO, -20, 35), masks.max(0)) > 0.9
    assert room.run(Prefetch("2", picture, recipe="rf-detr")).id == "2"
    assert room.pool.resident() == [RF_DETR]


def place_of(masks: np.ndarray, number: int) -> Point:
    row, column = np.argwhere(masks[number] > 0.9)[0]
    return Point(float(column) - 20 + 0.5, float(row) + 35 + 0.5, False)


def test_what_is_clicked_away_and_words_with_a_minus(room: Desk, picture: Any) -> None:
    before = select(room, picture)
    masks = masks_of(before)
    click = place_of(masks, 0)
    after = select(room, picture, points=[click])
    assert 0 < len(after.instances) < len(before.instances)
    assert not (masks_of(after)[:, int(click.y - 35), int(click.x + 20)] > 0.5).any()
    less = select(room, picture, text="person - dog", merge=True)
    dogs = select(room, picture, text="dog", merge=True)
    left, without = plane(less.merged, PHOTO, -20, 35) > 0.5, plane(dogs.merged, PHOTO, -20, 35) > 0.5
    assert ((masks.max(0) > 0.5) & without).any()
    assert np.count_nonzero(left & without) <= 0.02 * np.count_nonzero(without)
    assert left.any()


def test_what_needs_a_segmenter_says_so(room: Desk, picture: Any) -> None:
    (first, *_) = select(room, picture).instances
    for more in (
        {"points": [Point(20, 60)]},
        {"boxes": [Rect(0, 40, 50, 50)]},
        {"start": first.mask},
        {"continue_from": first.id, "points": [Point(20, 60, False)]},
        {"text": "", "points": [Point(20, 60)]},
    ):
        with pytest.raises(BadInput, match="detector's own masks") as failure:
            select(room, picture, **more)
        assert "rf-detr+mobile-sam" in failure.value.hint


def test_a_detector_without_masks_says_so(room: Desk, picture: Any) -> None:
    with pytest.raises(BadInput, match="YOLOX-Nano gave boxes without masks") as failure:
        select(room, picture, models={"detector": "yolox-nano"}, min_score=0.0, detector_options={"max_det": "3"})
    assert "segmenter" in failure.value.hint


def test_the_automatic_choice_takes_them_where_only_the_basic_engine_is(room: Desk, picture: Any) -> None:
    detector = {"detector": RF_DETR}
    answer = select(room, picture, recipe="auto", models=detector)
    assert (answer.report.recipe, answer.report.models) == ("rf-detr", [RF_DETR])
    assert any("nothing installed draws better" in note for note in answer.report.notes)
    assert select(room, picture, recipe="auto", min_score=0.0).report.recipe in ("rf-detr", "yolo"), "not YOLOX"
    for more in (
        {"points": [Point(20, 60)]},
        {"models": {**detector, "segmenter": "grabcut"}},
        {"text": "largest person", "recipe": "rt-detr+grabcut"},
    ):
        asked = {"recipe": "auto", "models": detector, **more}
        assert "grabcut" in select(room, picture, **asked).report.models
    better = Desk(ModelPool([*room.pool.folders, MODELS / "mobile-sam"], "cpu", 1, known=tiny.known()), room.cache)
    better.rasters = room.rasters
    assert select(better, picture, recipe="auto", models=detector).report.models == [RF_DETR, "mobile-sam"]


def test_going_on_from_one(room: Desk, picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other settings need no model; a click is answered by a segmenter that starts from the mask."""
    answer = select(room, picture, recipe="auto", models={"detector": RF_DETR})
    first = max(answer.instances, key=lambda one: plane(one.mask, PHOTO, -20, 35).sum())
    mask = plane(first.mask, PHOTO, -20, 35)
    for recipe in ("auto", "rf-detr"):
        again = room.run(Select("2", picture, recipe=recipe, continue_from=first.id, post=PostProcess(grow=4.0)))
        assert again.report.models == [RF_DETR]
        grown = plane(again.instances[0].mask, PHOTO, -20, 35)
        assert (grown >= mask - 0.02).all()
        assert grown.sum() > mask.sum()
    row, column = np.argwhere(mask > 0.95).mean(0).astype(int)
    prompts: list[Any] = []
    model: Any = room.pool.segmenter("grabcut")
    segment = type(model).segment
    monkeypatch.setattr(type(model), "segment", lambda *args: prompts.extend(args[2]) or segment(*args))
    clicked = room.run(Select("3", picture, continue_from=first.id, points=[Point(column - 19.5, row + 35.5)]))
    assert clicked.report.models[0] == "grabcut"
    assert iou(prompts[0].mask, mask) > 0.95


def test_masks_found_in_tiles_come_to_one_grid(room: Desk, picture: Any) -> None:
    """Maps of different places and sizes keep their places, and end where they do."""
    view = PictureView(picture, room.rasters)
    context = JobContext(room.pool, EmbeddingCache(1 << 20), lambda *_: None, lambda: False)
    wanted = []
    for x, y, side, cells in ((-20, 35, 60, 30), (40, 55, 40, 10)):
        values = np.full((cells, cells), 4.0, np.float32)  # positive up to its rim
        box = Box(x, y, x + side, y + side)
        wanted.append(ObjectPrompt([], box, "thing", 0.5, 0.0, LogitMap(values, x, y, x + side, y + side)))
    found = DetectorMasks(view, context).run(wanted)
    assert len({one.logits.values.shape for one in found}) == 1
    for one, (x, y, side) in zip(found, ((0, 0, 60), (60, 20, 40)), strict=True):
        cell = one.logits.cell[0]
        rows, columns = np.nonzero(one.logits.values > 0)
        edges = [columns.min() * cell, rows.min() * cell, (columns.max() + 1) * cell, (rows.max() + 1) * cell]
        np.testing.assert_allclose(edges, [x, y, x + side, y + side], atol=cell)


def test_florence2_is_asked_for_outlines(room: Desk, picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is asked is the recipe's; the answer is put into its mouth, since random weights draw no polygons."""
    model: Any = room.pool.detector("florence-2-base")
    asked: list[str] = []
    triangle = [100, 100, 900, 100, 100, 900]
    monkeypatch.setattr(type(model), "answer", lambda *args: asked.append(args[2]) or triangle)
    answer = select(room, picture, recipe="florence2", text="dog", min_score=None)
    assert asked == ["Locate dog in the image with mask"]
    assert (answer.report.recipe, answer.report.models) == ("florence2", ["florence-2-base"])
    (one,) = answer.instances
    row, column = np.mgrid[:90, :150]
    x, y = (column + 0.5) / 150 - 0.1, (row + 0.5) / 90 - 0.1
    assert iou(plane(one.mask, PHOTO, -20, 35), (x > 0) & (y > 0) & (x + y < 0.8)) > 0.98
    with pytest.raises(BadInput, match="boxes without masks"):
        select(room, picture, recipe="florence2", text="dog", detector_options={"task": "grounding"})


@YOLO_NEEDED
def test_larger_pictures_and_tiles(room: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a proxy the masks come at the document's size; in tiles things of all grids are kept apart."""
    large = np.repeat(np.repeat(PHOTO, 6, 0), 6, 1)
    small = room.picture(large, "proxy", small=150)
    answer = select(room, small, recipe="yolo", merge=True, detector_options={"max_det": 20})
    assert answer.merged.box.width > 150
    full = room.picture(large, "large")
    tiles = select(room, full, recipe="yolo", tiles="on", merge=True, detector_options={"max_det": 20})
    assert len(tiles.instances) > 1

    def overlapping(answer: Any) -> float:
        shown = sum(plane(one.mask, large) > 0.5 for one in answer.instances)
        return np.count_nonzero(shown > 1) / np.count_nonzero(shown)

    apart = overlapping(tiles)
    monkeypatch.setattr("maskwright.recipes.selecting.select.share_out", lambda found: None)
    cut = select(room, full, recipe="yolo", tiles="on", detector_options={"max_det": 20})
    assert apart < 0.06 < 0.25 * overlapping(cut), "noise has ragged masks, whose edges cross between the cells"


def test_which_detectors_draw() -> None:
    known = catalogue.built_in()
    for model_id, draws in (
        ("yolo26n-seg", True), ("person-yolov8n-seg", True), ("rf-detr-seg-medium", True), ("yolo26n", False),
        ("rf-detr-medium", False), ("yolox-s", False), ("grounding-dino-tiny", False), ("florence-2-base", None),
    ):  # fmt: skip
        assert abilities.draws(known.get(model_id)) is draws
    assert abilities.draws(known.get("yolo11n").model_copy(update={"own": True})) is None
