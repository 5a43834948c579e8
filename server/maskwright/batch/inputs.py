"""Which pictures are meant: files, folders, patterns and lists of them."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright_protocol.errors import BadInput

STDIN = "-"
# What is taken out of a folder; a file that is named is tried whatever its suffix.
_COMMON = (
    "png jpg jpeg jpe jfif webp tif tiff bmp gif ppm pgm pnm avif heic heif jxl jp2 j2k jpx psd psb ora kra exr hdr"
)
_RAW = "dng cr2 cr3 nef arw orf rw2 raf pef srw"
PICTURES = frozenset(f".{suffix}" for suffix in f"{_COMMON} {_RAW}".split())

_OUTPUT = re.compile(r"-(mask|cutout|parts|objects|similar|refined|numbers)(?=-|$)")  # what tasks put after a name


@dataclass(frozen=True)
class Input:
    """``path`` may be missing or no picture: that is told when its turn comes. ``root``: the folder that was asked
    for, below which outputs keep their folders."""

    path: Path
    root: Path | None = None


def gather(arguments: Sequence[str], lists: Sequence[str] = (), recursive: bool = False) -> list[Input]:
    """All pictures that are meant, each once, in the order of the arguments and by name within each.

    Raises ``BadInput`` for a list that cannot be read.
    """
    named = [*arguments, *(line for one in lists for line in read_list(one))]
    seen: set[str] = set()
    found = []
    for one in (item for argument in named for item in _expanded(argument, recursive)):
        identity = os.path.normcase(os.path.abspath(one.path))
        if identity not in seen:
            seen.add(identity)
            found.append(one)
    return found


def is_several(arguments: Sequence[str], lists: Sequence[str] = ()) -> bool:
    """Whether these name more than one picture, or might."""
    return len(arguments) != 1 or bool(lists) or _is_pattern(arguments[0]) or is_folder(Path(arguments[0]))


def is_folder(path: Path) -> bool:
    """A folder that is called like a picture is a mistake, and is told as one where pictures are looked for."""
    return path.is_dir() and path.suffix.lower() not in PICTURES


def in_folder(folder: Path, recursive: bool) -> Iterator[Path]:
    """The pictures of a folder by name; hidden files and folders are left alone."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # cannot be opened; reading it tells why
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if recursive and entry.is_dir(follow_symlinks=False):
            yield from in_folder(path, recursive)
        elif path.suffix.lower() in PICTURES and not _never_ends(entry):
            yield path


def _never_ends(entry: os.DirEntry[str]) -> bool:
    """A pipe or a device, which may be called like a picture too. Dangling links are told of when they are read."""
    return not (entry.is_file() or entry.is_dir() or entry.is_symlink())


def read_list(name: str) -> list[str]:
    """The paths in a file, one a line (or ended by a zero byte, as ``find -print0`` writes them); ``-`` is stdin."""
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise BadInput(f"The list {name} cannot be read: {error.strerror}.", "Check its name.") from None
    text = data.decode("utf-8-sig", "surrogateescape")
    lines = text.split("\0") if "\0" in text else text.splitlines()
    return [line for line in lines if line.strip()]


def without_outputs(inputs: Sequence[Input], folders: Sequence[Path]) -> list[Input]:
    """Without what an earlier run wrote, so that a second run over a folder takes the same pictures: what lies in one
    of ``folders``, where outputs go, and what is called as an output of a picture beside it. What was named stays."""
    stems = {(one.path.parent, one.path.stem) for one in inputs}
    places = [os.path.abspath(folder) for folder in folders]
    return [one for one in inputs if one.root is None or not (_lies_in(one, places) or _is_output(one.path, stems))]


def _is_output(path: Path, stems: set[tuple[Path, str]]) -> bool:
    return any((path.parent, path.stem[: match.start()]) in stems for match in _OUTPUT.finditer(path.stem))


def _lies_in(one: Input, places: Sequence[str]) -> bool:
    """In one of the folders, unless that is the very folder that was asked for."""
    assert one.root is not None
    root, folder = os.path.abspath(one.root), os.path.abspath(one.path.parent)
    return any(f"{folder}{os.sep}".startswith(f"{place}{os.sep}") and place != root and
               place.startswith(root + os.sep) for place in places)  # fmt: skip


def _is_pattern(argument: str) -> bool:
    return glob.has_magic(argument) and not os.path.lexists(argument)


def _expanded(argument: str, recursive: bool) -> Iterator[Input]:
    path = Path(argument)
    if is_folder(path) or (recursive and path.is_dir()):
        found = [Input(one, path) for one in in_folder(path, recursive)]
        yield from found or [Input(path)]  # reading it tells that a folder is no picture
        return
    if not _is_pattern(argument):
        yield Input(path)
        return
    root = _fixed_part(argument)
    matches = [Input(Path(one), root) for one in sorted(glob.glob(argument, recursive=True))]
    yield from (one for one in matches if not is_folder(one.path))
    if not matches:
        yield Input(path)


def _fixed_part(pattern: str) -> Path:
    """The folder above the first part with a wildcard."""
    parts = Path(pattern).parts
    count = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:count]) if count else Path(".")
