"""``python -m tests.trials NAME``: see the package."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from . import batch_kills, batches, clients, kills, many_jobs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.trials")
    parser.add_argument("--out", type=Path, help="write the line of JSON here too")
    parser.add_argument("--seed", type=int, default=1)
    trials = parser.add_subparsers(dest="trial", required=True)
    for name, counts in {"kills": 1000, "jobs": 10_000, "batch-kills": 100, "batches": 1000, "clients": 64}.items():
        one = trials.add_parser(name)
        one.add_argument("--count", type=int, default=counts)
        one.add_argument("--minutes", type=float, default=10.0 if name == "clients" else 600.0, help="at most so long")
    flags = parser.parse_args()
    runs = {"kills": kills.run, "jobs": many_jobs.run, "clients": clients.run, "batch-kills": batch_kills.run,
            "batches": batches.run}  # fmt: skip
    began = time.monotonic()
    told = runs[flags.trial](flags.count, flags.minutes * 60, flags.seed)
    line = json.dumps({"trial": flags.trial, **told, "minutes": round((time.monotonic() - began) / 60, 1)})
    print(line)
    if flags.out:
        flags.out.write_text(line + "\n")


if __name__ == "__main__":
    main()
