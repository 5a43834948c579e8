"""PyMatting's machine code is made in the background, and nobody who did not ask for it waits for it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from maskwright.models import catalogue
from maskwright.models.runtime import pymatting_cache
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.messages import Mask, PixelRect, Refine
from tests.server.recipes.conftest import Desk

pytest.importorskip("pymatting")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer on which nothing was made yet, as far as Maskwright knows."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_it_is_made_once_in_a_process_of_its_own(cache: Path) -> None:
    assert not pymatting_cache.is_ready()
    first, second = pymatting_cache.start(), pymatting_cache.start()
    assert first is not None
    assert second is not None
    assert first.wait(600) == second.wait(600) == 0
    assert pymatting_cache.is_ready()
    assert pymatting_cache.start() is None
    done = [path.name for path in cache.rglob("*.compiled")]
    assert len(done) == 1
    began = time.process_time()
    pymatting_cache.ensure()
    assert time.process_time() - began < 1  # nothing is imported, nothing solved


def test_only_what_needs_it_waits(cache: Path) -> None:
    known = catalogue.load()
    assert pymatting_cache.pending(known.get("closed-form"))
    assert pymatting_cache.pending(known.get("knn-matting"))
    assert not pymatting_cache.pending(known.get("u2netp"))
    pymatting_cache.ensure()
    assert not pymatting_cache.pending(known.get("closed-form"))


def test_until_then_edges_follow_the_colours(cache: Path) -> None:
    desk = Desk(ModelPool([], "cpu", 1))
    image = np.full((80, 80, 3), 40, np.uint8)
    image[20:60, 20:60] = (220, 60, 60)
    rough = np.zeros((80, 80), np.uint8)
    rough[24:64, 20:60] = 255

    def refined(**models: str):
        mask = Mask(PixelRect(0, 0, 80, 80), data=rough.tobytes())
        return desk.run(Refine("1", picture=desk.picture(image, "square"), mask=mask, models=models))

    waiting = refined()
    assert waiting.edge_method == "guided"
    assert any("is being made ready" in note for note in waiting.report.notes)
    assert refined(refiner="closed-form").edge_method == "trimap"  # asked for by name: made now
    ready = refined()
    assert ready.edge_method == "trimap"
    assert not ready.report.notes
