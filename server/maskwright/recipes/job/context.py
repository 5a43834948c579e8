"""What a recipe is given beside its request: models, memory, a way to tell of progress and to be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Report

from .cache import EmbeddingCache


@dataclass
class JobContext:
    """One job's surroundings. ``emit(stage, fraction, text)``; ``cancelled()`` is asked between the stages."""

    models: ModelPool
    embeddings: EmbeddingCache
    emit: Callable[[str, float, str], None]
    cancelled: Callable[[], bool]
    timings: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    device: str = ""
    offer: str = ""  # a model to install, which would have understood more of the words

    def check(self) -> None:
        """Raises ``JobCancelled`` when the job was cancelled."""
        if self.cancelled():
            raise JobCancelled(tr("Cancelled."))

    def progress(self, stage: str, fraction: float, text: str = "") -> None:
        self.check()
        self.emit(stage, fraction, text)

    @contextmanager
    def stage(self, name: str, text: str, fraction: float = 0.0) -> Iterator[None]:
        """A named part of the job: tells of it, and adds its milliseconds to ``timings``. Checks for cancellation."""
        self.progress(name, fraction, text)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.timings[name] = self.timings.get(name, 0.0) + spent
        self.check()

    def note(self, sentence: str) -> None:
        """A sentence for the user, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def use(self, model_id: str, device: str) -> None:
        """Record that a model took part."""
        if model_id not in self.used:
            self.used.append(model_id)
        if not self.device or device != "cpu":
            self.device = device

    def report(self, recipe: str) -> Report:
        device = self.device or "cpu"
        reason = self.models.reason(self.used, device)
        timings = {name: round(spent, 3) for name, spent in self.timings.items()}
        return Report(recipe, list(self.used), device, reason, timings, list(self.notes), self.offer)
