"""Which matting models cut a picture out: people, things, animals and drawings, alone and beside each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.cutting.matters import people_share, united, without_bystanders
from maskwright_protocol.messages import Cutout, Rect, Report
from tests.server.matting_metrics import errors
from tests.server.recipes.conftest import Desk, iou, photo, plane
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

PEOPLE = ("000335", "000340", "000342", "0")
SIZE = (720, 480)
Layer = tuple[np.ndarray, np.ndarray]  # colours and opacity, tight


def cut(desk: Desk, image: np.ndarray, key: str, **how) -> tuple[np.ndarray, Report]:
    answer = desk.run(Cutout("1", picture=desk.picture(image, key), foreground=False, **how))
    return (np.zeros(image.shape[:2]) if answer.alpha is None else plane(answer.alpha, image)), answer.report


def person_truth(name: str) -> np.ndarray:
    return (np.array(Image.open(EVAL / f"person_parts/{name}_annotation.png")) > 0).astype(np.float32)


# Photos with and without people.


@needs_models
@needs_eval
def test_people_are_cut_out_by_default(desk):
    found = {}
    for name in PEOPLE:
        image, truth = photo(f"person_parts/{name}_image.png"), person_truth(name)
        by_default, report = cut(desk, image, name)
        assert report.models[0] == "rvm"
        assert report.notes[0].startswith("A person was found, so Robust Video Matting cut it out")
        found[name] = iou(cut(desk, image, name, recipe="u2netp")[0], truth), iou(by_default, truth)
    before, now = np.mean(list(found.values()), axis=0)
    print({name: tuple(round(float(v), 3) for v in pair) for name, pair in found.items()}, "U2-Netp, now", before, now)
    assert now >= 0.90
    assert now > before + 0.15


@needs_models
@needs_eval
@pytest.mark.parametrize("name", ["2011_000003", "2011_000006"])
def test_groups_are_cut_out_better_than_by_the_general_model(desk, name):
    image = photo(f"voc/{name}.jpg")
    truth = np.array(Image.open(EVAL / f"voc/{name}_class.png")) == 15
    general, (now, report) = cut(desk, image, name, recipe="u2netp")[0], cut(desk, image, name)
    print(name, "IoU with the people, U2-Netp, now:", iou(general, truth), iou(now, truth))
    assert report.notes[0].startswith("People were found, so Robust Video Matting cut them out")
    assert iou(now, truth) > iou(general, truth)


@needs_models
@needs_eval
@pytest.mark.parametrize(
    "name",
    [
        "photos/chelsea.png",
        "photos/coffee.png",
        "photos/motorcycle_left.png",
        "photos/truck.jpg",
        "photos/bus.jpg",
        "matting/lemur.png",
        "golden/anime-girl-1.jpg",
    ],
)
def test_everything_else_stays_as_it_was(desk, name):
    image = photo(name)
    now, report = cut(desk, image, name, edges="matte")
    assert report.models == ["u2netp"]
    assert np.array_equal(now, cut(desk, image, name, edges="matte", recipe="u2netp")[0])
    bus = ["People are the smaller part of what stands out, so U²-Netp cut it out."]
    assert report.notes == (bus if "bus" in name else [])


@needs_models
@needs_eval
def test_what_people_hold_stays_with_them(desk):
    image = photo("photos/astronaut.png")
    now, report = cut(desk, image, "astronaut", edges="matte")
    assert report.models == ["rvm", "u2netp"]
    assert report.notes[0].endswith(", and U²-Netp what else stands out.")
    helmet = np.s_[420:500, 340:440]
    assert cut(desk, image, "astronaut", edges="matte", recipe="rvm")[0][helmet].mean() < 0.7
    assert now[helmet].mean() > 0.95


@needs_models
@needs_eval
def test_a_named_model_is_taken_whatever_the_picture_shows(desk):
    image = photo("photos/astronaut.png")
    for how in ({"recipe": "u2netp"}, {"models": {"matting": "u2netp"}}):
        _, report = cut(desk, image, "astronaut", edges="matte", **how)
        assert report.models == ["u2netp"]
        assert not report.notes
    alpha, report = cut(desk, photo("matting/lemur.png"), "lemur", edges="matte", models={"matting": "rvm"})
    assert report.models == ["rvm"]
    assert alpha.mean() < 0.05


@needs_models
@needs_eval
def test_an_object_of_a_prompt_tells_which_model_shows_it(desk):
    image = photo("photos/astronaut.png")
    woman, report = cut(desk, image, "astronaut", boxes=[Rect(12, 4, 442, 508)], edges="matte")
    assert "rvm" in report.models
    assert woman[200:400, 150:300].mean() > 0.95
    box = [Rect(322, 395, 135, 117)]
    helmet, report = cut(desk, image, "astronaut", boxes=box, edges="matte")
    assert "rvm" not in report.models
    assert np.array_equal(helmet, cut(desk, image, "a", boxes=box, edges="matte", models={"matting": "u2netp"})[0])
    assert helmet[:380].mean() < 0.01


# Made-up pictures: people and an animal pasted onto others, at several sizes.


def tight(image: np.ndarray, alpha: np.ndarray) -> Layer:
    rows, columns = np.nonzero(alpha > 0.02)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return image[box], alpha[box]


def pasted(under: np.ndarray, layer: Layer, height: float, centre: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture, and the opacity of what was pasted onto its lower edge, of that height and place, both 0..1."""
    colours, alpha = layer
    scale = height * under.shape[0] / alpha.shape[0]
    size = (round(alpha.shape[1] * scale), round(alpha.shape[0] * scale))
    colours, alpha = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (colours, alpha))
    there = np.zeros(under.shape[:2], np.float32)
    left = int(centre * under.shape[1] - size[0] / 2)
    first, last = max(0, left), min(under.shape[1], left + size[0])
    there[-size[1] :, first:last] = alpha[:, first - left : last - left]
    out = under.astype(np.float32)
    seen = there[-size[1] :, first:last, None]
    out[-size[1] :, first:last] += seen * (colours[:, first - left : last - left] - out[-size[1] :, first:last])
    return out.round().astype(np.uint8), there


def woman() -> Layer:
    return tight(photo("person_parts/0_image.png"), cv2.GaussianBlur(person_truth("0"), (0, 0), 1.2))


def man() -> Layer:
    """One who squats."""
    objects = np.array(Image.open(EVAL / "voc/2011_000003_object.png"))
    return tight(photo("voc/2011_000003.jpg"), cv2.GaussianBlur((objects == 1).astype(np.float32), (0, 0), 1))


def animal() -> Layer:
    alpha = np.array(Image.open(EVAL / "matting/lemur_alpha.png").convert("L")) / np.float32(255)
    return tight(photo("matting/lemur.png"), alpha)


def grounds() -> dict[str, np.ndarray]:
    """Pictures in which nothing stands out."""
    data = Path(skimage.__file__).parent / "data"
    found = {name: np.array(Image.open(data / f"{name}.png").convert("RGB")) for name in ("grass", "brick")}
    found["street"] = cv2.GaussianBlur(photo("photos/bus.jpg"), (0, 0), 14)
    found["leaves"] = np.ascontiguousarray(photo("matting/lemur.png")[:, :200])
    return {name: cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA) for name, image in found.items()}


def scenes() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Kind, picture, and the opacity of all that stands out in it."""
    people, lemur = (woman(), man()), animal()
    for ground in grounds().values():
        for person in people:
            for height, centre in ((0.95, 0.5), (0.6, 0.3), (0.35, 0.7)):
                yield "person", *pasted(ground, person, height, centre)
        for height in (0.9, 0.4):
            yield "animal", *pasted(ground, lemur, height, 0.5)
        for one, other in ((0.9, 0.5), (0.4, 0.85)):
            first, truth = pasted(ground, people[0], one, 0.25)
            both, second = pasted(first, lemur, other, 0.7)
            yield "person and animal", both, np.maximum(truth * (1 - second), second)
        first, truth = pasted(ground, people[0], 0.9, 0.25)
        both, second = pasted(first, people[1], 0.8, 0.72)
        yield "two people", both, np.maximum(truth * (1 - second), second)


@needs_models
@needs_eval
def test_people_and_animals_on_other_grounds(desk):
    measured: dict[str, list[np.ndarray]] = {}
    for number, (kind, image, truth) in enumerate(scenes()):
        key = f"scene {number}"
        now, general = cut(desk, image, key, edges="matte")[0], cut(desk, image, key, edges="matte", recipe="u2netp")[0]
        row = (iou(general, truth), iou(now, truth), errors(general, truth)["sad"], errors(now, truth)["sad"])
        assert row[1] > row[0] - 0.03, (kind, number, row)
        measured.setdefault(kind, []).append(np.array(row))
    for kind, rows in measured.items():
        print(f"{kind}, {len(rows)} pictures: IoU, SAD of U2-Netp and now:", np.mean(rows, axis=0).round(3))
    single = np.mean(measured["person"], axis=0)
    assert single[1] > max(0.93, single[0] + 0.02)
    assert single[3] < single[2]
    for kind in ("animal", "person and animal", "two people"):
        before, now = np.mean(measured[kind], axis=0)[:2]
        assert now > max(0.9, before - 0.005), kind


@needs_models
@needs_eval
@pytest.mark.parametrize("name", ["photos/motorcycle_left.png", "photos/truck.jpg", "photos/coffee.png"])
def test_a_thing_stays_with_people_beside_it(desk, name):
    image = cv2.resize(photo(name), SIZE, interpolation=cv2.INTER_AREA)
    thing = cut(desk, image, f"{name} alone", edges="matte", recipe="u2netp")[0] >= 0.5
    for person in (woman(), man()):
        for height, centre in ((0.9, 0.15), (0.5, 0.1), (0.25, 0.93)):
            scene, before_it = pasted(image, person, height, centre)
            seen = thing & (before_it < 0.5)
            key = f"{name} {height} {person[1].shape}"
            now, report = cut(desk, scene, key, edges="matte")
            general = cut(desk, scene, key, edges="matte", recipe="u2netp")[0]
            assert (now[seen] >= 0.5).mean() >= (general[seen] >= 0.5).mean() - 0.01, (height, report.notes)
            assert (now[seen] >= 0.5).mean() > 0.8


# The rule.


def disk(x: int, y: int, radius: int) -> np.ndarray:
    plane = np.zeros((200, 300), np.float32)
    cv2.circle(plane, (x, y), radius, 1.0, -1)
    return plane


def test_bystanders_count_only_if_the_general_model_shows_them():
    large, small = disk(90, 100, 60), disk(230, 100, 20)
    both = np.maximum(large, small)
    assert np.array_equal(without_bystanders(both, large), large)
    assert np.array_equal(without_bystanders(both, both), both)
    nearly = np.maximum(large, disk(230, 100, 40))
    assert np.array_equal(without_bystanders(nearly, large), nearly)
    assert np.array_equal(without_bystanders(large, small), large)
    assert not without_bystanders(np.zeros_like(large), large).any()


def test_the_share_of_people_in_what_stands_out():
    person, thing = disk(90, 100, 40), disk(210, 100, 40)
    assert people_share(person, person) == 1
    assert people_share(person, np.zeros_like(person)) == 1
    assert people_share(np.zeros_like(person), thing) == 0
    assert people_share(np.zeros_like(person), np.zeros_like(person)) == 0
    assert people_share(person, np.maximum(person, thing)) == pytest.approx(0.5, abs=0.01)
    assert people_share(person, thing) == pytest.approx(0.5, abs=0.01)


def test_haze_around_people_does_not_count_but_what_is_sure_does():
    person, thing = disk(90, 100, 40), disk(210, 100, 40)
    haze = cv2.GaussianBlur(person, (0, 0), 12)
    general = np.maximum(np.where(haze < 0.3, haze, person), thing)
    assert np.array_equal(united(person, general), np.maximum(person, thing))
    assert united(person, np.full_like(person, 0.5))[0, 0] == pytest.approx(0.25)


def with_entries(tmp_path: Path, *entries) -> Desk:
    """A desk at which these models are installed, and the detectors that come along."""
    known = catalogue.load()
    for entry in entries:
        if not entry.embedded:
            folder = tmp_path / entry.id
            folder.mkdir()
            family = "u2netp" if entry.family == "u2net" else "rvm"
            shutil.copy(MODELS / family / entry.files[0].name, folder)
    detectors = tuple(known.get(i) for i in ("yolox-nano", "yunet"))
    return Desk(ModelPool([tmp_path], "cpu", 1, known=Catalogue(model=(*entries, *detectors))))


@needs_models
@needs_eval
def test_drawings_have_their_model_and_slow_ones_are_passed_over(tmp_path):
    general, people = catalogue.load().get("u2netp"), catalogue.load().get("rvm")
    twin = general.model_copy(update={"id": "twin", "title": "Twin", "suits": ("drawing",), "embedded": False})
    slow = general.model_copy(update={"id": "slow", "title": "Tortoise", "prefers_gpu": True, "embedded": False})
    desk = with_entries(tmp_path, slow, twin, general, people)
    _, report = cut(desk, photo("golden/anime-girl-1.jpg"), "girl", edges="matte")
    assert report.models == ["twin"]
    assert report.notes[0] == "The picture looks like a drawing, so Twin cut it out."
    _, report = cut(desk, photo("matting/lemur.png"), "lemur", edges="matte")
    assert report.models == ["u2netp"]
    assert report.notes == ["Tortoise would be slow without a graphics card, so U²-Netp was taken."]


@needs_models
@needs_eval
def test_installed_models_for_people_come_first_and_small_ones_leave_large_general_ones_alone(tmp_path):
    general, people = catalogue.load().get("u2netp"), catalogue.load().get("rvm")
    better = people.model_copy(update={"id": "better", "title": "Better", "parameters": 9_000_000, "embedded": False})
    large = general.model_copy(update={"id": "large", "parameters": 40_000_000, "embedded": False})
    image = photo("person_parts/000342_image.png")
    for entries, used in (((general, people, better), "better"), ((large, general, people, better), "large")):
        folder = tmp_path / used
        folder.mkdir()
        _, report = cut(with_entries(folder, *entries), image, "man", edges="matte")
        assert report.models == [used]
    (tmp_path / "without").mkdir()
    desk = with_entries(tmp_path / "without", general)
    _, report = cut(desk, image, "man", edges="matte")
    assert report.models == ["u2netp"]
