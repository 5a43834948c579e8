"""Loaded models and where they are: within a budget of memory on each device, the least recently used make room.

Beyond a graphics card's budget models wait in main memory, from where they are back in a moment; beyond main memory's
they are dropped.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import Model
from maskwright_protocol.errors import OutOfMemory
from maskwright_protocol.language import tr

from . import device_memory


@dataclass
class _Loaded:
    """``home``: the device it runs on. ``waits``: it is in main memory instead. ``nbytes``: what it takes."""

    model: Model
    home: str
    nbytes: int
    waits: bool = False

    @property
    def device(self) -> str:
        return "cpu" if self.waits else self.home


class Residency:
    def __init__(self, budget: int | None = None) -> None:
        """``budget``: bytes for loaded models on each device; None takes what is free there."""
        self._loaded: dict[str, _Loaded] = {}  # least recently used first
        self._budget = budget
        self.budgets: dict[str, int] = {}
        self.budgets["cpu"] = self.budget("cpu")

    def __contains__(self, model_id: str) -> bool:
        return model_id in self._loaded

    def ids(self) -> list[str]:
        """Ids of the loaded models, least recently used first."""
        return list(self._loaded)

    def model(self, model_id: str) -> Model:
        """A loaded model, wherever it is. Raises ``KeyError``."""
        return self._loaded[model_id].model

    def nbytes(self, device: str | None = None) -> int:
        """Bytes held by loaded models (on that device)."""
        return sum(one.nbytes for one in self._loaded.values() if device in (None, one.device))

    def budget(self, device: str) -> int:
        """Bytes that loaded models may take on that device."""
        if device not in self.budgets:
            self.budgets[device] = device_memory.default_budget(device) if self._budget is None else self._budget
        return self.budgets[device]

    def add(self, model_id: str, model: Model, device: str, nbytes: int) -> None:
        """Take in a model that was just loaded to that device."""
        self._loaded[model_id] = _Loaded(model, device, nbytes)
        self.make_room(device, 0)

    def use(self, entry: Entry) -> Model:
        """A loaded model, back on its own device. Raises ``OutOfMemory``; it is dropped then."""
        loaded = self._loaded[entry.id] = self._loaded.pop(entry.id)
        if loaded.waits:
            self._call_back(entry, loaded)
        return loaded.model

    def make_room(self, device: str, nbytes: int) -> None:
        """Send away the least recently used until ``nbytes`` more fit.

        For 0 bytes the model that was used last stays.
        """
        while self.nbytes(device) + nbytes > self.budget(device):
            there = [model_id for model_id, one in self._loaded.items() if one.device == device]
            if not nbytes:
                there = [model_id for model_id in there if model_id != next(reversed(self._loaded))]
            if not there:
                return
            if device == "cpu" or not self._let_wait(there[0]):
                self.drop(there[0])

    def drop(self, model_id: str) -> None:
        """Forget a model, if it is loaded."""
        if self._loaded.pop(model_id, None) is not None:
            device_memory.collect()

    def clear(self) -> None:
        """Forget all models."""
        self._loaded.clear()
        device_memory.collect()

    def _let_wait(self, model_id: str) -> bool:
        """Move a model from its device to main memory, if there is room and it can be moved."""
        loaded = self._loaded[model_id]
        if self.nbytes("cpu") + loaded.nbytes > self.budget("cpu"):
            return False
        torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
        if torch_runtime is None or not torch_runtime.move(loaded.model, "cpu"):
            return False
        loaded.waits = True
        torch_runtime.give_back()
        return True

    def _call_back(self, entry: Entry, loaded: _Loaded) -> None:
        from . import torch_runtime

        self.make_room(loaded.home, loaded.nbytes)
        try:
            torch_runtime.move(loaded.model, loaded.home)
        except Exception as error:
            self.drop(entry.id)
            if torch_runtime.is_memory(error):
                raise does_not_fit(entry) from error
            raise
        loaded.waits = False


def does_not_fit(entry: Entry) -> OutOfMemory:
    return OutOfMemory(tr("There is not enough memory to load {0}.", entry.title), model=entry.id)
