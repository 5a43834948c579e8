"""MobileSAM in torch: the authors' checkpoint, converted as users do, against the ONNX export of the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.models import catalogue
from maskwright.models.families.sam.inference import mobile_sam_torch
from maskwright.models.families.sam.inference.base import SamLike, planes
from maskwright.models.install.convert import convert
from maskwright.models.roles import Box, SegmentPrompt
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import tiny_sams as tiny
from tests.shared_data import MODELS, needs_models

pytestmark = needs_models


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "mobile-sam-torch"
    folder.mkdir()
    convert(MODELS / "mobile-sam" / "mobile_sam.pt", folder / "mobile_sam.safetensors")
    return folder


def test_it_answers_as_the_export_does(home: Path, checkpoint: Path) -> None:
    model = ModelPool([checkpoint.parent], "cpu", 1).segmenter("mobile-sam-torch")
    assert isinstance(model, SamLike)
    size = (768, 1024)
    image = tiny.picture(*size)
    embedding = model.embed(image)
    encoder = onnxruntime.InferenceSession(str(MODELS / "mobile-sam" / "mobilesam_encoder.onnx"))
    pixels = planes(image, model.frame(size), *model.mean_std, model.setup)
    features = np.asarray(encoder.run(None, {"input": pixels.numpy()})[0])
    image_features = embedding.data["image"].numpy()
    assert np.abs(features - image_features).max() < 2e-3 * features.std() * 10
    assert np.corrcoef(features.ravel(), image_features.ravel())[0, 1] > 0.99999
    decoder = onnxruntime.InferenceSession(str(MODELS / "mobile-sam" / "mobilesam_decoder_multi.onnx"))
    cases = (
        (SegmentPrompt([(500, 300, True)]), [(500, 300), (0, 0)], [1, -1]),
        (SegmentPrompt([(500, 300, True), (20, 700, False)]), [(500, 300), (20, 700), (0, 0)], [1, 0, -1]),
        (SegmentPrompt(box=Box(100, 200, 600, 700)), [(100, 200), (600, 700)], [2, 3]),
    )
    for prompt, places, labels in cases:
        feeds = {
            "image_embeddings": image_features,
            "point_coords": np.array([places], np.float32),
            "point_labels": np.array([labels], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([16, 16], np.float32),
        }
        scores, masks = (np.asarray(a) for a in decoder.run(["iou_predictions", "low_res_masks"], feeds))
        (answer,) = model.segment(embedding, [prompt])
        for mask, score in zip(masks[0], scores[0].tolist(), strict=True):
            off = [float(np.abs(h.low_res - mask).max()) for h in answer if h.low_res is not None]
            assert min(off) < 0.02 * max(1, mask.std()), "the export rounds some more"
            assert answer[int(np.argmin(off))].score == pytest.approx(min(1, max(0, score)), abs=1e-3)


def test_another_checkpoint_is_refused_by_name(checkpoint: Path, tmp_path: Path) -> None:
    weights = load_file(checkpoint / "mobile_sam.safetensors")
    weights["image_encoder.layers.1.blocks.0.attn.renamed"] = weights.pop(
        "image_encoder.layers.1.blocks.0.attn.qkv.weight"
    )
    save_file(weights, tmp_path / "mobile_sam.safetensors")
    entry = catalogue.load().get("mobile-sam-torch")
    with pytest.raises(ModelBroken, match=r"missing: vision_encoder\.layers\.1\.blocks\.0\.attn\.qkv\.weight"):
        mobile_sam_torch.load(entry, tmp_path, Setup("cpu", 1))
    assert torch.get_num_threads() == 1
