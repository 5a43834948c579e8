"""Tiny Depth Anything: of the real class, and an ONNX graph in the published layout to which what is bright is near."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import nn

tf: Any = importlib.import_module("transformers")  # its stubs know few of its parameters
SIDE = 56


def random(folder: Path) -> Any:
    """Random weights in the hub's layout; the network is returned."""
    torch.manual_seed(5)
    backbone = tf.Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=SIDE, patch_size=14,
        out_indices=[1, 2, 3, 4], apply_layernorm=True, reshape_hidden_states=False,
    )  # fmt: skip
    config = tf.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=32, neck_hidden_sizes=[8, 16, 32, 32], fusion_hidden_size=8,
        head_hidden_size=8, patch_size=14,
    )  # fmt: skip
    network = tf.DepthAnythingForDepthEstimation(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1 and "norm" not in name:
                parameter.normal_(0, 0.3)
        network.head.conv3.bias.fill_(5)  # the last step cuts what is below 0
    network.save_pretrained(folder)
    processor = tf.DPTImageProcessor(
        size={"height": SIDE, "width": SIDE}, keep_aspect_ratio=True, ensure_multiple_of=14, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )  # fmt: skip
    processor.save_pretrained(folder)
    return network


class Bright(nn.Module):
    def forward(self, pixel_values):
        return pixel_values.mean(1) + 10


def bright(path: Path) -> None:
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {"pixel_values": {0: "batch_size", 2: "height", 3: "width"}}
    axes["predicted_depth"] = {0: "batch_size", 1: "height", 2: "width"}
    with mock.patch.object(onnx_proto_utils, "_add_onnxscript_fn", lambda data, *_: data):
        torch.onnx.export(
            Bright(), (torch.zeros(1, 3, 28, 28),), str(path), input_names=["pixel_values"],
            output_names=["predicted_depth"], dynamic_axes=axes, dynamo=False, opset_version=17,
        )  # fmt: skip
