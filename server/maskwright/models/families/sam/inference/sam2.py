"""SAM 2 and 2.1: points, boxes and masks -> soft masks. Segmenter.

Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024), https://github.com/facebookresearch/sam2,
Apache-2.0. The network is transformers' ``Sam2Model``; the authors' own checkpoints, converted to safetensors, serve as
well. The parts that follow objects through films are left out.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2PromptEncoderConfig, Sam2VisionConfig

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import pretrained

from . import checkpoints
from .base import FLOAT32, SamLike

SIDE = 1024  # of the authors' checkpoints


class _Network(Sam2Model):
    _keep_in_fp32_modules_strict = FLOAT32


class Sam2(SamLike):
    """Keeps ``(1, 256, 64, 64)``, ``(1, 64, 128, 128)`` and ``(1, 32, 256, 256)`` of an image."""

    squash = True

    def __init__(self, entry: Entry, setup: Setup, network: Sam2Model) -> None:
        super().__init__(entry, setup, network)
        self._no_memory = network.no_memory_embedding

    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """``pixels`` ``(1, 3, 1024, 1024)`` -> ``image`` ``(1, 256, 64, 64)``, ``half`` ``(1, 64, 128, 128)`` and
        ``quarter`` ``(1, 32, 256, 256)``."""
        quarter, half, image = self.encoder(pixels).fpn_hidden_states
        kept = {
            "image": image + self._no_memory.reshape(1, -1, 1, 1),
            "half": self.decoder.conv_s1(half.float()),
            "quarter": self.decoder.conv_s0(quarter.float()),
        }
        return {name: tensor.to(pixels.dtype) for name, tensor in kept.items()}


def load(entry: Entry, folder: Path, setup: Setup) -> Sam2:
    """Raises ``ModelBroken``."""
    if (folder / "config.json").is_file():
        return Sam2(entry, setup, pretrained(_Network, entry, folder, setup))
    return from_authors(entry, torch_runtime.weights(entry, folder), setup)


def from_authors(entry: Entry, weights: torch_runtime.Weights, setup: Setup, side: int = SIDE) -> Sam2:
    """A model from weights under the authors' names; ``side``: pixels of its square input. Raises ``ModelBroken``."""
    weights = checkpoints.sam2(weights)
    shape = checkpoints.hiera(weights, entry)
    vision = Sam2VisionConfig(
        backbone_config=Sam2HieraDetConfig(**shape, image_size=[side, side]),
        backbone_channel_list=shape["embed_dim_per_stage"][::-1],
        backbone_feature_sizes=[[side // step] * 2 for step in (4, 8, 16)],
    )
    config = Sam2Config(vision_config=vision, prompt_encoder_config=Sam2PromptEncoderConfig(image_size=side))
    return Sam2(entry, setup, checkpoints.load(lambda: _Network(config), weights, entry, setup))
