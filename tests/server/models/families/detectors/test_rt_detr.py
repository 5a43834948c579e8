"""RT-DETR and its kin: the production path against transformers' own processing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

from maskwright.models.roles import Detector
from maskwright_protocol.errors import ModelBroken, UnknownWord
from tests.server.models.families import tiny_detectors as tiny

torch.set_num_threads(1)
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
KINDS = ("RTDetr", "RTDetrV2", "DFine", "RfDetr", "RfDetrSeg")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("detr") / f"detr-{request.param.lower()}"
    if request.param == "DFine":
        return tiny.d_fine(place)
    if request.param.startswith("RfDetr"):
        return tiny.rf_detr(place, masks=request.param.endswith("Seg"))
    return tiny.rt_detr(place, request.param)


@pytest.fixture(scope="module")
def model(folder: Path) -> Detector:
    return tiny.detector(folder, "rt_detr")


def outputs(folder: Path) -> object:
    import json

    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    network = getattr(tf, kind).from_pretrained(folder).eval()
    images = RTDetrImageProcessorPil.from_pretrained(folder)
    with torch.inference_mode():
        return network(pixel_values=images(images=IMAGE, return_tensors="pt")["pixel_values"])


def test_equal_to_the_library(folder: Path, model: Detector) -> None:
    theirs = RTDetrImageProcessorPil.from_pretrained(folder).post_process_object_detection(
        outputs(folder), threshold=0.1, target_sizes=[IMAGE.shape[:2]]
    )[0]
    ours = model.detect(IMAGE, "", min_score=0.1, options={"max_det": 1000})
    assert len(ours) == len(theirs["scores"]) > 3
    np.testing.assert_allclose([d.score for d in ours], theirs["scores"].numpy(), atol=1e-5)
    assert [d.label for d in ours] == [tiny.LABELS[int(i)] for i in theirs["labels"]]
    edges = theirs["boxes"].numpy().clip(0, [150, 90, 150, 90])
    np.testing.assert_allclose([[d.box.x0, d.box.y0, d.box.x1, d.box.y1] for d in ours], edges, atol=1e-2)


def test_masks_of_segmenting_models_are_the_networks_logits(folder: Path, model: Detector) -> None:
    masks = getattr(outputs(folder), "pred_masks", None)
    found = model.detect(IMAGE, "", min_score=0.0, options={"max_det": 1000})
    if masks is None:
        assert all(d.logits is None for d in found)
        return
    known = {m.numpy().tobytes(): m for m in masks[0]}
    drawn = [d.logits for d in found if d.logits is not None]
    assert drawn
    for logits in drawn:
        assert (logits.x0, logits.y0, logits.x1, logits.y1) == (0, 0, 150, 90)
        nearest = min(float(np.abs(m.numpy() - logits.values).max()) for m in known.values())
        assert nearest < 1e-4


def test_words_numbers_and_suppression(model: Detector) -> None:
    everything = model.detect(IMAGE, "", min_score=0.05)
    for text, options, labels in (
        ("dogs; a woman", {}, {"dog", "person"}),
        ("mug", {}, {"cup"}),
        ("", {"classes": "1-2"}, {"dog", "traffic light"}),
    ):
        found = model.detect(IMAGE, text, min_score=0.05, options=options)
        expected = [(d.box, d.label, d.score) for d in everything if d.label in labels]
        assert [(d.box, d.label, d.score) for d in found] == expected
    with pytest.raises(UnknownWord):
        model.detect(IMAGE, "unicorn")
    one = model.detect(IMAGE, "", min_score=0.05, options={"agnostic": True, "iou": 0.0})
    assert 0 < len(one) < len(everything)


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    folder = tiny.rt_detr(tmp_path / "tiny-detr")
    config = folder / "config.json"
    config.write_text(config.read_text().replace("RTDetrForObjectDetection", "RTDetrModel"))
    with pytest.raises(ModelBroken, match="none that this family knows"):
        tiny.detector(folder, "rt_detr")


def test_lost_weights_are_told_by_name(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny.rt_detr(tmp_path / "tiny-detr")
    path = folder / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.enc_output.0.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"missing: model\.enc_output\.0\.weight"):
        tiny.detector(folder, "rt_detr")
