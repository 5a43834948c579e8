"""How a batch is seen: a bar on a terminal, else a line for each picture; JSON as it comes."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from maskwright.batch.outcome import DONE, FAILED, NOTHING_FOUND, SKIPPED, Outcome
from maskwright.batch.pace import Pace, spoken

from . import console

_WORDS = {DONE: "done", NOTHING_FOUND: "nothing found", FAILED: "failed", SKIPPED: "done before"}


class BatchDisplay:
    """Files go to stdout, one a line, all else to stderr; with ``as_json`` stdout has a list of records instead.

    ``total``: how many pictures there are; None when nobody knows.
    """

    def __init__(self, total: int | None, as_json: bool) -> None:
        self._total = total
        self._as_json = as_json
        self._pace = Pace()
        self._count = 0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        # Files that go to a pipe must not be drawn above the bar.
        self._bar = Progress(
            *columns, console=console.errors, transient=True, redirect_stdout=sys.stdout.isatty(),
            disable=not console.errors.is_terminal or total is None,
        )  # fmt: skip
        self._task = self._bar.add_task("Pictures", total=total, left="")

    def add(self, outcome: Outcome) -> None:
        self._count += 1
        self._pace.ended(outcome.status == SKIPPED or bool(outcome.record.get("before")))
        left = self._left()
        if self._as_json:
            print(("[" if self._count == 1 else ",") + json.dumps(outcome.record, default=float), flush=True)
        else:
            for path in outcome.record.get("files", ()) if outcome.status == DONE else ():
                print(path, flush=True)
        if self._bar.disable:
            of = f"/{self._total}" if self._total is not None else ""
            told = f"{left} left" if left else ""
            console.errors.print(
                "; ".join(part for part in (f"{self._count}{of} {_line(outcome)}", told) if part), markup=False,
                soft_wrap=True,
            )  # fmt: skip
        else:
            if outcome.status in (FAILED, NOTHING_FOUND):
                self._bar.console.print(_line(outcome), markup=False, soft_wrap=True)
            self._bar.update(self._task, advance=1, left=f"{left} left" if left else "")

    def _left(self) -> str:
        if self._total is None or self._count >= self._total:
            return ""
        seconds = self._pace.left(self._total - self._count)
        return "" if seconds is None else spoken(seconds)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
        if self._as_json:
            print("]" if self._count else "[]", flush=True)


def _line(outcome: Outcome) -> str:
    line = f"{outcome.item.name}: {_WORDS[outcome.status]}"
    message = outcome.record.get("message")
    if message:
        line += f". {message}"
    elif outcome.record.get("doubtful"):
        line += ", doubtful"
    return line
