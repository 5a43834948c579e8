"""SAM3-LiteText: a tiny random one as published, against the library's network asked as its processor asks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.models.families.sam.inference.base import Frame, planes
from maskwright.models.families.sam.inference.sam3_lite_text import Sam3LiteText
from maskwright.models.roles import Detector
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import EmptyPrompt, ModelBroken
from tests.server.models.families import tiny_sams as tiny

PASS = 1e-4
SIZE = (50, 80)
PHRASE = "a brown cat"
NAME = "sam3-litetext-s0"


@pytest.fixture
def folder(home: Path) -> Path:
    torch.set_num_threads(1)
    network = tiny.sam3_lite_text()
    saved = tiny.saved(network, home / "models" / NAME)
    tiny.clip_tokenizer().save_pretrained(saved)
    return saved.parent


def _loaded(folder: Path) -> Sam3LiteText:
    loaded: Any = ModelPool([folder], "cpu", 1, known=tiny.known()).detector(NAME)
    assert isinstance(loaded, Sam3LiteText)
    assert isinstance(loaded, Detector)
    return loaded


def _of_the_library(folder: Path, monkeypatch: pytest.MonkeyPatch, padded: int = 32) -> Any:
    from transformers import CLIPTokenizer, Sam3LiteTextModel
    from transformers.models.sam3_lite_text import modeling_sam3_lite_text as modeling

    # What is seen in a box that is none does not count.
    nothing = SimpleNamespace(roi_align=lambda seen, boxes, side: seen.new_zeros(1, seen.shape[1], side, side))
    monkeypatch.setattr(modeling, "torchvision", SimpleNamespace(ops=nothing), raising=False)
    network = Sam3LiteTextModel.from_pretrained(folder / NAME).eval()
    for part in network.vision_encoder.backbone.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = 1e-5  # as SAM 3's authors have it
    words = CLIPTokenizer.from_pretrained(folder / NAME)(
        PHRASE, padding="max_length", max_length=padded, return_tensors="pt"
    )
    setup = Setup("cpu", 1)
    pixels = planes(tiny.picture(*SIZE), Frame.squashed(SIZE, 112), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), setup)
    with torch.no_grad():
        return network(
            pixel_values=pixels,
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
            input_boxes=torch.zeros(1, 1, 4),
            input_boxes_labels=torch.full((1, 1), -10),
        )


def test_words_are_the_librarys(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _loaded(folder).detect(tiny.picture(*SIZE), PHRASE, min_score=0.0)
    answer, shorter = (_of_the_library(folder, monkeypatch, padded) for padded in (32, 16))
    scores = (answer.pred_logits.sigmoid() * answer.presence_logits.sigmoid())[0]
    order = scores.argsort(descending=True).tolist()
    assert len(found) == len(order) == 10
    boxes = (answer.pred_boxes[0, order].clamp(0, 1) * torch.tensor([80, 50, 80, 50])).numpy()
    masks = np.stack([one.logits.values for one in found if one.logits is not None])
    off = {
        "scores": float(np.abs(scores[order].numpy() - [one.score for one in found]).max()),
        "boxes": float(np.abs(boxes - [one.box for one in found]).max()),
        "masks": float(np.abs(answer.pred_masks[0, order].numpy() - masks).max()),
    }  # fmt: skip
    with capsys.disabled():
        print(f"\n  parity with the library: SAM3-LiteText: {off}, masks' deviation {float(masks.std()):.2f}", end="")
    assert off["scores"] < PASS
    assert off["boxes"] < 80 * PASS
    assert off["masks"] < PASS * max(1.0, float(masks.std()) * 5)
    assert masks.std() > 0.05
    # Unlike SAM 3's, this reader of words looks at the padding.
    assert float((answer.pred_logits - shorter.pred_logits).abs().max()) > PASS
    assert {one.label for one in found} == {PHRASE}


def test_an_image_is_looked_at_once_and_scores_decide(folder: Path) -> None:
    model = _loaded(folder)
    passes: list[int] = []
    model._network.vision_encoder.register_forward_hook(lambda *_: passes.append(1))
    every = model.detect(tiny.picture(*SIZE), "a cat; dog", min_score=0.0)
    assert {one.label for one in every} == {"a cat", "dog"}
    scores = [one.score for one in every]
    assert scores == sorted(scores, reverse=True)
    assert len(model.detect(tiny.picture(*SIZE), "a cat; dog", min_score=scores[7])) == sum(
        s > scores[7] for s in scores
    )
    assert len(passes) == 1
    model.detect(tiny.picture(*SIZE, seed=5), "dog")
    assert len(passes) == 2
    with pytest.raises(EmptyPrompt):
        model.detect(tiny.picture(*SIZE), " ; ")


def test_half_precision_is_the_encoders_alone(folder: Path) -> None:
    from maskwright.models import catalogue

    entry = catalogue.built_in().get(NAME)
    half, exact = Sam3LiteText(entry, folder / NAME, Setup("cpu", 1, "bf16")), _loaded(folder)
    assert {p.dtype for p in half._network.detr_decoder.parameters()} == {torch.float32}
    assert {p.dtype for p in half._network.vision_encoder.parameters()} == {torch.bfloat16}
    near, whole = (m.detect(tiny.picture(*SIZE), PHRASE, min_score=0.0) for m in (half, exact))
    assert np.abs(np.array([one.score for one in near]) - [one.score for one in whole]).max() < 0.05


@pytest.mark.parametrize(
    "key", ["text_encoder.embeddings.token_embedding.weight", "vision_encoder.neck.fpn_layers.0.proj2.weight"]
)
def test_what_is_missing_is_named(folder: Path, key: str) -> None:
    path = folder / NAME / "model.safetensors"
    weights = load_file(path)
    del weights[key]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelBroken, match=key.rpartition(".")[0]):
        _loaded(folder)
