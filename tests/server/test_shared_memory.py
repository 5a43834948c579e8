"""The server where shared memory is small, full or read-only, where descriptors are few, and after it was killed.

The surroundings are real: file systems of the wanted size in a mount namespace of the server's own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

import maskwright
from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client, Ticket
from maskwright_protocol import errors, messages
from maskwright_protocol.digest import strip_spans

from .conftest import Server, start_server, stop_server, wait_for
from .photos import BOX, PHOTO

MIB = 1 << 20
SIDE = 3072  # of RGBA8: 36 MiB, so that two do not fit into 64
MOUNTED = ["unshare", "-m"] if os.name == "posix" and os.geteuid() == 0 else ["unshare", "-rm"]


def mounts_work() -> bool:
    command = [*MOUNTED, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/dev/shm"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


linux = pytest.mark.skipif(sys.platform != "linux", reason="shared memory as Linux has it")
with_mounts = pytest.mark.skipif(not mounts_work(), reason="file systems cannot be mounted here: unshare -m fails")


def surroundings(script: str) -> list[str]:
    """A ``prefix`` that runs shell commands in a mount namespace of the server's own."""
    return [*MOUNTED, "sh", "-ec", f'{script}\nexec "$@"', "sh"]


def shm(size: str, more: str = "") -> str:
    return f"mount -t tmpfs -o size={size},mode=1777 tmpfs /dev/shm\n{more}"


def seen_by(server: Server, path: str) -> Path:
    """A path in the server's mount namespace."""
    return Path(f"/proc/{server.process.pid}/root{path}")


def fill(folder: Path) -> Path:
    """Take all the room of a file system, as another program would."""
    path = folder / "another-program"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(MIB)) == MIB:
                pass
        except OSError:
            pass
    assert os.statvfs(folder).f_bavail == 0
    return path


def pixels(seed: int, side: int = SIDE) -> ask.RasterData:
    """An RGBA8 raster with strips of its own, so that nothing is copied from other rasters."""
    data = np.full((side, side, 4), 255, np.uint8)
    data[:, :, :2] = np.random.default_rng(seed).integers(0, 255, (side, 1, 2), np.uint8)
    return ask.raster_data(data.tobytes(), side, side, "RGBA8", messages.PixelRect(0, 0, side, side))


def begin(client: Client, item: ask.RasterData) -> Ticket:
    raster = item.raster
    size = raster.width, raster.height, raster.format, raster.transfer
    return client.submit(messages.ImageBegin("", raster.key, *size, item.strips))


def upload(client: Client, item: ask.RasterData) -> None:
    ask.run(ask.upload(client, item), lambda ticket: ticket.wait(60))


def finish(client: Client, item: ask.RasterData, begun: Ticket) -> None:
    """Send what was announced. ``upload`` would begin anew."""
    assert isinstance(begun.result(60), messages.ImageNeed)
    raster, view = item.raster, memoryview(item.data)
    for strip, (top, rows) in enumerate(strip_spans(raster.height)):
        start, end = top * raster.width * 4, (top + rows) * raster.width * 4
        for at in range(start, end, MIB // 4):
            client.send(messages.ImageSlice(raster.key, strip, at - start, bytes(view[at : min(at + MIB // 4, end)])))
    assert isinstance(client.request(messages.ImageEnd("", raster.key), 60), messages.ImageReady)


def click(client: Client, source: FileSource) -> messages.Selection:
    job = messages.Select(id="", boxes=[BOX], merge=True)
    answer = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(120))
    assert isinstance(answer, messages.Selection)
    assert answer.merged is not None
    return answer


def click_on(client: Client, item: ask.RasterData) -> messages.Selection:
    """A click that looks at an uploaded raster."""
    picture = messages.Picture(item.raster.box, [item.raster])
    job = messages.Select("", picture=picture, points=[messages.Point(9, 9)], recipe="grabcut", merge=True)
    answer = client.request(job, 120)
    assert isinstance(answer, messages.Selection)
    return answer


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops what is left of them; none of them may have died of a signal."""
    servers: list[Server] = []

    def start(prefix: list[str]) -> Server:
        servers.append(start_server(tmp_path, prefix=prefix))
        return servers[-1]

    yield start
    for server in servers:
        try:
            assert server.process.poll() is None, "the server ended by itself"
            assert all(worker.restarts == 0 for worker in server.status().workers), "a worker died"
        finally:
            stop_server(server)


@pytest.fixture(scope="module")
def source() -> FileSource:
    return FileSource(PHOTO)


# ---------------------------------------------------------------- descriptors


def small(seed: int) -> messages.Raster:
    """A picture of 32x32 pixels with its pixels, another one for each seed."""
    data = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), np.uint8).tobytes()
    return replace(ask.raster_data(data, 32, 32, "RGB8", messages.PixelRect(0, 0, 32, 32)).raster, data=data)


@linux
@pytest.mark.parametrize("limit", [256, 1024])
def test_pictures_hold_no_descriptors(started: Callable[..., Server], limit: int) -> None:
    """600 pictures, all of which the worker maps."""
    server = started(prefix=["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"])
    held: list[tuple[int, int]] = []
    with server.client() as client:
        for start in range(0, 600, 60):
            picture = messages.Picture(messages.PixelRect(0, 0, 32, 32), [small(start + i) for i in range(60)])
            job = messages.Select("", picture=picture, boxes=[messages.Rect(4, 4, 28, 28)], recipe="grabcut")
            assert isinstance(client.request(job, 120), messages.Selection)
            pid = server.status().workers[0].pid
            held.append((psutil.Process(server.process.pid).num_fds(), psutil.Process(pid).num_fds()))
        assert server.status().image_bytes == 600 * 32 * 32 * 3
    assert abs(held[-1][0] - held[0][0]) <= 3, held
    assert abs(held[-1][1] - held[0][1]) <= 3, held


# ---------------------------------------------------------------- room


@linux
@with_mounts
def test_small_shared_memory_is_enough(started: Callable[..., Server], source: FileSource) -> None:
    """Docker's 64 MB. What does not fit goes into files, and is selected on all the same."""
    server = started(prefix=surroundings(shm("64m")))
    items = [pixels(seed) for seed in range(4)]
    with server.client("one") as one, server.client("two") as two:
        begun = [begin(one, items[0]), begin(two, items[1])]
        assert all(ticket.wait(60) for ticket in begun), "promised before the pixels of either came"
        finish(one, items[0], begun[0])
        finish(two, items[1], begun[1])
        for item in items[2:]:
            upload(one, item)
        for item in items:
            click_on(two, item)
        click(one, source)
    status = server.status()
    assert status.image_bytes >= 4 * len(items[0].data)
    [problem] = status.problems
    assert "/dev/shm" in problem
    assert "MiB" in problem
    assert "Shared memory (/dev/shm) has room for" in server.cli("status").stdout


@linux
@with_mounts
def test_another_program_fills_shared_memory_meanwhile(started: Callable[..., Server], source: FileSource) -> None:
    server = started(prefix=surroundings(shm("128m")))
    item = pixels(1)
    with server.client() as client:
        begun = begin(client, item)
        assert begun.wait(60)
        fill(seen_by(server, "/dev/shm"))
        finish(client, item, begun)
        click_on(client, item)
        click(client, source)
        upload(client, pixels(2))
        click_on(client, pixels(2))


@linux
@with_mounts
def test_a_full_shared_memory_does_not_end_a_worker(started: Callable[..., Server], source: FileSource) -> None:
    """It was started before, and its answers get larger."""
    server = started(prefix=surroundings(shm("128m")))
    whole, proxy = source.detail(source.box), source.overview()
    with server.client() as client:
        click(client, source)
        upload(client, whole)
        fill(seen_by(server, "/dev/shm"))
        picture = messages.Picture(source.box, [proxy.raster, whole.raster])
        for _ in range(3):
            answer = client.request(messages.Cutout(id="", picture=picture, format="RGBA32F"), 120)
            assert isinstance(answer, messages.CutoutResult)
            assert answer.foreground is not None
            assert answer.foreground.data is not None
            assert len(answer.foreground.data) > MIB


@linux
@with_mounts
def test_idle_pictures_make_room_where_there_is_no_other(
    started: Callable[..., Server], tmp_path: Path, source: FileSource
) -> None:
    """Neither place holds more than one picture; and what fits nowhere is refused in a sentence."""
    (tmp_path / "run").mkdir(mode=0o700)
    files = f"mount -t tmpfs -o size=56m,mode=700 tmpfs {tmp_path}/run"
    server = started(prefix=surroundings(shm("56m", files)))
    with server.client() as client:
        for seed in range(5):
            upload(client, pixels(seed))
        assert server.status().image_bytes == 2 * len(pixels(0).data)
        with pytest.raises(errors.Busy) as caught:
            upload(client, pixels(9, 5000))
        assert "memory" in caught.value.message
        assert "/dev/shm" in caught.value.hint
        click(client, source)
        upload(client, pixels(7))
        assert click_on(client, pixels(7)).merged is not None


@linux
@with_mounts
def test_read_only_shared_memory(started: Callable[..., Server], source: FileSource) -> None:
    server = started(prefix=surroundings(shm("64m", "mount -o remount,ro /dev/shm")))
    with server.client() as client:
        click(client, source)
        item = pixels(1)
        upload(client, item)
        assert click_on(client, item).merged is not None
    [problem] = server.status().problems
    assert "cannot be written to" in problem


@linux
@with_mounts
def test_the_doctor_sees_small_shared_memory(tmp_path: Path) -> None:
    command = [*surroundings(shm("64m")), sys.executable, "-m", "maskwright.cli", "doctor"]
    environment = {**os.environ, "MASKWRIGHT_RUNTIME_DIR": str(tmp_path)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "Shared memory (/dev/shm) has room for 56 MiB" in run.stdout


# ---------------------------------------------------------------- what the killed leave


def of(server: Server) -> list[Path]:
    """The files in /dev/shm that a server has mapped."""
    maps = Path(f"/proc/{server.process.pid}/maps").read_text().split()
    return sorted({Path(word) for word in maps if word.startswith("/dev/shm/")})


@linux
@pytest.mark.parametrize("whole_group", [True, False])
def test_pixels_of_the_killed_are_swept_and_those_of_the_living_stay(
    tmp_path: Path, source: FileSource, whole_group: bool
) -> None:
    folders = [tmp_path / name for name in ("killed", "living", "next")]
    for folder in folders:
        folder.mkdir()
    killed = start_server(folders[0], own_group=True)
    living = start_server(folders[1])
    try:
        for server in (killed, living):
            with server.client() as client:
                click(client, source)
        left, kept = of(killed), of(living)
        assert len(left) == len(kept) == 2, "a picture and the window for answers"
        if whole_group:
            os.killpg(killed.process.pid, signal.SIGKILL)
            killed.process.wait(10)
            assert all(path.exists() for path in left)
            stop_server(start_server(folders[2]))
            assert not any(path.exists() for path in left)
        else:
            killed.process.kill()
            killed.process.wait(10)
            wait_for(lambda: not any(path.exists() for path in left))
            stop_server(start_server(folders[2]))
        assert all(path.exists() for path in kept)
        with living.client() as client:
            click(client, source)
    finally:
        stop_server(living)
    assert not any(path.exists() for path in kept)


@linux
def test_a_picture_that_a_clean_up_removed_is_sent_again(tmp_path: Path, source: FileSource) -> None:
    server = start_server(tmp_path, "--worker-idle-s", "0.5")
    try:
        with server.client() as client:
            click(client, source)
            wait_for(lambda: server.status().workers[0].state == "stopped", 20)
            [path] = of(server)
            path.unlink()
            click(client, source)
    finally:
        stop_server(server)


# ---------------------------------------------------------------- out of memory

HOG = """
from maskwright.models.family import Family, Recipe


class Hog:
    knows_objects, uses_saliency = True, False

    def __init__(self, entry, folder, setup):
        self.model_id, self.device, self.nbytes = entry.id, setup.device, entry.memory

    def embed(self, image):
        import numpy as np

        taken = [np.ones(20 << 20, np.uint8) for _ in range(40)]
        taken.append(bytearray(1 << 62))


FAMILY = Family(
    name="hog", title="Hog", roles=("segmenter",), layouts=("*.json",), recipes=(Recipe("hog"),), load=Hog
)
"""
ENTRY = """
[[model]]
id = "hog"
family = "hog"
title = "Hog"
summary = "Asks for too much."
licence = "GPL-3.0-or-later"
commercial = "yes"
source = ""
revision = "1"
files = [{ name = "hog.json" }]
parameters = 0
memory = 1_000_000
input_size = 512
"""


def test_memory_is_given_back_after_a_job_that_ran_out_of_it(tmp_path: Path) -> None:
    package = tmp_path / "code" / "maskwright"
    shutil.copytree(Path(maskwright.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "models" / "families" / "hog.py").write_text(HOG, encoding="utf-8")
    with (package / "models" / "catalogue" / "segmenters.toml").open("a", encoding="utf-8") as catalogue:
        catalogue.write(ENTRY)
    (tmp_path / "models" / "hog").mkdir(parents=True)
    (tmp_path / "models" / "hog" / "hog.json").write_text("{}", encoding="utf-8")
    server = start_server(
        tmp_path, MASKWRIGHT_MODELS=str(tmp_path / "models"),
        PYTHONPATH=os.pathsep.join([str(tmp_path / "code"), os.environ.get("PYTHONPATH", "")]),
    )  # fmt: skip
    try:
        with server.client() as client:
            ask.run(ask.answer(client, messages.Select("", boxes=[BOX], recipe="grabcut"), FileSource(PHOTO)))
            before = server.status().workers[0].memory_bytes
            with pytest.raises(errors.OutOfMemory):
                ask.run(ask.answer(client, messages.Select("", boxes=[BOX], recipe="hog"), FileSource(PHOTO)))
            worker = server.status().workers[0]
            assert worker.restarts == 0
            # What is imported meanwhile stays.
            assert worker.memory_bytes < before + 200 * MIB, "of the 800 MiB that the job took"
    finally:
        stop_server(server)
