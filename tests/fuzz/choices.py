"""Decisions made from bytes, so that one kind of input serves every fuzzing library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Reads ``data`` from its start; when it is used up, every decision is the first one that there is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._place < len(self._data)

    def take(self, count: int) -> bytes:
        """At most so many bytes."""
        part = self._data[self._place : self._place + count]
        self._place += len(part)
        return part

    def number(self, below: int) -> int:
        """0 <= number < ``below``, which is at most 65536."""
        return int.from_bytes(self.take(1 if below <= 256 else 2), "big") % below

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]
