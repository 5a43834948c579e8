"""``make bench``: run all benchmarks, print a table, and say which promises were missed by the exit code."""

from __future__ import annotations

import importlib.util
import sys

from tests.benchmarks import built_in, detectors, matting, segmenters, startup, transport
from tests.benchmarks.report import table
from tests.shared_data import MODELS


def main() -> int:
    results = startup.run() + built_in.run()
    if MODELS.is_dir():
        results += transport.run()
    else:
        print("No shared/models beside the checkout: the click benchmarks are left out.", file=sys.stderr)
    if importlib.util.find_spec("transformers") is not None:
        results += segmenters.run() + detectors.run()
    results += matting.run()
    print(table(results))
    return 0 if all(result.kept for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
