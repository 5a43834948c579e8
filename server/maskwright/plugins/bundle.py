"""What travels inside an editor plug-in: the protocol package and the pure-Python part of msgpack."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

VENDORED = ("maskwright_protocol", "maskwright_client", "msgpack")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # two builds of the same files are the same bytes


class NotFound(Exception):
    """A file of the plug-in, or the place to install it, is missing; the text is for the user."""


def sources(folder: str, marker: str) -> Path:
    """A plug-in's own files: beside this package when installed, in the repository otherwise."""
    here = Path(__file__).resolve()
    for found in (here.parent / folder, here.parents[3] / folder):
        if (found / marker).exists():
            return found
    raise NotFound(f"The files of {folder} are missing from this installation. Install Maskwright again.")


def package(name: str) -> Path:
    """Where an importable package lies."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise NotFound(f"The Python package {name} is missing from this installation. Install Maskwright again.")
    return Path(next(iter(found.submodule_search_locations)))


def package_files(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """``(path, bytes)`` of a package's Python files and catalogues below ``prefix``, in a fixed order."""
    for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.po")]):
        yield f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes()


def vendored(prefix: str, scripting: bool = False) -> Iterator[tuple[str, bytes]]:
    """The files of the packages that a plug-in brings along; ``scripting`` needs numpy, so only who wants it has it."""
    for name in VENDORED:
        for path, data in package_files(package(name), f"{prefix}/{name}"):
            if scripting or "/maskwright_client/scripting/" not in path:
                yield path, data
