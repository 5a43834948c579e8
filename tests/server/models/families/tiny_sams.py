"""Tiny random SAMs of the real classes, saved as they are published."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue

SIDE = 64


def awake(network: nn.Module, seed: int = 0, size: float = 0.5) -> Any:
    """Weights of a size that makes every part of the network matting: SAM's own initialisation is almost zero."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        with torch.no_grad():
            scale = 1.0 if "positional_embedding" in name else size
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1)
    return network.eval()


def _vit(**more: Any) -> dict[str, Any]:
    return {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8,
        "output_channels": 16, "window_size": 4, "num_pos_feats": 8, "global_attn_indexes": [1], **more,
    }  # fmt: skip


PROMPTS = {"hidden_size": 16, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 4}
DECODER = {"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16}


def sam() -> Any:
    from transformers import SamConfig, SamModel

    return awake(SamModel(SamConfig(vision_config=_vit(), prompt_encoder_config=PROMPTS, mask_decoder_config=DECODER)))


def sam_hq() -> Any:
    from transformers import SamHQConfig, SamHQModel

    decoder = {**DECODER, "vit_dim": 32}
    config = SamHQConfig(vision_config=_vit(), prompt_encoder_config=PROMPTS, mask_decoder_config=decoder)
    return awake(SamHQModel(config))


def sam2_config(kind: Any) -> Any:
    """``Sam2Config`` or, as the published checkpoints have it, ``Sam2VideoConfig``."""
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [128, 128],
        "num_attention_heads_per_stage": [1, 1, 2, 4],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "window_size_per_stage": [8, 4, 4, 2], "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    vision = {
        "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8], "fpn_hidden_size": 16,
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }  # fmt: skip
    prompts = {"hidden_size": 16, "image_size": 128, "patch_size": 16, "mask_input_channels": 4}
    return kind(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=DECODER)


def sam2() -> Any:
    from transformers import Sam2Config, Sam2Model

    return awake(Sam2Model(sam2_config(Sam2Config)))


def saved(network: Any, folder: Path) -> Path:
    """The folder, with the network in it as the hub has it."""
    if folder.exists():
        shutil.rmtree(folder)
    network.save_pretrained(folder)
    return folder


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Blobs of colour ``(height, width, 3)`` uint8."""
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.random((1, 3, 6, 6)))
    large = nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)
    return np.ascontiguousarray((large[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8))


def sam3_config() -> Any:
    """As published: detector and tracker in one ``Sam3VideoConfig``."""
    from transformers import Sam3Config, Sam3TrackerVideoConfig, Sam3VideoConfig

    backbone = {
        "model_type": "sam3_vit_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 112, "patch_size": 14, "window_size": 4, "pretrain_image_size": 56,
        "global_attn_indexes": [1],
    }  # fmt: skip
    vision = {
        "backbone_config": backbone, "fpn_hidden_size": 32, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }  # fmt: skip
    text = {
        "model_type": "clip_text_model", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 32, "projection_dim": 16,
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
    }  # fmt: skip
    small = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    detector = Sam3Config(
        vision_config=vision,
        text_config=text,
        geometry_encoder_config={**small, "num_layers": 2},
        detr_encoder_config={**small, "num_layers": 2},
        detr_decoder_config={**small, "num_layers": 2, "num_queries": 10},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    tracker = Sam3TrackerVideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 112, "patch_size": 14, "mask_input_channels": 4},
        mask_decoder_config={**DECODER, "hidden_size": 32, "iou_head_hidden_dim": 32},
        image_size=112,  # pyright: ignore[reportCallIssue]
        memory_attention_hidden_size=32,
        memory_encoder_hidden_size=32,
    )
    return Sam3VideoConfig(detector_config=detector.to_dict(), tracker_config=tracker.to_dict())


def sam3() -> Any:
    from transformers import Sam3VideoModel

    return awake(Sam3VideoModel(sam3_config()), size=0.15)


def sam3_lite_text() -> Any:
    from transformers import Sam3LiteTextConfig, Sam3LiteTextModel

    detector = sam3_config().detector_config.to_dict()
    parts = ("vision", "geometry_encoder", "detr_encoder", "detr_decoder", "mask_decoder")
    text = {
        "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "projection_dim": 16, "num_hidden_layers": 3,
        "num_attention_heads": 2, "max_position_embeddings": 20,
    }  # fmt: skip
    config = Sam3LiteTextConfig(text_config=text, **{f"{part}_config": detector[f"{part}_config"] for part in parts})
    return awake(Sam3LiteTextModel(config), size=0.15)


def clip_tokenizer() -> Any:
    """One that knows letters."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])


def saved_sam3(network: Any, folder: Path) -> Path:
    """As ``saved``, under the names that the published file has: the library (5.23) doubles a prefix when it saves."""
    from safetensors.torch import save_file

    saved(network, folder)
    weights = {name: tensor.clone().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    clip_tokenizer().save_pretrained(folder)
    return folder


def known() -> Catalogue:
    """The catalogue without the sizes and digests of the published files, which tiny ones cannot have."""
    bare = {"size": None, "sha256": None, "also": ()}
    entries = catalogue.built_in().model
    return Catalogue(
        model=tuple(
            entry.model_copy(update={"files": tuple(file.model_copy(update=bare) for file in entry.files)})
            for entry in entries
        )
    )
