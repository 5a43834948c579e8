"""What a worker remembers between jobs: embeddings, mattes, the logits of its last answers. Least recent goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class EmbeddingCache:
    """Values by key within a budget of bytes. A value larger than the whole budget is not kept.

    Keys: ``("embedding", model id, raster key)``, ``("matte", model id, raster key)``, ``("answer", instance id)``.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable) -> Any | None:
        """The value, now the most recent one, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: Any, nbytes: int) -> None:
        """Keep ``value``, which holds ``nbytes``; drops the least recent until all fit."""
        self.drop(key)
        if nbytes > self.budget:
            return
        self._entries[key] = (value, nbytes)
        self.used += nbytes
        while self.used > self.budget:
            _, (_, size) = self._entries.popitem(last=False)
            self.used -= size

    def drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.used -= entry[1]

    def clear(self) -> None:
        self._entries.clear()
        self.used = 0
