"""ViTMatte: a tiny random network in the published layout, loaded as a server does, and the library's own call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.vitmatte.image_processing_pil_vitmatte import VitMatteImageProcessorPil

from maskwright.models import catalogue
from maskwright.models.families.matting.inference import vitmatte
from maskwright.models.roles import MattingModel
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import BadInput, ModelBroken
from tests.server.models.families.tiny_matting import save

MODEL = "vitmatte-small"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def photo(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + k) + np.cos(y / (7 + 3 * k)) for k in range(3)]
    return np.clip(128 + 50 * np.stack(waves, -1), 0, 255).astype(np.uint8)


def trimap_of(height: int, width: int) -> np.ndarray:
    trimap = np.full((height, width), 0.5, np.float32)
    trimap[:, : width // 4], trimap[:, -(width // 4) :] = 0, 1
    return trimap


@pytest.mark.parametrize("size", [(64, 64), (100, 75), (7, 40)])
def test_it_is_the_librarys_answer(size, tmp_path) -> None:
    network = save(tmp_path / MODEL)
    matting = ModelPool([tmp_path], "cpu", 1).matting(MODEL)
    assert isinstance(matting, MattingModel)
    assert matting.needs_trimap
    image, trimap = photo(*size), trimap_of(*size)
    processor = VitMatteImageProcessorPil.from_pretrained(tmp_path / MODEL)
    shown = np.where(trimap == 0.5, 128, trimap * 255).astype(np.uint8)
    with torch.no_grad():
        given = processor.preprocess(image, shown, return_tensors="pt")["pixel_values"]
        theirs = network(given).alphas[0, 0, : size[0], : size[1]].numpy()
    ours = matting.matte(image, trimap)
    unknown = trimap == 0.5
    assert np.ptp(theirs[unknown]) > 0.01
    assert np.abs(ours - theirs)[unknown].max() < 1e-5
    assert np.array_equal(ours[~unknown], trimap[~unknown])


def test_large_pictures_are_done_in_pieces_around_the_open_places(tmp_path, monkeypatch) -> None:
    save(tmp_path / MODEL)
    matting: Any = ModelPool([tmp_path], "cpu", 1).matting(MODEL)
    monkeypatch.setattr(vitmatte, "CORE", 96)
    monkeypatch.setattr(vitmatte, "HALO", 16)
    seen = []
    solve = matting.solve
    monkeypatch.setattr(matting, "solve", lambda image, trimap: seen.append(trimap.shape) or solve(image, trimap))
    trimap = np.zeros((400, 500), np.float32)
    trimap[100:, 250:] = 1
    trimap[90:110, 240:] = 0.5
    trimap[90:, 240:260] = 0.5
    answer = matting.matte(photo(400, 500), trimap)
    assert max(max(shape) for shape in seen) <= 96 * 1.5 + 64 + 32
    assert sum(h * w for h, w in seen) < 400 * 500
    assert np.isfinite(answer).all()
    assert np.array_equal(answer[trimap != 0.5], trimap[trimap != 0.5])
    seen.clear()
    settled = (trimap > 0.7).astype(np.float32)
    assert np.array_equal(matting.matte(photo(400, 500), settled), settled)
    assert not seen


def test_without_a_trimap_it_says_what_it_is_for(tmp_path) -> None:
    save(tmp_path / MODEL)
    pool = ModelPool([tmp_path], "cpu", 1)
    with pytest.raises(BadInput, match="refines the edge"):
        pool.matting(MODEL).matte(photo(32, 32))
    assert pool.best("matting") == "u2netp"
    assert pool.best("matting", needs_trimap=True) == MODEL


def test_missing_keys_are_named(tmp_path) -> None:
    save(tmp_path / MODEL)
    file = tmp_path / MODEL / "model.safetensors"
    weights = load_file(file)
    key = "decoder.fusion_blocks.1.conv.conv.weight"
    weights.pop(key)
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelBroken, match=key.replace(".", r"\.")):
        ModelPool([tmp_path], "cpu", 1).matting(MODEL)


def test_the_catalogue_says_which_need_a_trimap() -> None:
    needing = {entry.id for entry in catalogue.built_in().model if entry.needs_trimap}
    assert needing == {e.id for e in catalogue.built_in().model if e.family in ("vitmatte", "closed_form")}
