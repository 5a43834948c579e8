"""A new family is one file and a catalogue entry: two made-up ones select through the real server.

They join a copy of the package, as they would join the checkout.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskwright
from tests.server.conftest import Server, start_server, stop_server

HERE = Path(__file__).parent
ENTRY = """
[[model]]
id = "{id}"
family = "{family}"
title = "{id}"
summary = "Made up."
licence = "GPL-3.0-or-later"
commercial = "yes"
source = ""
revision = "1"
files = [{{ name = "colours.json" }}]
parameters = 0
memory = 1_000_000
input_size = 512
"""
RED, BLUE = (slice(20, 50), slice(30, 80)), (slice(60, 85), slice(90, 130))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("new")
    package = base / "code" / "maskwright"
    shutil.copytree(Path(maskwright.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for family, role in (("probe_det", "detectors"), ("probe_seg", "segmenters")):
        shutil.copy(HERE / f"{family}.py", package / "models" / "families")
        identity = family.replace("_", "-")
        with (package / "models" / "catalogue" / f"{role}.toml").open("a", encoding="utf-8") as catalogue:
            catalogue.write(ENTRY.format(id=identity, family=family))
        (base / "models" / identity).mkdir(parents=True)
        colours = json.dumps({"red": [200, 30, 30], "blue": [30, 30, 200]})
        (base / "models" / identity / "colours.json").write_text(colours, encoding="utf-8")
    server = start_server(base, MASKWRIGHT_MODELS=str(base / "models"), PYTHONPATH=str(base / "code"))
    yield server
    stop_server(server)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "patches.png"
    pixels = np.full((100, 150, 3), 128, np.uint8)
    pixels[RED], pixels[BLUE] = (200, 30, 30), (30, 30, 200)
    Image.fromarray(pixels).save(path)
    return path


def select(server: Server, picture: Path, *more: str) -> tuple[dict, np.ndarray]:
    out = picture.with_name("mask.png")
    run = server.cli("select", picture, *more, "-o", out, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), np.asarray(Image.open(out)) > 127


def patch(where: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((100, 150), bool)
    mask[where] = True
    return mask


@pytest.mark.parametrize("more", [[], ["--recipe", "probe-det+probe-seg"], ["--option", "margin=6"]])
def test_words(server: Server, picture: Path, more: list[str]) -> None:
    """With the automatic choice, by name, and because only one detector has the setting."""
    told, mask = select(server, picture, "--text", "red", *more)
    assert told["report"]["recipe"] == "probe-det+probe-seg"
    assert told["report"]["models"] == ["probe-det", "probe-seg"]
    assert [instance["label"] for instance in told["instances"]] == ["red"]
    assert np.array_equal(mask, patch(RED))


def test_clicks(server: Server, picture: Path) -> None:
    for more in ([], ["--recipe", "probe-seg"]):
        told, mask = select(server, picture, "--point", "100,70", *more)
        assert told["report"]["recipe"] == "probe-seg"
        assert np.array_equal(mask, patch(BLUE))


def test_the_detector_alone_and_its_setting(server: Server, picture: Path) -> None:
    run = server.cli("detect", picture, "--text", "blue", "--recipe", "probe-det", "--option", "margin=4", "--json")
    (found,) = json.loads(run.stdout)["instances"]
    assert found["box"] == [86, 56, 48, 33]
    run = server.cli("detect", picture, "--text", "blue", "--recipe", "probe-det", "--option", "margin=21")
    assert run.returncode == 2
    assert "outside 0 to 20" in run.stderr
    assert "margin" in server.cli("models", "show", "probe-det").stdout


def test_they_stand_in_the_lists(server: Server) -> None:
    known = server.cli("models", "list", "--json").stdout
    assert "probe-det+probe-seg" in known
    assert "yolox+probe-seg" in known
    page = server.cli("models", "table", "--markdown").stdout
    assert "`probe_det`" in page
    assert "`probe-seg`" in page


def test_words_that_it_does_not_know_are_not_given_to_it(server: Server, picture: Path) -> None:
    run = server.cli("select", picture, "--text", "green", "--recipe", "probe-det+probe-seg", "--json")
    assert run.returncode != 0
    assert (run.stdout + run.stderr).count("maskwright models pull") == 1
