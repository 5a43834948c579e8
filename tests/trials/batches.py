"""Hundreds of photos with odd files among them: a batch that is interrupted three times ends as one that never was."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from tests.server.conftest import Server, start_server, stop_server, wait_for
from tests.server.photos import PHOTO
from tests.shared_data import SHARED

SIDES = (64, 128)  # pixels of the photos
RECIPE = ("cutout", "--recipe", "u2netp", "--edges", "matte")


def run(count: int, seconds: float, seed: int) -> dict[str, Any]:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"maskwright-batches-{os.getpid()}"
    folder.mkdir()
    # A shell's background jobs ignore Ctrl+C, and what they start would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return interrupted(folder, count, seed, own_group=True)
    finally:
        shutil.rmtree(folder)


# ------------------------------------------------------------ what is worked on


def make_pictures(folder: Path, count: int, seed: int) -> tuple[int, int]:
    """``count`` files, one of 50 odd. How many of them can be cut out, and in how many there is nothing."""
    folder.mkdir()
    oddities, flat = _oddities(folder, seed)
    odd = [oddities[number % len(oddities)] for number in range(max(len(oddities) if count < 100 else 1, count // 50))]
    chance = random.Random(seed)
    places = set(chance.sample(range(count), len(odd)))
    nothing, made = 0, iter(odd)
    photo = Image.open(PHOTO).convert("RGB")
    for number in range(count):
        if number in places:
            name, data = next(made)
            nothing += name in flat
            target = folder / f"{number:05d}-{name}"
            if data is None:
                target.mkdir()
            else:
                target.write_bytes(data)
        else:
            _photo(photo, chance, folder / f"{number:05d}.{chance.choice(('jpg', 'png', 'webp'))}")
    return count - len(odd), nothing


def _photo(photo: Image.Image, chance: random.Random, path: Path) -> None:
    """The astronaut, nearer or farther, at another size, mirrored, in another light."""
    left, top = chance.randrange(0, 60), chance.randrange(0, 20)
    part = photo.crop((left, top, chance.randrange(440, 512), chance.randrange(440, 512)))
    side = chance.randint(*SIDES)
    small = part.resize((side, round(side * chance.uniform(0.8, 1.2))), Image.Resampling.BILINEAR)
    if chance.random() < 0.5:
        small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    light = np.array([chance.uniform(0.8, 1.15) for _ in range(3)])
    Image.fromarray(np.clip(np.asarray(small) * light, 0, 255).astype(np.uint8)).save(path)


def _oddities(folder: Path, seed: int) -> tuple[list[tuple[str, bytes | None]], set[str]]:
    """Names and contents, None for a folder; and the names of those that are pictures of nothing."""
    chance = np.random.default_rng(seed)

    def saved(pixels: np.ndarray, kind: str) -> bytes:
        path = folder / f"made.{kind}"
        Image.fromarray(pixels).save(path)
        data = path.read_bytes()
        path.unlink()
        return data

    noise = chance.integers(0, 256, (90, 120, 3), np.uint8)
    grey = np.full((80, 110, 3), 127, np.uint8)
    png, jpeg = saved(noise, "png"), saved(noise, "jpg")
    wide = png[:16] + (200_000).to_bytes(4, "big") + png[20:]
    half, postscript = len(png) // 2, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    found: list[tuple[str, bytes | None]] = [
        ("cut-off.jpg", jpeg[: len(jpeg) // 2]), ("cut-off.png", png[:half]), ("text.png", b"Not a picture.\n"),
        ("empty.jpg", b""), ("empty.png", b""), ("folder.png", None), ("page.webp", b"<html><body>404</body></html>"),
        ("bytes.tif", chance.bytes(3000)), ("header.png", png[:33]), ("header.tif", b"II*\0"), ("wide.png", wide),
        ("script.png", postscript), ("archive.jpg", b"PK\3\4" + bytes(60)),
        ("zeros.bmp", bytes(2000)), ("flat.png", saved(grey, "png")), ("flat.jpg", saved(grey, "jpg")),
        ("clear.png", saved(np.zeros((60, 60, 4), np.uint8), "png")), ("header.gif", b"GIF89a\x40\0\x40\0"),
    ]  # fmt: skip
    field_files = ("damaged16.tif", "eps_named.png")
    found += [(name, (SHARED / "field" / name).read_bytes()) for name in field_files if (SHARED / "field").is_dir()]
    return found, {"flat.png", "flat.jpg"}


# ------------------------------------------------------------ running it


@dataclass
class Batch:
    """Runs the command on ``source`` into ``out``. ``held``: MiB of command, server and worker, over time."""

    server: Server
    source: Path
    out: Path
    jobs: int = 2
    held: dict[str, list[int]] = field(default_factory=dict)

    def start(self, *flags: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "maskwright.cli", *RECIPE, str(self.source), "-o", str(self.out)]
        command += ["--jobs", str(self.jobs), "--report", str(self.report), *flags]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=self.server.environment, stdout=subprocess.DEVNULL, stderr=log)

    @property
    def report(self) -> Path:
        return self.out.with_suffix(".jsonl")

    @property
    def log(self) -> Path:
        return self.out.with_suffix(".log")

    def outputs(self) -> dict[str, str]:
        """Name -> digest of everything but what the batch notes for itself."""
        files = [path for path in self.out.rglob("*") if path.is_file() and path.name != ".maskwright.jsonl"]
        return {str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def noted(self) -> Counter[str]:
        """How often each output was noted as done."""
        path = self.out / ".maskwright.jsonl"
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        return Counter(json.loads(line)["output"] for line in lines if line.endswith(b"}"))

    def wait_for(self, process: subprocess.Popen[bytes], count: int) -> None:
        """Until so many outputs are there."""

        def there() -> bool:
            assert process.poll() is None, self.log.read_text()[-2000:]
            return sum(1 for _ in self.out.glob("*.png")) >= count if self.out.is_dir() else False

        wait_for(there, 3600)

    def watched(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the command and note what it, the server and the worker hold."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, done))
        watcher.start()
        try:
            return process.wait(7200)
        finally:
            done.set()
            watcher.join()

    def _watch(self, pid: int, done: threading.Event) -> None:
        while not done.wait(2.0):
            try:
                worker = self.server.status().workers[0].pid
                found = {"command": pid, "server": self.server.process.pid, "worker": worker}
                for name, one in found.items():
                    if one is not None:
                        self.held.setdefault(name, []).append(psutil.Process(one).memory_info().rss >> 20)
            except psutil.Error:
                continue


def interrupted(folder: Path, count: int, seed: int, own_group: bool = False) -> dict[str, Any]:
    """A whole run; and one that is resumed after the command was killed, goes on when the server is, and is resumed
    after Ctrl+C. Raises ``AssertionError`` where these differ."""
    results, nothing = make_pictures(folder / "in", count, seed)
    server = start_server(folder, own_group=own_group)
    whole = Batch(server, folder / "in", folder / "whole")
    parts = Batch(server, folder / "in", folder / "parts")
    try:
        began = time.monotonic()
        codes = {"uninterrupted": whole.watched(whole.start())}
        took = time.monotonic() - began
        process = parts.start()
        parts.wait_for(process, results // 4)
        process.kill()
        codes["command killed"] = process.wait(30)
        between = len(parts.outputs()) - len(parts.noted())
        process = parts.start("--resume")
        parts.wait_for(process, results // 2)
        server.process.kill()
        parts.wait_for(process, results * 3 // 4)
        process.send_signal(signal.SIGINT)
        codes["Ctrl+C, after the server was killed"] = process.wait(60)
        done_before = sum(parts.noted().values())
        codes["resumed to the end"] = parts.start("--resume").wait(7200)
        told = [json.loads(line) for line in parts.report.read_text().splitlines()]
    finally:
        server.cli("stop")
        if server.process.poll() is None:
            stop_server(server)
    expected, found, noted = whole.outputs(), parts.outputs(), parts.noted()
    odd = [one for one in told if one["status"] in ("failed", "nothing_found")]
    again = sum(count - 1 for count in noted.values()) + between
    assert found == expected
    assert len(found) == results, f"{results - len(found)} photos have no result"
    assert len(told) == count
    assert len(odd) == count - results
    assert all(one["message"] for one in odd)
    assert codes["uninterrupted"] == codes["resumed to the end"] == 1
    if done_before < results:  # a quick machine may have been done before the keys came
        assert codes["Ctrl+C, after the server was killed"] == 130
    assert sum(one["status"] == "nothing_found" for one in told) == nothing
    assert sum(one["status"] == "skipped" for one in told) >= done_before - nothing
    assert again <= 3 * parts.jobs, "what was under way at each interruption, and no more"
    return {
        "files": count, "results": len(found), "sentences": sorted({one["message"] for one in odd}), "codes": codes,
        "statuses": dict(Counter(one["status"] for one in told)), "worked_on_again": again,
        "uninterrupted_s": round(took), "MiB": {name: _course(values) for name, values in whole.held.items()},
    }  # fmt: skip


def _course(values: list[int]) -> list[int]:
    """Of a value over time: at the start, each tenth of the time, and at the end."""
    return [values[round(part / 10 * (len(values) - 1))] for part in range(11)]
