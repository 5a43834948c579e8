"""SAM 3 and 3.1 under their authors' names for the weights, against the same weights in the hub's layout.

``vectors/sam3_names.txt``: the names of the weights that the authors' code (0.1.4) makes, of the first two layers of
each stack.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import checkpoints_sam3, sam3
from maskwright.models.roles import Box, SegmentPrompt
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import tiny_sams as tiny

NAMES = (Path(__file__).parent / "vectors" / "sam3_names.txt").read_text(encoding="utf-8").split()
NEAR = 1e-4
IMAGE = "detector.backbone.vision_backbone."


def published(name: str) -> str:
    """A weight's name in SAM 3.1, by that in SAM 3."""
    name = name.replace(".sam2_convs.", ".interactive_convs.")
    name = name.replace("tracker.sam_", "tracker.model.interactive_sam_")
    return name.replace("tracker.no_mem_embed", "tracker.model.interactivity_no_mem_embed")


def as_published(network: Any, kind: str) -> dict[str, Tensor]:
    """The network's weights under the authors' names and in their shapes."""
    own = {}
    for name, tensor in network.state_dict().items():
        name = name.replace("tracker_neck.", "tracker_model.vision_encoder.neck.")
        own[name] = tensor.detach()
    weights: dict[str, Tensor] = {}
    for name in NAMES:
        if kind == "sam3.1" and "convs.3." in name:
            continue
        part = "tracker_model." if name.startswith("tracker.") or ".sam2_convs." in name else "detector_model."
        convert = checkpoints_sam3.clicks if part == "tracker_model." else checkpoints_sam3.concepts
        # A marker of the widest shape that is taken apart or cut tells where each weight goes.
        found = list(convert({name: torch.zeros(3, 3, 3)}))
        found = [f for f in found if f != "shared_image_embedding.positional_embedding"]
        if not found:
            weights[name] = torch.zeros(2)  # films and what the library leaves out
        elif "point_embed." in name and "not_a" not in name:
            pass
        else:
            parts = [own[part + f] for f in found]
            tensor = torch.cat(parts) if len(parts) > 1 else parts[0]
            if name.endswith("trunk.pos_embed"):
                tensor = torch.cat([torch.full_like(tensor[:, :1], 9), tensor], dim=1)
            if name.endswith("encoder.text_projection"):
                tensor = tensor.T
            weights[name] = tensor.clone().contiguous()
    points = own["tracker_model.prompt_encoder.point_embed.weight"]
    for index in range(4):
        weights[f"tracker.sam_prompt_encoder.point_embeddings.{index}.weight"] = points[index : index + 1].clone()
    if kind == "sam3.1":
        films = {name.replace("interactive_", ""): torch.zeros(2) for name in map(published, weights)}
        weights = {published(name): tensor for name, tensor in weights.items()}
        weights.update({name: tensor for name, tensor in films.items() if name.startswith("tracker.model.sam_")})
        weights[f"{IMAGE}propagation_convs.0.conv_1x1.weight"] = torch.zeros(2)
        weights["tracker.model.output_valid_embed"] = torch.zeros(2)
    return weights


@pytest.fixture(scope="module")
def network() -> Any:
    torch.set_num_threads(1)
    network = tiny.sam3()
    tracker = network.tracker_model
    with torch.no_grad():  # the authors store it once
        shared = tracker.prompt_encoder.shared_embedding.positional_embedding
        tracker.shared_image_embedding.positional_embedding.copy_(shared)
    return network


@pytest.mark.parametrize("kind", ["sam3", "sam3.1"])
def test_it_answers_as_in_the_hubs_layout(network: Any, kind: str, tmp_path: Path) -> None:
    hub = tiny.saved_sam3(network, tmp_path / "hub")
    entry, setup = catalogue.load().get("sam3"), Setup("cpu", 1)
    expected = sam3.load(entry, hub, setup)
    weights = as_published(network, kind)
    assert checkpoints_sam3.levels(weights, entry) == (4 if kind == "sam3" else 3)
    tokenizer = Tokenizer.from_file(str(hub / "tokenizer.json"))
    loaded = sam3.from_authors(entry, weights, tokenizer, setup, tiny.sam3_config())
    image = tiny.picture(50, 80)
    ours, theirs = loaded.embed(image), expected.embed(image)
    examples = [(Box(3, 4, 30, 40), True), (Box(50, 1, 79, 20), False)]
    one, other = (
        m.segment_text(e, "cat", examples=examples, min_score=-1) for m, e in ((loaded, ours), (expected, theirs))
    )
    assert len(one) == len(other) > 0
    for mine, known in zip(one, other, strict=True):
        assert mine.detection.score == pytest.approx(known.detection.score, abs=NEAR)
        assert np.abs(mine.hypothesis.logits.values - known.hypothesis.logits.values).max() < 10 * NEAR
    prompts = [SegmentPrompt([(40, 25, True), (5, 5, False)]), SegmentPrompt(box=Box(8, 10, 60, 45))]
    for mine, known in zip(loaded.segment(ours, prompts), expected.segment(theirs, prompts), strict=True):
        assert np.abs(mine[0].logits.values - known[0].logits.values).max() < 10 * NEAR
    if kind == "sam3.1":  # through the family's own door: of the published size, which a tiny one has not
        save_file(weights, hub / "sam3.1_multiplex.safetensors")
        with pytest.raises(ModelBroken, match="of another shape"):
            sam3.load(catalogue.load().get("sam3.1"), hub, setup)
    half = sam3.from_authors(entry, weights, tokenizer, Setup("cpu", 1, "bf16"), tiny.sam3_config())
    assert {p.dtype for p in half.concepts.vision_encoder.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in half.concepts.detr_decoder.parameters()} == {torch.float32}
    for key, named in (
        ("detector.transformer.decoder.layers.1.ca_text.in_proj_weight", "text_cross_attn"),
        (published("tracker.sam_mask_decoder.iou_token.weight") if kind == "sam3.1"
         else "tracker.sam_mask_decoder.iou_token.weight", "iou_token"),
    ):  # fmt: skip
        less = {name: tensor for name, tensor in weights.items() if name != key}
        with pytest.raises(ModelBroken, match=named):
            sam3.from_authors(entry, less, tokenizer, setup, tiny.sam3_config())
    surplus = {**weights, "detector.transformer.surplus": torch.zeros(2)}
    with pytest.raises(ModelBroken, match="surplus"):
        sam3.from_authors(entry, surplus, tokenizer, setup, tiny.sam3_config())


def test_a_file_of_the_authors_is_told_by_its_names(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    assert not checkpoints_sam3.named_by_authors(path)
    path.write_bytes(b"nothing")
    assert not checkpoints_sam3.named_by_authors(path)
    save_file({"detector.x": torch.zeros(1)}, path)
    assert checkpoints_sam3.named_by_authors(path)
    tiny.clip_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelBroken, match="not those of a"):
        sam3.load(catalogue.load().get("sam3"), tmp_path, Setup("cpu", 1))


def test_the_names_that_tell_layers_apart() -> None:
    """The authors' decoder attends to the image first and to itself last in the order of its norms."""
    for theirs, own in (
        (
            "detector.transformer.decoder.layers.0.norm1.weight",
            "detr_decoder.layers.0.vision_cross_attn_layer_norm.weight",
        ),
        ("detector.transformer.decoder.layers.0.norm2.bias", "detr_decoder.layers.0.self_attn_layer_norm.bias"),
        ("detector.transformer.decoder.layers.0.norm3.bias", "detr_decoder.layers.0.mlp_layer_norm.bias"),
        ("detector.transformer.encoder.layers.1.norm2.bias", "detr_encoder.layers.1.layer_norm2.bias"),
        (f"{IMAGE}convs.0.dconv_2x2_1.bias", "vision_encoder.neck.fpn_layers.0.scale_layers.2.bias"),
    ):
        assert list(checkpoints_sam3.concepts({theirs: torch.zeros(3)})) == [own]
    parts = checkpoints_sam3.concepts({f"{IMAGE}trunk.blocks.0.attn.qkv.bias": torch.arange(6.0)})
    assert parts["vision_encoder.backbone.layers.0.attention.k_proj.bias"].tolist() == [2, 3]
