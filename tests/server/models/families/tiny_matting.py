"""Tiny BiRefNets and ViTMattes with random weights, in the published layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import VitDetConfig, VitMatteConfig, VitMatteForImageMatting
from transformers.models.vitmatte.image_processing_pil_vitmatte import VitMatteImageProcessorPil

from maskwright.models.families.birefnet.inference.swin import Shape

TINY = Shape(embed=8, depths=(2, 2, 2, 2), heads=(1, 2, 2, 4), window=4)


def save(folder: Path) -> Any:
    """The network, as it lies in ``folder``."""
    torch.manual_seed(5)
    options: dict[str, Any] = {"out_features": ["stage2"]}
    backbone = VitDetConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=64, pretrain_image_size=32,
        patch_size=16, num_channels=4, window_block_indices=[0], window_size=4, use_absolute_position_embeddings=True,
        use_relative_position_embeddings=True, residual_block_indices=[1], **options,
    )  # fmt: skip
    config = VitMatteConfig(
        backbone_config=backbone, hidden_size=16, convstream_hidden_sizes=[4, 8, 16], fusion_hidden_sizes=[16, 8, 8, 4]
    )
    network = VitMatteForImageMatting(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    network.save_pretrained(folder)
    VitMatteImageProcessorPil(image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    return network
