"""``everything`` and ``similar`` as their user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "street.png"
    Image.open(EVAL / "photos/bus.jpg").convert("RGB").resize((405, 540)).save(path)
    return path


def test_everything_writes_a_map_and_a_table(server: Server, street: Path, tmp_path: Path) -> None:
    out, labels = tmp_path / "map.png", tmp_path / "labels.png"
    run = server.cli("everything", street, "--points", "7", "-o", out, "--labels", labels, "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["files"] == [str(out), str(tmp_path / "map.json"), str(labels)]
    table = json.loads((tmp_path / "map.json").read_text())
    assert table["objects"] == told["objects"]
    numbers = np.asarray(Image.open(labels))
    assert numbers.shape == (540, 405)
    assert set(np.unique(numbers)) <= {0, *(one["number"] for one in told["objects"])}
    colours = np.asarray(Image.open(out).convert("RGB"))
    assert colours.shape == (540, 405, 3)
    inside = numbers > 0
    spread = colours.max(axis=-1).astype(int) - colours.min(axis=-1)
    assert spread[inside].min() > 40
    assert spread[~inside].max() == 0
    few = server.cli("everything", street, "--points", "7", "--min-score", "1", "-o", tmp_path / "none.png")
    assert few.returncode == 3
    assert not (tmp_path / "none.png").exists()
    assert server.cli("everything", street, "--layers", "5").returncode == 2


def test_similar_writes_the_mask_of_all(server: Server, street: Path, tmp_path: Path) -> None:
    man, all_of_them = tmp_path / "man.png", tmp_path / "all.png"
    run = server.cli("select", street, "--point", "70,300", "--precise", "off", "-o", man)
    assert run.returncode == 0, run.stderr
    run = server.cli("similar", street, "--mask", man, "-o", all_of_them, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["instances"]
    assert found[0]["score"] == 1
    both, one = (np.asarray(Image.open(path)) > 127 for path in (all_of_them, man))
    assert (both & one).sum() > 0.9 * one.sum()
    if len(found) > 1:
        assert both.sum() > 1.1 * one.sum()


@needs_models
@needs_eval
def test_examples_and_other_guesses(server: Server, street: Path, tmp_path: Path) -> None:
    out = tmp_path / "people.png"
    run = server.cli(
        "select", street, "--like", "25,200,97,252", "--unlike", "5,115,397,260", "--precise", "off", "-o", out,
        "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)["instances"]) > 1
    mask = np.asarray(Image.open(out))
    assert mask[300, 70] > 127, "the man"
    assert mask[150, 300] < 127, "the bus"
    run = server.cli("select", street, "--point", "70,300", "--guesses", "2", "-o", tmp_path / "man.png", "--json")
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    (man,) = answer["instances"]
    assert man["guesses"]
    names = [Path(name).name for name in answer["files"]]
    assert names == ["man.png", *(f"man-01-guess-{n}.png" for n, _ in enumerate(man["guesses"], 1))]
    planes = [np.asarray(Image.open(tmp_path / name)) for name in names]
    assert all(not np.array_equal(planes[0], other) for other in planes[1:])
    run = server.cli("select", street, "--unlike", "25,200,97,252", "-o", out, "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["error"] == "empty_prompt"
