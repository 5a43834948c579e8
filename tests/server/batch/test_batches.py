"""Many pictures, as their user has them done: real commands against real servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server, start_server, stop_server, wait_for
from tests.server.photos import PHOTO
from tests.trials import batches

QUICK = ("--recipe", "u2netp", "--edges", "matte")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos that differ, and two in which there is nothing."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo = Image.open(PHOTO).convert("RGB")
    for number, side in enumerate((100, 90, 80)):
        photo.resize((side, side + number)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = start_server(tmp_path)
    yield server
    server.cli("stop")
    if server.process.poll() is None:
        stop_server(server)


def records(report: Path) -> list[dict]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_a_batch_that_is_interrupted_three_times_ends_as_one_that_never_was(tmp_path: Path) -> None:
    """See ``tests.trials.batches``, which does the same with a thousand photos."""
    told = batches.interrupted(tmp_path, count=36, seed=3)
    assert told["results"] == 16
    assert len(told["sentences"]) >= 15


def test_exit_codes_tell_what_became_of_them(server: Server, photos: Path, tmp_path: Path) -> None:
    out, flat, broken = tmp_path / "out", photos / "flat.png", photos / "text.png"

    def run(*flags: str | Path) -> tuple[int, list[dict]]:
        done = server.cli("cutout", photos, "-o", out, *QUICK, "--json", *flags)
        return done.returncode, json.loads(done.stdout)

    code, told = run()
    assert (code, [one["status"] for one in told]) == (0, ["done"] * 3)
    assert all(Path(one["files"][0]).is_file() for one in told)
    Image.new("RGB", (60, 60), "grey").save(flat)
    code, told = run("--resume")
    assert (code, [one["status"] for one in told]) == (3, [*["skipped"] * 3, "nothing_found"])
    assert told[-1]["message"]
    broken.write_bytes(b"no picture")
    code, told = run("--resume")
    assert (code, [one["status"] for one in told]) == (1, [*["skipped"] * 3, "nothing_found", "failed"])
    assert told[-1]["error"] == "bad_image"
    assert server.cli("cutout", tmp_path / "photos" / "*.gif").returncode == 1, "a pattern that nothing fits"
    (tmp_path / "none").mkdir()
    assert server.cli("cutout", tmp_path / "none", photos / "0.png").returncode == 1
    assert server.cli("cutout", photos, "-o", tmp_path / "one.png").returncode == 2
    assert server.cli("cutout").returncode == 2
    assert server.cli("cutout", photos / "0.png", "--watch").returncode == 2, "no folder"


def test_settings_that_suit_no_picture_end_a_batch_with_their_sentence(server: Server, photos: Path) -> None:
    for number in range(3, 9):
        shutil.copy(photos / "0.png", photos / f"{number}.png")
    run = server.cli("cutout", photos, "--recipe", "magic")
    assert run.returncode == 2
    assert run.stderr.count("magic") <= 3
    assert "Traceback" not in run.stderr


def test_what_is_done_goes_by_content(server: Server, photos: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"

    def done(*flags: str) -> list[str]:
        run = server.cli("cutout", photos, "-o", out, *QUICK, "--resume", "--report", report, *flags)
        assert run.returncode == 0, run.stderr
        return [Path(one["image"]).name for one in records(report) if one["status"] == "done"]

    assert done() == ["0.png", "1.png", "2.png"]
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    for path in photos.iterdir():
        os.utime(path)
    assert done() == []
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")} == before
    assert all({"files", "score", "report", "subjects"} <= set(one) for one in records(report)), "of before too"
    assert done("--feather", "2") == ["0.png", "1.png", "2.png"]
    assert done("--feather", "2") == []
    image, stamp = photos / "1.png", (photos / "1.png").stat()
    Image.open(image).rotate(180).save(image)
    os.utime(image, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert done("--feather", "2") == ["1.png"]
    (out / "2-cutout.png").unlink()
    assert done("--feather", "2") == ["2.png"]


def test_each_picture_has_its_own_mask(server: Server, photos: Path, tmp_path: Path) -> None:
    masks, out = tmp_path / "masks", tmp_path / "out"
    masks.mkdir()
    for number, side in ((0, 100), (1, 90)):
        plane = np.zeros((side + number, side), np.uint8)
        plane[20 + 5 * number : 60, 10:50] = 255
        Image.fromarray(plane).save(masks / f"{number}-mask.png")
    arguments = ("refine", photos, "--recipe", "inpaint", "--grow", "2", "-o", out, "--json")
    told: list[dict] = []
    for pattern in (str(masks), str(masks / "{stem}-mask.png")):
        run = server.cli(*arguments, "--mask", pattern, "--resume")
        assert run.returncode == 1, run.stderr
        told = json.loads(run.stdout)
        assert told[2]["error"] == "bad_input"
        assert "2.png" in told[2]["message"]
        for number in (0, 1):
            grown = np.asarray(Image.open(out / f"{number}-refined.png"))
            assert grown[40, 30] == 255
            assert grown[20 + 5 * number - 6, 30] == 0
    assert [one["status"] for one in told] == ["skipped", "skipped", "failed"], "where masks lie does not count"
    Image.fromarray(np.pad(np.full((40, 40), 255, np.uint8), ((0, 60), (0, 60)))).save(masks / "0-mask.png")
    told = json.loads(server.cli(*arguments, "--mask", str(masks), "--resume").stdout)
    assert [one["status"] for one in told] == ["done", "skipped", "failed"], "what they show does"


def test_all_commands_take_many(server: Server, photos: Path, tmp_path: Path) -> None:
    """And a second run over the folder takes the same pictures, not the first run's outputs."""
    commands = (
        (("select", "--point", "45,40"), ["mask"]),
        (("parse", "--part", "hair"), ["parts"]),
        (("everything", "--points", "3"), ["objects"]),
        (("detect", "--text", "person"), []),
    )
    for words, suffixes in commands:
        told = []
        for _ in range(2):
            run = server.cli(words[0], photos, *words[1:], "--json")
            assert run.returncode in (0, 3), run.stderr
            told = json.loads(run.stdout)
            assert [Path(one["image"]).name for one in told] == ["0.png", "1.png", "2.png"]
        for one in told:
            assert one["status"] in ("done", "nothing_found")
            if one["status"] == "done":
                assert [Path(path).stem.split("-")[1] for path in one["files"]] == suffixes * len(one["files"])
    run = server.cli("select", photos, "--point", "45,40", "--instances", tmp_path / "each", "--json")
    folders = {str(Path(path).parent.relative_to(tmp_path)) for one in json.loads(run.stdout) for path in one["files"]}
    assert folders == {"photos", "each/0-mask", "each/1-mask", "each/2-mask"}


def test_it_goes_on_when_the_worker_dies(own_server: Server, photos: Path, tmp_path: Path) -> None:
    for number in range(3, 14):
        shutil.copy(photos / f"{number % 3}.png", photos / f"{number}.png")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "maskwright.cli", "cutout", str(photos), "-o", str(out), *QUICK, "--json"]
    with subprocess.Popen(
        command, env=own_server.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as run:
        for count in (1, 5):
            wait_for(lambda count=count: out.is_dir() and len(list(out.glob("*.png"))) >= count, 60)
            worker = own_server.status().workers[0].pid
            assert worker is not None
            os.kill(worker, signal.SIGKILL)
        told = json.loads(run.communicate(timeout=120)[0])
    assert (run.returncode, {one["status"] for one in told}) == (0, {"done"})
    assert own_server.status().image_bytes == 0, "no picture of a batch is left at the server"


def test_watching_takes_what_is_complete(own_server: Server, photos: Path, tmp_path: Path) -> None:
    inbox, report = tmp_path / "inbox", tmp_path / "report.jsonl"
    inbox.mkdir()
    shutil.copy(photos / "0.png", inbox)
    command = [sys.executable, "-m", "maskwright.cli", "cutout", str(inbox), "--watch", "--report", str(report), *QUICK]
    with subprocess.Popen(command, env=own_server.environment, stderr=subprocess.PIPE, text=True) as run:
        wait_for((inbox / "0-cutout.png").is_file, 60)
        data = (photos / "1.png").read_bytes()
        with (inbox / "1.png").open("wb") as slow:  # as a camera or a browser would
            for start in range(0, len(data), len(data) // 12 + 1):
                slow.write(data[start : start + len(data) // 12 + 1])
                slow.flush()
                time.sleep(0.15)
                assert not (inbox / "1-cutout.png").exists()
        shutil.copy(photos / "2.png", inbox / ".2.png.part")
        (inbox / ".2.png.part").rename(inbox / "2.png")
        for number in (1, 2):
            wait_for((inbox / f"{number}-cutout.png").is_file, 60)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    assert run.returncode == 0, said
    assert "Traceback" not in said
    assert [(Path(one["image"]).name, one["status"]) for one in records(report)] == [
        (f"{number}.png", "done") for number in range(3)
    ]
    assert sorted(path.name for path in inbox.glob("*.png")) == sorted(
        f"{number}{kind}.png" for number in range(3) for kind in ("", "-cutout")
    )


def test_pictures_come_and_go_through_pipes_and_lists(server: Server, photos: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "maskwright.cli", "select", "-", "--point", "45,40", "--format", "webp"]
    run = subprocess.run(
        command, env=server.environment, input=(photos / "0.png").read_bytes(), capture_output=True, check=True
    )  # fmt: skip
    assert run.stdout[8:12] == b"WEBP"
    listed = "\n".join(str(path) for path in sorted(photos.iterdir())[:2])
    command = [*command[:3], "detect", "--list", "-", "--text", "person", "--json"]
    run = subprocess.run(command, env=server.environment, input=listed.encode(), capture_output=True, check=False)
    assert run.returncode in (0, 3), run.stderr
    assert len(json.loads(run.stdout)) == 2


def test_files_go_to_stdout_and_all_else_to_stderr(server: Server, photos: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    (photos / "<b>&'x.png").write_bytes(b"no picture")
    run = server.cli("cutout", str(photos / "*.png"), "-o", tmp_path / "out", *QUICK, "--sheet", sheet, "-j", "1")
    assert run.returncode == 1
    assert run.stdout.split() == [str(tmp_path / "out" / f"{number}-cutout.png") for number in range(3)]
    lines = [line for line in run.stderr.splitlines() if re.match(r"\d+/4 ", line)]
    assert [line.split()[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]
    assert "3 done, 1 failed." in run.stderr
    page = sheet.read_text()
    assert page.count("<figure") == 4
    assert page.count("<img") == len(list((tmp_path / "sheet_files").iterdir())) == 3
    assert "<b>&'x" not in page
    for source in re.findall(r'src="([^"]+)"', page):
        with Image.open(tmp_path / source) as thumbnail:
            assert thumbnail.width > thumbnail.height, "the photo and its cut-out, side by side"
