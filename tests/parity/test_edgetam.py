"""EdgeTAM as its authors' own code computes it; the differences are printed.

``vectors/edgetam.npz`` holds what facebookresearch/EdgeTAM (9cc44bf, ``SAM2ImagePredictor``, float32, on a processor)
answered with the weights of ``weights`` about ``_picture``: every eighth channel of every fourth cell of the embedding,
and of each prompt's four masks every sixteenth logit, with their scores. ``names``: its weights' names and shapes;
``*.clear``: which of the four masks it gives when asked for one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import checkpoints, edgetam
from maskwright.models.families.sam.inference.sam2 import Sam2
from maskwright.models.roles import Box
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.parity import clicks
from tests.parity.edgetam_weights import VECTORS, weights

PASS = 1e-4
HALF = 0.3  # what bfloat16 in the encoder makes of logits that reach 5
ASKED = clicks.prompts((500, 400), (40, 700), Box(200, 150, 900, 760), 256)
ENTRY = catalogue.built_in().get("edgetam")


def as_on_the_hub(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same under the names of the hub's file, which has the parts for films too."""
    found = {name.replace(".backbone.body.", ".backbone.timm_model."): tensor.clone()
             for name, tensor in checkpoints.sam2(stored).items()}  # fmt: skip
    return {**found, "memory_attention.layers.0.linear1.weight": torch.zeros(2)}


def _picture() -> np.ndarray:
    raw = np.random.Philox(key=7).random_raw(64 * 64 * 3).reshape(64, 64, 3)
    return (raw >> np.uint64(56)).astype(np.uint8).repeat(16, 0).repeat(16, 1)


def _differences(model: Sam2) -> dict[str, float]:
    embedding = model.embed(_picture())
    features = embedding.data["image"][0, ::8, ::4, ::4].float().numpy()
    found = {"embedding": float(np.abs(features - VECTORS["embedding"]).max())}
    return found | clicks.differences(model, embedding, ASKED, VECTORS, step=16)


@pytest.fixture(scope="module")
def stored() -> dict[str, Tensor]:
    torch.set_num_threads(1)
    return weights()


def _loaded(stored: dict[str, Tensor], folder: Path, precision: str = "fp32") -> Sam2:
    save_file(stored, folder / "edgetam.safetensors")
    return edgetam.load(ENTRY, folder, Setup("cpu", 1, precision))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("layout", ["the authors'", "the hub's"])
def test_clicks_are_the_authors(
    layout: str, stored: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _differences(_loaded(stored if layout == "the authors'" else as_on_the_hub(stored), tmp_path))
    half = _differences(_loaded(stored, tmp_path, "bf16"))
    with capsys.disabled():
        for case, value in found.items():
            print(
                f"\n  parity: EdgeTAM in {layout} layout, {case}: max |diff| {value:.1e} (bf16 {half[case]:.1e})",
                end="",
            )
    assert all(value < PASS for value in found.values()), found
    assert all(PASS < value < HALF for value in half.values()), half


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("image_encoder.trunk.body.stages_2.blocks.3.channel_mixer.conv1.c.weight", "stages_2.blocks.3"),
        ("sam_mask_decoder.iou_token.weight", "iou_token"),
    ],
)
def test_what_is_missing_is_named(key: str, told: str, stored: dict[str, Tensor], tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=told):
        _loaded({name: tensor for name, tensor in stored.items() if name != key}, tmp_path)
