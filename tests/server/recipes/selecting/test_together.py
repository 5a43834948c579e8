"""Every recipe with models of the real classes: a typed answer, the right models, masks in the right place."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file

from maskwright.models.roles import Box
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.presets import AUTO, PRESETS, Preset
from maskwright_protocol import masks as wire
from maskwright_protocol.errors import BadInput, ModelMissing, MorePixelsNeeded, UnknownWord
from maskwright_protocol.messages import (
    Cutout,
    CutoutResult,
    Detect,
    Distance,
    Everything,
    Job,
    Mask,
    ObjectMap,
    Parse,
    Picture,
    PixelRect,
    Point,
    Rect,
    Refine,
    Select,
    Selection,
    Similar,
)  # fmt: skip
from tests.parity.edgetam_weights import weights as edgetam_weights
from tests.server.models.families import tiny_sams as sams
from tests.server.recipes import tiny_models as tiny
from tests.server.recipes.conftest import Desk, plane
from tests.shared_data import MODELS

HEIGHT, WIDTH = 90, 150
X, Y = -20, 35  # of the layer in the document
CLICK, BOX = Point(X + 40, Y + 50), Rect(X + 20, Y + 10, 70, 60)
UNSERVED = (
    "toonout",
    "rmbg-2.0",
    "u2netp",
    "birefnet",
    "ben2",
    "isnet-anime",
    "modnet",
)  # their files are known by content
SHARED = ("yolox-nano", "mobile-sam", "ppocr-det")  # trained and small


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    base = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(base / "data"))
        made = tiny.make(base / "models")
        sams.clip_tokenizer().save_pretrained(sams.saved(sams.sam3_lite_text(), made / "sam3-litetext-s0"))
        (made / "edgetam").mkdir()
        save_file(edgetam_weights(), made / "edgetam" / "edgetam.safetensors")
        pool = ModelPool([made, *(MODELS / name for name in SHARED)], "cpu", 1, known=tiny.known())
        yield Desk(pool)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return sams.picture(HEIGHT, WIDTH)


def asked(preset: Preset, picture: Picture) -> dict[str, Job]:
    """Requests that users make of that recipe."""
    common: dict[str, Any] = {"picture": picture, "recipe": preset.name}
    half = Mask(PixelRect(X + 20, Y + 10, 70, 60), data=bytes([255]) * 70 * 60)
    if preset.verb == "detect":
        return {"words": Detect("1", **common, text="person; dog - person", min_score=0.0)}
    if preset.verb == "refine":
        return {"mask": Refine("1", **common, mask=half), "hair": Refine("2", **common, mask=half, hair=True)}
    if preset.verb == "parse":
        return {
            "all": Parse("1", **common),
            "one": Parse("2", **common, parts=["hair"], per_person=True, merge=True),
            "refined": Parse("3", **common, parts=["all clothes"], refine=True),
        }
    if preset.verb == "cutout":
        pointed: dict[str, Job] = {
            "click": Cutout("1", **common, points=[CLICK]),
            "words": Cutout("2", **common, text="person", min_score=0.0, pick="best"),
            "mask": Cutout("3", **common, mask=half, edges="refined"),
        }
        return {"subject": Cutout("4", **common), **pointed}
    clicks: dict[str, Job] = {
        "click": Select("1", **common, points=[CLICK], alternatives=2),
        "box": Select("2", **common, boxes=[BOX], points=[Point(CLICK.x, CLICK.y, False)], precise="off"),
        "close": Select("3", **common, points=[CLICK], precise="on"),
        "mask": Select("4", **common, start=half, merge=True),
    }
    least = None if "yolo" in preset.name else 0.0  # at 0 it names hundreds of things
    words: dict[str, Job] = {
        "words": Select("5", **common, text="person", min_score=least, merge=True, pick="best"),
        "choice": Select("6", **common, text="the largest person", min_score=least, precise="off"),
        "more": Select("7", **common, text="person", min_score=least, points=[CLICK], boxes=[BOX], precise="off"),
        "less": Select("8", **common, text="person - hair", min_score=least, precise="off"),
    }
    if preset.own_masks:
        beside = Select("9", **common, text="person", min_score=least, points=[Point(CLICK.x, CLICK.y, False)])
        return {**words, "beside": beside, "click": clicks["click"], "box": clicks["box"], "mask": clicks["mask"]}
    if preset.name == "parts":
        return {"words": Select("9", **common, text="hair"), "less": Select("10", **common, text="clothes - hat")}
    if preset.name == "lettering":
        return {"words": Select("9", **common, text="text"), "choice": Select("10", **common, text="the largest text")}
    if preset.name == "depth":
        near = Distance(at=CLICK, than="nearer")
        return {
            "range": Select("9", **common, distance=Distance(0.2, 0.8)),
            "near": Select("10", **common, distance=near),
        }
    if preset.name == "line-art":
        return {what: clicks[what] for what in ("click", "box", "close")}
    if "+" in preset.name:
        return words
    return {**clicks, **(words if preset.takes_text else {})}


def tried(presets: tuple[Preset, ...]) -> list[Preset]:
    """All of them, but of those of a detector with a segmenter only so many that each of both takes part.

    What is done with a detector's boxes is the same for all segmenters, and to a segmenter all boxes are alike.
    """
    alone = [preset for preset in presets if preset.verb != "select" or "+" not in preset.name]
    pairs = [preset for preset in presets if preset not in alone]
    detectors, segmenters = ([*dict.fromkeys(p.name.split("+")[side] for p in pairs)] for side in (0, 1))
    count = max(len(detectors), len(segmenters))
    diagonal = {f"{detectors[i % len(detectors)]}+{segmenters[i % len(segmenters)]}" for i in range(count)}
    return [*alone, *(preset for preset in pairs if preset.name in diagonal)]


def check_mask(mask: Mask, canvas: PixelRect) -> None:
    box = mask.box
    assert canvas.x <= box.x <= box.x + box.width <= canvas.x + canvas.width
    assert canvas.y <= box.y <= box.y + box.height <= canvas.y + canvas.height
    values = np.frombuffer(wire.unpack(mask), np.uint8)
    assert values.size == box.width * box.height
    assert values.any()


def check(answer: Any, preset: Preset, request: Job, pool: ModelPool) -> None:
    """A typed answer that tells the truth about itself."""
    assert isinstance(answer, CutoutResult if isinstance(request, Cutout) else Selection)
    canvas = request.picture.box if request.picture else PixelRect(0, 0, 0, 0)
    report = answer.report
    assert report.recipe == preset.name or (preset.name == AUTO and report.recipe in {p.name for p in PRESETS})
    assert set(report.models) <= set(pool.installed)
    for role in ("matting",) if isinstance(request, Cutout) else preset.roles:
        if preset.roles[role] and role not in preset.optional and answer.reason != "nothing_found":
            ids = preset.models(role)
            assert any(model in ids for model in report.models), (role, report.models)
    if isinstance(answer, CutoutResult):
        assert (answer.alpha is None) == bool(answer.reason)
        if answer.alpha is not None:
            check_mask(answer.alpha, canvas)
            assert answer.edge_method
        return
    assert bool(answer.instances) != bool(answer.reason)
    assert not answer.reason or answer.message
    for one in answer.instances:
        assert 0 <= one.score <= 1
        assert (one.mask is None) == isinstance(request, Detect)
        assert one.box.width >= 0
        assert one.box.height >= 0
        assert canvas.x - 1e-3 <= one.box.x <= canvas.x + canvas.width
        assert canvas.y - 1e-3 <= one.box.y <= canvas.y + canvas.height
        if one.mask is not None:
            check_mask(one.mask, canvas)
    assert (answer.merged is not None) == bool(getattr(request, "merge", False) and answer.instances)


@pytest.mark.parametrize("preset", tried(PRESETS), ids=lambda p: f"{p.verb}-{p.name}")
def test_every_recipe_answers(room: Desk, photo: np.ndarray, preset: Preset) -> None:
    full = room.picture(photo, "full", x=X, y=Y)
    small = room.picture(np.repeat(np.repeat(photo, 3, 0), 3, 1), "small", small=WIDTH, x=X, y=Y)
    for shown in (full, small):
        requests = asked(preset, shown)
        for what in requests if shown is full else list(requests)[:2]:
            request = requests[what]
            try:
                answer = room.run(request)
            except MorePixelsNeeded:
                assert shown is small, what
                continue
            except UnknownWord:
                assert "yolo" in preset.name, "the others understand any words, or leave 'hair' to another"
                assert what == "less" or preset.verb == "detect", what
                continue
            except BadInput:
                assert preset.own_masks, "the others have a segmenter"
                assert what in ("more", "click", "box", "mask"), what
                continue
            except ModelMissing:
                assert preset.missing(room.pool.installed), what
                continue
            check(answer, preset, request, room.pool)
    if preset.name not in UNSERVED and (find_spec("ultralytics") or preset.name.partition("+")[0] != "yolo"):
        assert not preset.missing(room.pool.installed), "the tiny models serve it"


SEGMENTERS = ("sam3", "sam2", "sam-hq", "sam", "mobile-sam", "grabcut")


@pytest.mark.parametrize("recipe", SEGMENTERS)
def test_masks_follow_the_layer_and_its_scale(room: Desk, photo: np.ndarray, recipe: str) -> None:
    """The same pixels elsewhere and in a larger document: the same mask, moved and enlarged."""
    here = room.picture(photo, f"{recipe}-here")
    there = room.picture(photo, f"{recipe}-here", x=X, y=Y)
    large = np.repeat(np.repeat(photo, 2, 0), 2, 1)
    twice = room.picture(large, f"{recipe}-twice", small=WIDTH)
    common: dict[str, Any] = {"recipe": recipe, "precise": "off"}
    one = room.run(Select("1", here, points=[Point(40, 50), Point(100, 20, False)], **common))
    two = room.run(Select("2", there, points=[Point(X + 40, Y + 50), Point(X + 100, Y + 20, False)], **common))
    three = room.run(Select("3", twice, points=[Point(80, 100), Point(200, 40, False)], **common))
    assert one.instances
    first = plane(one.instances[0].mask, photo)
    assert np.array_equal(first, plane(two.instances[0].mask, photo, X, Y))
    fine = plane(three.instances[0].mask, large).reshape(HEIGHT, 2, WIDTH, 2).mean((1, 3))
    off, beside = (np.abs(np.roll(fine, shift, (0, 1)) - first).mean() for shift in (0, 1))
    assert off < 0.5 * beside, "finer edges, in the same place"


@pytest.mark.parametrize("recipe", [name for name in SEGMENTERS if name != "grabcut"])
def test_all_objects_and_what_is_like_one(room: Desk, photo: np.ndarray, recipe: str) -> None:
    picture = room.picture(photo, f"{recipe}-map", x=X, y=Y)
    mapped = room.run(Everything("1", picture, recipe=recipe, points_per_side=4, min_score=0.0))
    assert isinstance(mapped, ObjectMap)
    assert mapped.report.recipe == recipe
    clicked = room.run(Select("2", picture, recipe=recipe, points=[CLICK], precise="off")).instances[0]
    alike = room.run(Similar("3", picture, recipe=recipe, to=clicked.id, min_score=0.0))
    assert alike.report.recipe == recipe
    assert alike.instances[0].id == clicked.id
    off = plane(alike.instances[0].mask, photo, X, Y) - plane(clicked.mask, photo, X, Y)
    assert np.abs(off).max() < 0.02, "it is remembered in half precision"
    for one in alike.instances:
        assert one.mask is not None
        check_mask(one.mask, picture.box)
    by_mask = room.run(Similar("4", picture, recipe=recipe, mask=clicked.mask, min_score=0.0))
    assert by_mask.instances


@pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")
@pytest.mark.parametrize("segmenter", ["sam", "sam2", "sam3"])
def test_yolo_names_the_prompts(room: Desk, photo: np.ndarray, segmenter: str) -> None:
    """What the detector finds is what the segmenter is asked for: as many, with its labels and scores."""
    picture = room.picture(photo, "yolo", x=X, y=Y)
    boxes = room.run(Detect("1", picture, text="person", recipe="yolo", min_score=0.0)).instances
    answer = room.run(Select("2", picture, text="person", recipe=f"yolo+{segmenter}", min_score=0.0, precise="off"))
    assert answer.report.models[0] == tiny.YOLO
    assert 0 < len(answer.instances) <= len(boxes)
    assert {one.label for one in answer.instances} == {"person"}
    assert {round(one.confidence or 0.0, 5) for one in answer.instances} <= {round(one.score, 5) for one in boxes}


def test_the_basic_engine_is_the_last_resort(room: Desk, photo: np.ndarray, broken_installation: None) -> None:
    """A model that would rather have a graphics card is taken before it on a CPU, and the answer says so."""
    (folder,) = (path for path in room.pool.folders if (path / "sam3").is_dir())
    only = Desk(ModelPool([folder / "sam3"], "cpu", 1, known=tiny.known()))
    assert only.pool.slow("sam3")
    assert only.pool.candidates("segmenter") == ["sam3", "grabcut"]
    answer = only.run(Select("1", only.picture(photo, "slow"), points=[Point(40, 50)], precise="off"))
    assert answer.report.models == ["sam3"]
    assert answer.report.notes == ["SAM 3 is slow without a graphics card."]


def test_what_is_built_in_comes_after_what_is_as_quick_and_before_what_is_slow(room: Desk) -> None:
    assert room.pool.candidates("segmenter")[-3:] == ["mobile-sam", "sam3", "grabcut"]
    assert room.pool.candidates("segmenter")[0].startswith("sam2")
    detectors = room.pool.candidates("detector")
    assert detectors.index("rt-detr-r18") < detectors.index("yolox-nano") < detectors.index("grounding-dino-tiny")


def test_sam3_looks_once_and_adds_what_clicks_and_boxes_show(room: Desk, photo: np.ndarray, monkeypatch) -> None:
    model: Any = room.pool.segmenter("sam3")
    looks, encode = [], type(model).encode
    monkeypatch.setattr(type(model), "encode", lambda self, pixels: looks.append(1) or encode(self, pixels))
    photo = np.ascontiguousarray(photo[::-1])  # one that the model has not seen yet
    picture = room.picture(photo, "once", x=X, y=Y)
    common: dict[str, Any] = {"recipe": "sam3", "min_score": 0.0, "precise": "off"}
    named = room.run(Select("1", picture, text="cat", **common)).instances
    alone = room.run(Select("2", picture, boxes=[BOX], **common)).instances[0]
    both = room.run(Select("3", picture, text="cat", boxes=[BOX], **common)).instances
    assert len(looks) == 1
    matches = model.segment_text(model.embed(photo), "cat", min_score=0.0)
    assert {round(one.confidence or 0.0, 4) for one in named} <= {round(match.detection.score, 4) for match in matches}
    assert {one.label for one in both} <= {"cat", ""}
    boxed = [one for one in both if not one.label] or [one for one in both if one.score >= alone.score]
    assert boxed, "added, or there already under the word"


def test_what_is_like_one_is_what_sam3_finds_by_its_example(room: Desk, photo: np.ndarray) -> None:
    picture = room.picture(photo, "example", x=X, y=Y)
    one = room.run(Select("1", picture, boxes=[BOX], recipe="sam3", precise="off")).instances[0]
    alike = room.run(Similar("2", picture, to=one.id, recipe="sam3", min_score=0.0)).instances
    model: Any = room.pool.segmenter("sam3")
    box = Box(one.box.x - X, one.box.y - Y, one.box.x - X + one.box.width, one.box.y - Y + one.box.height)
    matches = model.segment_text(model.embed(photo), examples=[(box, True)], min_score=0.0)
    theirs = sorted((match.detection.score for match in matches), reverse=True)
    assert len(alike) > 1
    for found in alike[1:]:
        assert min(abs(found.score - score) for score in theirs) < 0.05
