"""``flats``, line art and ``edit`` as their user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server
from tests.server.masks.line_drawings import draw
from tests.shared_data import EVAL, needs_eval

DRAWING = draw(5, gap=4, gaps=5)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "page.png"
    Image.fromarray(DRAWING.on_paper()).save(path)
    return path


def test_flats_are_a_picture_of_flat_colours(server: Server, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "flats.png"
    run = server.cli("flats", page, "--gap", "5", "-o", out, "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    shown = np.asarray(Image.open(out))
    assert shown.shape == (*DRAWING.truth.shape, 4)
    assert (shown[..., 3] == 255).all()
    assert len(np.unique(shown.reshape(-1, 4), axis=0)) == told["regions"]
    assert told["gap"] == 5
    fewer = json.loads(server.cli("flats", page, "--gap", "5", "--min-area", "1000000", "-o", out, "--json").stdout)
    assert fewer["regions"] == 1
    layers = tmp_path / "flats.ora"
    assert server.cli("flats", page, "-o", layers).returncode == 0
    assert layers.stat().st_size > 1000


def test_a_click_on_line_art(server: Server, page: Path, tmp_path: Path) -> None:
    out, cell = tmp_path / "mask.png", int(np.bincount(DRAWING.truth.ravel()).argmax())
    rows, columns = np.nonzero((DRAWING.truth == cell) & (DRAWING.ink == 0))
    place = f"{columns[len(columns) // 2]},{rows[len(rows) // 2]}"
    run = server.cli("select", page, "--recipe", "line-art", "--point", place, "--gap", "5", "-o", out)
    assert run.returncode == 0, run.stderr
    shown, true = np.asarray(Image.open(out)) > 127, DRAWING.truth == cell
    assert np.count_nonzero(shown & true) / np.count_nonzero(shown | true) > 0.95


def test_a_blank_page_has_no_regions(server: Server, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (60, 50), "white").save(blank)
    run = server.cli("flats", blank, "-o", tmp_path / "flats.png")
    assert run.returncode == 3
    assert not (tmp_path / "flats.png").exists()


@needs_eval
def test_sentences_change_a_mask(server: Server, tmp_path: Path) -> None:
    street, old, new = (tmp_path / name for name in ("street.png", "old.png", "new.png"))
    Image.open(EVAL / "photos/bus.jpg").convert("RGB").resize((405, 540)).save(street)
    before = np.zeros((540, 405), np.uint8)
    before[:200, :150] = 255
    Image.fromarray(before).save(old)

    def changed(sentence: str) -> np.ndarray:
        run = server.cli("edit", street, "--mask", old, "--text", sentence, "-o", new)
        assert run.returncode == 0, run.stderr
        return np.asarray(Image.open(new))

    more, less, both = (changed(f"{word} the people") for word in ("also", "without", "only"))
    people = np.maximum(more - np.minimum(more, before), both)
    assert people.any()
    assert (more >= before).all()
    assert (less <= before).all()
    assert (np.minimum(less, both) < 128).all()
    assert (changed("grow by 10 px") > 127).sum() > (before > 127).sum()
    assert (changed("much tighter") > 127).sum() < (before > 127).sum()
    assert ((changed("softer") > 20) & (changed("softer") < 235)).any()
    assert (changed("everything else").astype(int) + before == 255).all()
    assert server.cli("edit", street, "--mask", old, "--text", "a dog", "-o", new).returncode == 2
