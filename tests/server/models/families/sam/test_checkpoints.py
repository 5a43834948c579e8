"""Checkpoints under their authors' names for the weights: renamed, they answer as in the authors' code."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maskwright.models import catalogue, families
from maskwright.models.catalogue.entries import Entry
from maskwright.models.families.sam.inference import sam2
from maskwright.models.families.sam.inference.base import SamLike
from maskwright.models.roles import Box, SegmentPrompt
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import official_sam2

NEAR = 1e-4


def own(family: str, name: str) -> Entry:
    return catalogue.own_entry({"id": "mine", "family": family, "files": [{"name": name}]})


@pytest.mark.skipif(importlib.util.find_spec("sam2") is None, reason="the authors' package for SAM 2 is not installed")
def test_sam2_answers_as_its_authors_code_does(tmp_path: Path) -> None:
    weights_file, answers_file = tmp_path / "sam2.1_hiera_tiny.safetensors", tmp_path / "answers.safetensors"
    script = str(Path(official_sam2.__file__))
    subprocess.run([sys.executable, script, str(weights_file), str(answers_file)], check=True, capture_output=True)
    answers, weights = load_file(answers_file), load_file(weights_file)
    torch.set_num_threads(1)
    entry, side = own("sam2", weights_file.name), official_sam2.SIDE
    model = sam2.from_authors(entry, weights, Setup("cpu", 1), side)
    with torch.inference_mode():
        features = model.encode(answers["pixels"])
    for name, tensor in features.items():
        assert (tensor - answers[name]).abs().max() < NEAR * max(1, float(tensor.std())), name
    click, box = [(120.0, 90.0, True)], Box(40, 30, 180, 200)
    before = answers["before"][0, 0].numpy()
    prompts = {
        "click": SegmentPrompt(click),
        "box": SegmentPrompt(box=box),
        "all": SegmentPrompt(click, box, logits=before),
    }
    embedding = model.embed(np.zeros((side, side, 3), np.uint8))
    embedding.data = features
    for name, prompt in prompts.items():
        (answer,) = model.segment(embedding, [prompt])
        expected = torch.cat([answers[f"{name}.three"], answers[f"{name}.one"]])
        assert expected.std() > 0.01
        scores = torch.cat([answers[f"{name}.three.scores"], answers[f"{name}.one.scores"]])
        for mask, score in zip(expected, scores.tolist(), strict=True):
            off = [float(np.abs(h.low_res - mask.numpy()).max()) for h in answer if h.low_res is not None]
            best = answer[int(np.argmin(off))]
            assert min(off) < NEAR * max(1, float(expected.std())), name
            assert best.score == pytest.approx(score, abs=NEAR)
        first = answers["click.three"][answers["click.three.scores"].argmax()] if name == "click" else expected[-1]
        assert answer[0].low_res is not None
        assert np.abs(answer[0].low_res - first.numpy()).max() < NEAR * max(1, float(expected.std()))
    # Through the family's own door, which reads the authors' file when there is no configuration beside it.
    loaded = sam2.load(entry, tmp_path, Setup("cpu", 1))
    assert isinstance(loaded, SamLike)
    assert loaded.side == 1024
    assert torch.equal(loaded.decoder.iou_token.weight, weights["sam_mask_decoder.iou_token.weight"])


def _as_the_authors_name(name: str) -> str:
    """Back from transformers' names to SAM's authors', for what HQ-SAM and SAM share and HQ-SAM has besides."""
    for pattern, old in (
        (r"^vision_encoder\.layers", "image_encoder.blocks"),
        (r"^vision_encoder\.neck\.conv1", "image_encoder.neck.0"),
        (r"^vision_encoder\.neck\.layer_norm1", "image_encoder.neck.1"),
        (r"^vision_encoder\.neck\.conv2", "image_encoder.neck.2"),
        (r"^vision_encoder\.neck\.layer_norm2", "image_encoder.neck.3"),
        (r"^vision_encoder\.patch_embed\.projection", "image_encoder.patch_embed.proj"),
        (r"^vision_encoder", "image_encoder"),
        (r"shared_embedding\.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
        (r"point_embed\.", "point_embeddings."),
        (r"mask_embed\.conv1", "mask_downscaling.0"),
        (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
        (r"mask_embed\.conv2", "mask_downscaling.3"),
        (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
        (r"mask_embed\.conv3", "mask_downscaling.6"),
        (r"upscale_conv1", "output_upscaling.0"),
        (r"upscale_layer_norm", "output_upscaling.1"),
        (r"upscale_conv2", "output_upscaling.3"),
        (r"layer_norm_final_attn", "norm_final_attn"),
        (r"\.layer_norm(\d)\.", r".norm\1."),
        (r"(mlps\.\d|prediction_head|hq_mask_mlp)\.layers\.0", r"\1.layers.1"),
        (r"(mlps\.\d|prediction_head|hq_mask_mlp)\.proj_in", r"\1.layers.0"),
        (r"(mlps\.\d|prediction_head|hq_mask_mlp)\.proj_out", r"\1.layers.2"),
        (r"hq_mask_mlp", "hf_mlp"),
        (r"hq_token", "hf_token"),
        (r"compress_vit_conv1", "compress_vit_feat.0"),
        (r"compress_vit_norm", "compress_vit_feat.1"),
        (r"compress_vit_conv2", "compress_vit_feat.3"),
        (r"\.encoder_conv1", ".embedding_encoder.0"),
        (r"\.encoder_norm", ".embedding_encoder.1"),
        (r"\.encoder_conv2", ".embedding_encoder.3"),
        (r"mask_conv1", "embedding_maskfeature.0"),
        (r"mask_norm", "embedding_maskfeature.1"),
        (r"mask_conv2", "embedding_maskfeature.3"),
    ):
        name = re.sub(pattern, old, name)
    return name


@pytest.mark.parametrize("family", ["sam", "sam_hq"])
def test_sam_and_hq_sam_are_read_under_their_authors_names(family: str, tmp_path: Path) -> None:

    from safetensors.torch import save_file
    from transformers import SamConfig, SamHQConfig, SamHQModel, SamModel

    from tests.server.models.families import tiny_sams as tiny

    vision = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 128, "patch_size": 16,
        "window_size": 3, "global_attn_indexes": [1],
    }  # fmt: skip
    prompts = {"image_size": 128, "patch_size": 16}
    kind: Any
    config: Any
    kind, config = (SamHQModel, SamHQConfig) if family == "sam_hq" else (SamModel, SamConfig)
    decoder = {"vit_dim": 32} if family == "sam_hq" else {}
    network = tiny.awake(
        kind(config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)), size=0.1
    )
    module = families.get(family)
    entry = own(family, "theirs.safetensors")
    tiny.saved(network, tmp_path / "hub")
    weights = load_file(tmp_path / "hub" / "model.safetensors")
    weights.pop("shared_image_embedding.positional_embedding", None)
    weights["prompt_encoder.shared_embedding.positional_embedding"] = (
        network.shared_image_embedding.positional_embedding.detach()
    )
    theirs = {_as_the_authors_name(name): tensor.clone() for name, tensor in weights.items()}
    assert "mask_decoder.output_upscaling.3.bias" in theirs
    assert len(theirs) == len(weights)
    save_file(theirs, tmp_path / "theirs.safetensors")
    loaded = module.load(entry, tmp_path, Setup("cpu", 1))
    expected = module.load(entry, tmp_path / "hub", Setup("cpu", 1))
    image = tiny.picture(100, 70)
    prompt = SegmentPrompt([(40, 40, True)], Box(5, 5, 60, 90))
    (ours,), (known,) = (m.segment(m.embed(image), [prompt]) for m in (loaded, expected))
    for one, other in zip(ours, known, strict=True):
        assert np.abs(one.logits.values - other.logits.values).max() < NEAR
    # As a training script saves it that wrapped the model, and in half precision.
    for wrapper, half in (("module._orig_mod.", False), ("_orig_mod.", True), ("module.", True)):
        wrapped = {wrapper + name: tensor.half() if half else tensor for name, tensor in theirs.items()}
        wrapped |= {"n_averaged": torch.tensor(3)} if wrapper == "module." else {}
        save_file(wrapped, tmp_path / "theirs.safetensors")
        again = module.load(entry, tmp_path, Setup("cpu", 1))
        ((first, *_),) = again.segment(again.embed(image), [prompt])
        nearest = min(float(np.abs(first.logits.values - one.logits.values).max()) for one in known)
        assert nearest < (0.2 if half else NEAR), (wrapper, nearest)
    del theirs["mask_decoder.iou_token.weight"]
    save_file(theirs, tmp_path / "theirs.safetensors")
    with pytest.raises(ModelBroken, match=r"missing: mask_decoder\.iou_token"):
        module.load(entry, tmp_path, Setup("cpu", 1))
    save_file({"something": torch.zeros(3)}, tmp_path / "theirs.safetensors")
    with pytest.raises(ModelBroken, match="not those of a"):
        module.load(entry, tmp_path, Setup("cpu", 1))
