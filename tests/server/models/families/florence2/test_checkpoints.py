"""Florence-2 in the layout of its authors' own program: the same network as transformers', without that program."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.models.families.florence2.inference import checkpoints
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families.tiny_detectors import detector, livelier

tf: Any = importlib.import_module("transformers")
torch.set_num_threads(1)
SIDE = 64
VISION = {
    "model_type": "davit", "drop_path_rate": 0.1, "patch_size": [7, 3, 3, 3], "patch_stride": [4, 2, 2, 2],
    "patch_padding": [3, 1, 1, 1], "patch_prenorm": [False, True, True, True], "enable_checkpoint": False,
    "dim_embed": [8, 16, 16, 32], "num_heads": [1, 2, 2, 4], "num_groups": [1, 2, 2, 4], "depths": [1, 1, 2, 1],
    "window_size": 4, "projection_dim": 32, "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
    "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 10},
    "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 50},
}  # fmt: skip
TEXT = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 256, "bos_token_id": 0, "pad_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 2, "forced_bos_token_id": 0, "forced_eos_token_id": 2,
    "no_repeat_ngram_size": 3, "early_stopping": True, "num_beams": 3, "classif_dropout": 0.1,
}  # fmt: skip
# One of each kind, as they stand in the published files.
PUBLISHED = (
    "vision_tower.convs.0.proj.weight",
    "vision_tower.convs.3.norm.bias",
    "vision_tower.blocks.2.1.spatial_block.conv1.fn.dw.weight",
    "vision_tower.blocks.2.1.spatial_block.window_attn.norm.weight",
    "vision_tower.blocks.2.1.spatial_block.window_attn.fn.qkv.weight",
    "vision_tower.blocks.2.1.spatial_block.ffn.norm.bias",
    "vision_tower.blocks.2.1.spatial_block.ffn.fn.net.fc1.weight",
    "vision_tower.blocks.0.0.channel_block.channel_attn.norm.bias",
    "vision_tower.blocks.0.0.channel_block.channel_attn.fn.proj.weight",
    "vision_tower.blocks.0.0.channel_block.conv2.fn.dw.bias",
    "vision_tower.blocks.0.0.channel_block.ffn.fn.net.fc2.bias",
    "image_projection",
    "image_proj_norm.weight",
    "image_pos_embed.row_embeddings.weight",
    "image_pos_embed.column_embeddings.weight",
    "visual_temporal_embed.pos_idx_to_embed",
    "language_model.final_logits_bias",
    "language_model.model.shared.weight",
    "language_model.model.encoder.embed_tokens.weight",
    "language_model.model.encoder.layers.0.self_attn.k_proj.weight",
    "language_model.model.decoder.layers.0.encoder_attn.out_proj.bias",
    "language_model.lm_head.weight",
)


# The authors' program comes along with the weights; here it leaves a mark when it is run.
AUTO_MAP = {"AutoConfig": "theirs.Config", "AutoModelForCausalLM": "theirs.Model", "AutoProcessor": "theirs.Processor"}
PROGRAM = "import pathlib\npathlib.Path(__file__).with_name('executed').touch()\n"


def as_published(name: str) -> str:
    """The authors' name of a tensor of the library's class."""
    name = name.removeprefix("model.").replace("multi_modal_projector.", "")
    name = re.sub(r"(convs\.\d)\.conv\.", r"\1.proj.", name)
    name = re.sub(r"block\.(conv\d)\.", r"block.\1.fn.dw.", name)
    name = re.sub(r"spatial_block\.norm1\.", "spatial_block.window_attn.norm.", name)
    name = re.sub(r"channel_block\.norm1\.", "channel_block.channel_attn.norm.", name)
    name = re.sub(r"block\.norm2\.", "block.ffn.norm.", name)
    name = re.sub(r"block\.(window_attn|channel_attn)\.(qkv|proj)\.", r"block.\1.fn.\2.", name)
    name = re.sub(r"\.ffn\.(fc\d)\.", r".ffn.fn.net.\1.", name)
    name = name.replace("image_projection.weight", "image_projection").replace(
        "image_position_embed", "image_pos_embed"
    )
    if name.startswith("language_model."):
        return f"language_model.model.{name.removeprefix('language_model.')}"
    return f"language_model.{name}" if name.startswith("lm_head") else name


def letters(folder: Path) -> int:
    """BART's tokenizer of single bytes without any places; returns how many tokens the program makes of it."""
    from tokenizers.pre_tokenizers import ByteLevel

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    words = tf.BartTokenizer(
        vocab={piece: i for i, piece in enumerate([*special, *sorted(ByteLevel.alphabet())])}, merges=[]
    )
    words.save_pretrained(folder)
    (folder / "tokenizer_config.json").unlink()
    return len(words) + 1024


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder as the authors publish it, and the library's network with the same weights."""
    folder = tmp_path_factory.mktemp("models") / "authors"
    folder.mkdir()
    size = letters(folder)
    text = {**TEXT, "vocab_size": size}
    (folder / "config.json").write_text(
        json.dumps({"model_type": "florence2", "auto_map": AUTO_MAP, "vision_config": VISION, "text_config": text})
    )
    config = tf.Florence2Config(
        vision_config=tf.Florence2VisionConfig(
            depths=VISION["depths"], embed_dim=VISION["dim_embed"], num_heads=VISION["num_heads"],
            num_groups=VISION["num_groups"], window_size=4, projection_dim=32, max_temporal_embeddings=10,
        ),
        text_config=tf.BartConfig(**{k: v for k, v in text.items() if k in tf.BartConfig().to_dict()}),
        image_token_id=1,
    )  # fmt: skip
    library = livelier(tf.Florence2ForConditionalGeneration(config), 0.3)
    weights = {as_published(name): tensor.clone() for name, tensor in library.state_dict().items()}
    weights["image_projection"] = weights["image_projection"].T.contiguous()
    weights["language_model.final_logits_bias"] = torch.zeros(1, size)
    save_file(weights, folder / "model.safetensors")
    images: Any = tf.CLIPImageProcessorPil(size={"height": SIDE, "width": SIDE}, do_center_crop=False)
    images.save_pretrained(folder)
    told = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    told["auto_map"] = {"AutoImageProcessor": "theirs.Images", "AutoProcessor": "theirs.Processor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "theirs.py").write_text(PROGRAM, encoding="utf-8")
    return folder, library


def test_the_names_are_those_of_the_published_files(both: tuple[Path, Any]) -> None:
    assert set(PUBLISHED) <= set(load_file(both[0] / "model.safetensors"))
    assert not any(name.startswith("model.") for name in load_file(both[0] / "model.safetensors"))


def test_it_is_the_librarys_network(both: tuple[Path, Any]) -> None:
    folder, library = both
    model: Any = detector(folder, "florence2", SIDE)
    ours = model.network
    assert {name for name, _ in ours.named_parameters()} == {name for name, _ in library.named_parameters()}
    assert ours.lm_head.weight.data_ptr() == ours.get_input_embeddings().weight.data_ptr(), "held once"
    pixels = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        seen = ours.get_image_features(pixels).pooler_output
        assert torch.equal(seen, library.get_image_features(pixels).pooler_output)
        ids = torch.tensor([[0, 20, 30, 40, 2]])
        known = {"input_ids": ids, "decoder_input_ids": torch.tensor([[2, 0, 50]])}
        assert torch.equal(ours(**known).logits, library(**known).logits)
    assert ours.generation_config.no_repeat_ngram_size == 3
    assert ours.generation_config.forced_bos_token_id == 0


def test_the_tokenizer_knows_the_places_in_the_programs_order(both: tuple[Path, Any]) -> None:
    words = checkpoints.tokenizer(both[0])
    first = len(words) - 1024
    assert words.convert_tokens_to_ids(["<od>", "<loc_0>", "<loc_999>", "<cap>", "<and>"]) == [
        first, first + 4, first + 1003, first + 1004, first + 1023,
    ]  # fmt: skip
    assert words("cat<loc_7>", add_special_tokens=False)["input_ids"][-1] == first + 11


def test_it_answers_a_question(both: tuple[Path, Any]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    model = detector(both[0], "florence2", SIDE)
    options = {"max_tokens": 32}
    first = model.detect(image, "cat", min_score=0.0, options=options)
    assert model.detect(image, "cat", min_score=0.0, options=options) == first
    assert all(found.label == "cat" for found in first)
    assert not (both[0] / "executed").exists()


def test_other_weights_and_configurations_are_refused(both: tuple[Path, Any], tmp_path: Path) -> None:
    weights = load_file(both[0] / "model.safetensors")
    told = json.loads((both[0] / "config.json").read_text(encoding="utf-8"))

    def refused(name: str, wanted: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        for path in both[0].glob("*.json"):
            (folder / path.name).write_bytes(path.read_bytes())
        save_file(weights, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(ModelBroken, match=wanted):
            detector(folder, "florence2", SIDE)

    moved = weights.pop("image_proj_norm.weight")
    refused("less", "missing: .*image_proj_norm.weight")
    weights.update({"image_proj_norm.weight": moved, "more": moved.clone()})
    refused("more", "unexpected: more")
    del weights["more"]
    weights["language_model.final_logits_bias"] += 1
    refused("biased", "unexpected: .*final_logits_bias")
    del told["vision_config"]["dim_embed"], weights["language_model.final_logits_bias"]
    refused("undescribed", "configuration")
