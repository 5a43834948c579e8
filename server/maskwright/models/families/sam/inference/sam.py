"""SAM: points, boxes and masks -> soft masks. Segmenter.

Kirillov et al., "Segment Anything" (2023), https://github.com/facebookresearch/segment-anything, Apache-2.0. The
network is transformers' ``SamModel``; the authors' own checkpoints, converted to safetensors, serve as well.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import SamConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import pretrained

from . import checkpoints
from .base import FLOAT32, SamLike


class _Network(SamModel):
    _keep_in_fp32_modules_strict = FLOAT32


class Sam(SamLike):
    """Keeps ``(1, 256, 64, 64)`` of an image."""

    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """``pixels`` ``(1, 3, 1024, 1024)`` -> ``image`` ``(1, 256, 64, 64)``."""
        return {"image": self.encoder(pixels).last_hidden_state}


def load(entry: Entry, folder: Path, setup: Setup) -> Sam:
    """Raises ``ModelBroken``."""
    if (folder / "config.json").is_file():
        return Sam(entry, setup, pretrained(_Network, entry, folder, setup))
    weights = checkpoints.sam(torch_runtime.weights(entry, folder))
    shape = checkpoints.vit(weights, entry)
    prompts = SamPromptEncoderConfig(image_size=shape["image_size"], patch_size=shape["patch_size"])
    config = SamConfig(vision_config=SamVisionConfig(**shape), prompt_encoder_config=prompts)
    return Sam(entry, setup, checkpoints.load(lambda: _Network(config), weights, entry, setup))
