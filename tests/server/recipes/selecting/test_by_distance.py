"""Selecting by distance, with a graph in the published layout to which what is bright is near."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import ModelFile
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright_protocol.errors import BadInput, ModelMissing, OutsideImage
from maskwright_protocol.messages import Distance, Mask, PixelRect, Point, PostProcess, Select
from tests.server.conftest import start_server, stop_server
from tests.server.models.families import tiny_depth as tiny
from tests.server.recipes.conftest import Desk, plane

MODEL = "depth-anything-v2-small-onnx"
NEAR, MIDDLE, FAR = slice(0, 100), slice(100, 200), slice(200, 300)  # columns of three stripes


@pytest.fixture(scope="module")
def stripes() -> np.ndarray:
    """Bright, grey, dark: at 0, 0.5 and 1."""
    pixels = np.empty((120, 300, 3), np.uint8)
    pixels[:, NEAR], pixels[:, MIDDLE], pixels[:, FAR] = 240, 140, 40
    return pixels


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    base = tmp_path_factory.mktemp("depth")
    tiny.bright(base / MODEL / "model.onnx")
    entry = catalogue.load().get(MODEL).model_copy(update={"files": (ModelFile(name="model.onnx"),)})
    known = catalogue.load().model_copy(update={"model": (entry,)})
    return Desk(ModelPool([base], "cpu", 1, known=known), EmbeddingCache(1 << 26))


def select(room: Desk, pixels: np.ndarray, distance: Distance, **more):
    return room.run(Select("1", room.picture(pixels, "stripes", x=-30, y=50), distance=distance, merge=True, **more))


def shown(answer, pixels: np.ndarray) -> list[float]:
    """The mean of the mask in the middle of each stripe."""
    mask = plane(answer.merged, pixels, -30, 50)
    return [round(float(mask[:, s.start + 10 : s.stop - 10].mean()), 2) for s in (NEAR, MIDDLE, FAR)]


@pytest.mark.parametrize(
    ("than", "column", "expected"),
    [
        ("nearer", 150, [1, 1, 0]),
        ("nearer", 50, [1, 0, 0]),
        ("same", 150, [0, 1, 0]),
        ("farther", 150, [0, 1, 1]),
        ("farther", 250, [0, 0, 1]),
    ],
)
def test_nearer_as_far_and_farther_than_a_place(
    room: Desk, stripes: np.ndarray, than: str, column: int, expected: list[float]
) -> None:
    answer = select(room, stripes, Distance(at=Point(column - 30, 100), than=than))
    assert shown(answer, stripes) == expected
    assert answer.report.recipe == "depth"
    assert answer.report.models == [MODEL]
    assert any("% of the way" in note for note in answer.report.notes)


def test_a_range_and_its_softness(room: Desk, stripes: np.ndarray) -> None:
    assert shown(select(room, stripes, Distance(0.3, 0.7)), stripes) == [0, 1, 0]
    assert shown(select(room, stripes, Distance()), stripes) == [1, 1, 1]
    near, middle, far = shown(select(room, stripes, Distance(0.0, 0.0, softness=1.0)), stripes)
    assert [near, middle, far] == pytest.approx([1, 0.5, 0], abs=0.05)


def test_the_edge_is_where_the_picture_has_it(room: Desk, stripes: np.ndarray) -> None:
    mask = plane(select(room, stripes, Distance(0.3, 0.7)).merged, stripes, -30, 50)
    assert np.abs((mask > 0.5).sum(axis=1) - 100).max() <= 2
    assert (mask[:, 97:103].max(axis=1) > 0.9).all()


def test_a_ramp_is_selected_softly(room: Desk) -> None:
    ramp = np.repeat(np.linspace(255, 0, 300).astype(np.uint8)[None, :, None], 120, axis=0).repeat(3, axis=2)
    picture = room.picture(ramp, "ramp")
    answer = room.run(Select("1", picture, distance=Distance(0.0, 0.4, softness=0.2), merge=True))
    mask = plane(answer.merged, ramp)[60]
    expected = np.clip(1 - (np.linspace(0, 1, 300) - 0.4) / 0.2, 0, 1)
    assert np.abs(mask - expected).max() < 0.06


def test_a_proxy_is_enough_and_a_region_limits(room: Desk, stripes: np.ndarray) -> None:
    large = stripes.repeat(4, axis=0).repeat(4, axis=1)
    picture = room.picture(large, "proxy", small=300)
    region = Mask(PixelRect(0, 0, 1200, 240), data=b"\xff" * (1200 * 240))
    answer = room.run(Select("1", picture, distance=Distance(0.3, 0.7), merge=True, region=region))
    mask = plane(answer.merged, large)
    assert mask[20:220, 440:760].min() == 1
    assert not mask[240:].any()
    assert not mask[:, :380].any()


def test_it_is_looked_at_once(room: Desk, stripes: np.ndarray) -> None:
    room.cache = EmbeddingCache(1 << 26)
    room.stages.clear()
    for _ in range(2):
        select(room, stripes, Distance(0.3, 0.7))
    assert room.stages.count("depth") == 1


def test_the_settings_of_masks_count(room: Desk, stripes: np.ndarray) -> None:
    assert shown(select(room, stripes, Distance(0.3, 0.7), post=PostProcess(invert=True)), stripes) == [1, 0, 1]
    assert select(room, stripes, Distance(0.3, 0.7), mask_depth=16).merged.depth == 16


def test_nothing_at_that_distance_is_said(room: Desk, stripes: np.ndarray) -> None:
    answer = select(room, stripes, Distance(0.2, 0.3, softness=0.0))
    assert answer.reason == "nothing_found"
    assert "distance" in answer.message


@pytest.mark.parametrize(
    ("distance", "more"),
    [
        (Distance(0.7, 0.3), {}),
        (Distance(-0.1, 0.3), {}),
        (Distance(softness=float("nan")), {}),
        (Distance(reach=2.0), {}),
        (Distance(), {"text": "dog"}),
        (Distance(), {"points": [Point(5, 60)]}),
    ],
)
def test_what_makes_no_sense_is_refused(room: Desk, stripes: np.ndarray, distance: Distance, more: dict) -> None:
    with pytest.raises(BadInput):
        select(room, stripes, distance, **more)


def test_the_recipe_for_distances_takes_nothing_else(room: Desk, stripes: np.ndarray) -> None:
    with pytest.raises(BadInput, match="by distance"):
        room.run(Select("1", room.picture(stripes, "stripes"), recipe="depth", points=[Point(5, 5)]))


def test_a_place_outside_is_refused(room: Desk, stripes: np.ndarray) -> None:
    with pytest.raises(OutsideImage):
        select(room, stripes, Distance(at=Point(-40, 60)))


def test_without_a_model_one_is_named(stripes: np.ndarray) -> None:
    bare = Desk(ModelPool([], "cpu", 1))
    with pytest.raises(ModelMissing) as caught:
        bare.run(Select("1", bare.picture(stripes, "stripes"), distance=Distance()))
    assert "depth-anything-v2-small" in caught.value.hint


def test_the_command_line(tmp_path: Path, stripes: np.ndarray) -> None:
    tiny.bright(tmp_path / "models" / "near" / "model.onnx")
    (tmp_path / "models.toml").write_text(
        '[[model]]\nid = "near"\nfamily = "depth_anything"\nfiles = [{ name = "model.onnx" }]\n', encoding="utf-8"
    )
    picture, out = tmp_path / "stripes.png", tmp_path / "mask.png"
    Image.fromarray(stripes).save(picture)
    server = start_server(tmp_path, MASKWRIGHT_MODELS=str(tmp_path / "models"))
    try:
        for flags, expected in (
            (("--nearer", "150,60"), [255, 255, 0]),
            (("--farther", "150,60"), [0, 255, 255]),
            (("--as-far", "150,60"), [0, 255, 0]),
            (("--range", "60,100", "--softness", "0"), [0, 0, 255]),
        ):
            run = server.cli("select", picture, *flags, "-o", out, "--json")
            assert run.returncode == 0, run.stderr
            assert json.loads(run.stdout)["report"]["models"] == ["near"]
            assert list(np.asarray(Image.open(out))[60, [50, 150, 250]]) == expected
        for flags, told in (
            (("--nearer", "1,1", "--range", "0,5"), "one distance"),
            (("--range", "80,20"), "no range"),
            (("--nearer", "1,1", "--text", "dog"), "by itself"),
        ):
            run = server.cli("select", picture, *flags)
            assert run.returncode == 2
            assert told in run.stderr
    finally:
        stop_server(server)
