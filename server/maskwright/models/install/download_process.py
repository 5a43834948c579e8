"""``python -m maskwright.models.install.download_process MODEL``: a download as a process of its own, for the gateway.

Tells of itself in JSON lines: ``{"stage", "fraction", "text"}`` twice a second, and at the end ``{"done": folder}`` or
``{"error", "message", "hint", "details"}``, with texts as ``language.to_json`` writes them. Ends when its standard
input does, so that it never outlives the server.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from maskwright.config import Settings, default_model_folder, model_folders
from maskwright.models import catalogue
from maskwright_protocol.errors import InternalError, MaskwrightError
from maskwright_protocol.language import to_json, tr

from . import download
from .download import PullProgress

INTERVAL_S = 0.5


def main(arguments: list[str]) -> int:
    """See ``_parser``."""
    given = _parser().parse_args(arguments)
    latest = [PullProgress("waiting", 0, 0, tr("Starting the download"))]
    lock = threading.Lock()
    ended = threading.Event()

    def say(message: dict) -> None:
        with lock:
            print(json.dumps(message), flush=True)

    def beat() -> None:
        while True:
            now = latest[0]
            say({"stage": now.stage, "fraction": now.fraction, "text": to_json(now.text), "done_bytes": now.done})
            if ended.wait(INTERVAL_S):
                return

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(1)  # the server is gone or wants no more of it; what has arrived is on disk

    def report(progress: PullProgress) -> None:
        latest[0] = progress

    threading.Thread(target=watch, daemon=True).start()
    teller = threading.Thread(target=beat)
    teller.start()
    try:
        entry = catalogue.load().get(given.model)
        folder = download.pull(
            entry,
            given.folder or model_folders(Settings()),
            default_model_folder(),
            accept_licence=given.accept_licence,
            report=report,
        )
        last: dict = {"done": str(folder)}
    except MaskwrightError as error:
        last = _failed(error)
    except Exception as error:
        last = _failed(InternalError(tr("The download failed: {0}: {1}.", type(error).__name__, error)))
    ended.set()
    teller.join()
    say(last)
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the standard input would hold the interpreter


def _failed(error: MaskwrightError) -> dict:
    return {
        "error": error.code,
        "message": to_json(error.message),
        "hint": to_json(error.hint),
        "details": error.details,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m maskwright.models.install.download_process")
    parser.add_argument("model", help="its id")
    parser.add_argument("--accept-licence", action="store_true")
    parser.add_argument("--folder", type=Path, action="append", help="where models may be already; repeatable")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
