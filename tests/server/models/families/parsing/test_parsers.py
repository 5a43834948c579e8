"""SegFormer and DeepLabV3+: tiny random networks in the published layout, loaded as a server does, and the library."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from maskwright.models import catalogue
from maskwright.models.catalogue import labels
from maskwright.models.families.parsing.inference import segformer
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families.tiny_parsers import save_segformer

NAMES = {
    "segformer-clothes": labels.CLOTHES.labels,
    "segformer-face": labels.FACE.labels,
    "segformer-fashion": labels.FASHION.labels,
}


@pytest.fixture(autouse=True)
def _on_its_own(home):
    torch.set_num_threads(1)


def photo(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + k) + np.cos(y / (7 + 3 * k)) for k in range(3)]
    return np.clip(128 + 50 * np.stack(waves, -1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("model", NAMES)
def test_segformer_is_the_librarys(model, tmp_path):
    from transformers import SegformerImageProcessorPil

    folder = tmp_path / model
    network = save_segformer(folder, NAMES[model])
    parser = ModelPool([tmp_path], "cpu", 1).parser(model)
    assert parser.table.labels == NAMES[model]
    image = photo(300, 300)
    ours = parser.parse(image)
    processor = SegformerImageProcessorPil.from_pretrained(folder, local_files_only=True)
    with torch.no_grad():
        given = processor(Image.fromarray(image), return_tensors="pt")
        logits = network(**given).logits
    theirs = logits.softmax(1)[0].numpy()
    assert ours.shape == (len(NAMES[model]), 128, 128)
    assert np.ptp(theirs) > 0.2
    assert np.abs(ours - theirs).max() < 1e-5
    large = torch.nn.functional.interpolate(torch.from_numpy(ours)[None], (300, 300), mode="bilinear")[0].argmax(0)
    segments = processor.post_process_semantic_segmentation(type("Outputs", (), {"logits": logits})(), [(300, 300)])[0]
    assert np.mean(np.asarray(large) == np.asarray(segments)) > 0.97


def test_segformer_keeps_the_aspect_and_the_checkpoints_input_size(tmp_path):
    save_segformer(tmp_path / "segformer-clothes", labels.CLOTHES.labels, side=256)
    answer = ModelPool([tmp_path], "cpu", 1).parser("segformer-clothes").parse(photo(200, 400))
    assert answer.shape == (18, 32, 64)
    assert np.abs(answer.sum(axis=0) - 1).max() < 1e-5


def test_labels_that_are_not_the_tables_are_refused(tmp_path):
    names = list(labels.CLOTHES.labels)
    names[2], names[5] = names[5], names[2]
    save_segformer(tmp_path / "segformer-clothes", tuple(names))
    with pytest.raises(ModelBroken, match="label 2 is 'Skirt'"):
        ModelPool([tmp_path], "cpu", 1).parser("segformer-clothes")


def test_a_key_too_few_and_a_broken_preprocessor_are_told(tmp_path):
    from safetensors.torch import load_file, save_file

    entry, setup = catalogue.load().get("segformer-clothes"), Setup("cpu", 1)
    save_segformer(tmp_path, labels.CLOTHES.labels)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": "grey"}))
    with pytest.raises(ModelBroken, match=r"preprocessor_config\.json"):
        segformer.Segformer(entry, tmp_path, setup)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("decode_head.classifier.bias")
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"classifier\.bias"):
        segformer.Segformer(entry, tmp_path, setup)


class RowsLast(nn.Module):
    """A network in the layout of the Keras export: NHWC in and out. The class is told by the colour."""

    def __init__(self, softmax: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 20, 5, padding=2)
        self.softmax = softmax

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return y.softmax(-1) if self.softmax else y


def save_onnx(module: nn.Module, shape: tuple[int, ...], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    # It looks for functions written in another package; there are none.
    monkeypatch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda content, custom: content)
    path.parent.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (torch.zeros(shape),), str(path), dynamo=False, input_names=["input_7"])


@pytest.mark.parametrize("softmax", [False, True])
def test_deeplab_is_the_network_with_the_published_preprocessing(softmax, tmp_path, monkeypatch):
    network = RowsLast(softmax)
    path = tmp_path / "deeplab-human" / "deeplabv3p-resnet50-human.onnx"
    save_onnx(network, (1, 512, 512, 3), path, monkeypatch)
    parser = ModelPool([tmp_path], "cpu", 1).parser("deeplab-human")
    assert parser.table is labels.BODY
    image = photo(512, 512)
    with torch.no_grad():
        expected = network(torch.from_numpy(image.astype(np.float32) / 127.5 - 1)[None])[0]
    expected = expected if softmax else expected.softmax(-1)
    assert np.abs(parser.parse(image) - expected.permute(2, 0, 1).numpy()).max() < 1e-5
    wide = parser.parse(np.ascontiguousarray(image[:128, :256]))
    assert wide.shape == (20, 256, 512)
    assert np.abs(wide.sum(axis=0) - 1).max() < 1e-5


def test_a_network_with_other_labels_is_no_body_parser(tmp_path, monkeypatch):
    class Other(RowsLast):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)[..., :7]

    save_onnx(Other(False), (1, 512, 512, 3), tmp_path / "m" / "deeplabv3p-resnet50-human.onnx", monkeypatch)
    with pytest.raises(ModelBroken, match="outputs of the model deeplab-human are not"):
        ModelPool([tmp_path], "cpu", 1).parser("deeplab-human").parse(photo(64, 64))
