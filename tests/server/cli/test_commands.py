"""The command as its user runs it: a real process against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server
from tests.server.photos import PHOTO
from tests.shared_data import EVAL, needs_eval, needs_models

BOX = "12,4,442,508"


def test_version_and_help(server: Server) -> None:
    assert server.cli("--version").stdout.startswith("maskwright ")
    text = server.cli("--help").stdout
    for command in (
        "serve",
        "status",
        "stop",
        "select",
        "refine",
        "cutout",
        "detect",
        "everything",
        "similar",
        "models",
        "doctor",
        "demo",
        "plugins",
    ):
        assert command in text
    assert "--worker-idle-s" in server.cli("serve", "--help").stdout


def test_select_writes_a_mask_and_tells_of_it(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "mask.png"
    run = server.cli("select", PHOTO, "--box", BOX, "-o", out, "--instances", tmp_path / "each", "--json")
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    [instance] = answer["instances"]
    assert {"id", "label", "score", "box", "source"} <= set(instance)
    assert answer["report"]["models"]
    assert answer["report"]["device"] == "cpu"
    assert all(ms >= 0 for ms in answer["report"]["timings"].values())
    mask = np.asarray(Image.open(out))
    assert mask.shape == (512, 512)
    assert mask[150, 220] > 200
    [one] = (tmp_path / "each").iterdir()
    assert np.array_equal(np.asarray(Image.open(one)), mask)


def test_post_processing_flags_reach_the_mask(server: Server, tmp_path: Path) -> None:
    def mask(*flags: str) -> np.ndarray:
        out = tmp_path / "mask.png"
        run = server.cli("select", PHOTO, "--box", BOX, "-o", out, *flags)
        assert run.returncode == 0, run.stderr
        return np.asarray(Image.open(out)).astype(int)

    plain = mask("--threshold", "0.5")
    assert set(np.unique(plain)) == {0, 255}
    assert mask("--threshold", "0.5", "--grow", "6").sum() > plain.sum()
    assert mask("--threshold", "0.5", "--grow", "-6").sum() < plain.sum()
    assert len(np.unique(mask("--feather", "4"))) > 50
    assert np.array_equal(mask("--threshold", "0.5", "--invert"), 255 - plain)
    assert mask("--depth", "16").max() > 255


def test_a_mask_to_start_from_and_refine(server: Server, tmp_path: Path) -> None:
    rough = tmp_path / "rough.png"
    plane = np.zeros((512, 512), np.uint8)
    plane[30:500, 40:430] = 255
    Image.fromarray(plane).save(rough)
    out = tmp_path / "refined.png"
    run = server.cli("refine", PHOTO, "--mask", rough, "--edge-width", "24", "-o", out, "--json")
    assert run.returncode == 0, run.stderr
    assert 0 <= json.loads(run.stdout)["agreement"] <= 1
    refined = np.asarray(Image.open(out))
    assert refined[250, 230] == 255
    assert refined[5, 5] == 0
    assert len(np.unique(refined)) > 20
    run = server.cli("select", PHOTO, "--mask", rough, "-o", out)
    assert run.returncode == 0, run.stderr


def test_cutout_of_several_images_goes_on_after_a_bad_one(server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    again = tmp_path / "again.jpg"
    again.write_bytes(PHOTO.read_bytes())
    run = server.cli("cutout", PHOTO, broken, again, PHOTO, "-o", tmp_path / "cut", "--json")
    assert run.returncode == 1
    first, second, third = json.loads(run.stdout)
    assert [one["status"] for one in (first, second, third)] == ["done", "failed", "done"]
    assert second["error"] == "bad_image"
    (path,), (other,) = first["files"], third["files"]
    assert path != other
    assert Path(path).read_bytes() == Path(other).read_bytes()
    cut = np.asarray(Image.open(path))
    assert cut.shape == (512, 512, 4)
    assert cut[150, 220, 3] > 240
    assert cut[5, 300, 3] < 20
    run = server.cli("cutout", PHOTO, "-o", tmp_path / "alpha.png", "--mask-only", "--depth", "16")
    assert run.returncode == 0, run.stderr
    alpha = np.asarray(Image.open(tmp_path / "alpha.png"))
    assert alpha.dtype == np.uint16 or alpha.dtype == np.int32
    assert np.abs(alpha / 257 - cut[:, :, 3]).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["select", "PHOTO"], 1, "nothing"),
        (["select", "PHOTO", "--point", "nan,3"], 2, "not a point"),
        (["select", "PHOTO", "--point", "12"], 2, "not a point"),
        (["select", "PHOTO", "--box", "1,2,3"], 2, "not a box"),
        (["select", "PHOTO", "--point", "9000,9000"], 1, "outside"),
        (["select", "PHOTO", "--box", BOX, "--recipe", "magic"], 2, "magic"),
        (["select", "PHOTO", "--box", BOX, "--depth", "12"], 2, "8 or 16"),
        (["select", "PHOTO", "--box", BOX, "--segmenter", "[/b]"], 1, "[/b]"),
        (["select", "PHOTO", "--box", BOX, "--recipe", "[red]"], 2, "[red]"),
        (["select", "missing.png", "--box", BOX], 1, "missing.png"),
        (["cutout", "missing.png"], 1, "missing.png"),
    ],
)
def test_mistakes_are_explained(server: Server, tmp_path: Path, arguments: list[str], code: int, text: str) -> None:
    run = server.cli(*[str(PHOTO) if a == "PHOTO" else a for a in arguments], "-o", tmp_path / "never.png")
    assert run.returncode == code, run.stderr
    assert text in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "never.png").exists()


def test_a_failure_is_json_when_asked_for(server: Server, tmp_path: Path) -> None:
    run = server.cli("select", PHOTO, "-o", tmp_path / "never.png", "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["error"] == "empty_prompt"


def test_status_models_and_doctor(server: Server) -> None:
    status = json.loads(server.cli("status", "--json").stdout)
    assert status["pid"] == server.process.pid
    listed = json.loads(server.cli("models", "list", "--json").stdout)
    by_id = {model["id"]: model for model in listed["models"]}
    assert by_id["u2netp"]["embedded"]
    assert by_id["u2netp"]["licence"] == "Apache-2.0"
    assert any(recipe["verb"] == "cutout" and recipe["available"] for recipe in listed["recipes"])
    assert "u2netp" in server.cli("models", "list").stdout
    assert server.cli("models", "path").stdout.strip()
    doctor = json.loads(server.cli("doctor", "--json").stdout)
    states = {(finding["topic"], finding["state"]) for finding in doctor["findings"]}
    assert ("device", "ok") in states
    assert ("server", "ok") in states


def test_doctor_names_a_broken_model(server: Server, tmp_path: Path) -> None:
    from maskwright.models import catalogue

    entry = catalogue.load().get("yolox-s")
    folder = tmp_path / "yolox-s"
    folder.mkdir()
    for file in entry.files:
        (folder / file.name).write_bytes(b"cut off")
    environment = {**server.environment, "MASKWRIGHT_MODELS": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "maskwright.cli", "doctor", "--json"], env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    problems = [f for f in json.loads(run.stdout)["findings"] if f["state"] == "problem"]
    assert any(entry.files[0].name in problem["text"] and problem["fix"] for problem in problems)


@needs_models
@needs_eval
def test_text_and_points_on_photos(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "bus.png"
    run = server.cli("select", EVAL / "photos/bus.jpg", "--text", "bus", "-o", out, "--json")
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert [instance["label"] for instance in answer["instances"]] == ["bus"]
    assert answer["report"]["models"] == ["yolox-nano", "mobile-sam"]
    run = server.cli("detect", EVAL / "photos/bus.jpg", "--text", "people", "--json")
    assert len(json.loads(run.stdout)["instances"]) >= 3
    run = server.cli("select", EVAL / "photos/truck.jpg", "--point", "900,600", "-o", tmp_path / "truck.png")
    assert run.returncode == 0, run.stderr
    truck = np.asarray(Image.open(tmp_path / "truck.png"))
    share = (truck > 127).mean()
    assert 0.2 < share < 0.6
    run = server.cli("select", EVAL / "photos/bus.jpg", "--text", "giraffe", "-o", tmp_path / "none.png")
    assert run.returncode == 3
    run = server.cli("detect", EVAL / "photos/bus.jpg", "--text", "face", "--detector", "yunet", "--json")
    assert json.loads(run.stdout)["report"]["models"] == ["yunet"]
    assert not (tmp_path / "none.png").exists()
    run = server.cli("select", EVAL / "photos/bus.jpg", "--text", "bicylce", "-o", tmp_path / "none.png", "--json")
    assert run.returncode == 1
    assert "bicycle" in json.loads(run.stdout)["details"]["near"]


def test_the_first_command_starts_a_server_and_stop_ends_it(tmp_path: Path, server: Server) -> None:
    environment = {**server.environment, "MASKWRIGHT_RUNTIME_DIR": str(tmp_path / "run")}
    command = [sys.executable, "-m", "maskwright.cli"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert run("status").returncode == 4
    assert run("models", "list").returncode == 0
    pid = json.loads(run("status", "--json").stdout)["pid"]
    assert run("stop").returncode == 0
    from tests.server.conftest import wait_for

    wait_for(lambda: not _alive(pid))
    assert run("stop").returncode == 0
    assert run("status").returncode == 4


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie of ours has ended too.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_demo(server: Server, tmp_path: Path) -> None:
    run = server.cli("demo", "--out", tmp_path / "demo")
    assert run.returncode == 0, run.stderr
    for name in ("word", "word-mask", "clicks", "clicks-mask", "hair", "hair-mask", "cutout", "background", "all"):
        assert (tmp_path / "demo" / f"{name}.png").exists()
        assert f"{name}.png" in run.stdout
    mask = {name: np.asarray(Image.open(tmp_path / f"demo/{name}-mask.png")) for name in ("word", "clicks", "hair")}
    assert [mask[name][45, 225] > 200 for name in mask] == [True, False, True]
    assert [mask[name][440, 380] > 200 for name in mask] == [False, True, False]
    width, height = Image.open(tmp_path / "demo/all.png").size
    assert (width > 3 * 512, height > 2 * 512) == (True, True)
