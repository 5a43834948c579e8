"""The loaded models of one worker: loaded when first asked for, the least recently used dropped beyond the budget.

Sizes are the catalogue's estimates until a model was loaded once on this computer; then what its loading took counts.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from maskwright_protocol.errors import MaskwrightError, ModelBroken, ModelMissing, OutOfMemory

from . import catalogue, installed, records
from .catalogue import Catalogue, Entry, Precision
from .installed import Installed
from .roles import Detector, Matter, Model, Parser, Segmenter
from .runtime import choose_device

RESERVE = 2 << 30  # bytes that stay free for the painting program
LEAST_BUDGET = 512 << 20
_NOISE = 1 << 20  # a change of the process' memory below this says nothing


def default_budget(device: str) -> int:
    """Bytes for loaded models: what is free on the device now, minus a reserve for the painting program."""
    return max(LEAST_BUDGET, free_memory(device) - RESERVE)


def free_memory(device: str) -> int:
    """Bytes that are free on the device."""
    if device.startswith("cuda") and importlib.util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.mem_get_info(int(device.partition(":")[2] or 0))[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _taken(device: str) -> int:
    """Bytes that this process holds on the device, as far as it can be told."""
    if device.startswith("cuda"):
        torch = sys.modules.get("torch")
        return int(torch.cuda.memory_allocated(device)) if torch is not None else 0
    import psutil

    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True)
class Setup:
    """What a family's ``load(entry, folder, setup)`` is given. ``device`` is "cpu", "cuda:N" or "mps"."""

    device: str
    threads: int
    precision: Precision = "fp32"


class ModelPool:
    """Models by id. Not thread-safe: a worker runs one job at a time."""

    def __init__(
        self,
        folders: Sequence[Path],
        device: str = "auto",
        threads: int | None = None,
        budget: int | None = None,
        known: Catalogue | None = None,
        learn: bool = False,
    ) -> None:
        """``folders``: model folders. ``threads``: None takes all cores. ``budget``: bytes for loaded models, None
        takes what is free. ``learn``: remember measured sizes for the next time."""
        self.folders = tuple(folders)
        self.device, self.device_reason = choose_device(device)
        self._wanted_device = device
        self.threads = threads or os.cpu_count() or 1
        self.budget = default_budget(self.device) if budget is None else budget
        self.known = known or catalogue.load()
        self._follows = known is None  # the user's catalogue, which may change
        self._installed: dict[str, Installed] = {}
        self._seen: tuple[int, ...] | None = None
        self._loaded: OrderedDict[str, Model] = OrderedDict()
        self._held: dict[str, int] = {}  # bytes of each loaded model
        self._too_large: set[str] = set()
        self._learn = learn

    def setup(self, entry: Entry) -> Setup:
        """Where and how that model will run: ONNX Runtime and PyTorch need not see the same devices."""
        if entry.runtime != "torch":
            return Setup(self.device, self.threads)
        from .torch_runtime import choose_device, choose_precision

        device, _ = choose_device(self._wanted_device)
        return Setup(device, self.threads, choose_precision(device))

    @property
    def installed(self) -> dict[str, Installed]:
        """Models on this computer by id; the folders are looked at again when something came or went."""
        state = self._state()
        if state != self._seen:
            self.rescan()
            self._seen = state
        return self._installed

    def _state(self) -> tuple[int, ...]:
        times = []
        for path in (*self.folders, catalogue.user_file()):
            try:
                times.append(path.stat().st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def rescan(self) -> None:
        """Look at the folders again, and forget loaded models that were removed."""
        if self._follows:
            self.known = catalogue.load()
        self._installed = installed.scan(self.folders, self.known)
        for model_id in [loaded for loaded in self._loaded if loaded not in self._installed]:
            self._drop(model_id)

    def resident(self) -> list[str]:
        """Ids of the loaded models, least recently used first."""
        return list(self._loaded)

    def nbytes(self) -> int:
        """Bytes held by loaded models, measured where that was possible, else as estimated in the catalogue."""
        return sum(self._held.values())

    def expected(self, entry: Entry) -> int:
        """Bytes that a model will need: as seen on this computer before, else the catalogue's estimate."""
        seen = records.memory(entry.id, self.device.partition(":")[0]) if self._learn else None
        return seen or entry.memory

    def best(self, role: str, needs_trimap: bool = False) -> str | None:
        """The id of the best installed model of that role, or None: the catalogue's first that suits the device.

        ``needs_trimap``: of the matters, those that refine by a trimap instead of those that find the subject.
        """
        present = self.installed
        entries = [e for e in self.known.with_role(role) if e.id in present and e.needs_trimap == needs_trimap]
        slow = {e.id for e in entries if e.prefers_gpu and self.setup(e).device == "cpu"}
        ids = sorted((entry.id for entry in entries), key=lambda i: i in slow)
        # A folder with damaged files is no candidate while a sound model can do the job, nor is one that did not fit.
        sound = [i for i in ids if not present[i].problem]
        fitting = [i for i in sound if i not in self._too_large]
        return next(iter(fitting or sound or ids), None)

    def avoid(self, model_id: str) -> bool:
        """Take that model no more by default, since it does not fit; False when there is none to take instead."""
        self._too_large.add(model_id)
        self._drop(model_id)
        entry = self.known.get(model_id)
        return all(self.best(role, entry.needs_trimap) not in (None, model_id) for role in entry.roles)

    def detector(self, model_id: str) -> Detector:
        return cast(Detector, self.get("detector", model_id))

    def segmenter(self, model_id: str) -> Segmenter:
        return cast(Segmenter, self.get("segmenter", model_id))

    def matter(self, model_id: str) -> Matter:
        return cast(Matter, self.get("matter", model_id))

    def parser(self, model_id: str) -> Parser:
        return cast(Parser, self.get("parser", model_id))

    def get(self, role: str, model_id: str) -> Model:
        """The loaded model. Raises ``ModelMissing`` (unknown, not installed, wrong role) or ``ModelBroken``."""
        entry = self.known.get(model_id)
        if role not in entry.roles:
            raise ModelMissing(f"The model {model_id} cannot serve as a {role}.", model=model_id, role=role)
        if model_id in self._loaded:
            self._loaded.move_to_end(model_id)
            return self._loaded[model_id]
        self._make_room(self.expected(entry))
        before = _taken(self.device)
        try:
            model = self._load(entry)
        except (OutOfMemory, MemoryError):
            if not self._loaded:
                raise self._does_not_fit(entry) from None
            self.unload()
            before = _taken(self.device)
            try:
                model = self._load(entry)
            except (OutOfMemory, MemoryError):
                raise self._does_not_fit(entry) from None
        grown = _taken(self.device) - before
        self._loaded[model_id] = model
        self._held[model_id] = grown if grown >= _NOISE else model.nbytes
        if self._learn and grown >= _NOISE:
            self._remember(entry, grown)
        self._make_room(0)
        return model

    def _make_room(self, nbytes: int) -> None:
        """Drop the least recently used until ``nbytes`` more fit; the one used last stays when nothing is to come."""
        least = 0 if nbytes else 1
        while len(self._loaded) > least and self.nbytes() + nbytes > self.budget:
            self._drop(next(iter(self._loaded)))

    def _drop(self, model_id: str) -> None:
        if self._loaded.pop(model_id, None) is not None:
            del self._held[model_id]
            gc.collect()

    def _remember(self, entry: Entry, nbytes: int) -> None:
        kind = self.device.partition(":")[0]
        known = records.memory(entry.id, kind)
        if known is None or abs(nbytes - known) > known // 4:  # not at every load
            try:
                records.record_memory(entry.id, kind, nbytes)
            except OSError:
                pass  # a folder that cannot be written to costs an estimate

    def _does_not_fit(self, entry: Entry) -> OutOfMemory:
        return OutOfMemory(f"There is not enough memory to load {entry.title}.", model=entry.id)

    def _load(self, entry: Entry) -> Model:
        if entry.id not in self.installed:
            self.rescan()
        found = self.installed.get(entry.id)
        if found is None:
            raise ModelMissing(
                f"The model {entry.id} ({entry.title}) is not installed.",
                hint=f"Put a folder with {', '.join(f.name for f in entry.files)} into a model folder.",
                model=entry.id,
            )
        installed.verify(found)
        load = self._loader(entry)
        try:
            return load(entry, found.folder, self.setup(entry))
        except (MaskwrightError, MemoryError):
            raise
        except Exception as error:
            raise ModelBroken(f"The model {entry.id} cannot be loaded.", model=entry.id, reason=str(error)) from error

    @staticmethod
    def _loader(entry: Entry) -> Callable[[Entry, Path, Setup], Any]:
        return importlib.import_module(f".families.{entry.family}", __package__).load

    def unload(self) -> None:
        """Drop all models."""
        self._loaded.clear()
        self._held.clear()
        gc.collect()
