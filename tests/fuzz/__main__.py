"""``python -m tests.fuzz TARGET --count N``: one target for long, guided by coverage where atheris is installed.

Prints a line of JSON at the end. A defect ends the run; the input that shows it is written into ``--crashes``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from .targets import Target


class Count:
    """Runs inputs and keeps count."""

    def __init__(self, name: str, target: Target, goal: int, library: str, out: Path | None) -> None:
        self._name, self._target, self._goal, self._library = name, target, goal, library
        self._home = tempfile.TemporaryDirectory(prefix="maskwright-fuzz-home-")
        self._settle()
        self._told: Counter[str] = Counter()
        self._inputs = self._steps = 0
        self._out, self._told_at = out, 0.0
        self._slowest = 0.0
        self._begun = time.monotonic()
        self._memory = 0

    def __call__(self, data: bytes) -> None:
        began = time.monotonic()
        told = self._target.run(data)
        self._slowest = max(self._slowest, time.monotonic() - began)
        self._inputs += 1
        self._steps += sum(not word.startswith(("answer: ", "queued")) for word in told)
        self._told.update(told)
        if self._inputs == 1000:
            self._memory = _resident()
        if time.monotonic() - self._told_at > 10 and self._out is not None:
            self._told_at = time.monotonic()
            self._out.write_text(self.report() + "\n")
        if self._steps >= self._goal:
            self.tell()
            self._home.cleanup()
            if self._name == "sessions":
                from .conversations import clients

                clients().close()
            os._exit(0)  # libFuzzer has no other way to end quietly

    def _settle(self) -> None:
        from .targets import settle

        settle(Path(self._home.name))

    def tell(self) -> None:
        print(self.report(), flush=True)
        if self._out is not None:
            self._out.write_text(self.report() + "\n")

    def report(self) -> str:
        """What was tried so far, as JSON."""
        return json.dumps({
            "target": self._name, "library": self._library, "inputs": self._inputs, "steps": self._steps,
            "seconds": round(time.monotonic() - self._begun, 1), "slowest_ms": round(self._slowest * 1e3, 1),
            "mib_after_1000": self._memory, "mib_at_end": _resident(), "outcomes": dict(self._told.most_common()),
        })  # fmt: skip


def _resident() -> int:
    return psutil.Process().memory_info().rss >> 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="One target for long.")
    parser.add_argument("target")
    parser.add_argument("--count", type=int, default=100_000, help="steps: inputs, or messages of conversations")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crashes", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--out", type=Path, help="write the figures here too, every ten seconds")
    flags = parser.parse_args()
    atheris = import_module("atheris") if find_spec("atheris") else None
    if atheris is not None:
        # The sessions' paths are in a loop of events, where counting lines costs more than it tells.
        with atheris.instrument_imports(include=["maskwright_protocol", "maskwright_client", "maskwright.gateway"]):
            from .targets import TARGETS
    else:
        from .targets import TARGETS
    target = TARGETS[flags.target]
    count = Count(flags.target, target, flags.count, "atheris" if atheris else "hypothesis", flags.out)
    if atheris is not None:
        with tempfile.TemporaryDirectory(prefix="maskwright-corpus-") as corpus:
            for number, seed in enumerate(target.seeds()):
                (Path(corpus) / str(number)).write_bytes(seed)
            options = [f"-max_len={target.longest}", f"-seed={flags.seed}", f"-artifact_prefix={flags.crashes}/",
                       "-rss_limit_mb=8192", "-timeout=300", "-verbosity=0"]  # fmt: skip
            atheris.Setup([sys.argv[0], *options, corpus], count)
            atheris.Fuzz()
    else:
        from .strategy import run

        run(count, target, flags.count, flags.seed)
        count.tell()


if __name__ == "__main__":
    main()
