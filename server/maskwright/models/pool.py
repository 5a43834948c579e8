"""The loaded models of one worker: loaded when first asked for, the least recently used dropped beyond the budget."""

from __future__ import annotations

import importlib
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from maskwright_protocol.errors import MaskwrightError, ModelBroken, ModelMissing

from . import catalogue, installed
from .catalogue import Catalogue, Entry
from .installed import Installed
from .roles import Detector, Matter, Model, Parser, Segmenter
from .runtime import choose_device

DEFAULT_BUDGET = 4 << 30


@dataclass(frozen=True)
class Setup:
    """What a family's ``load(entry, folder, setup)`` is given. ``device`` is "cpu" or "cuda:N"."""

    device: str
    threads: int


class ModelPool:
    """Models by id. Not thread-safe: a worker runs one job at a time."""

    def __init__(
        self,
        folders: Sequence[Path],
        device: str = "auto",
        threads: int | None = None,
        budget: int = DEFAULT_BUDGET,
        known: Catalogue | None = None,
    ) -> None:
        """``folders``: model folders. ``threads``: None takes all cores. ``budget``: bytes for loaded models."""
        self.folders = tuple(folders)
        self.device, self.device_reason = choose_device(device)
        self.threads = threads or os.cpu_count() or 1
        self.budget = budget
        self.known = known or catalogue.load()
        self._installed: dict[str, Installed] | None = None
        self._loaded: OrderedDict[str, Model] = OrderedDict()

    @property
    def installed(self) -> dict[str, Installed]:
        """Models on this computer by id, as last scanned."""
        if self._installed is None:
            self.rescan()
        return self._installed or {}

    def rescan(self) -> None:
        """Look at the folders again."""
        self._installed = installed.scan(self.folders, self.known)

    def resident(self) -> list[str]:
        """Ids of the loaded models, least recently used first."""
        return list(self._loaded)

    def nbytes(self) -> int:
        """Bytes held by loaded models, as estimated in the catalogue."""
        return sum(model.nbytes for model in self._loaded.values())

    def best(self, role: str) -> str | None:
        """The id of the best installed model of that role (the catalogue's first), or None."""
        ids = [entry.id for entry in self.known.with_role(role) if entry.id in self.installed]
        # A folder with damaged files is no candidate while a sound model can do the job.
        sound = [i for i in ids if not self.installed[i].problem]
        return next(iter(sound or ids), None)

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
        model = self._load(entry)
        while self._loaded and self.nbytes() + model.nbytes > self.budget:
            self._loaded.popitem(last=False)
        self._loaded[model_id] = model
        return model

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
            return load(entry, found.folder, Setup(self.device, self.threads))
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
