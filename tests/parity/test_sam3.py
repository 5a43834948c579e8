"""SAM 3 as its authors' own code computes it; the differences are printed.

``vectors/sam3.npz`` holds what facebookresearch/sam3 (99d02f2, float32, on a processor) answered. The network is its
``build_sam3_image_model`` with every width and depth brought down to those of ``_config``, with the weights of
``_weights``. It was asked about ``_picture`` through its ``Sam3Processor`` (``words``, ``both``, ``examples``) and
``predict_inst`` (the clicks). ``names``: its weights' names and shapes; ``*.masks`` of clicks: the mask for clear
prompts and the three others; ``*.clear``: which of the four it gives when asked for one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import sam3
from maskwright.models.roles import Box
from maskwright.models.runtime.setup import Setup
from tests.parity import clicks
from tests.parity.birefnet import words as random_words

VECTORS = np.load(Path(__file__).parent / "vectors" / "sam3.npz")
PASS = 1e-4
SIDE = 112
EXAMPLES = (((0.2, 0.3, 0.4, 0.35), True), ((0.75, 0.6, 0.3, 0.7), False))  # middle and size, as shares of the picture
ASKED = {"words": ("a brown cat", ()), "both": ("a brown cat", EXAMPLES), "examples": ("", EXAMPLES)}
CLICKS = clicks.prompts((50, 30), (90, 80), Box(20, 15, 95, 100), 32)
# The largest difference from float32 that bfloat16 in the encoders makes; logits of masks reach 11.
HALF = {"logits": 0.1, "boxes": 0.05, "masks": 2.0, "presence": 0.1, "clicks": 0.3}


def _config() -> Any:
    from transformers import Sam3Config, Sam3TrackerVideoConfig, Sam3VideoConfig

    backbone = {
        "model_type": "sam3_vit_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
        "num_attention_heads": 2, "image_size": SIDE, "patch_size": 14, "window_size": 4, "pretrain_image_size": 56,
        "global_attn_indexes": [0, 2],
    }  # fmt: skip
    vision = {
        "backbone_config": backbone, "fpn_hidden_size": 32, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }  # fmt: skip
    text = {
        "model_type": "clip_text_model", "vocab_size": 56, "hidden_size": 32, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 32, "projection_dim": 512,
        "hidden_act": "gelu", "bos_token_id": 53, "eos_token_id": 54,
    }  # fmt: skip
    small = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "num_layers": 2}
    detector = Sam3Config(
        vision_config=vision,
        text_config=text,
        geometry_encoder_config=small,
        detr_encoder_config=small,
        detr_decoder_config={**small, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    tracker = Sam3TrackerVideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": SIDE, "patch_size": 14},
        mask_decoder_config={"hidden_size": 32},
        image_size=SIDE,  # pyright: ignore[reportCallIssue]
    )
    return Sam3VideoConfig(detector_config=detector.to_dict(), tracker_config=tracker.to_dict())


def _weight(name: str, shape: list[int]) -> Tensor:
    raw = random_words(f"sam3:{name}", int(np.prod(shape)))
    values = (2 * ((raw >> np.uint64(11)) * 2.0**-53) - 1).reshape(shape)
    if "positional_encoding_gaussian" not in name:
        values = 0.28 * values
        if name.endswith("weight") and len(shape) == 1:  # a norm's
            values = 1 + values
    return torch.from_numpy(values.astype(np.float32))


def _weights() -> dict[str, Tensor]:
    lines = VECTORS["names"].tobytes().decode().splitlines()
    named = (line.split(" ") for line in lines)
    return {name: _weight(name, [int(length) for length in shape.split(",")]) for name, shape in named}


def _picture() -> np.ndarray:
    raw = np.random.Philox(key=7).random_raw(28 * 28 * 3).reshape(28, 28, 3)
    return (raw >> np.uint64(56)).astype(np.uint8).repeat(4, 0).repeat(4, 1)


def _tokenizer() -> Tokenizer:
    """One that knows letters; as in the published one, nothing that is said has the number 0."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    known = ["!", *letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    numbers = {word: number for number, word in enumerate(known)}
    tokenizer = Tokenizer(models.BPE(vocab=numbers, merges=[], end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    ends = [(word, numbers[word]) for word in known[-2:]]
    tokenizer.post_processor = processors.TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single=f"{known[-2]} $A {known[-1]}", special_tokens=ends
    )
    return tokenizer


@cache
def _model(precision: Any = "fp32") -> sam3.Sam3:
    torch.set_num_threads(1)
    entry = catalogue.built_in().get("sam3")
    return sam3.from_authors(entry, _weights(), _tokenizer(), Setup("cpu", 1, precision), _config())


def _concepts(model: sam3.Sam3, case: str) -> dict[str, float]:
    """The largest differences of one question."""
    phrase, shown = ASKED[case]
    answers: list[Any] = []
    keep = model.concepts.register_forward_hook(lambda _module, _given, answer: answers.append(answer))
    examples = [
        (Box(*(SIDE * edge for edge in (x - w / 2, y - h / 2, x + w / 2, y + h / 2))), wanted)
        for (x, y, w, h), wanted in shown
    ]
    matches = model.segment_text(model.embed(_picture()), phrase, examples=examples, min_score=-1)
    keep.remove()
    (answer,) = answers
    own = {
        "logits": answer.pred_logits[0], "boxes": answer.pred_boxes[0], "masks": answer.pred_masks[0],
        "presence": answer.presence_logits[0],
    }  # fmt: skip
    theirs = {part: VECTORS[f"{case}.{part}"] for part in own}
    assert np.ptp(theirs["logits"]) > 0.1
    assert theirs["masks"].std() > 1
    # What is handed on is what the network said, best first.
    scores = 1 / (1 + np.exp(-theirs["logits"])) / (1 + np.exp(-theirs["presence"]))
    if model.setup.precision == "fp32":
        for match, index in zip(matches, np.argsort(-scores), strict=True):
            assert match.detection.score == pytest.approx(scores[index], abs=PASS)
            box = match.detection.box
            assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(theirs["boxes"][index].clip(0, 1) * SIDE, abs=0.02)
            assert np.abs(match.hypothesis.logits.values - theirs["masks"][index]).max() < PASS
    return {part: float(np.abs(own[part].float().numpy() - theirs[part]).max()) for part in own}


@pytest.mark.parametrize("case", ASKED)
def test_concepts_are_the_authors(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    exact, half = _concepts(_model(), case), _concepts(_model("bf16"), case)
    with capsys.disabled():
        for part, value in exact.items():
            print(f"\n  parity: SAM 3 {case}, {part}: max |diff| {value:.1e} (bf16 {half[part]:.1e})", end="")
    assert all(value < PASS for value in exact.values()), exact
    assert all(PASS < value < HALF[part] for part, value in half.items()), half


def test_clicks_are_the_authors(capsys: pytest.CaptureFixture[str]) -> None:
    exact, half = (
        clicks.differences(model, model.embed(_picture()), CLICKS, VECTORS) for model in (_model(), _model("bf16"))
    )
    with capsys.disabled():
        for case, value in exact.items():
            print(f"\n  parity: SAM 3 {case}: max |diff| {value:.1e} (bf16 {half[case]:.1e})", end="")
    assert all(value < PASS for value in exact.values()), exact
    assert all(PASS < value < HALF["clicks"] for value in half.values()), half


def test_every_norm_adds_what_the_authors_add() -> None:
    """1e-5 to the variance in the norms over features, 1e-6 in those over channels of maps."""
    model = _model()
    found = {
        (type(part).__name__, part.eps)
        for network in (model.concepts, model.encoder, model.prompt_encoder, model.decoder)
        for part in network.modules()
        if isinstance(part, nn.LayerNorm | nn.GroupNorm)
    }
    assert found == {("LayerNorm", 1e-5), ("GroupNorm", 1e-5), ("Sam3TrackerLayerNorm", 1e-6)}
