"""The built-in models without a model folder: the first click from a cold start, and what the worker then holds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from maskwright.cli.demo import SAMPLE
from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol.discovery import Endpoint, read_endpoint
from maskwright_protocol.messages import Cutout, Job, Parse, Point, Select
from tests.benchmarks.report import Result

CORES = 2
CLICK = Select("", points=[Point(380, 450)])
REST: dict[str, Job] = {
    "a word": Select("", text="person"),
    "hair": Parse("", parts=["hair"], refine=True),
    "a cut-out": Cutout(""),
}


@dataclass
class Run:
    first: float  # seconds from the start of the server's process to the mask of the first click
    computed: float  # processor seconds of server and worker until then
    clicked: int  # bytes that the worker holds then
    peak: int  # bytes that it held at most, all jobs done
    took: dict[str, float]  # seconds of each of the other jobs


def run(repetitions: int = 3) -> list[Result]:
    runs = [_one() for _ in range(repetitions)]

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    results = [
        Result("first click, from a cold start", middle([r.first for r in runs]), "s", None, 2.5),
        Result("the same, processor time", middle([r.computed for r in runs]), "s", None),
        Result("worker after a click", middle([r.clicked / 1e6 for r in runs]), "MB", None, 700),
        Result("worker at most, all jobs done", middle([r.peak / 1e6 for r in runs]), "MB", None, 700),
    ]
    for name in REST:
        results.append(Result(f"{name}, the first time", middle([r.took[name] for r in runs]), "s", None))
    return results


def _one() -> Run:
    with tempfile.TemporaryDirectory() as folder:
        given = {name: value for name, value in os.environ.items() if not name.startswith("MASKWRIGHT_")}
        home = {"MASKWRIGHT_RUNTIME_DIR": str(Path(folder) / "run"), "XDG_DATA_HOME": folder}
        os.environ["MASKWRIGHT_RUNTIME_DIR"] = home["MASKWRIGHT_RUNTIME_DIR"]
        source = FileSource(SAMPLE)
        began = time.perf_counter()
        command = [sys.executable, "-m", "maskwright.cli", "serve", "--log-level", "error", "--threads", str(CORES)]
        process = subprocess.Popen(command, env={**given, **home})
        try:
            while (endpoint := read_endpoint()) is None:
                time.sleep(0.002)
            found: Endpoint = endpoint
            with Client("benchmark", endpoint=lambda: found) as client:
                ask.run(ask.answer(client, CLICK, source))
                first = time.perf_counter() - began
                server = psutil.Process(process.pid)
                family = [server, *server.children(recursive=True)]
                computed = sum(sum(one.cpu_times()[:2]) for one in family)
                worker = max(family[1:], key=lambda one: one.memory_info().rss)
                clicked = worker.memory_info().rss
                took = {}
                for name, job in REST.items():
                    started = time.perf_counter()
                    ask.run(ask.answer(client, job, source))
                    took[name] = time.perf_counter() - started
                return Run(first, computed, clicked, _peak(worker), took)
        finally:
            process.terminate()
            process.wait()
            del os.environ["MASKWRIGHT_RUNTIME_DIR"]


def _peak(process: psutil.Process) -> int:
    """The most that it ever held; what it holds now where the system does not tell."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return process.memory_info().rss
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    from tests.benchmarks.report import table

    print(table(run()))
