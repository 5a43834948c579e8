"""``select``, ``detect``, ``parse``, ``similar`` and ``refine``: an answer of masks, one for each found thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from maskwright.files import formats
from maskwright.files import result as results
from maskwright.files.reading import FileSource
from maskwright.files.result import Result, mask_plane
from maskwright.files.writing import WriteOptions, write
from maskwright_client.jobs import Edge, JobOptions, Prompt
from maskwright_protocol.messages import Detect, Distance, Job, Mask, Parse, Selection

from . import summaries
from .companions import Companion
from .summaries import Summary
from .task import Targets, Task, mask_of


@dataclass(kw_only=True)
class SelectionTask(Task):
    """Common to the tasks whose answer is a ``Selection``. ``extra`` is a folder for one mask of each found thing."""

    def result(self, answer: Selection, source: FileSource) -> Result:
        return results.of_selection(answer, source.width, source.height, source.picture)

    def summary(self, answer: Selection) -> Summary:
        return summaries.of_selection(answer)

    def write(
        self, answer: Selection, result: Result, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        written = super().write(answer, result, source, targets, options)

        def put(mask: Mask | None, path: Path) -> None:
            if mask is not None:
                plane = mask_plane(mask, source.width, source.height)
                written.extend(write(replace(result, mask=plane, instances=[]), path, options))

        main, folder = targets.main, targets.extra
        stem, extension = formats.split(main.name) if isinstance(main, Path) else ("mask", "png")
        for number, instance in enumerate(answer.instances if folder else [], 1):
            assert folder is not None
            name = "".join(c if c.isalnum() else "-" for c in instance.label) or "object"
            put(instance.mask, folder / f"{number:02d}-{name}.{extension}")
        for number, instance in enumerate(answer.instances, 1):
            for guess, other in enumerate(instance.alternatives, 1):
                place = main.parent if isinstance(main, Path) else Path()
                put(other.mask, (folder or place) / f"{stem}-{number:02d}-guess-{guess}.{extension}")
        return written


@dataclass(kw_only=True)
class SelectTask(SelectionTask):
    """Select what a prompt means, which ``prompt.mask`` is no part of: ``mask`` says where each picture's is.

    ``region`` limits; ``distance`` selects by distance instead; ``guesses`` is how many other guesses of each thing.
    """

    verb: ClassVar[str] = "select"
    prompt: Prompt = field(default_factory=Prompt)
    options: JobOptions = field(default_factory=JobOptions)
    min_score: float | None = None
    guesses: int = 0
    distance: Distance | None = None
    mask: Companion | None = None
    region: Companion | None = None

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask, self.region)

    def job(self, source: FileSource) -> Job:
        region, prompt = mask_of(self.region, source), self.prompt
        if self.distance is not None:
            job = self.options.select_distance(self.distance, region)
            # The server says what does not go together.
            return replace(
                job, text=prompt.text, points=prompt.points, strokes=prompt.strokes, boxes=prompt.boxes,
                examples=prompt.examples,
            )  # fmt: skip
        job = self.options.select(replace(prompt, mask=mask_of(self.mask, source)), region)
        return replace(job, boxes=prompt.boxes, alternatives=self.guesses, min_score=self.min_score)


@dataclass(kw_only=True)
class DetectTask(SelectionTask):
    """Find things by name; writes no file."""

    verb: ClassVar[str] = "detect"
    text: str = ""
    options: JobOptions = field(default_factory=JobOptions)
    min_score: float | None = None

    @property
    def suffix(self) -> str:
        return ""

    def job(self, source: FileSource) -> Detect:
        return replace(self.options.detect(self.text), min_score=self.min_score)


@dataclass(kw_only=True)
class ParseTask(SelectionTask):
    """Select parts of people; ``ask`` has all settings."""

    verb: ClassVar[str] = "parse"
    ask: Parse

    @property
    def suffix(self) -> str:
        return "parts"

    def job(self, source: FileSource) -> Parse:
        return replace(self.ask)


@dataclass(kw_only=True)
class SimilarTask(SelectionTask):
    """Find what is like the thing that ``mask`` shows."""

    verb: ClassVar[str] = "select"
    mask: Companion
    options: JobOptions = field(default_factory=JobOptions)
    pick: str = "all"
    min_score: float | None = None

    @property
    def suffix(self) -> str:
        return "similar"

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask,)

    def job(self, source: FileSource) -> Job:
        job = self.options.similar("", mask_of(self.mask, source))
        return replace(job, pick=self.pick, min_score=self.min_score)


@dataclass(kw_only=True)
class RefineTask(SelectionTask):
    """Find the edge of a rough ``mask`` again. ``context`` asks for the box to inpaint in."""

    verb: ClassVar[str] = "refine"
    mask: Companion
    edge: Edge = field(default_factory=Edge)
    options: JobOptions = field(default_factory=JobOptions)
    context: float = 0.0

    @property
    def suffix(self) -> str:
        return "refined"

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask,)

    def job(self, source: FileSource) -> Job:
        return replace(self.options.refine(mask_of(self.mask, source), self.edge), context=self.context)

    def summary(self, answer: Selection) -> Summary:
        told: dict[str, Any] = super().summary(answer)
        if answer.context is not None:
            box = answer.context
            told["context"] = [box.x, box.y, box.width, box.height]
        return told
