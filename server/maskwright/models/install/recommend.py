"""What to offer for a first installation on this computer: one model for each thing it can do. Light, no library.

The set fits beside a painting program that holds ``RESERVE`` itself. Its models stay loaded together and run one at a
time, so what they need is all of their weights and the most that one of them takes while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple

from maskwright.models.catalogue.entries import Catalogue, Entry, Precision
from maskwright.models.catalogue.page import size_text
from maskwright.models.machine import hardware, packages
from maskwright_protocol.language import Sentence, joined, tr

RESERVE = 2 << 30  # bytes that are left to the painting program, on the card and in main memory
_SYSTEM = 2 << 30  # bytes of main memory that the system has
_DOES = tr("{0} does that.")
_DRIVER = 512 << 20  # bytes of a card that a process holds as soon as it computes there
# What the catalogue's ``seconds`` were measured on, by kind of device.
MEASURED_ON = {"cpu": tr("one core of a server's processor"), "cuda": tr("a graphics card of a data centre"), "mps": ""}
# What a painter misses most comes first: models for it may take the memory that others would like.
_JOBS = ("segmenter", "matting", "any words", "detector", "parser", "refiner", "panoptic")


class Computer(NamedTuple):
    """Bytes for models: ``main`` memory, and the ``card`` that PyTorch uses, 0 without one; ``precision`` there.

    On a ``shared`` one both are the same memory.
    """

    main: int
    card: int
    precision: Precision = "fp16"
    shared: bool = False

    @classmethod
    def this(cls, device: str = "auto") -> Computer:
        """``device`` as in the settings."""
        main = max(0, hardware.memory() - RESERVE - _SYSTEM)
        metal = hardware.torch_build() == "metal"
        card = card_memory() if device in ("auto", "mps") or device.startswith("cuda") else 0
        room = max(0, card - RESERVE - (0 if metal else _DRIVER))
        return cls(main, room, "fp32" if metal else "fp16", metal)

    def on_card(self, entry: Entry) -> bool:
        return entry.runtime == "torch" and self.card > 0

    def kind(self, entry: Entry) -> Literal["cpu", "cuda", "mps"]:
        """What kind of device it would run on here."""
        return ("mps" if self.shared else "cuda") if self.on_card(entry) else "cpu"

    def seconds(self, entry: Entry) -> float:
        """For one picture, measured on a device of the kind that it would run on here; 0 where nobody measured."""
        kind = self.kind(entry)
        return 0.0 if kind == "mps" else entry.seconds.get(kind, 0.0)

    def slow(self, entry: Entry) -> bool:
        """Whether it would take many seconds here."""
        return entry.prefers_gpu and not self.on_card(entry)

    def holds(self, entries: Sequence[Entry]) -> bool:
        """Whether these fit together."""
        here = [entry for entry in entries if self.on_card(entry)]
        there = [entry for entry in entries if not self.on_card(entry)]
        card, main = _need(here, self.precision), _need(there, "fp32")
        return card <= self.card and main + (card if self.shared else 0) <= self.main


def _job(entry: Entry) -> str:
    """What a model is recommended for, one of ``_JOBS``."""
    if entry.needs_trimap:
        return "refiner"
    return "any words" if entry.facts.reads_any_words else entry.roles[0]


def _need(entries: Iterable[Entry], precision: Precision) -> int:
    """Bytes for models that stay loaded and run one at a time."""
    entries = list(entries)
    running = [entry.running_for(precision) for entry in entries]
    weights = sum(entry.memory_for(precision) - now for entry, now in zip(entries, running, strict=True))
    return weights + max(running, default=0)


def recommended(known: Catalogue, device: str = "auto") -> list[str]:
    """The ``best_set`` for this computer. ``device`` as in the settings."""
    return best_set(known, Computer.this(device))


def best_set(known: Catalogue, computer: Computer) -> list[str]:
    """Ids, in the catalogue's order.

    The catalogue marks candidates; of those for the same job the first is taken that runs with what is installed and
    leaves room for the least of each other job. What is slow there comes last, the quickest of those whose time was
    measured first.
    """
    candidates: dict[str, list[Entry]] = {}
    for entry in known.model:
        if entry.recommended and _may(entry) and computer.holds([entry]):
            candidates.setdefault(_job(entry), []).append(entry)
    for job, entries in candidates.items():
        quick = [entry for entry in entries if not computer.slow(entry)]
        timed = [entry for entry in entries if computer.slow(entry) and "cpu" in entry.seconds]
        candidates[job] = [*quick, *sorted(timed, key=lambda entry: entry.seconds["cpu"])]
    jobs = [job for job in _JOBS if candidates.get(job)]
    least = {job: min(candidates[job], key=lambda entry: (computer.slow(entry), entry.memory)) for job in jobs}
    chosen: list[Entry] = []
    for number, job in enumerate(jobs):
        rest = [least[other] for other in jobs[number + 1 :]]
        fitting = [entry for entry in candidates[job] if computer.holds([*chosen, entry, *rest])]
        fitting = fitting or [entry for entry in candidates[job] if computer.holds([*chosen, entry])]
        chosen += fitting[:1]
    return [entry.id for entry in known.model if entry in chosen]


def _may(entry: Entry) -> bool:
    """Whether anybody may have it, and it runs with what is installed."""
    free = entry.commercial == "yes" and not entry.gated and not entry.embedded
    return free and bool(entry.sources) and packages.lacking(entry) is None


def reader(known: Catalogue, device: str = "auto") -> Entry:
    """The model to offer here to people whose words no installed one knows."""
    return best([entry for entry in known.model if entry.facts.reads_any_words], known, device)


def for_role(known: Catalogue, role: str, needs_trimap: bool = False, device: str = "auto") -> Entry:
    """The model to offer here for a role that no installed one plays."""
    entries = [entry for entry in known.with_role(role) if entry.needs_trimap == needs_trimap]
    return best(entries, known, device)


def best(entries: Sequence[Entry], known: Catalogue, device: str = "auto") -> Entry:
    """Of these the recommended one, else the least of those that may be had, marked ones first."""
    here = recommended(known, device)
    ready = [entry for entry in entries if entry.sources and not entry.embedded] or list(entries)
    return min(ready, key=lambda e: (e.id not in here, not _may(e), not e.recommended, e.memory))


def advice(entry: Entry, what: Sentence = _DOES) -> str:
    """What the model does and how to get it, sentences. ``what``: the first one, with ``{0}`` for the model."""
    size = f" ({size_text(entry.size)})" if entry.size and not entry.embedded else ""
    does = tr("{0} finds whatever you describe in words.") if entry.facts.reads_any_words else what
    return joined(does.with_values(f"{entry.title}{size}"), packages.how_to_get(entry))


@cache
def card_memory() -> int:
    """Bytes of the graphics card that PyTorch would use, 0 without one. Asks the driver once, for up to seconds."""
    if hardware.why_not_torch_on_a_card() is not None:
        return 0
    if hardware.torch_build() == "metal":
        return hardware.memory() // 2  # the memory is shared; Metal may use most of it
    return max((card.memory for card in hardware.cards()), default=0)
