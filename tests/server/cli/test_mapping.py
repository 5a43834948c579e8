"""``everything`` and ``similar`` as their user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server
from tests.server.eval_paths import EVAL, needs_eval, needs_models

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
    colours = np.asarray(Image.open(out))
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
