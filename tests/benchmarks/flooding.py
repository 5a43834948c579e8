"""How long a click takes while other clients keep the queue full of theirs, against the same server at rest."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import errors, messages
from tests.benchmarks.report import Result
from tests.server.conftest import Server, start_server, stop_server
from tests.server.photos import PHOTO

CLICKS = 40
PAUSE_S = 0.2  # of a user between two clicks
WAITING = 60  # jobs of each flooding client
BOUNDS = {1: 2.0, 8: 4.0}  # flooding clients -> what a click may take, times that of a server at rest


def click() -> messages.Select:
    """On the face: all clicks take the same, and none is looked at closely."""
    return messages.Select("", recipe="mobile-sam", points=[messages.Point(220, 150)], precise="off")


def flood(clients: int) -> None:
    """Keep ``WAITING`` clicks of each client in the queue of the running server, until this process is ended."""
    source = FileSource(PHOTO)
    made = [Client(f"flood {number}") for number in range(clients)]
    for client in made:
        ask.run(ask.answer(client, click(), source))
    picture = messages.Picture(source.box, [source.overview().raster])
    waiting: list[list[object]] = [[] for _ in made]
    print("flooding", flush=True)
    while True:
        for client, tickets in zip(made, waiting, strict=True):
            tickets[:] = [ticket for ticket in tickets if not ticket.done()]  # type: ignore[attr-defined]
            for _ in range(WAITING - len(tickets)):
                job = click()
                job.picture = picture
                tickets.append(client.submit(job))
        time.sleep(0.02)


def p95_ms(client: Client, source: FileSource) -> tuple[float, float]:
    """Median and 95th percentile of clicks one after the other, in milliseconds."""
    times = []
    for _ in range(CLICKS):
        started = time.perf_counter()
        answer = ask.run(ask.answer(client, click(), source))
        assert isinstance(answer, messages.Selection)
        times.append((time.perf_counter() - started) * 1e3)
        time.sleep(PAUSE_S)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def run() -> list[Result]:
    """Idle, then with each number of flooding clients, all in one run."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            with server.client("benchmark") as client:
                source = FileSource(PHOTO)
                ask.run(ask.answer(client, click(), source))  # loads the model
                median, rest = p95_ms(client, source)
                results = [Result(f"click of a server at rest, 95th percentile (median {median:.0f})", rest, "ms", 1.0)]
                return results + [_while_flooded(server, client, source, number, rest) for number in BOUNDS]
        finally:
            stop_server(server)


def _while_flooded(server: Server, client: Client, source: FileSource, clients: int, rest: float) -> Result:
    command = [sys.executable, "-m", "tests.benchmarks.flooding", str(clients)]
    process = subprocess.Popen(command, env=server.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "flooding\n"
        time.sleep(2)
        median, slow = p95_ms(client, source)
    finally:
        process.kill()
        process.wait()
    name = f"click while {clients} flood the queue, 95th percentile (median {median:.0f})"
    return Result(name, slow, "ms", slow / rest, BOUNDS[clients])


if __name__ == "__main__":
    try:
        flood(int(sys.argv[1]))
    except errors.MaskwrightError as error:
        sys.exit(error.message)
