"""Recipes of the large families through a real server and the command, with tiny models of the real classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.parity.edgetam_weights import weights as edgetam_weights
from tests.server.conftest import Server, start_server, stop_server
from tests.server.models.families import tiny_sams as sams
from tests.server.recipes import own_tiny_models
from tests.server.recipes import tiny_models as tiny


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("families")
    models = own_tiny_models.install(base)
    server = start_server(base, MASKWRIGHT_MODELS=str(models), OMP_NUM_THREADS="1")
    yield server
    stop_server(server)
    assert "it/s]" not in (base / "server.log").read_text(), "progress bars have no place in a log"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "photo.png"
    Image.fromarray(sams.picture(90, 150)).save(path)
    return path


@pytest.mark.parametrize(
    ("recipe", "models"),
    [
        pytest.param(
            "yolo+sam", [tiny.YOLO, "sam-vit-base"],
            marks=pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed"),
        ),
        ("grounding-dino+sam-hq", ["tiny-dino", "sam-hq-vit-base"]),
        ("florence2+sam2", ["florence-2-base", "tiny-sam2"]),
        ("sam3", ["tiny-sam3"]),
    ],
)  # fmt: skip
def test_words_to_a_mask(families: Server, photo: Path, tmp_path: Path, recipe: str, models: list[str]) -> None:
    out = tmp_path / "mask.png"
    run = families.cli(
        "select", photo, "--text", "person", "--recipe", recipe, "--min-score", "0", "--precise", "off", "-o", out,
        "--json",
    )  # fmt: skip
    told = json.loads(run.stdout)
    assert told["report"]["recipe"] == recipe
    assert told["report"]["models"] == (models if run.returncode == 0 else models[:1])
    assert run.returncode == (0 if told["instances"] else 3), run.stderr
    if recipe != "florence2+sam2":  # what random weights answer in words need not be a place
        assert told["instances"]
    if told["instances"]:
        mask = np.asarray(Image.open(out))
        assert mask.shape == (90, 150)
        assert mask.any()


def test_a_click_with_edgetam(families: Server, photo: Path, tmp_path: Path) -> None:
    """Its authors' pickle, as it is published: converted, then used."""
    torch.save({"model": edgetam_weights()}, tmp_path / "edgetam.pt")
    pulled = families.cli("models", "pull", "edgetam", "--from", tmp_path)
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    out = tmp_path / "mask.png"
    run = families.cli("select", photo, "--point", "75,45", "--segmenter", "edgetam", "-o", out, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout)["report"]["models"] == ["edgetam"]
    mask = np.asarray(Image.open(out))
    assert mask.shape == (90, 150)
    assert mask.min() < 128 < 245 < mask.max()


def test_words_with_sam3_litetext(families: Server, photo: Path, tmp_path: Path) -> None:
    """Its licence has to be agreed to; then it finds and draws alone."""
    name = "sam3-litetext-s0"
    folder = sams.saved(sams.sam3_lite_text(), tmp_path / name)
    sams.clip_tokenizer().save_pretrained(folder)
    refused = families.cli("models", "pull", name, "--from", folder)
    assert refused.returncode != 0
    assert "--accept-licence" in refused.stderr
    pulled = families.cli("models", "pull", name, "--from", folder, "--accept-licence")
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    out = tmp_path / "mask.png"
    run = families.cli(
        "select", photo, "--text", "a cat", "--detector", name, "--recipe", "sam3-litetext", "--min-score", "0",
        "--precise", "off", "-o", out, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert told["report"]["models"] == [name]
    assert told["instances"]
    mask = np.asarray(Image.open(out))
    assert mask.shape == (90, 150)
    assert mask.any()


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("ocr", []),
        ("dense_captions", []),
        ("referring", ["--text", "red car; dog"]),
        ("segment_region", ["--option", "region=0.2,0.1,0.8,0.9"]),
    ],
)
def test_florence_is_taken_for_its_tasks(families: Server, photo: Path, task: str, more: list[str]) -> None:
    """Others are installed too, but know no tasks. What random weights write need not be a place."""
    run = families.cli("detect", photo, "--option", f"task={task}", "--option", "max_tokens=20", *more, "--json")
    assert run.returncode in (0, 3), run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert told["report"]["models"] == ["florence-2-base"]
    assert bool(told["instances"]) != bool(told["reason"])


def test_what_florence_cannot_be_asked(families: Server, photo: Path) -> None:
    for options, why in (
        (["task=poetry"], "is none of auto, grounding"),
        (["task=segment_region"], "needs a region"),
        (["task=grounding"], "needs words"),
    ):
        run = families.cli("detect", photo, *[part for one in options for part in ("--option", one)])
        assert run.returncode in (1, 2)
        assert why in run.stderr
        assert "Traceback" not in run.stderr


def test_words_to_a_cutout(families: Server, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "cat.png"
    run = families.cli(
        "cutout", photo, "--text", "cat", "--recipe", "sam3+birefnet", "--model", "tiny-birefnet", "--min-score", "0",
        "-o", out, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    report = answer["report"]
    assert report["recipe"] == "sam3+birefnet"
    assert report["models"][:2] == ["tiny-sam3", "tiny-birefnet"]
    pixels = np.asarray(Image.open(out))
    assert pixels.shape == (90, 150, 4)
    assert pixels[..., 3].any()


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In which the tiny panoptic model sees people and the sky."""
    path = tmp_path_factory.mktemp("noise") / "noise.png"
    cells = np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8)
    Image.fromarray(np.kron(cells, np.ones((10, 10, 1), np.uint8))).save(path)
    return path


def test_sky_and_grass_are_taken_as_the_panoptic_model_draws_them(
    families: Server, noise: Path, tmp_path: Path
) -> None:
    """A box around them says little, so that no segmenter is asked."""
    words = ("select", noise, "--text", "sky; grass", "--min-score", "0.2", "--json")
    told = json.loads(families.cli(*words, "--detector", "eomt-dinov3-small", "-o", tmp_path / "a.png").stdout)
    assert {one["label"] for one in told["instances"]} <= {"sky", "grass"}
    assert told["instances"]
    assert told["report"]["models"] == ["eomt-dinov3-small"]
    assert told["report"]["recipe"] == "eomt"
    assert np.asarray(Image.open(tmp_path / "a.png")).any()


def test_objects_are_named(families: Server, noise: Path, tmp_path: Path) -> None:
    run = families.cli("everything", noise, "-o", tmp_path / "map.png", "--points", "4", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert "eomt-dinov3-small" in told["report"]["models"]
    names = {one["name"] for one in told["objects"]}
    assert names - {""}
    assert names <= {"", "person", "dog", "sky", "grass"}


def test_sapiens2_tells_parts_and_cuts_out(families: Server, photo: Path, tmp_path: Path) -> None:
    run = families.cli(
        "parse", photo, "--part", "hair", "--part", "left hand", "--model", "sapiens2-parts-0.8b", "--json",
        "-o", tmp_path / "parts.png",
    )  # fmt: skip
    assert run.returncode in (0, 3), run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert "sapiens2-parts-0.8b" in told["report"]["models"]
    out = tmp_path / "person.png"
    run = families.cli("cutout", photo, "--model", "tiny-sapiens2", "-o", out, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    answer = json.loads(run.stdout)
    assert answer["report"]["models"][0] == "tiny-sapiens2"
    assert np.asarray(Image.open(out)).shape == (90, 150, 4)


def test_ben2_cuts_out(families: Server, photo: Path, tmp_path: Path) -> None:
    """A network that takes everything for its subject."""
    out = tmp_path / "all.png"
    run = families.cli("cutout", photo, "--model", "tiny-ben2", "-o", out, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    answer = json.loads(run.stdout)
    assert answer["report"]["models"][0] == "tiny-ben2"
    assert (np.asarray(Image.open(out))[..., 3] == 255).all()
