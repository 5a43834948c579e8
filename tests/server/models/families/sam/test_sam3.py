"""SAM 3: a tiny random one as published, against the library's detector and tracker called each for itself."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import sam3
from maskwright.models.families.sam.inference.base import planes
from maskwright.models.families.sam.inference.roi_align import pooled
from maskwright.models.roles import Box, Detector, Featured, SegmentPrompt, TextSegmenter
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.run import run
from maskwright_protocol.errors import EmptyPrompt, ModelBroken
from maskwright_protocol.messages import Detect, Picture, PixelRect, Point, Raster, Select, Selection
from tests.server.models.families import tiny_sams as tiny

NEAR = 2e-4
SIZE = (50, 80)
EXAMPLES = [(Box(3, 4, 30, 40), True), (Box(50, 1, 79, 20), False)]


@pytest.fixture(scope="module")
def network() -> Any:
    torch.set_num_threads(1)
    return tiny.sam3()


@pytest.fixture
def folder(network: Any, home: Path) -> Path:
    tiny.saved_sam3(network, home / "models" / "sam3")
    return home / "models"


@pytest.fixture
def model(folder: Path) -> sam3.Sam3:
    loaded = ModelPool([folder], "cpu", 1, known=tiny.known()).segmenter("sam3")
    assert isinstance(loaded, sam3.Sam3)
    for role in (Detector, TextSegmenter, Featured):
        assert isinstance(loaded, role)
    return loaded


def _pixels(model: sam3.Sam3) -> Tensor:
    return planes(tiny.picture(*SIZE), model.frame(SIZE), *model.mean_std, model.setup)


def _slowly_pooled(features: Tensor, boxes: list[Tensor], bins: int) -> Tensor:
    """RoIAlign as its definition reads, a sample at a time."""
    rows, columns = features.shape[2:]

    def sample(y: float, x: float) -> Tensor:
        if y < -1 or y > rows or x < -1 or x > columns:
            return torch.zeros(features.shape[1])
        y, x = min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
        v, u = y - top, x - left
        f = features[0]
        upper = f[:, top, left] * (1 - u) + f[:, top, right] * u
        lower = f[:, bottom, left] * (1 - u) + f[:, bottom, right] * u
        return upper * (1 - v) + lower * v

    out = torch.zeros(len(boxes[0]), features.shape[1], bins, bins)
    for n, (x0, y0, x1, y1) in enumerate(boxes[0].tolist()):
        width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
        across, down = math.ceil(width / bins), math.ceil(height / bins)
        for i in range(bins):
            for j in range(bins):
                for a in range(down):
                    for b in range(across):
                        y = y0 + height / bins * (i + (a + 0.5) / down)
                        x = x0 + width / bins * (j + (b + 0.5) / across)
                        out[n, :, i, j] += sample(y, x) / (across * down)
    return out


def test_regions_are_pooled_as_defined() -> None:
    features = torch.randn(1, 3, 20, 30, generator=torch.Generator().manual_seed(1))
    boxes = torch.tensor(
        [[1.2, 3.4, 25.6, 18.1], [4.0, 4.0, 4.1, 4.2], [-5.0, -3.0, 8.0, 40.0], [0.0, 0.0, 30.0, 20.0]]
    )
    assert torch.allclose(pooled(features[0], boxes, 7), _slowly_pooled(features, [boxes], 7), atol=1e-5)


@pytest.mark.parametrize("by", ["text", "text and examples", "examples"])
def test_concepts_are_the_librarys(model: sam3.Sam3, folder: Path, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import CLIPTokenizer, Sam3Model
    from transformers.models.sam3 import modeling_sam3

    # The library pools examples with torchvision, which need not be there.
    stand_in = SimpleNamespace(ops=SimpleNamespace(roi_align=_slowly_pooled))
    monkeypatch.setattr(modeling_sam3, "torchvision", stand_in, raising=False)
    reference = Sam3Model.from_pretrained(folder / "sam3").eval()
    for part in reference.vision_encoder.backbone.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = 1e-5  # as its authors have it
    phrase = "a brown cat" if "text" in by else ""
    examples = EXAMPLES if "examples" in by else []
    # As Sam3Processor does: padded to 32, boxes by their middle as shares of the image.
    tokenizer = CLIPTokenizer.from_pretrained(folder / "sam3")
    words = tokenizer(phrase or "visual", padding="max_length", max_length=32, return_tensors="pt")
    # The sum of the examples is part of every prompt, which takes a box, if only one to be ignored.
    given = {"input_boxes": torch.zeros(1, 1, 4), "input_boxes_labels": torch.full((1, 1), -10)}
    if examples:
        shares = [
            ((b.x0 + b.x1) / 160, (b.y0 + b.y1) / 100, (b.x1 - b.x0) / 80, (b.y1 - b.y0) / 50) for b, _ in examples
        ]
        given = {
            "input_boxes": torch.tensor([shares]),
            "input_boxes_labels": torch.tensor([[int(include) for _, include in examples]]),
        }
    with torch.no_grad():
        answer = reference(
            pixel_values=_pixels(model),
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
            **given,
        )
    scores = (answer.pred_logits.sigmoid() * answer.presence_logits.sigmoid())[0]
    order = scores.argsort(descending=True)
    matches = model.segment_text(model.embed(tiny.picture(*SIZE)), phrase, examples=examples, min_score=-1)
    assert len(matches) == len(scores)
    spread = float(answer.pred_masks.std())
    assert spread > 0.05
    for match, index in zip(matches, order.tolist(), strict=True):
        assert match.detection.score == match.hypothesis.score == pytest.approx(float(scores[index]), abs=NEAR)
        assert match.detection.label == phrase
        box = match.detection.box
        expected = (answer.pred_boxes[0, index].clamp(0, 1) * torch.tensor([80, 50, 80, 50])).tolist()
        assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx(expected, abs=0.01)
        assert match.hypothesis.low_res is not None
        mask = answer.pred_masks[0, index].numpy()
        assert np.abs(match.hypothesis.low_res - mask).max() < NEAR * max(1, spread) * 5
        assert match.hypothesis.logits.values.shape == (model.grid, model.grid)
        assert (match.hypothesis.logits.x1, match.hypothesis.logits.y1) == (80, 50)


def _tracker(network: Any) -> Any:
    """The library's tracker with an encoder of its own, fed with the levels that it was trained with: without the
    last one, which the library (5.23) takes for the one to attend to and then leaves out."""
    from transformers import Sam3TrackerModel

    tracker = Sam3TrackerModel(tiny.sam3_config()).eval()  # pyright: ignore[reportArgumentType]
    weights = {}
    for name, tensor in network.state_dict().items():
        if name.startswith("detector_model.vision_encoder.backbone."):
            weights[name.removeprefix("detector_model.")] = tensor
        elif name.startswith("tracker_neck."):
            weights["vision_encoder.neck." + name.removeprefix("tracker_neck.")] = tensor
        elif name.startswith("tracker_model.") and name.removeprefix("tracker_model.") in tracker.state_dict():
            weights[name.removeprefix("tracker_model.")] = tensor
    tracker.load_state_dict(weights)

    def three(_module: Any, _arguments: Any, seen: Any) -> Any:
        seen.fpn_hidden_states = seen.fpn_hidden_states[:3]
        seen.fpn_position_encoding = seen.fpn_position_encoding[:3]
        return seen

    tracker.vision_encoder.register_forward_hook(three)
    return tracker


def test_clicks_are_the_librarys(model: sam3.Sam3, network: Any) -> None:
    tracker = _tracker(network)
    tracker.mask_decoder.dynamic_multimask_via_stability = False
    embedding = model.embed(tiny.picture(*SIZE))
    side = 112
    across, down = side / 80, side / 50
    before = np.random.default_rng(1).normal(0, 3, (model.grid, model.grid)).astype(np.float32)
    point = {"input_points": torch.tensor([[[[40 * across, 25 * down]]]]), "input_labels": torch.tensor([[[1]]])}
    box = {"input_boxes": torch.tensor([[[8 * across, 10 * down, 60 * across, 45 * down]]])}
    cases = (
        (SegmentPrompt([(40, 25, True)]), point),
        (SegmentPrompt(box=Box(8, 10, 60, 45)), box),
        (SegmentPrompt([(40, 25, True)], Box(8, 10, 60, 45)), {**point, **box}),
        (
            SegmentPrompt([(40, 25, True)], logits=before),
            {**point, "input_masks": torch.from_numpy(before)[None, None]},
        ),
    )
    together = model.segment(embedding, [prompt for prompt, _ in cases])
    for (prompt, given), answer in zip(cases, together, strict=True):
        with torch.no_grad():
            parts = [tracker(pixel_values=_pixels(model), multimask_output=m, **given) for m in (False, True)]
        masks = torch.cat([part.pred_masks[0, 0] for part in parts]).numpy()
        scores = torch.cat([part.iou_scores[0, 0] for part in parts]).tolist()
        assert masks.std() > 0.05
        for hypothesis in answer:
            assert hypothesis.low_res is not None
            off = [float(np.abs(mask - hypothesis.low_res).max()) for mask in masks]
            nearest = int(np.argmin(off))
            assert off[nearest] < NEAR * max(1, float(masks.std())), prompt
            assert hypothesis.score == pytest.approx(scores[nearest], abs=NEAR)


def test_an_image_is_looked_at_once_and_the_encoder_held_once(model: sam3.Sam3, network: Any) -> None:
    passes: list[int] = []
    backbone = model.concepts.vision_encoder.backbone
    backbone.register_forward_hook(lambda *_: passes.append(1))
    image = tiny.picture(*SIZE)
    model.detect(image, "cat", min_score=0)
    embedding = model.embed(image.copy())
    (match, *_) = model.segment_text(embedding, "cat, dog", examples=EXAMPLES, min_score=0)
    model.segment(embedding, [SegmentPrompt([(9, 9, True)], logits=match.hypothesis.low_res)])
    assert len(passes) == 1
    model.embed(tiny.picture(*SIZE, seed=5))
    assert len(passes) == 2
    film_only = ("tracker_model.memory_", "tracker_model.mask_downsample", "tracker_model.object_pointer_proj")
    film_only += ("tracker_model.temporal_", "tracker_model.no_", "tracker_model.occlusion_")
    once = sum(t.nbytes for name, t in network.state_dict().items() if not name.startswith(film_only))
    assert abs(model.nbytes - once) < 5000
    assert model.nbytes < once + nbytes(backbone)
    assert embedding.nbytes == sum(t.nbytes for t in embedding.data.values())


def test_scores_decide_and_labels_tell_the_phrase(model: sam3.Sam3) -> None:
    embedding = model.embed(tiny.picture(*SIZE))
    every = model.segment_text(embedding, "a cat; dog", min_score=-1)
    assert {match.detection.label for match in every} == {"a cat", "dog"}
    scores = [match.detection.score for match in every]
    assert scores == sorted(scores, reverse=True)
    middle = scores[len(scores) // 2]
    assert len(model.segment_text(embedding, "a cat; dog", min_score=middle)) == sum(s > middle for s in scores)
    again = model.detect(tiny.picture(*SIZE), "a cat; dog", min_score=middle)
    assert again == [match.detection for match in every if match.detection.score > middle]
    for text, examples in (("", []), (" ; ", []), ("", EXAMPLES[1:])):
        with pytest.raises(EmptyPrompt):
            model.segment_text(embedding, text, examples=examples)
    assert model.segment_text(embedding, "very " * 100 + "long", min_score=1.0) == []


def test_half_precision_is_the_encoders_alone(model: sam3.Sam3, folder: Path) -> None:
    half = sam3.load(catalogue.load().get("sam3"), folder / "sam3", Setup("cpu", 1, "bf16"))
    concepts = half.concepts
    for part in (half.decoder, half.prompt_encoder, concepts.detr_decoder, concepts.geometry_encoder):
        assert {p.dtype for p in part.parameters()} == {torch.float32}
    for part in (concepts.vision_encoder, concepts.text_encoder, half.encoder.neck):
        assert {p.dtype for p in part.parameters()} == {torch.bfloat16}
    image = tiny.picture(*SIZE)
    whole, less = model.embed(image), half.embed(image)
    assert less.nbytes * 2 == whole.nbytes
    exact, near = (m.segment_text(e, "cat", examples=EXAMPLES, min_score=-1) for m, e in ((model, whole), (half, less)))
    assert np.abs(np.array([m.detection.score for m in exact]) - [m.detection.score for m in near]).max() < 0.05
    ((click, *_),) = half.segment(less, [SegmentPrompt(box=Box(3, 3, 40, 40))])
    assert np.isfinite(click.logits.values).all()


@pytest.mark.parametrize(
    "key",
    [
        "detector_model.text_encoder.text_model.embeddings.token_embedding.weight",
        "detector_model.vision_encoder.backbone.layers.0.attention.q_proj.weight",
        "tracker_model.mask_decoder.iou_token.weight",
        "tracker_neck.fpn_layers.0.proj2.weight",
    ],
)
def test_renamed_keys_are_refused_by_name(network: Any, folder: Path, key: str) -> None:
    path = folder / "sam3" / "model.safetensors"
    weights = load_file(path)
    weights[key.replace(".weight", ".renamed")] = weights.pop(key)
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelBroken) as refused:
        sam3.load(catalogue.load().get("sam3"), folder / "sam3", Setup("cpu", 1))
    assert key.split(".", 1)[1].removeprefix("fpn_layers.") in str(refused.value)
    assert "missing" in str(refused.value)


def test_jobs_select_by_word_and_by_click(folder: Path) -> None:
    image = tiny.picture(70, 110)
    where = PixelRect(0, 0, 110, 70)
    picture = Picture(where, [Raster("key", 110, 70, "RGB8", where)])
    pool, cache = ModelPool([folder], "cpu", 1, known=tiny.known()), EmbeddingCache(1 << 26)
    rasters = {"key": memoryview(image.tobytes())}

    def ask(request: Select | Detect) -> Selection:
        answer = run(request, rasters, JobContext(pool, cache, lambda *_: None, lambda: False))
        assert isinstance(answer, Selection)
        return answer

    models = {"segmenter": "sam3", "detector": "sam3"}
    clicked = ask(Select("1", picture, points=[Point(55, 35, True)], models=models))
    assert clicked.report.models == ["sam3"]
    assert len(clicked.instances) == 1
    detected = ask(Detect("2", picture, text="cat", min_score=0.0, models={"detector": "sam3"}))
    assert len(detected.instances) == 10
    named = ask(Select("3", picture, text="cat", min_score=0.0, models=models))
    assert named.report.models == ["sam3"]
