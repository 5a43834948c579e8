"""What this computer has: graphics cards and their driver, memory. Light: asks the system, loads no model library."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from maskwright_protocol.language import tr

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Card:
    """An NVIDIA graphics card. ``memory`` and ``free`` in bytes."""

    name: str
    memory: int
    free: int
    driver: str


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards that their driver lists; empty without cards or driver."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    query = [command, "--query-gpu=name,memory.total,memory.free,driver_version", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_cards(run.stdout) if run.returncode == 0 else ()


def parse_cards(table: str) -> tuple[Card, ...]:
    """Cards from lines of the form ``name, MiB, MiB, driver``. Other lines (of failing cards) are skipped."""
    found = []
    for line in table.splitlines():
        parts = [part.strip() for part in line.rsplit(",", 3)]
        if len(parts) == 4 and parts[1].isdigit() and parts[2].isdigit():
            found.append(Card(parts[0], int(parts[1]) << 20, int(parts[2]) << 20, parts[3]))
    return tuple(found)


@cache
def has_driver() -> bool:
    """Whether there is a driver that PyTorch can compute with: NVIDIA's, AMD's or Apple's."""
    if sys.platform == "darwin":
        return True
    if sys.platform == "linux" and any(Path(p).exists() for p in ("/proc/driver/nvidia/version", "/dev/kfd")):
        return True
    return shutil.which("nvidia-smi") is not None


@cache
def torch_build() -> str | None:
    """``"cpu"``, ``"cuda 12.8"``, ``"hip 6.2"`` or, on a Mac, ``"metal"``; None without PyTorch. Does not import it."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    if sys.platform == "darwin":
        return "metal"
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return "cpu"
    for kind in ("cuda", "hip"):
        found = re.search(rf"^{kind}\b[^=\n]*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
        if found:
            return f"{kind} {found[1]}"
    return "cpu"


def why_not_torch_on_a_card() -> str | None:
    """Why PyTorch will certainly compute on the CPU, as a sentence without its end; None where it may find a card."""
    build = torch_build()
    if build is None:
        return tr("PyTorch is not installed")
    if build == "cpu":
        return tr("this PyTorch is built for the CPU only")
    if not has_driver():
        return tr("no graphics driver is installed that PyTorch can use")
    return None


def memory() -> int:
    """Bytes of main memory."""
    import psutil

    return int(psutil.virtual_memory().total)
