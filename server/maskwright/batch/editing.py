"""``edit``: a mask changed by a sentence: "also the hat", "without the chair", "a bit tighter"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.files.reading import FileSource
from maskwright.files.result import Result, mask_plane
from maskwright.masks.boxes import PixelBox, dequantise, quantise, recrop
from maskwright.masks.post import post_process_crop
from maskwright_client import edits
from maskwright_client.edits import Edit
from maskwright_client.jobs import JobOptions, Prompt
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Job, PostProcess, Report, Selection

from .companions import Companion
from .selecting import SelectionTask
from .task import mask_of

_COMBINE: dict[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    edits.ADD: np.maximum,
    edits.SUBTRACT: lambda one, other: np.minimum(one, np.iinfo(other.dtype).max - other),
    edits.INTERSECT: np.minimum,
}


@dataclass(kw_only=True)
class EditTask(SelectionTask):
    """``mask`` is what was selected before."""

    verb: ClassVar[str] = "select"
    mask: Companion
    text: str
    options: JobOptions = field(default_factory=JobOptions)

    @property
    def suffix(self) -> str:
        return "edited"

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask,)

    def check(self) -> None:
        self._edit()

    def _edit(self) -> Edit:
        """Raises ``BadInput`` for a sentence that is no change."""
        found = edits.read(self.text)
        if found is None or found.kind == edits.PICK:
            raise BadInput(
                f'"{self.text}" does not say how the selection is to change.',
                'Say it as "also the hat", "without the chair", "only the face", "a bit tighter" or "softer".',
            )
        return found

    def job(self, source: FileSource) -> Job:
        return self.options.select(Prompt(self._edit().text))

    def answer(self, source: FileSource, ask: Callable[[Job], Any]) -> Selection:
        """Only a thing has to be looked for."""
        if self._edit().kind in _COMBINE:
            return ask(self.job(source))
        return Selection("", 0, Report("edit", [], "cpu"))

    def result(self, answer: Selection, source: FileSource) -> Result:
        edit, before = self._edit(), mask_of(self.mask, source)
        assert before is not None
        plane = mask_plane(before, source.width, source.height)
        if edit.kind in _COMBINE:
            found = super().result(answer, source).mask
            plane = _COMBINE[edit.kind](plane, _as_deep(found, plane)) if found is not None else plane
        else:
            post = _post(edit, source.width, source.height)
            whole = PixelBox(0, 0, source.width, source.height)
            done, box = post_process_crop(dequantise(plane), whole, whole, post)
            plane = quantise(np.ascontiguousarray(recrop(done, box, whole)), 8 * plane.itemsize)
        return replace(super().result(answer, source), mask=plane, instances=[])


def _as_deep(plane: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """A mask in as many bits as another."""
    if plane.dtype == like.dtype:
        return plane
    return plane.astype(np.uint16) * np.uint16(257) if like.itemsize > 1 else (plane // 257).astype(np.uint8)


def _post(edit: Edit, width: int, height: int) -> PostProcess:
    amount = edit.amount(width, height)
    return {
        edits.GROW: PostProcess(grow=amount),
        edits.FEATHER: PostProcess(feather=abs(amount)),
        edits.SMOOTH: PostProcess(smooth=abs(amount)),
        edits.HARDEN: PostProcess(levels_low=0.25, levels_high=0.75),
        edits.INVERT: PostProcess(invert=True),
    }[edit.kind]
