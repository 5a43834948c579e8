"""``maskwright serve`` whose worker hangs in jobs that ask for "wait" (it does nothing) or "spin" (it computes).

Run by path, with the usual command behind it: the worker's process imports this file again.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

from maskwright.cli import main
from maskwright.recipes import run as recipes
from maskwright.recipes.job.context import JobContext
from maskwright_protocol.messages import Job, Message

_run = recipes.run


def _hang(request: Job, rasters: Mapping[str, memoryview], context: JobContext) -> Message:
    text = getattr(request, "text", "")
    if text == "wait":
        threading.Event().wait()
    while text == "spin":
        pass
    return _run(request, rasters, context)


recipes.run = _hang

if __name__ == "__main__":
    sys.argv = ["maskwright", *sys.argv[sys.argv.index("serve") :]]
    main()
