"""Seventy photos cut out by the command as users run it, from no running server to the last file, beside rembg's.

``python -m tests.benchmarks.cutouts --rembg PATH``. Wall time and processor time (user and system, of all processes),
and the mean SAD where the truth is known. Both use the network U²-Netp; ours by default looks for people, too.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from maskwright.cli.console import EXIT_NOTHING_FOUND
from maskwright_protocol.discovery import read_endpoint
from tests.mixed_photos import Photo, mixed_photos
from tests.server.matting_metrics import errors
from tests.shared_data import MODELS

OURS: dict[str, tuple[str, ...]] = {
    "maskwright, default": (),
    "maskwright, U²-Netp alone": ("--recipe", "u2netp"),
    "maskwright, U²-Netp alone, edges as it has them": ("--recipe", "u2netp", "--edges", "matte"),
    "maskwright, the same, masks only": ("--recipe", "u2netp", "--edges", "matte", "--mask-only"),
}


@dataclass
class Run:
    name: str
    wall: float  # seconds
    computed: float  # seconds of all processes
    sad: float  # thousands, mean of the photos whose truth is known


def ours(name: str, flags: tuple[str, ...], photos: list[Photo], folder: Path) -> Run:
    home = folder / "home"
    given = {key: value for key, value in os.environ.items() if not key.startswith(("MASKWRIGHT_", "OMP_"))}
    given |= {"MASKWRIGHT_RUNTIME_DIR": str(home / "run"), "XDG_DATA_HOME": str(home)}
    os.environ["MASKWRIGHT_RUNTIME_DIR"] = given["MASKWRIGHT_RUNTIME_DIR"]
    command = [sys.executable, "-m", "maskwright.cli"]
    out = folder / "ours"
    began, spent = time.perf_counter(), _children()
    run = [*command, "cutout", str(folder / "in"), "--out", str(out), *flags]
    done = subprocess.run(run, env=given, check=False, capture_output=True)
    if done.returncode not in (0, EXIT_NOTHING_FOUND):
        raise SystemExit(done.stderr.decode())
    wall, computed = time.perf_counter() - began, _children() - spent
    endpoint = read_endpoint()
    assert endpoint is not None
    server = psutil.Process(endpoint.pid)
    computed += sum(sum(one.cpu_times()[:2]) for one in (server, *server.children(recursive=True)))
    subprocess.run([*command, "stop"], env=given, check=True, capture_output=True)
    suffix = "mask" if "--mask-only" in flags else "cutout"
    found = Run(name, wall, computed, _sad(photos, lambda one: out / f"{one.name}-{suffix}.png"))
    shutil.rmtree(out)
    return found


def rembgs(name: str, flags: tuple[str, ...], command: Path, photos: list[Photo], folder: Path) -> Run:
    home, out = folder / "rembg", folder / "theirs"
    (home / ".u2net").mkdir(parents=True, exist_ok=True)
    shutil.copy(MODELS / "u2netp" / "u2netp.onnx", home / ".u2net")
    own = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    own |= {"HOME": str(home), "U2NET_HOME": str(home / ".u2net"), "NUMBA_CACHE_DIR": str(home / "numba")}
    began, spent = time.perf_counter(), _children()
    run = [str(command), "p", "-m", "u2netp", *flags, str(folder / "in"), str(out)]
    subprocess.run(run, env=own, check=True, capture_output=True)
    wall, computed = time.perf_counter() - began, _children() - spent
    found = Run(name, wall, computed, _sad(photos, lambda one: out / f"{one.name}.png"))
    shutil.rmtree(out)
    return found


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sad(photos: list[Photo], path) -> float:
    found = []
    for one in photos:
        if one.truth is not None:
            plane = np.array(Image.open(path(one))) if path(one).exists() else np.zeros(one.truth.shape, np.uint8)
            alpha = plane[..., 3] if plane.ndim == 3 else plane
            found.append(errors(alpha / 255, one.truth)["sad"])
    return float(np.mean(found)) if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rembg", type=Path, help="rembg's command")
    parser.add_argument("--count", type=int, default=70)
    given = parser.parse_args()
    photos = list(mixed_photos(given.count))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for one in photos:
            Image.fromarray(one.pixels).save(folder / "in" / f"{one.name}.jpg", quality=92)
        runs = []
        if given.rembg:
            twice = [rembgs("rembg p", (), given.rembg, photos, folder) for _ in range(2)]
            runs.append(twice[1])  # the first one compiles what it keeps
        for title, flags in OURS.items():
            runs.append(ours(title, flags, photos, folder))
    print(table(runs))


def table(runs: list[Run]) -> str:
    first = runs[0]
    lines = ["| command | seconds | ratio | processor seconds | ratio | SAD |", "|---|---|---|---|---|---|"]
    for run in runs:
        wall, computed = run.wall / first.wall, run.computed / first.computed
        lines.append(
            f"| {run.name} | {run.wall:.1f} | {wall:.2f}x | {run.computed:.1f} | {computed:.2f}x | {run.sad:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
