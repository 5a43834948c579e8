"""What a model is loaded with: where it runs, in which precision, and why there. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maskwright.models.catalogue.entries import Precision

Runtime = Literal["torch", "onnx", "none"]
WantedPrecision = Literal["auto", "fp32", "fp16", "bf16"]


@dataclass(frozen=True)
class Placement:
    """``device`` is "cpu", "cuda:N" or "mps", of ONNX models also one of ``onnx_providers``; ``reason`` a sentence
    without its full stop."""

    device: str
    precision: Precision
    reason: str


@dataclass(frozen=True)
class Setup:
    """What a family's ``load(entry, folder, setup)`` is given. ``device`` as in ``Placement``; CPU ``threads``."""

    device: str
    threads: int
    precision: Precision = "fp32"
