"""Workers that stop, hang in a job or do not end: real servers and processes, whose clients notice little of it."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwright.jobs import watchdog
from maskwright.jobs.watchdog import Activity, Watchdog
from maskwright_client.ask import raster_data
from maskwright_client.client import Client
from maskwright_protocol import errors
from maskwright_protocol.messages import (
    Detect,
    Mask,
    Models,
    ModelsRequest,
    Picture,
    PixelRect,
    Progress,
    Rect,
    Refine,
    Select,
    Selection,
    Status,
    StatusRequest,
)
from tests.server.conftest import Server, start_server, stop_server, wait_for

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process by a signal")
ANSWER_S = 120.0
SIDE = 1000
BOX = PixelRect(0, 0, SIDE, SIDE)
HANGING = Path(__file__).with_name("hanging_server.py")


def picture() -> Picture:
    """A square on a plain ground, sent along."""
    row = bytes(300) + bytes([255]) * 400 + bytes(300)
    item = raster_data(bytes(SIDE) * 300 + row * 400 + bytes(SIDE) * 300, SIDE, SIDE, "GRAY8", BOX)
    item.raster.data = bytes(item.data)
    return Picture(BOX, [item.raster])


def click() -> Select:
    return Select("", picture=picture(), recipe="grabcut", boxes=[Rect(250, 250, 500, 500)])


def long_job() -> Refine:
    """A job whose command is longer than what a pipe holds."""
    return Refine("", picture=picture(), recipe="guided", mask=Mask(BOX, data=bytes(SIDE * 500) + b"\xff" * SIDE * 500))


def status_ms(client: Client) -> float:
    started = time.perf_counter()
    assert isinstance(client.request(StatusRequest(""), 20), Status)
    return (time.perf_counter() - started) * 1e3


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Server]:
    server = start_server(tmp_path, prefix=(sys.executable, str(HANGING)), MASKWRIGHT_JOB_STALL_S="15")
    yield server
    stop_server(server)


@posix
def test_a_stopped_idle_worker_stops_nobody_else(tmp_path: Path) -> None:
    """It is replaced, and the job that it was given is done by the new one; the server answers all the time."""
    server = start_server(tmp_path)
    try:
        with server.client() as client, server.client("other") as other:
            assert isinstance(client.request(click(), ANSWER_S), Selection)
            pid = server.status().workers[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            ticket = client.submit(long_job())
            times = []
            while not ticket.done():
                times.append(status_ms(other))
                time.sleep(0.05)
                assert len(times) < 2000
            assert isinstance(ticket.result(1), Selection)
            assert max(times) < 2000, "the event loop waited"
            assert statistics.median(times) < 100
            assert server.status().workers[0].pid != pid
    finally:
        stop_server(server)


@posix
def test_a_worker_that_is_killed_fails_the_job_that_it_had(hanging: Server) -> None:
    with hanging.client() as client:
        told: list[Progress] = []
        ticket = client.submit(Detect("", picture=picture(), text="wait"), told.append)
        wait_for(lambda: hanging.status().running == 1 and hanging.status().workers[0].state == "busy", 60)
        time.sleep(0.5)  # it has taken it
        pid = hanging.status().workers[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(errors.WorkerDied) as caught:
            ticket.result(10)
        assert caught.value.hint
        assert isinstance(client.request(click(), ANSWER_S), Selection)


def test_a_job_that_hangs_is_ended_and_others_are_told_how_long_they_wait(hanging: Server) -> None:
    """The process lives and answers, the job's own thread computes for ever: only that it gives no sign tells."""
    with hanging.client() as client, hanging.client("other") as other:
        assert isinstance(client.request(click(), ANSWER_S), Selection)
        stuck = client.submit(Detect("", picture=picture(), text="spin"))
        wait_for(lambda: hanging.status().running == 1)
        told: list[Progress] = []
        waiting = other.submit(click(), told.append)
        started = time.monotonic()
        with pytest.raises(errors.WorkerDied, match="gave no sign"):
            stuck.result(100)
        assert time.monotonic() - started < 60
        assert isinstance(waiting.result(ANSWER_S), Selection)
        assert any("Waiting for its turn for 2 s; the job before it has taken" in p.text for p in told)


# ---------------------------------------------------------------- the rules, without processes


class Process:
    """What the system tells of a process."""

    done: Activity | None = (0.0, 0)

    def __call__(self, pid: int) -> Activity | None:
        return self.done


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def dog(process: Process) -> Watchdog:
    """It watches a job that was given at 0 and taken at once."""
    dog = Watchdog(100.0, process)
    dog.given(0.0)
    dog.sign(0.0)
    return dog


def reasons(dog: Watchdog, start: int, end: int) -> list[str]:
    return [dog.hung(float(now), 1) for now in range(start, end)]


def test_a_job_that_gives_signs_is_let_alone(dog: Watchdog) -> None:
    for now in range(1000):
        dog.sign(float(now))
        assert dog.hung(float(now), 1) == ""


def test_a_job_that_computes_without_a_sign_has_until_the_limit(dog: Watchdog, process: Process) -> None:
    for now in range(101):
        process.done = (now * 0.5, 0)
        assert dog.hung(float(now), 1) == ""
    assert "no sign" in dog.hung(101.0, 1)


def test_reading_a_model_is_activity(dog: Watchdog, process: Process) -> None:
    for now in range(100):
        process.done = (0.0, now)
        assert dog.hung(float(now), 1) == ""


def test_a_job_that_does_nothing_at_all_is_ended_sooner(dog: Watchdog) -> None:
    found = reasons(dog, 0, 50)
    ended = next(now for now, reason in enumerate(found) if reason)
    assert watchdog.STILL_S < ended < watchdog.STILL_S + 5
    assert "has done nothing" in found[ended]


def test_where_the_system_tells_nothing_only_signs_count(dog: Watchdog, process: Process) -> None:
    process.done = None
    assert reasons(dog, 0, 100) == [""] * 100
    assert dog.hung(101.0, 1)


def test_a_job_has_to_be_taken(dog: Watchdog) -> None:
    dog.given(200.0)
    assert not dog.taken
    assert dog.hung(200.0 + watchdog.TAKE_S, 1) == ""
    assert "take" in dog.hung(200.1 + watchdog.TAKE_S, 1)


def test_a_cancelled_job_and_an_idle_worker_have_to_end(dog: Watchdog) -> None:
    dog.cancelled(5.0)
    dog.sign(15.0)
    assert dog.hung(15.0, 1) == ""
    assert "cancelled" in dog.hung(15.1, 1)
    dog.done()
    assert dog.overdue(99.0) == ""
    dog.ending(100.0)
    assert dog.overdue(100.0 + watchdog.END_GRACE_S) == ""
    assert dog.overdue(100.1 + watchdog.END_GRACE_S)


# ---------------------------------------------------------------- other long steps


def test_thousands_of_model_folders_do_not_stop_the_server(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for number in range(3000):
        folder = models / f"{number:04}"
        folder.mkdir(parents=True)
        (folder / "config.json").write_bytes(b"{}")
        (folder / "model.safetensors").write_bytes(b"")
    server = start_server(tmp_path, MASKWRIGHT_MODELS=str(models))
    try:
        with server.client() as client, server.client("other") as other:
            status_ms(other)
            ticket = client.submit(ModelsRequest(""))
            times = []
            while not ticket.done():
                times.append(status_ms(other))
            assert isinstance(ticket.result(1), Models)
            assert max(times) < 1000, "the event loop waited"
            assert statistics.median(times) < 100
    finally:
        stop_server(server)
