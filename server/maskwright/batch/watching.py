"""Pictures that arrive in folders, by looking again and again: that works on every system and on shared drives."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .inputs import Input, in_folder, without_outputs

EVERY_S = 0.5
SETTLED = 2  # looks in a row at which a file has to be the same


@dataclass
class _Seen:
    state: tuple[int, int, int]
    looks: int = 1
    taken: bool = False


def arrivals(
    folders: Sequence[Path], recursive: bool, outputs: Sequence[Path], pause: Callable[[float], None] = time.sleep
) -> Iterator[Input | None]:
    """Pictures once they are complete, that is: while two looks their size and time stayed the same; those that are
    there already come first. A picture that is replaced comes again. None where there is nothing new: it never ends.

    ``outputs`` are the folders where outputs go; these, and what is called as an output, are not meant.
    """
    seen: dict[Path, _Seen] = {}
    while True:
        there = [Input(path, folder) for folder in folders for path in in_folder(folder, recursive)]
        meant = without_outputs(there, outputs)
        for one in meant:
            state = _state(one.path)
            if state is not None and _arrived(seen, one.path, state):
                yield one
        for path in seen.keys() - {one.path for one in meant}:
            del seen[path]
        yield None
        pause(EVERY_S)


def _arrived(seen: dict[Path, _Seen], path: Path, state: tuple[int, int, int]) -> bool:
    known = seen.get(path)
    if known is None or known.state != state:
        seen[path] = _Seen(state)
        return False
    known.looks += 1
    if known.taken or known.looks < SETTLED or not state[0]:
        return False
    known.taken = True
    return True


def _state(path: Path) -> tuple[int, int, int] | None:
    """Size, time and number of a file; None for what is none, or is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if os.path.isfile(path) else None
