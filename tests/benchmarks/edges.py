"""A live edge: from a moved slider or a stroke to the preview that can be drawn, of a picture of 4000x3000.

``python -m tests.benchmarks.edges``. The real server and the client's own session; twice: all of the picture in a
window of 1280x800, and as many of its own pixels as that window shows. Wall time in milliseconds, the median, the
quickest and the slowest, and processor time of server and worker.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from maskwright.cli.demo import SAMPLE
from maskwright_client import ask, edge_views
from maskwright_client.ask import PictureSource, RasterData, raster_data
from maskwright_client.client import Client
from maskwright_client.edge_session import EdgeSession
from maskwright_client.jobs import JobOptions
from maskwright_protocol.discovery import Endpoint, read_endpoint
from maskwright_protocol.messages import PixelRect, Point, Rect, Select
from tests.protocol.client.event_loop import QueueLoop

SIZE = (4000, 3000)
WINDOW = (1280, 800)
ROUNDS = 8


class Photo(PictureSource):
    """The demo's photo, enlarged."""

    def __init__(self) -> None:
        self._image = Image.open(SAMPLE).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
        self.box = PixelRect(0, 0, *SIZE)
        self._overview = _named(self._image.resize(self.overview_size(), Image.Resampling.BOX), self.box)

    def overview(self) -> RasterData:
        return self._overview

    def detail(self, box: PixelRect) -> RasterData:
        return _named(self._image.crop((box.x, box.y, box.x + box.width, box.y + box.height)), box)


def _named(image: Image.Image, box: PixelRect) -> RasterData:
    return raster_data(np.asarray(image).tobytes(), image.width, image.height, "RGB8", box)


class Session(EdgeSession):
    def __init__(self, client: Client) -> None:
        super().__init__(JobOptions(), lambda job, picture: ask.answer(client, job, picture))
        self.loop = self.turns = QueueLoop()

    def failed_with(self, error: Exception) -> None:
        raise error


def measure(session: Session, pids: list[int], changes: list[Callable[[], None]]) -> tuple[list[float], float]:
    """Milliseconds of each change, and processor milliseconds of one."""
    times, before = [], _computed(pids)
    for change in changes:
        began = time.perf_counter()
        change()
        session.turns.turn(lambda: session.idle, 60.0)
        assert session.preview is not None
        edge_views.pixels(edge_views.VIEWS[0], session.preview)
        times.append(1000 * (time.perf_counter() - began))
    return times, 1000 * (_computed(pids) - before) / len(changes)


def _computed(pids: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def moves(session: Session, view: Rect) -> dict[str, list[Callable[[], None]]]:
    """Each slider to several places, and strokes across the edge."""

    def slide(name: str, values: list[float]) -> list[Callable[[], None]]:
        return [lambda value=value: session.set(**{name: value}) for value in values]

    def stroke(number: int) -> Callable[[], None]:
        kind = ("hair", "inside", "outside", "hard")[number % 4]
        x, y = view.x + view.width * (0.3 + 0.05 * number), view.y + view.height * (0.3 + 0.04 * number)

        def paint() -> None:
            session.begin(kind, 60.0, x, y)
            session.extend(x + 150, y + 60)
            session.end()

        return paint

    steps = [float(step) for step in range(2, 2 + 2 * ROUNDS, 2)]
    found = {name: slide(name, [*steps, 0.0]) for name in ("grow", "feather", "smooth", "contrast", "shift_edge")}
    found["edge width"] = slide("edge_width", [10 * step for step in steps] + [0.0])
    found["stroke"] = [stroke(number) for number in range(ROUNDS)]
    return found


def main() -> None:
    photo = Photo()
    width, height = SIZE
    views = {
        "the whole picture": (Rect(0, 0, width, height), min(WINDOW[0] / width, WINDOW[1] / height)),
        "pixel by pixel": (Rect(1400, 300, *WINDOW), 1.0),
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKWRIGHT_RUNTIME_DIR"] = str(Path(folder) / "run")
        process = subprocess.Popen([sys.executable, "-m", "maskwright.cli", "serve", "--log-level", "error"])
        try:
            while (endpoint := read_endpoint()) is None:
                time.sleep(0.01)
            _report(photo, views, endpoint, process.pid)
        finally:
            process.terminate()
            process.wait()


def _report(photo: Photo, views: dict[str, tuple[Rect, float]], endpoint: Endpoint, pid: int) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| seen | what moves | median ms | quickest | slowest | processor ms |\n|---|---|---|---|---|---|")
    with Client("bench", endpoint=lambda: endpoint) as client:
        job = Select("", points=[Point(SIZE[0] * 0.45, SIZE[1] * 0.3)], pick="best")
        mask = ask.run(ask.answer(client, job, photo)).instances[0].mask
        for seen, (view, scale) in views.items():
            session = Session(client)
            session.look_at(view, scale)
            session.take_selection(photo, mask)
            session.turns.turn(lambda session=session: session.idle, 120.0)
            pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
            for name, changes in moves(session, view).items():
                times, computed = measure(session, pids, changes)
                middle = statistics.median(times)
                print(f"| {seen} | {name} | {middle:.0f} | {min(times):.0f} | {max(times):.0f} | {computed:.0f} |")
            began = time.perf_counter()
            answer = ask.run(session.finish())
            assert answer.instances
            print(f"| {seen} | the result at full size | {1000 * (time.perf_counter() - began):.0f} | | | |")
            session.close()


if __name__ == "__main__":
    main()
