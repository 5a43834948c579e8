"""``run``: the steps of a recipe, one after the other, and a file for each of its outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from maskwright.files import formats
from maskwright.files import result as results
from maskwright.files.colours import Colours
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions, write, write_file
from maskwright_client import recipe
from maskwright_client.ask import Steps
from maskwright_client.recipe import Answers, Output, Recipe, Step
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import CutoutResult, FlatsResult, Job, PixelRect

from . import summaries
from .companions import Companion
from .mapping import EverythingTask
from .summaries import Summary
from .task import Targets, Task, mask_of

Ask = Callable[[Job], Any]
_DATA = ("boxes",)  # outputs that are no pictures
_VERBS = {"everything": "select", "similar": "select"}  # whose models they use


@dataclass(kw_only=True)
class RecipeTask(Task):
    """``mask`` is what is selected already, for a recipe that begins so; ``mask_depth``: bits of masks, at least."""

    verb: ClassVar[str] = "select"
    recipe: Recipe
    mask: Companion | None = None
    mask_depth: int = 8

    @property
    def verbs(self) -> Sequence[str]:
        return [_VERBS.get(step.verb.name, step.verb.name) for step in self.recipe.steps]

    @property
    def suffix(self) -> str:
        """Of the name by which a picture's outputs are known; theirs are made of it."""
        return self._step(self.recipe.outputs[0]).verb.suffix

    @property
    def companions(self) -> Sequence[Companion | None]:
        return (self.mask,)

    def check_targets(self, targets: Targets, options: WriteOptions, source: Path | None) -> None:
        """The main target only names the outputs, which are checked when they are written."""

    def check(self) -> None:
        if self.recipe.needs_selection and self.mask is None:
            raise BadInput(
                f'The recipe "{self.recipe.name}" begins with what is selected already.',
                'Say where the masks are: --mask "masks/{stem}.png", a folder, or one file.',
            )
        if self.mask is not None and not self.recipe.needs_selection:
            raise BadInput(f'The recipe "{self.recipe.name}" uses no mask of the picture.', "Leave --mask out.")
        for output in self.recipe.outputs:
            if output.what not in _DATA and Path(output.file).suffix:
                formats.of_name(Path(output.file).name)

    def _step(self, output: Output) -> Step:
        return self.recipe.step(output.step)

    def settings(self) -> dict[str, Any]:
        return {"task": type(self).__name__, "recipe": recipe.as_data(self.recipe), "mask_depth": self.mask_depth}

    # ------------------------------------------------------------ asking

    def answer(self, source: FileSource, ask: Ask) -> Answers:
        deep = max([self.mask_depth, *(output.depth for output in self.recipe.outputs)]) > 8

        def one(job: Job) -> Steps:
            job.mask_depth = 16 if deep else job.mask_depth
            return ask(job)
            yield  # a step as editors drive them; here it is done at once

        steps = recipe.run(self.recipe, one, source.box, mask_of(self.mask, source))
        try:
            while True:
                next(steps)
        except StopIteration as end:
            return end.value

    def summary(self, answer: Answers) -> Summary:
        """That of the last step that was answered; an output that has nothing says why."""
        done = [name for name in answer.by_step if name in {output.step for output in self.recipe.outputs}]
        last = list(answer.by_step.values())[-1]
        empty = not any(self._has(output, answer) for output in self.recipe.outputs)
        told = _summary(answer.nothing if empty and answer.nothing is not None else last)
        if not empty:
            told.update(reason="", message="", hint="")
        told["steps"] = {name: _summary(one) for name, one in answer.by_step.items()}
        told["outputs"] = done
        return told

    def _has(self, output: Output, answer: Answers) -> bool:
        one = answer.by_step.get(output.step)
        return one is not None and not one.reason

    # ------------------------------------------------------------ writing

    def result(self, answer: Answers, source: FileSource) -> Result:
        """Of the first output that there is: what a contact sheet shows."""
        for output in self.recipe.outputs:
            if self._has(output, answer):
                return self._result(output, answer, source)
        return Result(source.width, source.height, picture=source.picture)

    def _result(self, output: Output, answer: Answers, source: FileSource) -> Result:
        one, step = answer.by_step[output.step], self._step(output)
        if output.what == "map":
            return _map_task().result(one, source)
        if isinstance(one, FlatsResult):
            return results.of_flats(one, source.width, source.height, source.picture)
        if isinstance(one, CutoutResult):
            made = results.of_cutout(one, source.width, source.height, source.picture)
            made.cutout = made.cutout if output.what == "cutout" else None
            return made.cropped(one.alpha.box) if step.options.get("crop") and one.alpha is not None else made
        made = results.of_selection(one, source.width, source.height, source.picture)
        if output.what == "cutout" and made.mask is not None:
            whole = PixelRect(0, 0, made.width, made.height)
            made.cutout = Colours(made, srgb=True).masked(made.mask, whole)
        return made

    def write(
        self, answer: Answers, result: Result, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        written: list[Path] = []
        for output in self.recipe.outputs:
            if self._has(output, answer):
                written += self._write(output, answer, source, targets, options)
        return written

    def _write(
        self, output: Output, answer: Answers, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        one, own = answer.by_step[output.step], self._options(output, options)
        if output.what in _DATA:
            path = self._path(output, targets, source, "json")
            write_file(path, json.dumps(_summary(one), indent=2, default=float).encode())
            return [path]
        made = self._result(output, answer, source)
        if not isinstance(targets.main, Path):
            assert targets.main is not None
            return write(made, targets.main, own)
        if output.what == "instances":
            return self._write_each(output, made, source, targets, own)
        path = self._path(output, targets, source)
        if output.what == "map":
            return _map_task().write(one, made, source, Targets(path), own)
        return write(made, path, own)

    def _write_each(
        self, output: Output, made: Result, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        written = []
        for number, one in enumerate(made.instances, 1):
            plane = np.zeros((made.height, made.width), one.mask.dtype)
            box = one.box
            plane[box.y : box.y + box.height, box.x : box.x + box.width] = one.mask
            path = self._path(output, targets, source, number=number, label=one.name)
            written += write(replace(made, mask=plane, cutout=None, instances=[]), path, options)
        return written

    def _options(self, output: Output, options: WriteOptions) -> WriteOptions:
        return replace(
            options,
            background=output.background or options.background,
            quality=options.quality if output.quality is None else output.quality,
            depth=output.depth or options.depth,
        )

    def _path(
        self, output: Output, targets: Targets, source: FileSource, extension: str = "", number: int = 0,
        label: str = "",
    ) -> Path:  # fmt: skip
        """The file of an output. The main target's name was chosen so that no two pictures share it."""
        assert isinstance(targets.main, Path)
        main, (stem, usual) = targets.main, formats.split(targets.main.name)
        planned = re.fullmatch(rf"(.+)-{re.escape(self.suffix)}(-\d+)?", stem)
        if planned is None or (len(self.recipe.outputs) == 1 and not output.file and output.what != "instances"):
            if len(self.recipe.outputs) > 1 or output.what == "instances":
                raise BadInput(
                    f"The files of this recipe do not fit into the one file {main}.", "Name a folder: -o out/"
                )
            return main.with_suffix(".json") if extension else main
        pattern = recipe.file_pattern(output, self._step(output))
        values = {
            "stem": planned[1] + (planned[2] or ""), "name": source.path.name if source.path else planned[1],
            "step": output.step, "number": f"{number:02d}", "label": _plain(label) or "object",
        }  # fmt: skip
        if output.what == "instances" and "{number}" not in pattern:
            head, dot, tail = pattern.rpartition(".")
            pattern = f"{head}-{{number}}.{tail}" if dot else f"{pattern}-{{number}}"
        name = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern)
        suffix = Path(name).suffix
        if output.file and suffix.lower() in {one for kind in formats.FORMATS.values() for one in kind.suffixes}:
            return main.parent / name
        return main.parent / f"{name}.{extension or usual}"


def _map_task() -> EverythingTask:
    return EverythingTask(ask=recipe.VERBS["everything"].job())  # type: ignore[arg-type]


def _summary(answer: Any) -> Summary:
    if isinstance(answer, CutoutResult):
        return summaries.of_cutout(answer)
    if isinstance(answer, FlatsResult):
        return summaries.of_flats(answer)
    return summaries.of_map(answer) if hasattr(answer, "objects") else summaries.of_selection(answer)


def _plain(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text).strip("-")
