"""Tiny random Sapiens2 of the real classes, in the published layout."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch

tf: Any = importlib.import_module("transformers")  # its stubs know few of its parameters


def save(folder: Path, names: tuple[str, ...] = (), size: tuple[int, int] = (48, 64)) -> Any:
    """A parser of these labels, or without any the matting network; ``size`` is width and height of its input."""
    torch.manual_seed(5)
    head = {"upsample_out_channels": [16, 8, 8, 8], "conv_out_channels": [8, 8]}
    if not names:
        head |= {"use_pixel_shuffle": True, "upsample_kernel_size": 3, "conv_kernel_size": 3}
    labels = {"id2label": dict(enumerate(names))} if names else {"num_labels": 4}
    config = tf.Sapiens2Config(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=[size[1], size[0]],
        num_key_value_heads_per_layer=[2, 1], num_register_tokens=8, patch_size=16, head_config=head, **labels,
    )  # fmt: skip
    kind = tf.Sapiens2ForSemanticSegmentation if names else tf.Sapiens2ForImageMatting
    network = kind(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
            elif "predictor" in name:
                parameter.normal_(0, 0.5)
    network.save_pretrained(folder)
    told = {
        "image_processor_type": "Sapiens2ImageProcessor", "do_resize": True, "do_normalize": True, "resample": 2,
        "size": {"height": size[1], "width": size[0]}, "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return network
