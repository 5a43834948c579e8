"""A tiny random OWLv2 of the real class, exported to ONNX with the inputs and outputs of the published export."""

from __future__ import annotations

import importlib
import string
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.server.models.families.tiny_detectors import livelier

tf: Any = importlib.import_module("transformers")
SIDE = 96
WORDS = ("photo", "of", "dog", "red", "car")


def clip_tokenizer() -> Any:
    """One that knows letters and some words. As in the published one, padding is 0 and the end has the largest id."""
    merges, joined = [], []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        for number in range(1, len(parts)):
            merges.append(("".join(parts[:number]), parts[number]))
            joined.append("".join(parts[: number + 1]))
    letters = list(string.ascii_lowercase)
    vocabulary = ["!", *letters, *(f"{letter}</w>" for letter in letters), *joined]
    words = [*dict.fromkeys(vocabulary), "<|startoftext|>", "<|endoftext|>"]
    return tf.CLIPTokenizer(
        vocab={word: number for number, word in enumerate(words)}, merges=list(dict.fromkeys(merges)), pad_token="!"
    )


def network() -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = tf.Owlv2Config(
        text_config={**sizes, "vocab_size": len(clip_tokenizer()), "max_position_embeddings": 16},
        vision_config={**sizes, "image_size": SIDE, "patch_size": 16},
        projection_dim=32,
    )
    return livelier(tf.Owlv2ForObjectDetection._from_config(config, attn_implementation="eager"))


class _Exported(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, pixel_values: Any, attention_mask: Any) -> Any:
        answer = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return answer.logits, answer.pred_boxes, answer.text_embeds, answer.image_embeds


def owlv2(folder: Path) -> Any:
    """The network, whose export and tokenizer are in ``folder`` now."""
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    model = network()
    ids = torch.ones((2, 16), dtype=torch.long)
    ids[:, -1] = len(clip_tokenizer()) - 1
    free = {"input_ids": {0: "text_batch_size", 1: "sequence_length"}, "logits": {0: "batch_size"}}
    folder.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Functions of onnxscript would be added here, for which the package onnx is needed; this network has none.
        patch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda model, opsets: model)
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Exported(model),
            (ids, torch.rand(1, 3, SIDE, SIDE), torch.ones_like(ids)),
            str(folder / "model_quantized.onnx"),
            input_names=["input_ids", "pixel_values", "attention_mask"],
            output_names=["logits", "pred_boxes", "text_embeds", "image_embeds"],
            dynamic_axes={**free, "attention_mask": free["input_ids"], "pixel_values": {0: "batch_size"}},
            opset_version=14,
            dynamo=False,
        )
    clip_tokenizer().backend_tokenizer.save(str(folder / "tokenizer.json"))
    return model
