"""The models of one worker: which are installed and fit the device best, loaded when first asked for.

Sizes are the catalogue's estimates until a model has been loaded once on this computer; from then on it is what its
loading took. ``residency`` keeps the loaded ones.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.install import scan
from maskwright.models.install.scan import Installed
from maskwright.models.machine import packages, records
from maskwright.models.roles import DepthModel, Detector, MattingModel, Model, PanopticModel, Parser, Segmenter
from maskwright_protocol.errors import MaskwrightError, ModelBroken, ModelMissing, OutOfMemory
from maskwright_protocol.language import tr

from . import device_memory
from .devices import Devices
from .residency import Residency, does_not_fit
from .setup import Placement, Setup, WantedPrecision

_PROCESSORS = ("cpu", "openvino:cpu")
_NOISE = 1 << 20  # bytes; a smaller change of the process' memory says nothing


class ModelPool:
    """The models of a worker by their ids. Not thread-safe: a worker runs one job at a time."""

    def __init__(
        self,
        folders: Sequence[Path],
        device: str = "auto",
        threads: int | None = None,
        budget: int | None = None,
        known: Catalogue | None = None,
        learn: bool = False,
        precision: WantedPrecision = "auto",
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        """``folders``: model folders. ``device`` and ``precision`` as in ``Devices``. ``threads``: None takes all
        cores. ``budget``: bytes for loaded models on each device, None takes what is free there. ``learn``: remember
        measured sizes, and what failed, for the next time. ``on_replaced`` is called when a model's files are others
        now: what it computed is worth nothing any more."""
        self.folders = tuple(folders)
        self.devices = Devices(device, precision)
        self.threads = threads or os.cpu_count() or 1
        self.loaded = Residency(budget)
        self.known = known or catalogue.load()
        self._follows = known is None  # the user's catalogue, which may change
        self._watched = tuple(map(os.fspath, (*self.folders, catalogue.user_file())))
        self._mendable: list[str] = []  # files of models that cannot be used
        self._installed: dict[str, Installed] = {}
        self._seen: tuple[int, ...] | None = None
        self._too_large: set[str] = set()
        self._failed: dict[str, str] = {}  # models that did not work, and what was tried
        self._on_cpu: set[str] = set()  # models that did not fit into the graphics card
        self._learn = learn
        self._on_replaced = on_replaced

    @property
    def device(self) -> str:
        """The fastest device that models run on here."""
        return self.devices.summary().device

    @property
    def device_reason(self) -> str:
        """Why that one, for each runtime."""
        return self.devices.summary().reason

    def placement(self, entry: Entry) -> Placement:
        """Where that model runs, and why. ONNX Runtime and PyTorch may see different devices."""
        if entry.id in self._on_cpu:
            reason = tr("{0} does not fit into the graphics card's memory", entry.title)
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
        """Models on this computer by id. The folders are scanned again when something was added, removed or mended."""
        self.refresh()
        return self._installed

    def refresh(self) -> None:
        """Scan the folders again if something was added, removed or mended, or the user's catalogue has changed."""
        state = self._state()
        if state != self._seen:
            self.rescan()
            self._seen = state

    def _state(self) -> tuple[int, ...]:
        """Times and sizes of the folders, and of the files of models that cannot be used: they may be mended."""
        state = []
        for path in (*self._watched, *self._mendable):
            try:
                status = os.stat(path)
                state += [status.st_mtime_ns, status.st_size]
            except OSError:
                state += [0, -1]
        return tuple(state)

    def rescan(self) -> None:
        """Scan the folders again, and forget what is known of models whose files were removed or replaced."""
        before = self._installed
        if self._follows:
            self.known = catalogue.load()
        self._installed = now = scan.scan(self.folders, self.known)
        broken = (found for found in now.values() if found.problem)
        self._mendable = [os.fspath(found.folder / file.name) for found in broken for file in found.entry.files]
        replaced = {i for i in before if i in now and now[i].entry != before[i].entry}
        for model_id in self.loaded.ids():
            if model_id not in now or model_id in replaced:
                self.loaded.drop(model_id)
        self._failed = {i: what for i, what in self._failed.items() if i in now and scan.tried(now[i]) == what}
        if replaced:
            self._on_replaced()

    def resident(self) -> list[str]:
        """Ids of the loaded models, least recently used first."""
        return self.loaded.ids()

    def nbytes(self, device: str | None = None) -> int:
        """Bytes held by loaded models (on that device), measured where that was possible, else as estimated."""
        return self.loaded.nbytes(device)

    def expected(self, entry: Entry) -> int:
        """Bytes that a model will need while it runs.

        It is the catalogue's estimate. Once the model has been loaded on this computer, it is what that took and the
        part of the estimate that is for running.
        """
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

        What is built in comes after what was installed, unless that is slow here. The basic engine comes after all
        models that can run, since it knows no objects: slow is better than wrong.
        ``needs_trimap``: of the matting models, those that refine by a trimap instead of those that find the subject.
        """
        present = self.installed
        entries = [e for e in self.known.with_role(role) if e.id in present and e.needs_trimap == needs_trimap]
        entries.sort(key=lambda e: (bool(packages.lacking(e)), e.facts.basic, self.slow(e.id), e.embedded))
        ids = [entry.id for entry in entries]
        # What is damaged or did not work is no candidate while a sound model can do the job, nor is what did not fit.
        sound = [i for i in ids if self.works(i)]
        fitting = [i for i in sound if i not in self._too_large]
        return fitting or sound or ids

    def slow(self, model_id: str) -> bool:
        """Whether the model would take many seconds on the device that it would run on."""
        entry = self.known.get(model_id)
        if not entry.prefers_gpu:
            return False
        return model_id in self._on_cpu or self.devices.outlook(entry.runtime).device in _PROCESSORS

    def avoid(self, model_id: str) -> bool:
        """Stop choosing that model, which does not fit, and those that need as much memory, by default.

        False where there is no smaller one to take instead.
        """
        self.loaded.drop(model_id)
        entry = self.known.get(model_id)
        rivals = [self.known.get(i) for role in entry.roles for i in self.candidates(role, entry.needs_trimap)]
        self._too_large |= {model_id} | {rival.id for rival in rivals if self.expected(rival) >= self.expected(entry)}
        return all(
            self.best(role, entry.needs_trimap) not in (None, model_id, *self._too_large) for role in entry.roles
        )

    def works(self, model_id: str) -> bool:
        """Whether an installed model is neither damaged nor one that was given up."""
        found = self.installed.get(model_id)
        return found is not None and not found.problem and model_id not in self._failed

    def give_up(self, error: MaskwrightError) -> str:
        """Stop choosing the model that ``error`` is about by default, and remember why; returns its id.

        It is tried again when it is asked for by its id, and when its files, its entry or the packages have changed.
        Empty where the error names none, or one that was given up before.
        """
        model_id = str(error.details.get("model", ""))
        found = self.installed.get(model_id)
        if found is None or model_id in self._failed:
            return ""
        self._failed[model_id] = scan.tried(found)
        self.loaded.drop(model_id)
        if isinstance(error, ModelBroken) and not found.problem and not _blames_the_device(error):
            self._record_failure(found, error.message)
        return model_id

    def _record_failure(self, found: Installed, sentence: str) -> None:
        if self._learn:
            try:
                records.record_failure(found.entry.id, scan.tried(found), sentence)
            except OSError:
                return  # a folder that cannot be written to: it is tried again by the next worker
            self.rescan()

    def move_to_cpu(self, model_id: str) -> bool:
        """Run that model on the CPU from now on; False where it already does."""
        entry = self.known.get(model_id)
        if self.placement(entry).device == "cpu":
            return False
        self.loaded.drop(model_id)
        self._on_cpu.add(model_id)
        self._too_large.discard(model_id)
        return True

    def detector(self, model_id: str) -> Detector:
        return cast(Detector, self.get("detector", model_id))

    def panoptic(self, model_id: str) -> PanopticModel:
        return cast(PanopticModel, self.get("panoptic", model_id))

    def depth(self, model_id: str) -> DepthModel:
        return cast(DepthModel, self.get("depth", model_id))

    def segmenter(self, model_id: str) -> Segmenter:
        return cast(Segmenter, self.get("segmenter", model_id))

    def matting(self, model_id: str) -> MattingModel:
        return cast(MattingModel, self.get("matting", model_id))

    def parser(self, model_id: str) -> Parser:
        return cast(Parser, self.get("parser", model_id))

    def get(self, role: str, model_id: str) -> Model:
        """The loaded model. Raises ``ModelMissing`` (unknown, not installed, wrong role) or ``ModelBroken``."""
        if model_id not in self.loaded:
            self.refresh()
        entry = self.known.get(model_id)
        if role not in entry.roles:
            raise ModelMissing(tr("The model {0} cannot serve as a {1}.", model_id, role), model=model_id, role=role)
        if model_id in self.loaded:
            return self.loaded.use(entry)
        place = self._needing_packages(entry, lambda: self.placement(entry))
        self.loaded.make_room(place.device, self.expected(entry))
        before = device_memory.held(place.device)
        try:
            model = self._load(entry)
        except (OutOfMemory, MemoryError):
            if not self.loaded.ids():
                raise does_not_fit(entry) from None
            self.unload()
            before = device_memory.held(place.device)
            try:
                model = self._load(entry)
            except (OutOfMemory, MemoryError):
                raise does_not_fit(entry) from None
        grown = device_memory.held(place.device) - before
        if self._learn and grown >= _NOISE:
            self._remember(entry, place, grown)
        self.loaded.add(model_id, model, place.device, grown if grown >= _NOISE else model.nbytes)
        self._failed.pop(model_id, None)
        if self._installed[model_id].failed:  # it can be loaded now
            self._record_failure(self._installed[model_id], "")
        return model

    def _remember(self, entry: Entry, place: Placement, nbytes: int) -> None:
        known = records.memory(entry.id, _kind(place))
        if known is None or abs(nbytes - known) > known // 4:  # not at every load
            try:
                records.record_memory(entry.id, _kind(place), nbytes)
            except OSError:
                pass  # a folder that cannot be written to costs an estimate

    def _load(self, entry: Entry) -> Model:
        if entry.id not in self.installed:
            self.rescan()
        found = self.installed.get(entry.id)
        if found is None:
            raise ModelMissing(
                tr("The model {0} ({1}) is not installed.", entry.id, entry.title),
                hint=packages.how_to_get(entry),
                model=entry.id,
            )
        scan.verify(found)
        try:
            return self._needing_packages(entry, lambda: entry.facts.load(entry, found.folder, self.setup(entry)))
        except MaskwrightError as error:
            error.details.setdefault("model", entry.id)
            raise
        except MemoryError:
            raise
        except Exception as error:
            torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
            if torch_runtime is not None and torch_runtime.is_memory(error):
                raise does_not_fit(entry) from error
            raise ModelBroken(
                tr("The model {0} cannot be loaded.", entry.id), model=entry.id, reason=str(error)
            ) from error

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
        self.loaded.clear()


def _blames_the_device(error: MaskwrightError) -> bool:
    """Whether the graphics card, its driver or its memory may be at fault, which says nothing of the model."""
    reason = f"{error.message} {error.details.get('reason', '')}"
    return re.search(r"\b(cu(da|dnn|blas)|hip|mps|metal|driver|memory)", reason, re.IGNORECASE) is not None


def _kind(place: Placement) -> str:
    """What measured sizes are recorded for."""
    kind = place.device.partition(":")[0]
    return kind if place.precision == "fp32" else f"{kind}-{place.precision}"
