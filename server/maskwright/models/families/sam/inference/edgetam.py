"""EdgeTAM: points, boxes and masks -> soft masks. Segmenter.

Zhou et al., "EdgeTAM: On-Device Track Anything Model" (2025), https://github.com/facebookresearch/EdgeTAM, Apache-2.0:
SAM 2's prompts and decoder on a RepViT of 5 million parameters. The network is transformers' ``EdgeTamModel`` around an
image encoder of our own, since the library's needs timm and, with it, torchvision. Reads the authors' checkpoint,
converted to safetensors, and the hub's; the parts that follow objects through films are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from transformers import EdgeTamConfig, EdgeTamModel, EdgeTamVisionConfig, Sam2HieraDetConfig

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup

from . import checkpoints
from .repvit import RepViT
from .sam2 import Sam2

_FILMS = re.compile("|".join(EdgeTamModel._keys_to_ignore_on_load_unexpected or ()))
_ENCODER = re.compile(r"(?<=^vision_encoder\.backbone\.)(body|timm_model)\.")


def load(entry: Entry, folder: Path, setup: Setup) -> Sam2:
    """Raises ``ModelBroken``."""
    weights = torch_runtime.weights(entry, folder)
    if any(name.startswith("image_encoder.") for name in weights):
        weights = checkpoints.sam2(weights)
    weights = {_ENCODER.sub("", name): tensor for name, tensor in weights.items() if not _FILMS.search(name)}
    return Sam2(entry, setup, checkpoints.load(_network, weights, entry, setup))


def _network() -> EdgeTamModel:
    # The encoder that the library builds here is replaced at once.
    vision = EdgeTamVisionConfig(backbone_config=Sam2HieraDetConfig())
    network = EdgeTamModel(EdgeTamConfig(vision_config=vision))
    network.vision_encoder.backbone = RepViT()
    return network
