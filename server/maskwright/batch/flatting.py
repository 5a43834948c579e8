"""``flats``: the regions of line art, each in a flat colour of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from maskwright.files import result as results
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright_protocol.messages import Flats, FlatsResult

from . import summaries
from .summaries import Summary
from .task import Task


@dataclass(kw_only=True)
class FlatsTask(Task):
    """``ask`` has all settings."""

    verb: ClassVar[str] = "select"
    ask: Flats

    @property
    def suffix(self) -> str:
        return "flats"

    def job(self, source: FileSource) -> Flats:
        return replace(self.ask)

    def result(self, answer: FlatsResult, source: FileSource) -> Result:
        return results.of_flats(answer, source.width, source.height, source.picture)

    def summary(self, answer: FlatsResult) -> Summary:
        return summaries.of_flats(answer)
