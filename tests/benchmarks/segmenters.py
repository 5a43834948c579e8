"""Encoders and clicks of the promptable torch families at real size, against the library called directly.

Weights are random: speed does not depend on them, as long as they are of usual size. Runs of ours and of the library's
alternate, and the best of each counts: others may use the machine too. By itself, for a card or for larger models:
``python -m tests.benchmarks.segmenters --device cuda:0 --precision bf16 sam2.1-tiny sam2.1-large sam-vit-huge sam3``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskwright.models import catalogue
from maskwright.models.roles import Embedding, SegmentPrompt
from maskwright.models.runtime.setup import Setup
from tests.benchmarks.report import Result, table

USUAL = ("sam2.1-tiny", "sam-vit-base", "sam-hq-vit-base")
_SIZE = (768, 1024)
_VIT = {
    "base": (768, 12, 12, (2, 5, 8, 11)),
    "large": (1024, 24, 16, (5, 11, 17, 23)),
    "huge": (1280, 32, 16, (7, 15, 23, 31)),
}
_HIERA = {
    "tiny": (96, 1, (1, 2, 7, 2), (5, 7, 9), (8, 4, 14, 7), 7),
    "small": (96, 1, (1, 2, 11, 2), (7, 10, 13), (8, 4, 14, 7), 7),
    "base-plus": (112, 2, (2, 3, 16, 3), (12, 16, 20), (8, 4, 14, 7), 14),
    "large": (144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8), 7),
}


@dataclass
class Pair:
    """Ours and the library's: ``encode(image)`` gives what ``click(that)`` takes."""

    ours: Any
    encode: Callable[[np.ndarray], Any]
    click: Callable[[Any], Any]
    held: Callable[[Any], int]  # bytes of what the library gives


def run(
    names: tuple[str, ...] = USUAL, device: str = "cpu", precision: Any = "fp32", runs: int = 3, threads: int = 0
) -> list[Result]:
    """Encoder, click, eight clicks at once and memory of the named models. ``threads``: 0 takes all cores."""
    import os

    import torch

    threads = threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    results: list[Result] = []
    for name in names:
        results += _measured(name, _pair(name, Setup(device, threads, precision)), device, runs)
    return results


def _measured(name: str, pair: Pair, device: str, runs: int) -> list[Result]:
    image = np.random.default_rng(0).integers(0, 255, (*_SIZE, 3), np.uint8)
    encoded, encoding = _race(lambda: pair.ours.embed(image), lambda: pair.encode(image), device, runs)
    embedding, theirs = encoded
    assert isinstance(embedding, Embedding)
    prompt = SegmentPrompt([(500.0, 300.0, True)])
    _, clicking = _race(lambda: pair.ours.segment(embedding, [prompt]), lambda: pair.click(theirs), device, 5 * runs)
    several = [SegmentPrompt([(100.0 * i, 90.0 * i, True)]) for i in range(1, 9)]

    def one_by_one() -> None:
        for one in several:
            pair.ours.segment(embedding, [one])

    _, batching = _race(lambda: pair.ours.segment(embedding, several), one_by_one, device, runs)
    held = embedding.nbytes / 1e6
    return [
        Result(f"{name}: looking at a picture", encoding[0], "ms", encoding[0] / encoding[1], 1.05),
        Result(f"{name}: a click", clicking[0], "ms", clicking[0] / clicking[1], 1.1),
        Result(f"{name}: eight clicks at once, against one by one", batching[0], "ms", batching[0] / batching[1], 1.1),
        Result(f"{name}: kept of a picture", held, "MB", held * 1e6 / pair.held(theirs), 1.0),
        Result(f"{name}: weights", pair.ours.nbytes / 1e6, "MB"),
    ]


def _race(
    ours: Callable[[], Any], theirs: Callable[[], Any], device: str, runs: int
) -> tuple[tuple[Any, Any], tuple[float, float]]:
    """What each gives, and the best time of each in ms, after one run of both to warm up."""
    import torch

    def timed(call: Callable[[], Any]) -> float:
        began = time.perf_counter()
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        return (time.perf_counter() - began) * 1e3

    with torch.inference_mode():
        given = ours(), theirs()
        times = [(timed(ours), timed(theirs)) for _ in range(runs)]
    return given, (min(t for t, _ in times), min(t for _, t in times))


def _usual_size(network: Any) -> Any:
    """The library initialises SAM with weights near 1e-10: numbers so small that processors slow down a hundredfold."""
    import torch

    for name, parameter in network.named_parameters():
        with torch.no_grad():
            parameter.normal_(0, 0.02)
            if "norm" in name and name.endswith("weight"):
                parameter.fill_(1)
    return network.eval().requires_grad_(False)


def _pair(name: str, setup: Setup) -> Pair:
    import torch
    from PIL import Image

    from maskwright.models.runtime.torch_runtime import dtype

    entry = catalogue.load().get(name)
    size = name.partition("-")[2].removeprefix("hq-").removeprefix("vit-")
    if entry.family == "sam3":
        return _sam3(entry, setup)
    builders = {"sam": _sam, "sam_hq": _sam_hq, "sam2": _sam2}
    family, network = builders[entry.family](size)
    network.to(setup.device)
    for part, child in network.named_children():
        if part not in ("shared_image_embedding", "prompt_encoder", "mask_decoder"):
            child.to(dtype(setup.precision))
    ours = family(entry, setup, network)
    kind = dtype(setup.precision)
    # The library's predictor computes everything in one precision.
    library = _usual_size(builders[entry.family](size)[1]).to(setup.device, kind)
    point, label = torch.tensor([[[[500.0, 400.0]]]]), torch.tensor([[[1]]])
    given = {"input_points": point.to(setup.device), "input_labels": label.to(setup.device)}

    if entry.family == "sam2":

        def encode(image: np.ndarray) -> Any:
            # As the authors' transforms do: floats first, then the size.
            pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(setup.device).float() / 255
            pixels = torch.nn.functional.interpolate(pixels, (1024, 1024), mode="bilinear", antialias=True)
            mean, std = (torch.tensor(v, device=setup.device)[:, None, None] for v in family.mean_std)
            return library.get_image_embeddings(((pixels - mean) / std).to(kind))

        return Pair(
            ours,
            encode,
            lambda seen: library(image_embeddings=seen, multimask_output=True, **given).pred_masks.cpu(),
            lambda seen: sum(t.nbytes for t in seen),
        )
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    processor = SamImageProcessorPil()

    def prepared(image: np.ndarray) -> Any:
        return processor(Image.fromarray(image), return_tensors="pt")["pixel_values"].to(setup.device, kind)

    if entry.family == "sam":
        return Pair(
            ours,
            lambda image: library.get_image_embeddings(prepared(image)),
            lambda seen: library(image_embeddings=seen, multimask_output=True, **given).pred_masks.cpu(),
            lambda seen: seen.nbytes,
        )

    def click(seen: Any) -> Any:
        image, early = seen
        shown = {"image_embeddings": image, "intermediate_embeddings": early}
        return library(**shown, multimask_output=True, **given).pred_masks.cpu()

    return Pair(
        ours,
        lambda image: library.get_image_embeddings(prepared(image)),
        click,
        lambda seen: seen[0].nbytes + sum(t.nbytes for t in seen[1]),
    )


def _vit(size: str) -> dict[str, Any]:
    width, layers, heads, whole = _VIT[size]
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "global_attn_indexes": list(whole),
    }


def _sam(size: str) -> tuple[Any, Any]:
    from transformers import SamConfig, SamModel

    from maskwright.models.families.sam.inference.sam import Sam

    return Sam, _usual_size(SamModel(SamConfig(vision_config=_vit(size))))


def _sam_hq(size: str) -> tuple[Any, Any]:
    from transformers import SamHQConfig, SamHQModel

    from maskwright.models.families.sam.inference.sam_hq import SamHq

    shape = _vit(size)
    config = SamHQConfig(vision_config=shape, mask_decoder_config={"vit_dim": shape["hidden_size"]})
    return SamHq, _usual_size(SamHQModel(config))


def _sam2(size: str) -> tuple[Any, Any]:
    from transformers import Sam2Config, Sam2Model

    from maskwright.models.families.sam.inference.sam2 import Sam2

    width, heads, blocks, whole, windows, spread = _HIERA[size]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": width,
        "num_attention_heads": heads,
        "blocks_per_stage": list(blocks),
        "embed_dim_per_stage": [width << stage for stage in range(4)],
        "num_attention_heads_per_stage": [heads << stage for stage in range(4)],
        "window_size_per_stage": list(windows),
        "global_attention_blocks": list(whole),
        "window_positional_embedding_background_size": [spread, spread],
    }
    vision = {"backbone_config": backbone, "backbone_channel_list": backbone["embed_dim_per_stage"][::-1]}
    return Sam2, _usual_size(Sam2Model(Sam2Config(vision_config=vision)))


def _sam3(entry: Any, setup: Setup) -> Pair:
    """Ours against the library's tracker and detector, of which each looks at the image for itself."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from torch import nn
    from transformers import Sam3Config, Sam3Model, Sam3TrackerConfig, Sam3TrackerModel

    from maskwright.models.families.sam.inference.base import FLOAT32
    from maskwright.models.families.sam.inference.sam3 import Sam3
    from maskwright.models.runtime.torch_runtime import dtype

    kind = dtype(setup.precision)
    library = _usual_size(Sam3TrackerModel(Sam3TrackerConfig())).to(setup.device, kind)
    concepts = _usual_size(Sam3Model(Sam3Config())).to(setup.device)
    for part in ("vision_encoder", "text_encoder", "text_projection"):
        getattr(concepts, part).to(kind)
    clicks = _usual_size(Sam3TrackerModel(Sam3TrackerConfig())).to(setup.device)
    clicks.vision_encoder.backbone = nn.Identity()
    for part, child in clicks.named_children():
        if part not in FLOAT32:
            child.to(kind)
    ours = Sam3(entry, setup, concepts, clicks, Tokenizer(WordLevel({"x": 0}, unk_token="x")))
    ours.embed = super(Sam3, ours).embed  # type: ignore[method-assign]  # not from memory
    point, label = torch.tensor([[[[500.0, 400.0]]]]), torch.tensor([[[1]]])
    given = {"input_points": point.to(setup.device), "input_labels": label.to(setup.device)}

    def encode(image: np.ndarray) -> Any:
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(setup.device).float() / 127.5 - 1
        pixels = torch.nn.functional.interpolate(pixels, (1008, 1008), mode="bilinear", antialias=True)
        return library.get_image_embeddings(pixels.to(kind))

    return Pair(
        ours,
        encode,
        lambda seen: library(image_embeddings=seen, multimask_output=True, **given).pred_masks.cpu(),
        lambda seen: sum(t.nbytes for t in seen),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=USUAL)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    results = run(tuple(given.models), given.device, given.precision, given.runs, given.threads)
    print(table(results))
    return 0 if all(result.kept for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
