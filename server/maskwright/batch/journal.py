"""What was done, so that it is not done again: a file of lines in each folder of outputs.

A line is added once all files of a picture are in place, so whenever the program is killed, what has a line has its
files; what is cut off in the middle of a line is done again. Nothing is synchronised to the disk: what a process has
written survives its death. After a power cut a line may be there without its file, or with an empty one; so whoever
reads a line looks for its files, and an empty file counts as absent.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from maskwright_protocol import whole_file

from .task import told_when_not_written

NAME = ".maskwright.jsonl"


class Journal:
    """The journals of all folders that a batch writes to, or one ``file`` for a batch that writes no pictures.

    May be used by several threads, and beside other processes.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[
            Path, dict[str, tuple[str, int]]
        ] = {}  # journal -> output -> (fingerprint, where its line is)
        self._lock = threading.Lock()

    def find(self, output: Path, fingerprint: str) -> dict[str, Any] | None:
        """The record of an output that was made of the same picture with the same settings, and is still there."""
        with self._lock:
            place = self._place(output)
            known, start = self._load(place).get(output.name, ("", 0))
            if known != fingerprint:
                return None
            with place.open("rb") as file:
                file.seek(start)
                line = _read(file.readline())
        if line is None or line["fingerprint"] != fingerprint:
            return None  # another process wrote here meanwhile
        there = (_is_whole(place.parent / name) for name in line["files"])
        return line["record"] if all(there) else None

    def add(self, output: Path, fingerprint: str, files: list[Path], record: dict[str, Any]) -> None:
        """Note what became of a picture. Raises ``BadInput`` where nothing can be written."""
        place = self._place(output)
        names = [os.path.relpath(path, place.parent) for path in files]
        line = {"output": output.name, "fingerprint": fingerprint, "files": names, "record": record}
        data = json.dumps(line, default=float).encode() + b"\n"
        with self._lock, told_when_not_written(place):
            known = self._load(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("a+b") as file:
                end = file.seek(0, os.SEEK_END)
                if end and not _ends_a_line(file, end):
                    data = b"\n" + data
                file.write(data)
                known[output.name] = fingerprint, end + (data[:1] == b"\n")

    def _place(self, output: Path) -> Path:
        return self._file or output.parent / NAME

    def _load(self, place: Path) -> dict[str, tuple[str, int]]:
        """Read a folder's journal once, and remove what killed processes left unfinished there."""
        if place in self._known:
            return self._known[place]
        known = self._known[place] = {}
        whole_file.sweep(place.parent)
        try:
            with place.open("rb") as file:
                start = 0
                for line in file:
                    value = _read(line)
                    if value is not None:
                        known[value["output"]] = value["fingerprint"], start
                    start += len(line)
        except FileNotFoundError:
            pass
        return known


def _read(line: bytes) -> dict[str, Any] | None:
    """None for what is cut off, or somebody else's."""
    try:
        value = json.loads(line)
        kinds = [type(value[name]) for name in ("output", "fingerprint", "files", "record")]
    except (ValueError, KeyError, TypeError):
        return None
    return value if kinds == [str, str, list, dict] else None


def _ends_a_line(file: Any, end: int) -> bool:
    file.seek(end - 1)
    return file.read(1) == b"\n"


def _is_whole(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
