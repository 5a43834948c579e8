"""What our path costs beside the model's own time, against one raw loopback transfer of the same image.

All steps of a repetition run one after the other in random order, so that a noisy machine disturbs them alike.
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import messages
from maskwright_protocol.masks import unpack
from tests.benchmarks.report import Result
from tests.server.conftest import Server, start_server, stop_server

WIDTH, HEIGHT = 4000, 3000


class Noisy(FileSource):
    """A photo-like RGBA image of 12 megapixels; a new one for each seed."""

    def __init__(self, seed: int) -> None:
        random_ = np.random.default_rng(seed)
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        ground = 90 + 60 * np.sin(x / 900 + seed) * np.cos(y / 700)
        disc = ((x - 2000) / 950) ** 2 + ((y - 1500) / 700) ** 2 < 1
        pixels = np.empty((HEIGHT, WIDTH, 4), np.uint8)
        for channel, light in enumerate((70, 20, -40)):
            plane = ground + np.where(disc, light + 60, 0)
            pixels[:, :, channel] = np.clip(plane + random_.normal(0, 4, plane.shape), 0, 255)
        pixels[:, :, 3] = 255
        self.pixels, self.width, self.height, self.format = pixels, WIDTH, HEIGHT, "RGBA8"
        self.box, self._overview = messages.PixelRect(0, 0, WIDTH, HEIGHT), None


class RawTcp:
    """A thread that takes 48 MB and answers with one byte: the floor."""

    def __init__(self, size: int) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self._size = size
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        self._client = socket.create_connection(listener.getsockname())
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _serve(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        buffer = bytearray(1 << 20)
        received = 0
        while count := connection.recv_into(buffer):
            received += count
            if received == self._size:
                received = 0
                connection.sendall(b"k")

    def transfer(self, data: bytes) -> float:
        started = time.perf_counter()
        self._client.sendall(data)
        self._client.recv(1)
        return (time.perf_counter() - started) * 1e3


def low(values: list[float]) -> float:
    """The lower quartile: what it takes when nothing else gets in between; taken of the floor too."""
    return statistics.quantiles(values, n=4)[0]


def overhead(client: Client, source: FileSource, job: messages.Job) -> tuple[float, float, float]:
    """``(ms from asking to the unpacked masks, less the stages that the answer reports; ms of the model; of drawing)``.

    Drawing the logits at the document's size is what a SAM predictor calls its own post-processing; it is shown apart.
    """
    started = time.perf_counter()
    answer = ask.run(ask.answer(client, job, source))
    assert isinstance(answer, messages.Selection)
    for instance in answer.instances:
        assert instance.mask is not None
        unpack(instance.mask)
    total = (time.perf_counter() - started) * 1e3
    drawing = answer.report.timings.get("post", 0.0)
    stages = sum(answer.report.timings.values())
    return total - stages, stages - drawing, drawing


def run(repetitions: int = 12) -> list[Result]:
    """First and later clicks at 4000x3000."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            with server.client("benchmark") as client:
                return _clicks(client, server, repetitions)
        finally:
            stop_server(server)


def _clicks(client: Client, server: Server, repetitions: int) -> list[Result]:
    raw = RawTcp(WIDTH * HEIGHT * 4)
    data = os.urandom(WIDTH * HEIGHT * 4)
    raw.transfer(data)
    known = Noisy(0)
    later_job = messages.Select(id="", recipe="mobile-sam", points=[messages.Point(2000, 1500)])
    overhead(client, known, later_job)  # loads the model
    times: dict[str, list[float]] = {
        "raw": [],
        "first": [],
        "later": [],
        "first model": [],
        "later model": [],
        "first drawing": [],
        "later drawing": [],
    }
    for repetition in range(repetitions):
        fresh = Noisy(repetition + 1)
        fresh.overview()  # the editor's part: read and scale, measured in the editors' own benchmarks
        steps = ["raw", "first", "later"]
        random.shuffle(steps)
        for step in steps:
            if step == "raw":
                times["raw"].append(raw.transfer(data))
            else:
                ours, model, drawing = overhead(client, fresh if step == "first" else known, later_job)
                times[step].append(ours)
                times[f"{step} model"].append(model)
                times[f"{step} drawing"].append(drawing)
    floor = low(times["raw"])
    results = [Result("raw TCP, 48 MB and one byte back", floor, "ms", 1.0)]
    for step, bound in (("later", 0.5), ("first", 2.0)):
        ours = low(times[step])
        model = low(times[f"{step} model"])
        results.append(
            Result(f"{step} click at 4000x3000, without the model's {model:.0f} ms", ours, "ms", ours / floor, bound)
        )
        drawing = low(times[f"{step} drawing"])
        results.append(
            Result(f"{step} click, the same with drawing the mask", ours + drawing, "ms", (ours + drawing) / floor)
        )
    return results
