"""What a worker remembers between jobs: embeddings, mattes, the logits of answers. The least recent goes first.

What lies in a graphics card's memory has a budget of its own there. Beyond it, values move to main memory, and back
when they are used; only what exceeds main memory's budget too is forgotten.

Nothing is kept over a restart of the worker: it is stopped to give all memory back, and a file of embeddings, which
tell what a picture shows, is not worth the second that encoding takes beside loading the model.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from maskwright.models.roles import Embedding

HOST = "cpu"


@dataclass
class _Entry:
    value: Any
    nbytes: int
    device: str  # where it was made and is used


class EmbeddingCache:
    """Values by key, ``budget`` bytes of them in main memory and ``device_budget`` bytes on other devices.

    A value larger than the whole budget is not kept. Keys: ``("embedding", model id, precision, raster key, crop)``,
    ``("matte", model id, raster key)``, ``("answer", instance id)``, ``("objects", ...)`` and the like.
    """

    def __init__(self, budget: int, device_budget: int | None = None) -> None:
        self.budget = budget
        self.device_budget = budget if device_budget is None else device_budget
        self.used = 0
        self.device_used = 0
        self._host: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._device: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._host) + len(self._device)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._host or key in self._device

    def get(self, key: Hashable) -> Any | None:
        """The value, on the device where it was made; None when it is not known."""
        entry = self._device.get(key)
        if entry is not None:
            self._device.move_to_end(key)
            return entry.value
        entry = self._host.get(key)
        if entry is None:
            return None
        if entry.device == HOST or entry.nbytes > self.device_budget:
            self._host.move_to_end(key)
            return entry.value if entry.device == HOST else moved(entry.value, entry.device)
        self.drop(key)
        value = moved(entry.value, entry.device)
        self._keep(key, _Entry(value, entry.nbytes, entry.device))
        return value

    def put(self, key: Hashable, value: Any, nbytes: int) -> None:
        """Keep ``value``, which holds ``nbytes``; moves and drops the least recent until all fit."""
        self.drop(key)
        self._keep(key, _Entry(value, nbytes, device_of(value)))

    def drop(self, key: Hashable) -> None:
        entry = self._host.pop(key, None)
        if entry is not None:
            self.used -= entry.nbytes
        entry = self._device.pop(key, None)
        if entry is not None:
            self.device_used -= entry.nbytes

    def clear(self) -> None:
        self._host.clear()
        self._device.clear()
        self.used = self.device_used = 0

    def free(self) -> None:
        """Memory is short: give all of the device's back, or, if there is nothing, main memory's."""
        if not self._device:
            self.clear()
        while self._device:
            self._spill()

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        if entry.device == HOST or entry.nbytes > self.device_budget:
            self._keep_on_host(key, entry)
            return
        self._device[key] = entry
        self.device_used += entry.nbytes
        while self.device_used > self.device_budget:
            self._spill()

    def _keep_on_host(self, key: Hashable, entry: _Entry) -> None:
        if entry.nbytes > self.budget:
            return
        if entry.device != HOST:
            entry.value = moved(entry.value, HOST)
        self._host[key] = entry
        self.used += entry.nbytes
        while self.used > self.budget:
            _, dropped = self._host.popitem(last=False)
            self.used -= dropped.nbytes

    def _spill(self) -> None:
        key, entry = self._device.popitem(last=False)
        self.device_used -= entry.nbytes
        self._keep_on_host(key, entry)


def device_of(value: Any) -> str:
    """The device of the first tensor of an embedding that is not in main memory; else ``"cpu"``.

    Embeddings alone may hold tensors, by name in ``data``; all else are arrays and small objects in main memory.
    """
    tensors = value.data.values() if isinstance(value, Embedding) and isinstance(value.data, dict) else ()
    return next((str(tensor.device) for tensor in tensors if str(tensor.device) != HOST), HOST)


def moved(embedding: Embedding, device: str) -> Embedding:
    """A copy of an embedding of tensors, with these on ``device``."""
    return replace(embedding, data={name: tensor.to(device) for name, tensor in embedding.data.items()})
