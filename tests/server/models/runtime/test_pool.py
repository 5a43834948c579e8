"""Loaded models under pressure: what is dropped, what happens when memory really runs out, what is learned."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskwright.models import catalogue
from maskwright.models.machine import records
from maskwright.models.runtime.device_memory import LEAST_BUDGET, RESERVE, default_budget, free
from maskwright.models.runtime.out_of_memory import with_fallback
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken, OutOfMemory
from tests.shared_data import MODELS, needs_models

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")


def test_the_budget_leaves_room_for_the_painting_program() -> None:
    available = free("cpu")
    assert available > 0
    assert LEAST_BUDGET <= default_budget("cpu") <= max(LEAST_BUDGET, available + (1 << 30) - RESERVE)


@needs_models
def test_models_go_in_the_order_in_which_they_were_used_last() -> None:
    pool = ModelPool([MODELS], "cpu", 1, budget=1 << 40)
    for name in ("yolox-nano", "mobile-sam", "u2netp"):
        pool.get(catalogue.load().get(name).roles[0], name)
    pool.detector("yolox-nano")
    assert pool.resident() == ["mobile-sam", "u2netp", "yolox-nano"]
    pool.loaded.budgets["cpu"] = pool.nbytes()
    pool.segmenter("grabcut")
    assert pool.resident()[-2:] == ["yolox-nano", "grabcut"]
    assert "mobile-sam" not in pool.resident()
    pool.loaded.budgets["cpu"] = 1
    pool.segmenter("mobile-sam")
    assert pool.resident() == ["mobile-sam"], "what is being used stays, whatever the budget"
    pool.unload()
    assert (pool.resident(), pool.nbytes()) == ([], 0)


@needs_models
def test_measured_sizes_are_learned_and_counted(home: Path) -> None:
    entry = catalogue.load().get("mobile-sam")
    code = (
        "import sys; from pathlib import Path; from maskwright.models.runtime.pool import ModelPool\n"
        "pool = ModelPool([Path(sys.argv[1])], 'cpu', 1, learn=True)\n"
        "pool.segmenter('mobile-sam'); print(pool.nbytes())"
    )  # a fresh process: this one may have freed memory to build the model in
    run = subprocess.run([sys.executable, "-c", code, str(MODELS)], capture_output=True, text=True, check=True)
    measured = records.memory("mobile-sam", "cpu")
    assert measured is not None
    assert measured == int(run.stdout)
    assert 10_000_000 < measured < 1_000_000_000
    running = entry.running_for("fp32")
    assert running == entry.memory - 4 * entry.parameters > 0, (
        "what it takes besides its weights is to be kept free too"
    )
    assert ModelPool([MODELS], "cpu", 1, learn=True).expected(entry) == measured + running
    assert ModelPool([MODELS], "cpu", 1).expected(entry) == entry.memory


@needs_models
def test_models_that_come_and_go_are_noticed(home: Path, tmp_path: Path, broken_installation: None) -> None:
    import shutil

    folder = tmp_path / "mine"
    folder.mkdir()
    pool = ModelPool([folder], "cpu", 1)
    assert pool.best("detector") is None
    shutil.copytree(MODELS / "yolox-nano", folder / "x")
    assert pool.best("detector") == "yolox-nano"
    pool.detector("yolox-nano")
    shutil.rmtree(folder / "x")
    assert pool.best("detector") is None
    assert pool.resident() == []


@needs_models
def test_a_model_that_is_mended_in_place_is_tried_again(home: Path, tmp_path: Path, broken_installation: None) -> None:
    """Neither the model folder nor the model's own changes by it, only the file."""
    import shutil

    shutil.copytree(MODELS / "yolox-nano", tmp_path / "x")
    (file,) = (tmp_path / "x").glob("*.onnx")
    whole = file.read_bytes()
    with file.open("r+b") as damaged:
        damaged.truncate(len(whole) // 2)
    pool = ModelPool([tmp_path], "cpu", 1)
    for _ in range(2):
        with pytest.raises(ModelBroken):
            pool.detector("yolox-nano")
    with file.open("r+b") as mended:
        mended.write(whole)
    assert pool.detector("yolox-nano").nbytes
    assert not pool.installed["yolox-nano"].problem


_LOAD = """
import json, resource, sys
from collections.abc import Callable
from pathlib import Path
from maskwright.models.families.grabcut.inference import grabcut
from maskwright.models.families.sam.inference import mobile_sam
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.out_of_memory import with_fallback
from maskwright_protocol.errors import ModelBroken, OutOfMemory

pool = ModelPool([Path(sys.argv[1])], "cpu", 1, budget=1 << 40)
pool.detector("yolox-nano"), pool.matting("u2netp")
before = pool.resident()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
room = int(sys.argv[2]) << 20
resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.getrlimit(resource.RLIMIT_AS)[1]))
told, forgotten = [], []

def job(notes):
    told.append(notes)
    name = sys.argv[3] or pool.best("segmenter")
    pool.segmenter(name)
    return name

try:
    answer = with_fallback(job, pool, lambda: forgotten.append(1), frozenset([sys.argv[3]]))
except OutOfMemory as error:
    answer = [error.code, error.message, error.details]
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([before, answer, told, len(forgotten), pool.resident()]))
"""


def under_pressure(room_mib: int, named: str = "") -> list:
    command = [sys.executable, "-c", _LOAD, str(MODELS), str(room_mib), named]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@linux
@needs_models
def test_when_memory_really_runs_out_a_smaller_model_is_taken_and_told_of() -> None:
    before, answer, told, forgotten, resident = under_pressure(8)
    assert before == ["yolox-nano", "u2netp"]
    assert answer == "grabcut"
    assert resident == ["grabcut"], "the others were freed first"
    assert [len(notes) for notes in told] == [0, 1, 1]
    assert "MobileSAM does not fit" in told[-1][0]
    assert forgotten == 2


@linux
@needs_models
def test_a_model_that_the_user_named_is_not_replaced() -> None:
    _, answer, told, _, resident = under_pressure(8, "mobile-sam")
    assert answer[0] == "out_of_memory"
    assert "MobileSAM" in answer[1]
    assert answer[2] == {"model": "mobile-sam"}
    assert len(told) == 2
    assert resident == []


@linux
@needs_models
def test_with_enough_room_nothing_is_given_up() -> None:
    before, answer, told, forgotten, resident = under_pressure(2000)
    assert answer == "mobile-sam"
    assert told == [[]]
    assert forgotten == 0
    assert resident == [*before, "mobile-sam"]


def test_other_errors_of_opencv_stay_what_they_are() -> None:
    tries: list[int] = []

    def job(notes: list[str]) -> None:
        tries.append(1)
        cv2.resize(np.zeros((0, 0), np.uint8), (1, 1))

    with pytest.raises(cv2.error):
        with_fallback(job, ModelPool([], "cpu", 1), lambda: None)
    assert len(tries) == 1


def of_python() -> None:
    bytearray(1 << 62)


def of_opencv() -> None:
    """A picture of two terabytes, which no memory of an ordinary computer holds."""
    cv2.resize(np.zeros((1, 1, 4), np.uint8), (1 << 20, 1 << 19))


@pytest.mark.parametrize("lack", [of_python, of_opencv])
def test_a_job_that_never_fits_fails_with_a_typed_error_after_one_more_try(lack: Callable[[], None]) -> None:
    pool = ModelPool([], "cpu", 1)
    pool.matting("u2netp")
    tries: list[list[str]] = []

    def job(notes: list[str]) -> None:
        tries.append([*notes, *pool.resident()])
        lack()

    with pytest.raises(OutOfMemory):
        with_fallback(job, pool, lambda: None)
    assert len(tries) == 2
    assert tries[0] == ["u2netp"]
    assert "u2netp" not in tries[1]
