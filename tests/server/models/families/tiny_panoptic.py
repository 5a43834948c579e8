"""Tiny random EoMT of the real classes, in the published layouts."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil

tf: Any = importlib.import_module("transformers")  # its stubs know few of its parameters
NAMES = {0: "person", 1: "dog", 2: "sky-other-merged", 3: "grass-merged"}
_SEEDS = {"EomtDinov3": 39, "Eomt": 214}  # with these, noise has several regions


def eomt(folder: Path, kind: str = "EomtDinov3", names: dict[int, str] | None = None) -> Path:
    """``names`` None: 133 classes, with the names that the library makes up, as in what is published."""
    torch.manual_seed(3)
    labels = {"id2label": names} if names else {"num_labels": 133}
    more = {"intermediate_size": 64} if kind == "EomtDinov3" else {"mlp_ratio": 2}
    config = getattr(tf, f"{kind}Config")(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=64, patch_size=16, num_queries=24,
        num_blocks=1, num_register_tokens=4, **labels, **more,
    )  # fmt: skip
    network = getattr(tf, f"{kind}ForUniversalSegmentation")(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1 and "norm" not in name:
                parameter.normal_(0, 0.35)
        network.class_predictor.weight.mul_(2)  # so that its answers are sure
        for block in network.upscale_block.block:  # without steps between the cells
            block.conv1.weight.copy_(2 * block.conv1.weight.mean((2, 3), keepdim=True).expand_as(block.conv1.weight))
            block.conv2.weight.fill_(1 / 9)
        network.attn_mask_probs.fill_(-1)  # as published: no query is kept from looking anywhere
        torch.manual_seed(_SEEDS[kind])
        network.query.weight.normal_(0, 1.5)
        network.mask_head.fc3.weight.normal_(0, 0.3)
        network.mask_head.fc3.bias.normal_(0, 0.5)
    network.save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 64}
    EomtImageProcessorPil(size=size, do_pad=True).save_pretrained(folder)
    return folder
