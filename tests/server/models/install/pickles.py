"""Checkpoints as pickles: harmless ones, and some that call something."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def touching(marker: Path) -> Calls:
    return Calls(exec, f"open({str(marker)!r}, 'w').close()")


def saved(content: Any, **more: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **more)
    return buffer.getvalue()


def reduce(marker: Path) -> bytes:
    return saved({"state_dict": {"a": torch.zeros(2)}, "x": touching(marker)})


def weights() -> dict[str, Any]:
    shared = torch.arange(6.0).reshape(2, 3)
    return {
        "conv.weight": torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(1)),
        "half": torch.randn(5).half(),
        "brain": torch.randn(5).bfloat16(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "turned": shared.t(),
        "tied": shared,
        "mask": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
