"""Tiny parsers with random weights, in the published layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def save_segformer(folder: Path, names: tuple[str, ...], side: int = 512) -> Any:
    """A SegFormer of a few thousand weights in the hub's layout; the network."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessorPil

    torch.manual_seed(4)
    config = SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16,
        id2label=dict(enumerate(names)), label2id={name: number for number, name in enumerate(names)},
    )  # fmt: skip
    network = SegformerForSemanticSegmentation(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    network.save_pretrained(folder)
    SegformerImageProcessorPil(size={"height": side, "width": side}).save_pretrained(folder)
    return network
