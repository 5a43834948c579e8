"""MobileSAM in torch, for graphics cards: points, boxes and masks -> soft masks. Segmenter.

Zhang et al., "Faster Segment Anything: Towards Lightweight SAM for Mobile Applications" (2023),
https://github.com/ChaoningZhang/MobileSAM, Apache-2.0: SAM's prompts and decoder on a ``TinyViT``. Reads the authors'
checkpoint, converted to safetensors.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import SamConfig, SamModel

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup

from . import checkpoints, tiny_vit
from .base import SamLike


class MobileSam(SamLike):
    """Keeps ``(1, 256, 64, 64)`` of an image."""

    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """``pixels`` ``(1, 3, 1024, 1024)`` -> ``image`` ``(1, 256, 64, 64)``."""
        return {"image": self.encoder(pixels)[0]}


def load(entry: Entry, folder: Path, setup: Setup) -> MobileSam:
    """Raises ``ModelBroken``."""
    weights = tiny_vit.renamed(torch_runtime.weights(entry, folder))

    def build() -> SamModel:
        network = SamModel(SamConfig())
        network.vision_encoder = tiny_vit.TinyViT()  # type: ignore[assignment]
        return network

    return MobileSam(entry, setup, checkpoints.load(build, checkpoints.prompts_and_decoder(weights), entry, setup))
