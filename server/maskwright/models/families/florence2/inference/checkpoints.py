"""Florence-2 as Microsoft and those who fine-tuned it publish it: for a program of their own, of which nothing is run.

Weights, tokenizer and configuration are turned into what transformers' own class takes. The network is the same, under
other names. The tokenizer lacks the tokens for places and marks: the program adds them when it starts, in the order
with which the weights were trained.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import Weights, dtype, load_strictly
from maskwright.models.runtime.torch_runtime import weights as stored
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_MARKS = [
    "<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>",
    "<sep>", "<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>", "<proposal>",
    "</proposal>", "<poly>", "</poly>", "<and>",
]  # fmt: skip # the misspelt ones are what the program adds
ADDED = ["<od>", "</od>", "<ocr>", "</ocr>", *(f"<loc_{place}>" for place in range(1000)), *_MARKS]
_ROLES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
_SHARED = ("model.language_model.encoder.embed_tokens", "model.language_model.decoder.embed_tokens", "lm_head")
_RULES = (
    (r"^vision_tower\.", "model.vision_tower."),
    (r"(convs\.\d+)\.proj\.", r"\1.conv."),
    (r"\.(conv[12])\.fn\.dw\.", r".\1."),
    (r"\.(window|channel)_attn\.norm\.", ".norm1."),
    (r"\.(window|channel)_attn\.fn\.", r".\1_attn."),
    (r"\.ffn\.norm\.", ".norm2."),
    (r"\.ffn\.fn\.net\.", ".ffn."),
    (r"^image_projection$", "model.multi_modal_projector.image_projection.weight"),
    (r"^image_proj_norm\.", "model.multi_modal_projector.image_proj_norm."),
    (r"^image_pos_embed\.", "model.multi_modal_projector.image_position_embed."),
    (r"^visual_temporal_embed\.", "model.multi_modal_projector.visual_temporal_embed."),
    (r"^language_model\.model\.", "model.language_model."),
    (r"^language_model\.lm_head\.", "lm_head."),
)
_VISION = (
    "depths", "patch_size", "patch_stride", "patch_padding", "patch_prenorm", "num_heads", "num_groups", "window_size",
    "drop_path_rate", "projection_dim",
)  # fmt: skip


def described(folder: Path) -> dict[str, Any] | None:
    """The configuration, if the folder holds such a checkpoint; transformers' own has another image encoder in it."""
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return told if told["vision_config"]["model_type"] == "davit" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tokenizer(folder: Path) -> Any:
    """BART's tokenizer with the places and marks. Raises what transformers raises."""
    from transformers import PreTrainedTokenizerFast

    words: Any = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **_ROLES)
    words.add_special_tokens({"additional_special_tokens": ADDED})
    return words


def renamed(weights: Weights) -> Weights:
    """The tensors by transformers' names for them, of the same shapes except for the image projection, transposed."""
    found: Weights = {}
    for name, tensor in weights.items():
        if name == "language_model.final_logits_bias" and not tensor.any():
            continue  # all zeros; transformers' class has none
        for pattern, new in _RULES:
            name = re.sub(pattern, new, name)
        found[name] = tensor.T.contiguous() if name.endswith(".image_projection.weight") else tensor
    shared = found.get("model.language_model.shared.weight")
    if shared is not None:
        found.update({f"{name}.weight": shared for name in _SHARED})  # stored once or several times
    return found


def network(entry: Entry, folder: Path, told: dict[str, Any], setup: Setup) -> Any:
    """The network on its device. ``told``: of ``described``. Raises ``ModelBroken``."""
    import torch
    from transformers import (
        BartConfig,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2VisionConfig,
        GenerationConfig,
    )

    weights = renamed(stored(entry, folder))
    try:
        vision, language = told["vision_config"], told["text_config"]
        sizes = {name: vision[name] for name in _VISION if name in vision}
        sizes["embed_dim"] = vision["dim_embed"]
        sizes["max_temporal_embeddings"] = vision["visual_temporal_embedding"]["max_temporal_embeddings"]
        sizes["max_position_embeddings"] = vision["image_pos_embed"]["max_pos_embeddings"]
        known = BartConfig().to_dict()
        words = BartConfig(**{name: value for name, value in language.items() if name in known})
        config = Florence2Config(
            vision_config=Florence2VisionConfig(**sizes), text_config=words, image_token_id=words.pad_token_id or 1
        )
        with torch.device("meta"):
            made: Any = Florence2ForConditionalGeneration(config)
    except Exception as error:  # the library checks values in ways of its own
        text = tr("The configuration of the model {0} is not Florence-2's.", entry.id)
        raise ModelBroken(text, model=entry.id, reason=f"{type(error).__name__}: {error}"[:300]) from error
    torch.set_num_threads(setup.threads)
    load_strictly(made, weights, entry, replace(setup, device="cpu", precision="fp32"))
    made.tie_weights()
    made.generation_config = GenerationConfig(
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_bos_token_id=language.get("forced_bos_token_id"),
        forced_eos_token_id=language.get("forced_eos_token_id"),
        no_repeat_ngram_size=language.get("no_repeat_ngram_size", 0),
        early_stopping=language.get("early_stopping", False),
    )
    return made.to(setup.device, dtype(setup.precision))
