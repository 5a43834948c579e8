"""How soon the server accepts connections, and what it holds while no worker runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from maskwright_client.client import Client
from maskwright_protocol import messages
from maskwright_protocol.discovery import Endpoint, read_endpoint
from tests.benchmarks.report import Result


def run(repetitions: int = 7) -> list[Result]:
    started, memory, bare = [], [], []
    for _ in range(repetitions):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append((time.perf_counter() - began) * 1e3)
        took, held = _one_start()
        started.append(took)
        memory.append(held)
    return [
        Result("a bare Python start", statistics.median(bare), "ms", 1.0),
        Result("serve: start to welcome", statistics.median(started) / 1e3, "s", None, 0.5),
        Result("serve: memory with no worker", statistics.median(memory), "MB", None, 80),
    ]


def _one_start() -> tuple[float, float]:
    """``(ms, MB)``."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKWRIGHT_RUNTIME_DIR"] = str(Path(folder) / "run")
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "maskwright.cli", "serve", "--log-level", "error"])
        try:
            while (endpoint := read_endpoint()) is None:
                time.sleep(0.002)
            found: Endpoint = endpoint
            with Client("benchmark", endpoint=lambda: found) as client:
                answer = client.request(messages.StatusRequest(""), 5)
                took = (time.perf_counter() - began) * 1e3
                assert isinstance(answer, messages.Status)
            return took, psutil.Process(process.pid).memory_info().rss / 1e6
        finally:
            process.terminate()
            process.wait()
            del os.environ["MASKWRIGHT_RUNTIME_DIR"]
