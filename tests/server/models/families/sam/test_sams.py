"""SAM, HQ-SAM and SAM 2: tiny random networks in the published layout, loaded as a server does, and the library."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from maskwright.models import catalogue, families
from maskwright.models.catalogue.entries import Precision
from maskwright.models.families.sam.inference.base import IMAGENET, Frame, SamLike, planes
from maskwright.models.roles import Box, Segmenter, SegmentPrompt
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.run import run
from maskwright_protocol.errors import BadInput, ModelBroken
from maskwright_protocol.messages import Picture, PixelRect, Point, Raster, Select, Selection
from tests.server.models.families import tiny_sams as tiny

NEAR = 2e-4  # of logits with a spread of about one: what float32 loses in another order of sums


@dataclass
class Case:
    """A family: ``id`` of a catalogue entry of it, its network, and the library's call with our embedding left out."""

    id: str
    network: Any
    squash: bool
    side: int

    def reference(self, pixels: Tensor, prompt: SegmentPrompt, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """The library's masks ``(4, h, w)`` and scores: the single one, then the three."""
        height, width = size
        frame = Frame.squashed(size, self.side) if self.squash else Frame.padded(size, self.side)
        sx, sy = frame.columns / width, frame.rows / height
        given: dict[str, Tensor] = {}
        if prompt.points:
            given["input_points"] = torch.tensor([[[(x * sx, y * sy) for x, y, _ in prompt.points]]])
            given["input_labels"] = torch.tensor([[[int(include) for *_, include in prompt.points]]])
        if prompt.box is not None:
            box = prompt.box
            given["input_boxes"] = torch.tensor([[[box.x0 * sx, box.y0 * sy, box.x1 * sx, box.y1 * sy]]])
        if prompt.logits is not None:
            given["input_masks"] = torch.from_numpy(prompt.logits)[None, None]
        with torch.no_grad():
            answers = [self.network(pixel_values=pixels, multimask_output=multi, **given) for multi in (False, True)]
        masks = torch.cat([answer.pred_masks[0, 0] for answer in answers])
        return masks.numpy(), torch.cat([answer.iou_scores[0, 0] for answer in answers]).numpy()


def _mended(network: Any) -> Any:
    """The library's HQ decoder goes on with the image as it was before its transformer; hand it the result."""
    decoder, seen = network.mask_decoder, []
    decoder.transformer.register_forward_hook(lambda _m, _a, out: seen.append(out[1]))

    def attended(_module: Any, arguments: tuple[Tensor]) -> tuple[Tensor]:
        return (seen.pop()[:, 0].transpose(1, 2).reshape(arguments[0].shape),)

    decoder.upscale_conv1.register_forward_pre_hook(attended)
    return network


def _load(case: Case, folder: Path, precision: Precision = "fp32") -> SamLike:
    """Without the pool, which would have refused a changed file before it came to the family."""
    entry = catalogue.load().get(case.id)
    return families.get(entry.family).load(entry, folder / case.id, Setup("cpu", 1, precision))


CASES: dict[str, Callable[[], Case]] = {
    "sam": lambda: Case("sam-vit-base", tiny.sam(), False, 64),
    "sam_hq": lambda: Case("sam-hq-vit-base", tiny.sam_hq(), False, 64),
    "sam2": lambda: Case("sam2.1-tiny", tiny.sam2(), True, 128),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    torch.set_num_threads(1)
    return CASES[request.param]()


@pytest.fixture
def folder(case: Case, home: Path) -> Path:
    tiny.saved(case.network, home / "models" / case.id)
    return home / "models"


@pytest.fixture
def segmenter(case: Case, folder: Path) -> SamLike:
    loaded = ModelPool([folder], "cpu", 1, known=tiny.known()).segmenter(case.id)
    assert isinstance(loaded, SamLike)
    assert isinstance(loaded, Segmenter)
    if case.id == "sam-hq-vit-base":
        case.network = _mended(tiny.sam_hq())
    return loaded


SIZES = ((64, 40), (40, 64), (90, 77))  # of which the first two need no resizing in SAM


def _prompts(segmenter: SamLike, size: tuple[int, int]) -> dict[str, SegmentPrompt]:
    height, width = size
    box = Box(width * 0.1, height * 0.2, width * 0.7, height * 0.9)
    before = np.random.default_rng(3).normal(0, 4, (segmenter.grid, segmenter.grid)).astype(np.float32)
    clicks = [(width * 0.5, height * 0.5, True), (width * 0.05, height * 0.9, False)]
    return {
        "a click": SegmentPrompt(clicks[:1]),
        "clicks": SegmentPrompt(clicks),
        "a box": SegmentPrompt(box=box),
        "a box and a click": SegmentPrompt(clicks[1:], box),
        "a click and an answer": SegmentPrompt(clicks[:1], logits=before),
        "an answer": SegmentPrompt(logits=before),
    }


@pytest.mark.parametrize("size", SIZES)
def test_the_logits_are_the_librarys(
    case: Case, segmenter: SamLike, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tiny.picture(*size)
    embedding = segmenter.embed(image)
    assert embedding.nbytes == sum(t.nbytes for t in embedding.data.values())
    pixels = planes(image, segmenter.frame(size), *segmenter.mean_std, segmenter.setup)
    # SAM 2 hides its mask for clear prompts where it is not stable; here all four are wanted.
    monkeypatch.setattr(case.network.mask_decoder, "dynamic_multimask_via_stability", False, raising=False)
    for name, prompt in _prompts(segmenter, size).items():
        masks, scores = case.reference(pixels, prompt, size)
        (answer,) = segmenter.segment(embedding, [prompt])
        assert len(answer) == 4
        spread = masks.std()
        assert spread > 0.05, "a network that draws nothing proves nothing"
        left = list(zip(list(masks), scores, strict=True))
        single, three = left[0][0], []
        for hypothesis in answer:
            assert hypothesis.low_res is not None
            nearest = min(left, key=lambda pair: float(np.abs(pair[0] - hypothesis.low_res).max()))
            assert np.abs(nearest[0] - hypothesis.low_res).max() < NEAR * max(1, spread), name
            assert abs(min(1, max(0, nearest[1])) - hypothesis.score) < NEAR
            left = [pair for pair in left if pair is not nearest]
            three += [] if nearest[0] is single else [hypothesis.score]
            rows, columns = hypothesis.logits.values.shape
            assert np.array_equal(hypothesis.logits.values, hypothesis.low_res[:rows, :columns])
        assert three == sorted(three, reverse=True)


def test_the_clear_answer_comes_first_for_clear_prompts(case: Case, segmenter: SamLike) -> None:
    size = (64, 40)
    image = tiny.picture(*size)
    pixels = planes(image, segmenter.frame(size), *segmenter.mean_std, segmenter.setup)
    for name, prompt in _prompts(segmenter, size).items():
        masks, scores = case.reference(pixels, prompt, size)
        expected = masks[1 + int(scores[1:].argmax())] if name == "a click" else masks[0]
        (answer,) = segmenter.segment(segmenter.embed(image), [prompt])
        assert answer[0].low_res is not None
        assert np.abs(answer[0].low_res - expected).max() < NEAR * max(1, masks.std()), name


def test_the_pixels_are_the_processors() -> None:
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    processor = SamImageProcessorPil(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    setup = Setup("cpu", 1)
    for size in (*SIZES, (20, 31), (333, 200)):
        image = tiny.picture(*size)
        expected = processor(Image.fromarray(image), return_tensors="pt")["pixel_values"]
        ours = planes(image, Frame.padded(size, 64), *IMAGENET, setup)
        assert ours.shape == expected.shape
        assert (ours - expected).abs().max() < 1.01 / 255 / 0.224, "one level of 8 bits, from rounding while resizing"
        assert (ours - expected).abs().mean() < 0.2 / 255 / 0.224
    image = tiny.picture(333, 200)
    unpadded = planes(image, Frame.squashed((333, 200), 64), *IMAGENET, setup)
    exact = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    exact = torch.nn.functional.interpolate(exact, (64, 64), mode="bilinear", antialias=True) / 255
    exact = (exact - torch.tensor(IMAGENET[0])[:, None, None]) / torch.tensor(IMAGENET[1])[:, None, None]
    assert (unpadded - exact).abs().max() < 1.01 / 255 / 0.224


def test_objects_come_out_together_as_they_do_alone(segmenter: SamLike) -> None:
    size = (50, 80)
    embedding = segmenter.embed(tiny.picture(*size))
    prompts = list(_prompts(segmenter, size).values())
    prompts += [SegmentPrompt(box=Box(i, i, i + 20, i + 15)) for i in range(12)]
    prompts += [SegmentPrompt([(i, 2 * i, True)]) for i in range(10)]
    for together, prompt in zip(segmenter.segment(embedding, prompts), prompts, strict=True):
        (alone,) = segmenter.segment(embedding, [prompt])
        for one, other in zip(together, alone, strict=True):
            assert one.low_res is not None
            assert other.low_res is not None
            assert np.abs(one.low_res - other.low_res).max() < NEAR * max(1, other.low_res.std())
            assert abs(one.score - other.score) < NEAR
    assert segmenter.segment(embedding, []) == []


def test_a_mask_of_any_resolution_starts_a_selection(case: Case, segmenter: SamLike) -> None:
    size = (50, 80)
    embedding = segmenter.embed(tiny.picture(*size))
    rows, columns = (round(cells) for cells in segmenter.frame(size).cells(segmenter.grid))
    small = np.zeros((rows, columns), np.float32)
    small[rows // 4 : rows // 2, columns // 4 : columns // 2] = 1
    large = np.kron(small, np.ones((5, 5), np.float32))
    prompts = [SegmentPrompt([(30, 20, True)], mask=mask) for mask in (small, large)]
    prompts.append(SegmentPrompt([(30, 20, True)]))
    by_small, by_large, without = (answer[0].low_res for answer in segmenter.segment(embedding, prompts))
    assert by_small is not None
    assert by_large is not None
    assert without is not None
    assert np.abs(by_small - by_large).max() < NEAR * max(1, by_small.std())
    assert np.abs(by_small - without).max() > 100 * NEAR
    # What the network is given: sure inside and outside, and outside the picture too.
    logits = np.full((segmenter.grid, segmenter.grid), -8, np.float32)
    logits[:rows, :columns] = np.where(small > 0, 8, -8)
    (given,) = segmenter.segment(embedding, [SegmentPrompt([(30, 20, True)], logits=logits)])
    assert given[0].low_res is not None
    assert np.abs(by_small - given[0].low_res).max() < 100 * NEAR * max(1, by_small.std())
    with pytest.raises(BadInput):
        segmenter.segment(embedding, [SegmentPrompt(logits=np.zeros((3, 3), np.float32))])


def test_the_map_lies_over_the_picture(segmenter: SamLike) -> None:
    for height, width in ((64, 40), (31, 90), (1000, 333)):
        embedding = segmenter.embed(tiny.picture(height, width))
        ((first, *_),) = segmenter.segment(embedding, [SegmentPrompt([(3, 3, True)])])
        cell_x, cell_y = first.logits.cell
        frame = segmenter.frame((height, width))
        assert cell_x * segmenter.grid * frame.columns == pytest.approx(width * frame.side)
        assert cell_y * segmenter.grid * frame.rows == pytest.approx(height * frame.side)
        assert 0 <= first.logits.x1 - width < cell_x
        assert 0 <= first.logits.y1 - height < cell_y


def test_an_embedding_may_be_kept_elsewhere(segmenter: SamLike) -> None:
    embedding = segmenter.embed(tiny.picture(40, 60))
    prompt = SegmentPrompt(box=Box(4, 4, 30, 30))
    ((expected, *_),) = segmenter.segment(embedding, [prompt])
    kept = {name: tensor.cpu().numpy().copy() for name, tensor in embedding.data.items()}
    embedding.data = {name: torch.from_numpy(array) for name, array in kept.items()}
    ((again, *_),) = segmenter.segment(embedding, [prompt])
    assert np.abs(expected.logits.values - again.logits.values).max() < NEAR


def test_half_precision_is_the_encoders_alone(case: Case, folder: Path, segmenter: SamLike) -> None:
    half = _load(case, folder, "bf16")
    assert {p.dtype for p in half.prompt_encoder.parameters()} == {torch.float32}
    assert {p.dtype for p in half.decoder.parameters()} == {torch.float32}
    for name, tensor in segmenter.prompt_encoder.state_dict().items():
        assert torch.equal(tensor, half.prompt_encoder.state_dict()[name])
    image = tiny.picture(64, 40)
    whole, less = segmenter.embed(image), half.embed(image)
    assert {t.dtype for t in less.data.values()} == {torch.bfloat16}
    assert less.nbytes * 2 == whole.nbytes
    prompts = [SegmentPrompt([(20, 20, True)]), SegmentPrompt(box=Box(3, 3, 30, 50))]
    for ours, exact in zip(half.segment(less, prompts), segmenter.segment(whole, prompts), strict=True):
        exact_values, values = exact[0].logits.values, ours[0].logits.values
        assert np.corrcoef(values.ravel(), exact_values.ravel())[0, 1] > 0.95


def _rewritten(path: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def test_wrong_weights_are_refused_by_name(case: Case, folder: Path) -> None:
    path = folder / case.id / "model.safetensors"
    sound = path.read_bytes()
    key = "mask_decoder.hq_token.weight" if case.id == "sam-hq-vit-base" else "mask_decoder.iou_token.weight"

    def renamed(weights: dict[str, Tensor]) -> None:
        weights["mask_decoder.renamed"] = weights.pop(key)

    def misshapen(weights: dict[str, Tensor]) -> None:
        weights[key] = torch.zeros(2, 3)

    def missing(weights: dict[str, Tensor]) -> None:
        del weights[key]

    def surplus(weights: dict[str, Tensor]) -> None:
        weights["vision_encoder.surplus"] = torch.zeros(2)

    for change, named in ((renamed, "mask_decoder.renamed"), (misshapen, key), (missing, key), (surplus, "surplus")):
        _rewritten(path, change)
        with pytest.raises(ModelBroken) as refused:
            _load(case, folder)
        assert named in str(refused.value)
        path.write_bytes(sound)


def test_hq_does_not_pass_for_sam_nor_sam_for_hq(home: Path) -> None:
    from maskwright.models.families.sam.inference import sam, sam_hq

    known = catalogue.load()
    plain = tiny.saved(tiny.sam(), home / "plain")
    fine = tiny.saved(tiny.sam_hq(), home / "fine")
    with pytest.raises(ModelBroken, match=r"unexpected: mask_decoder\.compress_vit"):
        sam.load(known.get("sam-vit-base"), fine, Setup("cpu", 1))
    # A configuration that says HQ does not make up for weights that are not there.
    (plain / "config.json").write_bytes((fine / "config.json").read_bytes())
    with pytest.raises(ModelBroken, match=r"missing: mask_decoder\.compress_vit"):
        sam_hq.load(known.get("sam-hq-vit-base"), plain, Setup("cpu", 1))


def test_the_hq_features_draw_the_mask(home: Path) -> None:
    from maskwright.models.families.sam.inference import sam_hq

    folder = tiny.saved(tiny.sam_hq(), home / "fine")
    loaded = sam_hq.load(catalogue.load().get("sam-hq-vit-base"), folder, Setup("cpu", 1))
    embedding = loaded.embed(tiny.picture(64, 64))
    prompt = SegmentPrompt([(30, 30, True)])
    ((with_it, *_),) = loaded.segment(embedding, [prompt])
    embedding.data["fine"] = embedding.data["fine"].flip(3)
    ((mirrored, *_),) = loaded.segment(embedding, [prompt])
    assert with_it.score == mirrored.score
    assert np.abs(with_it.logits.values - mirrored.logits.values).max() > 0.05


def test_sam2_as_published_is_a_film_model(home: Path) -> None:
    from transformers import Sam2VideoConfig, Sam2VideoModel

    network = tiny.awake(Sam2VideoModel(tiny.sam2_config(Sam2VideoConfig)))
    folder = tiny.saved(network, home / "models" / "sam2.1-hiera-tiny")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "sam2_video"
    weights = load_file(folder / "model.safetensors")
    assert any(name.startswith("memory_") for name in weights)
    loaded = ModelPool([home / "models"], "cpu", 1, known=tiny.known()).segmenter("sam2.1-tiny")
    assert isinstance(loaded, SamLike)
    for name, tensor in loaded.decoder.state_dict().items():
        assert torch.equal(tensor, weights[f"mask_decoder.{name}"])
    embedding = loaded.embed(tiny.picture(64, 64))
    assert len(loaded.segment(embedding, [SegmentPrompt([(30, 30, True)])])[0]) == 4


def test_a_job_selects_with_it(case: Case, folder: Path) -> None:
    image = tiny.picture(70, 110)
    where = PixelRect(0, 0, 110, 70)
    picture = Picture(where, [Raster("key", 110, 70, "RGB8", where)])
    pool, cache = ModelPool([folder], "cpu", 1, known=tiny.known()), EmbeddingCache(1 << 24)
    assert pool.best("segmenter") == case.id
    request = Select("1", picture, points=[Point(55, 35, True)], alternatives=3)
    rasters = {"key": memoryview(image.tobytes())}
    first = run(request, rasters, JobContext(pool, cache, lambda *_: None, lambda: False))
    assert isinstance(first, Selection)
    assert first.report.models == [case.id]
    (instance,) = first.instances
    assert instance.mask is not None
    again = Select("2", picture, points=[Point(55, 35, True), Point(5, 5, False)], continue_from=instance.id)
    second = run(again, rasters, JobContext(pool, cache, lambda *_: None, lambda: False))
    assert isinstance(second, Selection)
    assert "embed" in first.report.timings
    assert "embed" not in second.report.timings, "a second click runs the decoder alone"
    assert [one.id for one in second.instances] == [instance.id]
