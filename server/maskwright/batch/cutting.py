"""``cutout``: the picture without its background, or its alpha as a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from maskwright.files import formats
from maskwright.files import result as results
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions
from maskwright_protocol.messages import Cutout, CutoutResult

from . import summaries
from .companions import Companion
from .summaries import Summary
from .task import Targets, Task, mask_of


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

    def check_targets(self, targets: Targets, options: WriteOptions, source: Path | None) -> None:
        super().check_targets(targets, options, source)
        if isinstance(targets.main, Path) and self.ask.foreground and not self.ask.background:
            formats.check_transparent(targets.main)

    def job(self, source: FileSource) -> Cutout:
        deep = self.ask.foreground and source.pixels.itemsize > 1
        return replace(self.ask, mask=mask_of(self.mask, source), format="RGBA16" if deep else self.ask.format)

    def result(self, answer: CutoutResult, source: FileSource) -> Result:
        result = results.of_cutout(answer, source.width, source.height, source.picture)
        return result.cropped(answer.alpha.box) if self.ask.crop and answer.alpha is not None else result

    def summary(self, answer: CutoutResult) -> Summary:
        return summaries.of_cutout(answer)
