"""How much memory a device has free and how much this process holds there, in bytes.

A device is "cpu", "cuda:N" or "mps". PyTorch is asked only where it is imported already.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from maskwright.models.machine import hardware

RESERVE = 2 << 30  # bytes that stay free for the painting program
LEAST_BUDGET = 512 << 20


def default_budget(device: str) -> int:
    """Bytes for loaded models: what is free on the device now, minus a reserve for the painting program."""
    return max(LEAST_BUDGET, free(device) - RESERVE)


def free(device: str) -> int:
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


def held(device: str) -> int:
    """Bytes that this process holds on the device, as far as that can be measured."""
    torch: Any = sys.modules.get("torch")
    if device.startswith("cuda"):
        return int(torch.cuda.memory_allocated(device)) if torch is not None else 0
    if device == "mps":
        return int(torch.mps.current_allocated_memory()) if torch is not None else 0
    import psutil

    return int(psutil.Process().memory_info().rss)


def collect() -> None:
    """Free what nothing refers to any more, on the graphics cards too."""
    gc.collect()
    torch_runtime = sys.modules.get(f"{__package__}.torch_runtime")
    if torch_runtime is not None:
        torch_runtime.give_back()
