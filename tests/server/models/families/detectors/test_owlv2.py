"""OWLv2 as ONNX: the production path against transformers' own network, processor and post-processing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.masks.instances import box_iou
from maskwright.models.roles import Detector
from maskwright_protocol.errors import EmptyPrompt, ModelBroken, TooLarge
from tests.server.models.families import tiny_owlv2 as tiny
from tests.server.models.families.tiny_detectors import detector, tf

SQUARE = np.kron(np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8), np.ones((12, 12, 1), np.uint8))
WIDE = SQUARE[:54]
ALL = {"iou": 1.0, "max_det": 1000, "agnostic": True}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("owl") / "owlv2"
    return folder, tiny.owlv2(folder)


@pytest.fixture(scope="module")
def model(made: tuple[Path, Any]) -> Detector:
    return detector(made[0], "owlv2", tiny.SIDE)


def theirs(network: Any, image: np.ndarray, phrases: list[str]) -> dict[str, Any]:
    """What the library finds; it fills pictures up with black, the authors' code with the grey that is given here."""
    processor = tf.Owlv2Processor(tf.Owlv2ImageProcessor(size={"height": 96, "width": 96}), tiny.clip_tokenizer())
    texts = [[f"a photo of a {phrase}" for phrase in phrases]]
    words = processor(text=texts, return_tensors="pt", padding="max_length", max_length=16)
    filled = np.full((96, 96, 3), 0.5, np.float32)
    filled[: image.shape[0]] = image.astype(np.float32) / 255
    pixels = processor.image_processor(torch.from_numpy(filled).permute(2, 0, 1), do_rescale=False, return_tensors="pt")
    with torch.inference_mode():
        answer = network(**words, **pixels)
    (found,) = processor.post_process_grounded_object_detection(answer, target_sizes=[image.shape[:2]], threshold=0.0)
    return found


@pytest.mark.parametrize("image", [SQUARE, WIDE], ids=["square", "wide"])
@pytest.mark.parametrize("phrases", [["dog"], ["red car", "dog"], ["a car", "of", "dog of"]])
def test_equal_to_the_library(made: tuple[Path, Any], model: Detector, image: np.ndarray, phrases: list[str]) -> None:
    plain = [phrase.removeprefix("a ") for phrase in phrases]
    library = theirs(made[1], image, plain)
    ours = model.detect(image, "; ".join(phrases), min_score=0.0, options=ALL)
    height, width = image.shape[:2]
    edges = library["boxes"].numpy().clip(0, [width, height, width, height])
    inside = (edges[:, 2:] > edges[:, :2]).all(axis=1)
    assert len(ours) == inside.sum() > 5
    order = np.argsort(-library["scores"].numpy()[inside], kind="stable")
    for one, index in zip(ours, order, strict=True):
        assert one.score == pytest.approx(float(library["scores"].numpy()[inside][index]), abs=1e-4)
        assert one.label == phrases[int(library["labels"].numpy()[inside][index])]
        assert np.abs(np.array(one.box) - edges[inside][index]).max() < 0.01


def test_the_words_matter(model: Detector) -> None:
    scores = {
        phrase: sorted(one.score for one in model.detect(SQUARE, phrase, min_score=0.0, options=ALL))
        for phrase in ("dog", "red car", "a dog")
    }
    assert scores["dog"] == scores["a dog"] != scores["red car"]


def test_doubles_are_dropped_within_a_phrase(model: Detector) -> None:
    found = model.detect(SQUARE, "dog; car", min_score=0.0, options={"iou": 0.0})
    assert 0 < len(found) < len(model.detect(SQUARE, "dog; car", min_score=0.0, options=ALL))
    for number, one in enumerate(found):
        assert all(box_iou(one.box, two.box) <= 1e-9 for two in found[:number] if two.label == one.label)


def test_what_cannot_be_looked_for(made: tuple[Path, Any], model: Detector, tmp_path: Path) -> None:
    with pytest.raises(EmptyPrompt):
        model.detect(SQUARE, " ; ")
    with pytest.raises(TooLarge):
        model.detect(SQUARE, "dog of " * 10)
    folder = tmp_path / "owlv2"
    folder.mkdir()
    (folder / "model_quantized.onnx").write_bytes((made[0] / "model_quantized.onnx").read_bytes())
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelBroken, match="cannot be read"):
        detector(folder, "owlv2", tiny.SIDE)
