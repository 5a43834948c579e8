"""From the pictures that are meant to what is to be done: where the files of each go."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright.files.reading import frames_in
from maskwright_protocol.errors import BadInput, MaskwrightError

from . import naming
from .inputs import STDIN, Input, in_folder
from .outcome import Item
from .task import Targets, Task

ALL = "all"  # frames


@dataclass(frozen=True)
class Wanted:
    """``out`` is ``-o`` as it was typed, ``extension`` that of outputs whose name does not tell; ``frame`` is a number
    or ``ALL``; ``layer`` the name of one, or empty. ``several``: more than one picture is meant, or might be."""

    out: str = ""
    extension: str = "png"
    frame: str = "1"
    layer: str = ""
    several: bool = True


def items(task: Task, inputs: Sequence[Input], wanted: Wanted) -> list[Item]:
    """An item for each picture, or for each of its frames. A single picture may come from and go to a pipe (``-``).

    Raises ``BadInput`` when the outputs do not fit into ``out``.
    """
    out, layer = wanted.out, wanted.layer
    if not wanted.several and str(inputs[0].path) == STDIN:
        main = sys.stdout.buffer if out in ("", STDIN) else Path(out)
        return [Item(None, Targets(main if task.suffix else None, task.extra), _number(wanted.frame), layer)]
    if out == STDIN:
        if wanted.several:
            raise BadInput("Only one result can go to a pipe.", "Name a folder: -o results/")
        return [Item(inputs[0].path, Targets(sys.stdout.buffer, task.extra), _number(wanted.frame), layer)]
    if wanted.several and out and not os.path.splitext(out)[1]:
        out = os.path.join(out, "")  # a folder that is yet to be made
    paths = [one.path for one in inputs]
    roots = {one.path: one.root for one in inputs if one.root is not None}
    mains = naming.targets(paths, out, task.suffix, wanted.extension, roots) if task.suffix else {}
    extras = _extras(task, paths, roots, wanted.several)
    found = []
    for path in paths:
        targets = Targets(mains.get(path), extras.get(path))
        found.extend(_frames(path, targets, wanted))
    return found


def arrived(task: Task, one: Input, wanted: Wanted) -> list[Item]:
    """The same for a picture that has arrived in a folder: named as if all that are there came together."""
    assert one.root is not None
    stem = _same_name(one.path)
    beside = [Input(path, one.root) for path in in_folder(one.path.parent, False) if _same_name(path) == stem]
    others = [other for other in beside if other.path != one.path]
    return [item for item in items(task, [one, *others], wanted) if item.path == one.path]


def _same_name(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem).casefold()


def _extras(task: Task, paths: Sequence[Path], roots: dict[Path, Path], several: bool) -> dict[Path, Path]:
    """What the task writes besides: for each of several pictures in a place of its own."""
    if task.extra is None:
        return {}
    if not several:
        return dict.fromkeys(paths, task.extra)
    if task.extra_suffix:
        return naming.plan(paths, task.extra, "numbers", task.extra_suffix, roots)
    planned = naming.plan(paths, task.extra, task.suffix, "d", roots)
    return {path: target.with_suffix("") for path, target in planned.items()}


def _frames(path: Path, targets: Targets, wanted: Wanted) -> list[Item]:
    if wanted.frame != ALL:
        return [Item(path, targets, _number(wanted.frame), wanted.layer)]
    try:
        count = frames_in(path)
    except MaskwrightError:
        count = 1  # reading it tells what is wrong
    if count == 1:
        return [Item(path, targets, layer=wanted.layer)]
    return [
        Item(
            path, Targets(_of_frame(targets.main, number, count), _of_frame(targets.extra, number, count)), number,
            wanted.layer,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def _of_frame(target: object, number: int, count: int) -> Path | None:
    return naming.of_frame(target, number, count) if isinstance(target, Path) else None


def _number(frame: str) -> int:
    if frame.isdecimal() and int(frame) >= 1:
        return int(frame)
    if frame == ALL:
        raise BadInput("The frames of a pipe cannot go into one file.", "Name a file, or one frame.")
    raise BadInput(f'"{frame}" is not a frame.', "Frames are counted from 1; or write --frame all.")


def output_folders(task: Task, out: str) -> list[Path]:
    """Where outputs go, if not beside their pictures."""
    named = [Path(out)] if out and out != STDIN and (naming.is_folder(out) or not os.path.splitext(out)[1]) else []
    return [*named, *([task.extra] if task.extra is not None and not task.extra_suffix else [])]
