"""SAM as its authors' own code computes it; the differences are printed.

``vectors/sam.npz`` holds what facebookresearch/segment-anything (dca509f, ``SamPredictor``, float32, on a processor)
answered: its ``_build_sam`` with an encoder of two blocks of 32 channels, with the weights of ``_weights``, about
``_picture``. Every eighth channel of every fourth cell of the embedding, and of each prompt's four masks every
sixteenth logit where the picture is, with their scores. ``names``: its weights' names and shapes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import sam
from maskwright.models.roles import Box
from maskwright.models.runtime.setup import Setup
from tests.parity import clicks
from tests.parity.birefnet import words

VECTORS = np.load(Path(__file__).parent / "vectors" / "sam.npz")
PASS = 1e-4
ASKED = clicks.prompts((500, 400), (40, 700), Box(200, 150, 900, 760), 256)


def _weights() -> dict[str, Tensor]:
    found = {}
    for line in VECTORS["names"].tobytes().decode().splitlines():
        name, _, lengths = line.partition(" ")
        shape = [int(length) for length in lengths.split(",")]
        raw = words(f"sam:{name}", int(np.prod(shape)))
        values = (2 * ((raw >> np.uint64(11)) * 2.0**-53) - 1).reshape(shape)
        if name.endswith("weight") and len(shape) == 1:
            values = 1 + 0.3 * values
        elif len(shape) == 1:
            values = 0.3 * values
        elif "positional_encoding_gaussian" not in name:
            values = values * (3 / np.prod(shape[1:])) ** 0.5
        found[name] = torch.from_numpy(values.astype(np.float32))
    return found


def _picture() -> np.ndarray:
    raw = np.random.Philox(key=7).random_raw(48 * 64 * 3).reshape(48, 64, 3)
    return (raw >> np.uint64(56)).astype(np.uint8).repeat(16, 0).repeat(16, 1)


def test_clicks_are_the_authors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    entry = catalogue.built_in().get("sam-vit-b")
    save_file(_weights(), tmp_path / entry.files[0].name)
    model = sam.load(entry, tmp_path, Setup("cpu", 1))
    embedding = model.embed(_picture())
    features = embedding.data["image"][0, ::8, :48:4, ::4].numpy()
    found = {"embedding": float(np.abs(features - VECTORS["embedding"]).max())}
    found |= clicks.differences(model, embedding, ASKED, VECTORS, step=16)
    with capsys.disabled():
        for case, value in found.items():
            print(f"\n  parity: SAM {case}: max |diff| {value:.1e}", end="")
    assert all(value < PASS for value in found.values()), found
