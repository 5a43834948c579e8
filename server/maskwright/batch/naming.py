"""Which file an output goes to. No two inputs share one, and the same inputs get the same names in whatever order."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from maskwright.files import formats
from maskwright_protocol.errors import BadInput

_Namer = Callable[[Path], str]


def targets(
    inputs: Sequence[Path], out: str, suffix: str, extension: str, roots: Mapping[Path, Path] | None = None
) -> dict[Path, Path]:
    """Input -> output for ``-o`` as it was typed: empty for beside each input, a folder, or the file for one input.

    The rest is as for ``plan``. Raises ``BadInput`` when several inputs would go into one file.
    """
    if out and not is_folder(out):
        if len(inputs) == 1:
            return {inputs[0]: Path(out)}
        if Path(out).suffix:
            raise BadInput(
                f"{len(inputs)} results do not fit into the one file {out}.", f"Name a folder: -o {Path(out).stem}/"
            )
    return plan(inputs, Path(out) if out else None, suffix, extension, roots)


def is_folder(out: str) -> bool:
    """Whether ``-o`` means a folder: it ends with a slash, or there is one of that name."""
    return out.endswith(("/", os.sep)) or Path(out).is_dir()


def plan(
    inputs: Iterable[Path], out: Path | None, suffix: str, extension: str, roots: Mapping[Path, Path] | None = None
) -> dict[Path, Path]:
    """Input -> output: ``NAME-suffix.extension`` beside the input, or in the folder ``out``. Touches no file.

    ``roots`` has for an input the folder in which it was searched for; below ``out`` it gets its place within that
    folder. Inputs that would share an output, also where a file system takes upper and lower case or two ways to write
    an accent for the same, all get longer names: with their folder (``a-x``, ``b-x``), else with their own extension
    (``x-jpg``, ``x-png``), else with both. Where that is not enough, digits from the whole path are added.
    """
    given = list(dict.fromkeys(inputs))
    folders = {one: _folder(one, out, roots or {}) for one in given}

    def named(one: Path, namer: _Namer) -> Path:
        return folders[one] / f"{namer(one)}-{suffix}.{extension}"

    chosen = {one: named(one, _stem) for one in given}
    for group in _sharing(chosen):
        for namer in (_with_folder, _with_extension, _with_both):
            longer = {one: named(one, namer) for one in group}
            if not _sharing(longer):
                break
        chosen.update(longer)
    for group in _sharing(chosen):
        chosen.update({one: named(one, _with_digits) for one in group})
    return chosen


def of_frame(target: Path, frame: int, frames: int) -> Path:
    """The output of one frame of several, counted from 1: ``x-mask.png`` -> ``x-mask-07.png``."""
    stem, extension = formats.split(target.name)
    return target.with_name(f"{stem}-{frame:0{len(str(frames))}d}{'.' * bool(extension)}{extension}")


def _folder(one: Path, out: Path | None, roots: Mapping[Path, Path]) -> Path:
    if out is None:
        return one.parent
    return out / one.parent.relative_to(roots[one]) if one in roots else out


def _sharing(chosen: Mapping[Path, Path]) -> list[list[Path]]:
    """The inputs of each output that has several."""
    groups: dict[str, list[Path]] = {}
    for one, target in chosen.items():
        groups.setdefault(unicodedata.normalize("NFC", str(target)).casefold(), []).append(one)
    return [group for group in groups.values() if len(group) > 1]


def _stem(one: Path) -> str:
    return one.stem


def _with_folder(one: Path) -> str:
    return f"{one.parent.name}-{one.stem}" if one.parent.name else one.stem


def _with_extension(one: Path) -> str:
    return f"{one.stem}-{one.suffix[1:]}" if one.suffix else one.stem


def _with_both(one: Path) -> str:
    folder = f"{one.parent.name}-" if one.parent.name else ""
    return folder + _with_extension(one)


def _with_digits(one: Path) -> str:
    return f"{_with_both(one)}-{hashlib.sha256(os.fsencode(one)).hexdigest()[:8]}"
