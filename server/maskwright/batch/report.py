"""A report: a line of JSON for each picture, written as it comes."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from .outcome import Outcome
from .task import told_when_not_written


class Report:
    """Replaces the ``path`` that there is. A run that goes on tells of what was done before too, so that the last
    report is complete. Raises ``BadInput`` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with told_when_not_written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", errors="surrogateescape")

    def add(self, outcome: Outcome) -> None:
        with told_when_not_written(self.path):
            self._file.write(json.dumps(outcome.record, default=float) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
