"""Grounding DINO: the production path against transformers' own processor and post-processing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.masks.instances import box_iou
from maskwright.models.families.detectors.inference.grounding_dino import GroundingDino
from maskwright.models.roles import Detector
from maskwright_protocol.errors import EmptyPrompt, ModelBroken, TooLarge
from tests.server.models.families import tiny_detectors as tiny

tf: Any = importlib.import_module("transformers")
torch.set_num_threads(1)
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
LOOSE = {"text_threshold": 0.0, "iou": 1.0}


@pytest.fixture(scope="module", params=["plain", "multimodal"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.grounding_dino(tmp_path_factory.mktemp("dino") / f"dino-{request.param}", request.param == "multimodal")


@pytest.fixture(scope="module")
def model(folder: Path) -> Detector:
    return tiny.detector(folder, "grounding_dino")


class Library:
    """transformers' own calls."""

    def __init__(self, folder: Path, phrases: list[str]) -> None:
        multimodal = "mm-" in (folder / "config.json").read_text()
        cls = tf.MMGroundingDinoForObjectDetection if multimodal else tf.GroundingDinoForObjectDetection
        self.processor = tf.GroundingDinoProcessor.from_pretrained(folder)
        self.inputs = self.processor(images=IMAGE, text=[phrases], return_tensors="pt")
        with torch.inference_mode():
            self.outputs = cls.from_pretrained(folder).eval()(**self.inputs)

    def found(self, threshold: float, text_threshold: float) -> dict[str, Any]:
        (found,) = self.processor.post_process_grounded_object_detection(
            self.outputs, self.inputs["input_ids"], threshold, text_threshold, target_sizes=[IMAGE.shape[:2]]
        )
        return found


@pytest.mark.parametrize("phrases", [["dog"], ["red car", "dog", "the left hand"]])
def test_equal_to_the_library(folder: Path, model: Detector, phrases: list[str]) -> None:
    library = Library(folder, phrases)
    threshold = float(library.found(0.0, 0.0)["scores"].median())
    theirs = library.found(threshold, threshold)
    ours = model.detect(IMAGE, "; ".join(phrases), min_score=threshold, options=LOOSE)
    boxes = theirs["boxes"].numpy().clip(0, [150, 90, 150, 90])
    matched = 0
    for one in ours:
        edges = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
        (match,) = np.flatnonzero(np.abs(boxes - edges).max(axis=1) < 1e-2)
        score = float(theirs["scores"][match])
        assert one.label in phrases
        assert one.score <= score + 1e-5
        if one.score > score - 1e-5:  # else the token it matches best is a separator
            matched += 1
            best = library.found(threshold, score * 0.9999)["text_labels"][match]  # of that token alone
            assert best.replace(" ##", "").split()[0].strip("#") in one.label
    assert matched >= 1
    assert len(ours) <= len(boxes)


def test_captions_are_made_for_the_user(model: Detector) -> None:
    assert isinstance(model, GroundingDino)
    tokens, owners = model.caption(["red car", "dog"])
    text = model.tokens.decode(tokens["input_ids"][0].tolist())
    assert text.replace(" ", "") == "[CLS]redcar.dog.[SEP]"
    assert owners.tolist() == [-1, 0, 0, -1, 1, -1, -1]
    expected = model.detect(IMAGE, "red car; dog", min_score=0.0, options=LOOSE)
    for same in ("Red Car. DOG.", "red car,dog", "  red car ;; dog? ", "red car\ndog", "dog; red car; dog"):
        found = model.detect(IMAGE, same, min_score=0.0, options=LOOSE)
        assert {d.label for d in found} == {"red car", "dog"}
        if not same.startswith("dog"):
            assert found == expected


def test_doubles_go_within_a_phrase_and_with_agnostic_between_phrases(model: Detector) -> None:
    loose = model.detect(IMAGE, "red car; dog", min_score=0.0, options=LOOSE)
    for agnostic in (False, True):
        options = {**LOOSE, "iou": 0.0, "agnostic": agnostic}
        found = model.detect(IMAGE, "red car; dog", min_score=0.0, options=options)
        assert 0 < len(found) < len(loose)
        edges = [((d.box.x0, d.box.y0, d.box.x1, d.box.y1), d.label) for d in found]
        pairs = [(a, b) for i, a in enumerate(edges) for b in edges[i + 1 :] if agnostic or a[1] == b[1]]
        assert all(box_iou(a[0], b[0]) == 0 for a, b in pairs)
    few = model.detect(IMAGE, "red car; dog", min_score=0.0, options={**LOOSE, "max_det": 3})
    assert few == loose[:3]
    assert [d.score for d in loose] == sorted((d.score for d in loose), reverse=True)


def test_thresholds(model: Detector) -> None:
    loose = model.detect(IMAGE, "dog", min_score=0.0, options=LOOSE)
    middle = loose[len(loose) // 2].score
    assert model.detect(IMAGE, "dog", min_score=middle, options=LOOSE) == [d for d in loose if d.score > middle]
    assert model.detect(IMAGE, "dog", min_score=0.0, options={**LOOSE, "text_threshold": middle}) == [
        d for d in loose if d.score > middle
    ]
    assert model.detect(IMAGE, "dog", min_score=1.0) == []


def test_what_cannot_be_asked(model: Detector) -> None:
    for text in ("", " ; , ", "...", "?"):
        with pytest.raises(EmptyPrompt):
            model.detect(IMAGE, text)
    with pytest.raises(TooLarge):
        model.detect(IMAGE, "dog cat " * 200)


def test_other_models_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tiny.rt_detr(tmp_path / "other")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ModelBroken, match="no Grounding DINO"):
        tiny.detector(other, "grounding_dino")
