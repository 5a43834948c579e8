"""The loaded models of one worker: loaded when first asked for, within a budget of memory on each device.

Beyond a graphics card's budget the least recently used models wait in main memory, from where they are back in a
moment; beyond main memory's they are dropped. Sizes are the catalogue's estimates until a model was loaded once on this
computer; then what its loading took counts.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.install import scan
from maskwright.models.install.scan import Installed
from maskwright.models.machine import hardware, packages, records
from maskwright.models.roles import Detector, MattingModel, Model, Parser, Segmenter
from maskwright_protocol.errors import MaskwrightError, ModelBroken, ModelMissing, OutOfMemory

from .devices import Devices
from .setup import Placement, Setup, WantedPrecision

RESERVE = 2 << 30  # bytes that stay free for the painting program
LEAST_BUDGET = 512 << 20
_NOISE = 1 << 20  # a change of the process' memory below this says nothing


def default_budget(device: str) -> int:
    """Bytes for loaded models: what is free on the device now, minus a reserve for the painting program."""
    return max(LEAST_BUDGET, free_memory(device) - RESERVE)


def free_memory(device: str) -> int:
    """Bytes that are free on the device."""
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            return int(torch.cuda.mem_get_info(number)[0])
        cards = hardware.cards()
        if number < len(cards):
            return cards[number].free
    import psutil

    return int(psutil.virtual_memory().available)


def _taken(device: str) -> int:
    """Bytes that this process holds on the device, as far as it can be told."""
    torch: Any = sys.modules.get("torch")
    if device.startswith("cuda"):
        return int(torch.cuda.memory_allocated(device)) if torch is not None else 0
    if device == "mps":
        return int(torch.mps.current_allocated_memory()) if torch is not None else 0
    import psutil

    return int(psutil.Process().memory_info().rss)


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
        precision: WantedPrecision = "auto",
    ) -> None:
        """``folders``: model folders. ``device`` and ``precision`` as in ``Devices``. ``threads``: None takes all
        cores. ``budget``: bytes for loaded models on each device, None takes what is free there. ``learn``: remember
        measured sizes for the next time."""
        self.folders = tuple(folders)
        self.devices = Devices(device, precision)
        self.threads = threads or os.cpu_count() or 1
        self.budget = default_budget("cpu") if budget is None else budget
        self._budget_elsewhere = budget
        self._budgets: dict[str, int] = {}  # of other devices than the CPU
        self.known = known or catalogue.load()
        self._follows = known is None  # the user's catalogue, which may change
        self._installed: dict[str, Installed] = {}
        self._seen: tuple[int, ...] | None = None
        self._loaded: OrderedDict[str, Model] = OrderedDict()
        self._held: dict[str, int] = {}  # bytes of each loaded model
        self._home: dict[str, str] = {}  # the device each loaded model runs on
        self._waiting: set[str] = set()  # loaded models that are in main memory instead
        self._too_large: set[str] = set()
        self._on_cpu: set[str] = set()  # models that did not fit into the graphics card
        self._learn = learn

    @property
    def device(self) -> str:
        """The fastest device that models run on here."""
        return self.devices.summary().device

    @property
    def device_reason(self) -> str:
        """Why that one, for each runtime."""
        return self.devices.summary().reason

    def placement(self, entry: Entry) -> Placement:
        """Where that model runs, and why: ONNX Runtime and PyTorch need not see the same devices."""
        if entry.id in self._on_cpu:
            reason = f"{entry.title} does not fit into the graphics card's memory"
            return replace(self.devices.on_cpu(entry.runtime), reason=reason)
        return self.devices.place(entry.runtime)

    def setup(self, entry: Entry) -> Setup:
        """What the family's ``load`` is given."""
        place = self.placement(entry)
        return Setup(place.device, self.threads, place.precision)

    def reason(self, model_ids: Sequence[str], device: str) -> str:
        """Why these models, or the first of them that did, ran on that device: a sentence without its full stop."""
        places = [self.placement(entry) for entry in map(self.known.get, model_ids) if entry.runtime != "none"]
        fitting = [place.reason for place in places if place.device == device]
        return fitting[0] if fitting else self.devices.place("none").reason

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
        self._installed = scan.scan(self.folders, self.known)
        for model_id in [loaded for loaded in self._loaded if loaded not in self._installed]:
            self._drop(model_id)

    def resident(self) -> list[str]:
        """Ids of the loaded models, least recently used first."""
        return list(self._loaded)

    def nbytes(self, device: str | None = None) -> int:
        """Bytes held by loaded models (on that device), measured where that was possible, else as estimated."""
        return sum(held for model_id, held in self._held.items() if device in (None, self._where(model_id)))

    def _where(self, model_id: str) -> str:
        return "cpu" if model_id in self._waiting else self._home[model_id]

    def _budget(self, device: str) -> int:
        if device == "cpu":
            return self.budget
        if device not in self._budgets:
            given = self._budget_elsewhere
            self._budgets[device] = default_budget(device) if given is None else given
        return self._budgets[device]

    def expected(self, entry: Entry) -> int:
        """Bytes that a model will need while it runs: the catalogue's estimate; once it was loaded on this computer,
        what that took there and the estimate's share for running."""
        place = self.devices.outlook(entry.runtime)
        if entry.id in self._on_cpu:
            place = self.placement(entry)
        seen = records.memory(entry.id, _kind(place)) if self._learn else None
        return seen + entry.running_for(place.precision) if seen else entry.memory_for(place.precision)

    def best(self, role: str, needs_trimap: bool = False) -> str | None:
        """The id of the best installed model of that role, or None: the first of ``candidates``."""
        return next(iter(self.candidates(role, needs_trimap)), None)

    def candidates(self, role: str, needs_trimap: bool = False) -> list[str]:
        """Ids of the installed models of that role, best first: in the catalogue's order, those that suit the device.

        The basic engine comes after all models that can run, since it knows no objects: slow is better than wrong.
        ``needs_trimap``: of the matting models, those that refine by a trimap instead of those that find the subject.
        """
        present = self.installed
        entries = [e for e in self.known.with_role(role) if e.id in present and e.needs_trimap == needs_trimap]
        entries.sort(key=lambda e: (bool(packages.lacking(e)), e.facts.basic, self.slow(e.id)))
        ids = [entry.id for entry in entries]
        # A folder with damaged files is no candidate while a sound model can do the job, nor is one that did not fit.
        sound = [i for i in ids if not present[i].problem]
        fitting = [i for i in sound if i not in self._too_large]
        return fitting or sound or ids

    def slow(self, model_id: str) -> bool:
        """Whether the model would take many seconds on the device that it would run on."""
        entry = self.known.get(model_id)
        if not entry.prefers_gpu:
            return False
        return model_id in self._on_cpu or self.devices.outlook(entry.runtime).device == "cpu"

    def avoid(self, model_id: str) -> bool:
        """Take that model, and those that need as much, no more by default, since it does not fit; False when there is
        no smaller one to take instead."""
        self._drop(model_id)
        entry = self.known.get(model_id)
        rivals = [self.known.get(i) for role in entry.roles for i in self.candidates(role, entry.needs_trimap)]
        self._too_large |= {model_id} | {rival.id for rival in rivals if self.expected(rival) >= self.expected(entry)}
        return all(
            self.best(role, entry.needs_trimap) not in (None, model_id, *self._too_large) for role in entry.roles
        )

    def move_to_cpu(self, model_id: str) -> bool:
        """Run that model on the CPU from now on; False when it does so already."""
        entry = self.known.get(model_id)
        if self.placement(entry).device == "cpu":
            return False
        self._drop(model_id)
        self._on_cpu.add(model_id)
        self._too_large.discard(model_id)
        return True

    def detector(self, model_id: str) -> Detector:
        return cast(Detector, self.get("detector", model_id))

    def segmenter(self, model_id: str) -> Segmenter:
        return cast(Segmenter, self.get("segmenter", model_id))

    def matting(self, model_id: str) -> MattingModel:
        return cast(MattingModel, self.get("matting", model_id))

    def parser(self, model_id: str) -> Parser:
        return cast(Parser, self.get("parser", model_id))

    def get(self, role: str, model_id: str) -> Model:
        """The loaded model. Raises ``ModelMissing`` (unknown, not installed, wrong role) or ``ModelBroken``."""
        entry = self.known.get(model_id)
        if role not in entry.roles:
            raise ModelMissing(f"The model {model_id} cannot serve as a {role}.", model=model_id, role=role)
        if model_id in self._loaded:
            self._loaded.move_to_end(model_id)
            self._call_back(model_id)
            return self._loaded[model_id]
        place = self._needing_packages(entry, lambda: self.placement(entry))
        self._make_room(place.device, self.expected(entry))
        before = _taken(place.device)
        try:
            model = self._load(entry)
        except (OutOfMemory, MemoryError):
            if not self._loaded:
                raise self._does_not_fit(entry) from None
            self.unload()
            before = _taken(place.device)
            try:
                model = self._load(entry)
            except (OutOfMemory, MemoryError):
                raise self._does_not_fit(entry) from None
        grown = _taken(place.device) - before
        self._loaded[model_id] = model
        self._held[model_id] = grown if grown >= _NOISE else model.nbytes
        self._home[model_id] = place.device
        if self._learn and grown >= _NOISE:
            self._remember(entry, place, grown)
        self._make_room(place.device, 0)
        return model

    def _make_room(self, device: str, nbytes: int) -> None:
        """Send away the least recently used until ``nbytes`` more fit; the one used last stays when nothing is to
        come."""
        while self.nbytes(device) + nbytes > self._budget(device):
            there = [model_id for model_id in self._loaded if self._where(model_id) == device]
            if not nbytes:
                there = [model_id for model_id in there if model_id != next(reversed(self._loaded))]
            if not there:
                return
            if device == "cpu" or not self._let_wait(there[0]):
                self._drop(there[0])

    def _let_wait(self, model_id: str) -> bool:
        """Move a model from its device to main memory, if there is room and it can be moved."""
        if self.nbytes("cpu") + self._held[model_id] > self._budget("cpu"):
            return False
        torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
        if torch_runtime is None or not torch_runtime.move(self._loaded[model_id], "cpu"):
            return False
        self._waiting.add(model_id)
        torch_runtime.give_back()
        return True

    def _call_back(self, model_id: str) -> None:
        """Move a model that waits back to its own device. Raises ``OutOfMemory``; it is dropped then."""
        if model_id not in self._waiting:
            return
        from . import torch_runtime

        device = self._home[model_id]
        self._make_room(device, self._held[model_id])
        try:
            torch_runtime.move(self._loaded[model_id], device)
        except Exception as error:
            entry = self.known.get(model_id)
            self._drop(model_id)
            if torch_runtime.is_memory(error):
                raise self._does_not_fit(entry) from error
            raise
        self._waiting.discard(model_id)

    def _drop(self, model_id: str) -> None:
        if self._loaded.pop(model_id, None) is not None:
            del self._held[model_id], self._home[model_id]
            self._waiting.discard(model_id)
            _collect()

    def _remember(self, entry: Entry, place: Placement, nbytes: int) -> None:
        known = records.memory(entry.id, _kind(place))
        if known is None or abs(nbytes - known) > known // 4:  # not at every load
            try:
                records.record_memory(entry.id, _kind(place), nbytes)
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
                hint=packages.how_to_get(entry),
                model=entry.id,
            )
        scan.verify(found)
        try:
            return self._needing_packages(entry, lambda: entry.facts.load(entry, found.folder, self.setup(entry)))
        except (MaskwrightError, MemoryError):
            raise
        except Exception as error:
            torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
            if torch_runtime is not None and torch_runtime.is_memory(error):
                raise self._does_not_fit(entry) from error
            raise ModelBroken(f"The model {entry.id} cannot be loaded.", model=entry.id, reason=str(error)) from error

    @staticmethod
    def _needing_packages(entry: Entry, do: Callable[[], Any]) -> Any:
        """``do()``; a package that is not installed becomes ``NeedsPackage``."""
        try:
            return do()
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if not package or package.startswith("maskwright"):
                raise
            raise packages.missing(entry.title, package) from error

    def unload(self) -> None:
        """Drop all models."""
        for state in (self._loaded, self._held, self._home, self._waiting):
            state.clear()
        _collect()


def _kind(place: Placement) -> str:
    """What measured sizes are recorded for."""
    kind = place.device.partition(":")[0]
    return kind if place.precision == "fp32" else f"{kind}-{place.precision}"


def _collect() -> None:
    """Free what nothing refers to any more, also on the devices."""
    gc.collect()
    torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
    if torch_runtime is not None:
        torch_runtime.give_back()
