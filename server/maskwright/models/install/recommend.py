"""What to offer for a first installation on this computer: one model for each thing it can do. Light, no library."""

from __future__ import annotations

from functools import cache

from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.machine import hardware, packages

RESERVE = 2 << 30  # bytes of a graphics card that are left to the painting program
_SHARE = 4  # of main memory, a quarter is a model's


def recommended(known: Catalogue, device: str = "auto") -> list[str]:
    """Ids, in the catalogue's order. ``device`` as in the settings.

    The catalogue marks candidates; of those for the same role the first is taken that runs here with what is installed,
    fits into the memory and is not too slow.
    """
    card = card_memory() if device != "cpu" else 0
    main = hardware.memory() // _SHARE
    chosen: dict[tuple[tuple[str, ...], bool], str] = {}
    for entry in known.model:
        job = (entry.roles, entry.needs_trimap)
        if entry.recommended and job not in chosen and _suits(entry, card, main):
            chosen[job] = entry.id
    return list(chosen.values())


def _suits(entry: Entry, card: int, main: int) -> bool:
    if entry.embedded or entry.gated or entry.commercial != "yes" or not entry.sources or packages.lacking(entry):
        return False
    if entry.runtime == "torch" and card:
        return entry.memory_for("fp16") <= card - RESERVE
    return not entry.prefers_gpu and entry.memory <= main


@cache
def card_memory() -> int:
    """Bytes of the graphics card that PyTorch would use, 0 without one. Asks the driver once, for up to seconds."""
    if hardware.why_not_torch_on_a_card() is not None:
        return 0
    if hardware.torch_build() == "metal":
        return hardware.memory() // 2  # the memory is shared; Metal may use most of it
    return max((card.memory for card in hardware.cards()), default=0)
