"""``cutout``: the picture without its background, or its alpha as a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from maskwright.files import result as results
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright_protocol.messages import Cutout, CutoutResult

from . import summaries
from .companions import Companion
from .summaries import Summary
from .task import Task, mask_of


@dataclass(kw_only=True)
class CutoutTask(Task):
    """``ask`` has all settings but the mask, which says roughly what to cut out of each picture."""

    verb: ClassVar[str] = "cutout"
    ask: Cutout
    mask: Companion | None = None

    @property
    def suffix(self) -> str:
        return "cutout" if self.ask.foreground else "mask"

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask,)

    def job(self, source: FileSource) -> Cutout:
        return replace(self.ask, mask=mask_of(self.mask, source))

    def result(self, answer: CutoutResult, source: FileSource) -> Result:
        result = results.of_cutout(answer, source.width, source.height, source.picture)
        return result.cropped(answer.alpha.box) if self.ask.crop and answer.alpha is not None else result

    def summary(self, answer: CutoutResult) -> Summary:
        return summaries.of_cutout(answer)
