"""Checkpoints of SAM's and its descendants' authors: their names for the weights -> transformers', and their sizes.

The authors publish pickles; ``maskwright models convert`` makes the safetensors that are read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import Weights, dtype, load_strictly
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

from .base import FLOAT32

_Rule = tuple[str, str | Callable[[re.Match[str]], str]]


def _numbered(pattern: str, prefix: str, names: Mapping[int, str]) -> _Rule:
    """``pattern`` followed by a layer's number -> ``prefix`` and that layer's name."""
    return pattern + r"\.(\d)(?=\.)", lambda found: prefix + names.get(int(found[1]), found[0])


_MLP = {0: "proj_in", 1: "layers.0", 2: "proj_out"}  # all of SAM's small perceptrons have three layers
_PROMPTS_AND_DECODER: tuple[_Rule, ...] = (
    (r"^sam_(prompt_encoder|mask_decoder)", r"\1"),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"point_embeddings\.", "point_embed."),
    _numbered(
        "mask_downscaling", "mask_embed.", {0: "conv1", 1: "layer_norm1", 3: "conv2", 4: "layer_norm2", 6: "conv3"}
    ),
    _numbered("output_upscaling", "upscale_", {0: "conv1", 1: "layer_norm", 3: "conv2"}),
    ("norm_final_attn", "layer_norm_final_attn"),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    ("hf_token", "hq_token"),
    ("hf_mlp", "hq_mask_mlp"),
    _numbered("compress_vit_feat", "compress_vit_", {0: "conv1", 1: "norm", 3: "conv2"}),
    _numbered("embedding_encoder", "encoder_", {0: "conv1", 1: "norm", 3: "conv2"}),
    _numbered("embedding_maskfeature", "mask_", {0: "conv1", 1: "norm", 3: "conv2"}),
    (
        r"(output_hypernetworks_mlps\.\d|iou_prediction_head|pred_obj_score_head|hq_mask_mlp)\.layers\.(\d)",
        lambda found: f"{found[1]}.{_MLP.get(int(found[2]), found[2])}",
    ),
)
_VIT: tuple[_Rule, ...] = (
    _numbered(
        "^image_encoder.neck", "vision_encoder.neck.", {0: "conv1", 1: "layer_norm1", 2: "conv2", 3: "layer_norm2"}
    ),
    (r"^image_encoder\.blocks", "vision_encoder.layers"),
    (r"^image_encoder\.patch_embed\.proj\.", "vision_encoder.patch_embed.projection."),
    (r"^image_encoder", "vision_encoder"),
)
_HIERA: tuple[_Rule, ...] = (
    (r"^image_encoder\.trunk", "vision_encoder.backbone"),
    (r"^image_encoder\.neck\.convs\.(\d)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (r"patch_embed\.proj\.", "patch_embed.projection."),
    (r"mlp\.layers\.0", "mlp.proj_in"),
    (r"mlp\.layers\.1", "mlp.proj_out"),
    (r"\.out_proj\.", ".o_proj."),
    (r"^no_mem_embed$", "no_memory_embedding"),
)
# What SAM 2 needs to follow objects through films.
_VIDEO = re.compile(r"^(memory_|maskmem_|mask_downsample|obj_ptr|no_mem_pos_enc|no_obj_)")
_GLOBAL = {12: (5, 7, 9), 16: (7, 10, 13), 24: (12, 16, 20), 48: (23, 33, 43)}  # by the number of Hiera's blocks


def sam(weights: Weights) -> Weights:
    """Weights of SAM and HQ-SAM under transformers' names."""
    return _tied(_renamed(weights, (*_VIT, *_PROMPTS_AND_DECODER)))


def sam2(weights: Weights) -> Weights:
    """Weights of SAM 2 and 2.1 under transformers' names, without those for films."""
    weights = {name: tensor for name, tensor in weights.items() if not _VIDEO.match(name)}
    renamed = _tied(_renamed(weights, (*_HIERA, *_PROMPTS_AND_DECODER)))
    points = [renamed.pop(key) for key in sorted(k for k in renamed if k.startswith("prompt_encoder.point_embed."))]
    if points:
        renamed["prompt_encoder.point_embed.weight"] = torch.cat(points)
    return renamed


def prompts_and_decoder(weights: Weights) -> Weights:
    """The prompt encoder's and the mask decoder's weights under transformers' names; others keep their names."""
    return _tied(_renamed(weights, _PROMPTS_AND_DECODER))


def _renamed(weights: Weights, rules: tuple[_Rule, ...]) -> Weights:
    renamed = {}
    for name, tensor in weights.items():
        for pattern, new in rules:
            name = re.sub(pattern, new, name)
        renamed[name] = tensor
    return renamed


def _tied(weights: Weights) -> Weights:
    """The positional encoding, which the authors store once and transformers twice."""
    shared = weights.get("prompt_encoder.shared_embedding.positional_embedding")
    return weights if shared is None else {**weights, "shared_image_embedding.positional_embedding": shared}


def vit(weights: Weights, entry: Entry) -> dict[str, Any]:
    """Arguments of ``SamVisionConfig`` for renamed weights. Raises ``ModelBroken`` when they are not SAM's."""
    prefix = "vision_encoder."
    try:
        _, grid, _, hidden = weights[f"{prefix}pos_embed"].shape
        patch = weights[f"{prefix}patch_embed.projection.weight"].shape[-1]
        channels = weights[f"{prefix}neck.conv1.weight"].shape[0]
        spans = [len(weights[f"{prefix}layers.{i}.attn.rel_pos_h"]) for i in range(_count(weights, f"{prefix}layers."))]
        head = weights[f"{prefix}layers.0.attn.rel_pos_h"].shape[1]
        mlp = weights[f"{prefix}layers.0.mlp.lin1.weight"].shape[0]
    except (KeyError, ValueError) as error:
        raise strange(entry, error) from error
    return {
        "hidden_size": hidden,
        "image_size": grid * patch,
        "patch_size": patch,
        "output_channels": channels,
        "num_pos_feats": channels // 2,
        "num_hidden_layers": len(spans),
        "num_attention_heads": hidden // head,
        "mlp_dim": mlp,
        "global_attn_indexes": [i for i, span in enumerate(spans) if span == 2 * grid - 1],
        "window_size": (min(spans) + 1) // 2,
    }


def hiera(weights: Weights, entry: Entry) -> dict[str, Any]:
    """Arguments of ``Sam2HieraDetConfig`` for renamed weights. Raises ``ModelBroken`` when they are not SAM 2's."""
    prefix = "vision_encoder.backbone."
    try:
        _, width, rows, columns = weights[f"{prefix}pos_embed"].shape
        blocks = _count(weights, f"{prefix}blocks.")
        starts = [i for i in range(blocks) if f"{prefix}blocks.{i}.proj.weight" in weights]
        global_blocks = _GLOBAL[blocks]
        first, second, third = starts
    except (KeyError, ValueError) as error:
        raise strange(entry, error) from error
    heads = 1 if width == 96 else 2
    return {
        "hidden_size": width,
        "num_attention_heads": heads,
        "blocks_per_stage": [first, second - first, third - second, blocks - third],
        "embed_dim_per_stage": [width << stage for stage in range(4)],
        "num_attention_heads_per_stage": [heads << stage for stage in range(4)],
        "window_size_per_stage": [8, 4, 16, 8] if blocks == 48 else [8, 4, 14, 7],
        "global_attention_blocks": list(global_blocks),
        "window_positional_embedding_background_size": [rows, columns],
    }


def _count(weights: Weights, prefix: str) -> int:
    return len({name[len(prefix) :].partition(".")[0] for name in weights if name.startswith(prefix)})


def strange(entry: Entry, error: Exception) -> ModelBroken:
    text = tr("The weights of the model {0} are not those of a {1} model.", entry.id, entry.family)
    return ModelBroken(text, model=entry.id, reason=f"{type(error).__name__}: {error}")


def load(build: Callable[[], nn.Module], weights: Weights, entry: Entry, setup: Setup) -> Any:
    """A network with these weights on its device, in its precision save for the modules of ``FLOAT32``. Raises
    ``ModelBroken``."""
    torch.set_num_threads(setup.threads)
    with torch.device("meta"):
        network = build()
    load_strictly(network, weights, entry, replace(setup, device="cpu", precision="fp32"))
    for name, child in network.named_children():
        if name not in FLOAT32:
            child.to(dtype(setup.precision))
    return network.to(setup.device)
