"""Command, server and worker are killed at a random moment of a batch. Every output is whole or absent."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from tests.server.conftest import Server, start_server, stop_server, wait_for

from .house import segments_of, serving

PICTURES = 6
SIDE = 1400  # pixels: outputs of some megabytes take a while to be written


def run(count: int, seconds: float, seed: int) -> dict[str, Any]:
    chance, outputs, left = random.Random(seed), Counter[str](), Counter[str]()
    with serving() as (server, folder):
        sources = _pictures(folder, seed)
        lasted = _batch(server, sources, folder / "first", None)[1]
        deadline, killed = time.monotonic() + seconds, 0
        try:
            while killed < count and time.monotonic() < deadline:
                out = folder / f"out {killed}"
                names, _ = _batch(server, sources, out, chance.uniform(0.3 * lasted, lasted))
                killed += 1
                outputs.update(_state(path) for path in sorted(out.glob("*.png")))
                outputs["other files"] += sum(path.suffix != ".png" for path in out.iterdir()) if out.is_dir() else 0
                left["segments after the kill"] += sum(os.path.exists(name) for name in names)
                server = start_server(folder, own_group=True, MASKWRIGHT_MODELS=server.environment["MASKWRIGHT_MODELS"])
                left["segments after the next start"] += sum(os.path.exists(name) for name in names)
            again = _batch(server, sources, folder / "last", None)[1]
        finally:
            if server.process.poll() is None:
                stop_server(server)
        whole = Counter(_state(path) for path in (folder / "last").glob("*.png"))
        return {
            "kills": killed, "pictures_a_batch": PICTURES, "outputs": dict(outputs), "left": dict(left),
            "batch_s": round(lasted, 1), "batch_afterwards": dict(whole), "batch_afterwards_s": round(again, 1),
        }  # fmt: skip


def _pictures(folder: Path, seed: int) -> list[Path]:
    found = []
    for number in range(PICTURES):
        noise = np.random.default_rng(seed * 100 + number).integers(0, 64, (SIDE, SIDE, 3), np.uint8)
        noise[SIDE // 4 : SIDE // 2, SIDE // 4 : SIDE // 2] += 150
        found.append(folder / f"picture {number}.png")
        Image.fromarray(noise).save(found[-1], compress_level=1)
    return found


def _batch(server: Server, sources: list[Path], out: Path, kill_after: float | None) -> tuple[set[str], float]:
    """Cut out all pictures; kill everything ``kill_after`` seconds from the start. The segments that were mapped then,
    and how long it took."""
    command = [
        sys.executable,
        "-m",
        "maskwright.cli",
        "cutout",
        *map(str, sources),
        "--recipe",
        "u2netp",
        "--out",
        str(out),
    ]
    began = time.monotonic()
    with subprocess.Popen(
        command, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as batch:
        if kill_after is None:
            batch.wait(600)
            return set(), time.monotonic() - began
        time.sleep(kill_after)
        main = psutil.Process(server.process.pid)
        family = [main, *main.children(recursive=True)]
        names = set().union(*map(segments_of, family))
        for group in (batch.pid, server.process.pid):
            os.killpg(group, signal.SIGKILL)
        batch.wait(30)
        server.process.wait(30)
        wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in family[1:]), 30)
        return names, time.monotonic() - began


def _state(path: Path) -> str:
    """``whole`` when every pixel can be read."""
    try:
        with Image.open(path) as picture:
            picture.load()
            return "whole" if picture.size == (SIDE, SIDE) else "of another size"
    except (OSError, SyntaxError):
        return "broken"
