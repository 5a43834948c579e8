"""``maskwright models add`` as its user runs it, while a server runs that has already used models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.server.conftest import Server, start_server, stop_server, wait_for
from tests.server.models import onnx_files
from tests.server.models.families import tiny_matting
from tests.server.models.families import tiny_sams as sams
from tests.server.photos import PHOTO
from tests.shared_data import MODELS, needs_models


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("adding")
    (base / "models").mkdir()
    server = start_server(base, MASKWRIGHT_MODELS=str(base / "models"), OMP_NUM_THREADS="1")
    yield server
    stop_server(server)


def answer(server: Server, *arguments: str | Path) -> dict:
    run = server.cli(*arguments, "--json")
    assert run.returncode in (0, 3), run.stdout + run.stderr
    return json.loads(run.stdout)


def listed(server: Server) -> list[dict]:
    return wait_for(lambda: json.loads(server.cli("models", "list", "--json").stdout).get("models"), 60)


def test_a_model_works_in_the_server_at_once_and_again_after_a_correction(server: Server, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    click = ("select", PHOTO, "--point", "220,100", "--precise", "off", "-o", mask)
    before = answer(server, *click)["report"]["models"]  # the worker has looked at the folders
    given = sams.saved(sams.sam2(), tmp_path / "My Clicks (1)")
    run = server.cli("models", "add", given)
    assert run.returncode == 0, run.stderr
    assert "my-clicks-1 is installed" in run.stderr.replace("\n", " ")
    assert "It is a SAM 2 model and was tried once" in " ".join(run.stderr.split())
    assert answer(server, *click, "--segmenter", "my-clicks-1")["report"]["models"] == ["my-clicks-1"]
    # The same folder, other weights: the loaded model and what it remembers of the picture are forgotten.
    sams.saved(sams.sam_hq(), given)
    run = server.cli("models", "add", given)
    assert run.returncode == 0, run.stderr
    assert "in place of what was called so before" in " ".join(run.stderr.split())
    report = answer(server, *click, "--segmenter", "my-clicks-1")["report"]
    assert report["models"] == ["my-clicks-1"]
    (mine,) = [model for model in listed(server) if model["id"] == "my-clicks-1"]
    assert (mine["family"], mine["installed"]) == ("sam_hq", True)
    assert server.cli("models", "remove", "my-clicks-1").returncode == 0
    run = server.cli(*click, "--segmenter", "my-clicks-1")
    assert run.returncode == 1
    assert "no model called" in run.stderr
    assert answer(server, *click)["report"]["models"] == before


def test_an_own_refiner_refines(server: Server, tmp_path: Path) -> None:
    tiny_matting.save(tmp_path / "edges")
    assert server.cli("models", "add", tmp_path / "edges" / "model.safetensors", "--id", "mine-vm").returncode == 0
    mask = tmp_path / "mask.png"
    answer(server, "select", PHOTO, "--point", "220,100", "--precise", "off", "-o", mask)
    run = server.cli("refine", PHOTO, "--mask", mask, "--model", "mine-vm", "-o", tmp_path / "refined.png", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["report"]["models"] == ["mine-vm"]


@needs_models
def test_a_model_that_broke_since_is_left_out_listed_and_told_by_the_doctor(server: Server, tmp_path: Path) -> None:
    shutil.copyfile(MODELS / "yolox-nano" / "yolox_nano.onnx", tmp_path / "things.onnx")
    run = server.cli("models", "add", tmp_path / "things.onnx", "--id", "things", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["model"], told["family"], told["replaced"]) == ("things", "yolox", False)
    out = tmp_path / "out.png"
    person = ("select", PHOTO, "--text", "person", "--precise", "off", "-o", out)
    assert answer(server, *person, "--detector", "things")["report"]["models"][0] == "things"
    (file,) = Path(told["folder"]).iterdir()
    data = bytearray(file.read_bytes())
    data[-1000] ^= 255
    file.write_bytes(data)
    answer_without = answer(server, *person, "--min-score", "0.31")  # the loaded one goes on working
    assert server.cli("stop").returncode == 0
    broken = answer(server, *person)  # by a new server
    assert "things" not in broken["report"]["models"]
    assert any(note.startswith("things was left out: ") and "damaged" in note for note in broken["report"]["notes"])
    assert answer_without["instances"]
    assert not any("left out" in note for note in answer(server, *person)["report"]["notes"]), "said once"
    (things,) = [model for model in listed(server) if model["id"] == "things"]
    assert things["problem"].startswith("Broken: ")
    assert not things["installed"]
    findings = json.loads(server.cli("doctor", "--json").stdout)["findings"]
    (finding,) = [one for one in findings if "things" in one["text"] and one["state"] == "problem"]
    assert "models add FILE --id things" in finding["fix"]
    assert server.cli("stop").returncode == 0


def test_what_cannot_be_told_is_asked_for_and_what_does_not_work_leaves_nothing(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(onnx_files.answering({"in": 4}, ["out"], (1, 2, 3)))
    run = server.cli("models", "add", path)
    assert run.returncode == 2
    assert "do not tell which family" in run.stderr
    assert "--family with one of: " in run.stderr
    run = server.cli("models", "add", path, "--family", "yolo", "--names", "cat, dog")
    assert run.returncode == 1
    assert "Nothing was installed" in run.stderr
    assert "Traceback" not in run.stderr
    assert "odd" not in server.cli("models", "list").stdout
    data = np.float32(1).tobytes()
    path.write_bytes(onnx_files.filled({"in": 4}, "out", (1, 6, 5), data))
    run = server.cli("models", "add", path, "--family", "yolo", "--names", "cat, dog")
    assert run.returncode == 0, run.stderr
    assert "It knows: cat, dog." in " ".join(run.stderr.split())
