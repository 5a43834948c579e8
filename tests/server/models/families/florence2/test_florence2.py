"""Florence-2: the production path against transformers' own processor, generation and parsing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.models import families
from maskwright.models.families.florence2.inference.model import TASKS, Florence2
from maskwright.models.roles import Detector
from maskwright_protocol.errors import BadInput, EmptyPrompt, TooLarge
from tests.server.models.families import tiny_detectors as tiny

tf: Any = importlib.import_module("transformers")
torch.set_num_threads(1)
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
NAMES = {
    "grounding": "<CAPTION_TO_PHRASE_GROUNDING>",
    "referring": "<REFERRING_EXPRESSION_SEGMENTATION>",
    "open_vocabulary": "<OPEN_VOCABULARY_DETECTION>",
    "objects": "<OD>",
    "dense_captions": "<DENSE_REGION_CAPTION>",
    "regions": "<REGION_PROPOSAL>",
    "segment_region": "<REGION_TO_SEGMENTATION>",
    "ocr": "<OCR_WITH_REGION>",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.florence2(tmp_path_factory.mktemp("florence") / "tiny-florence")


@pytest.fixture(scope="module")
def model(folder: Path) -> Florence2:
    found = tiny.detector(folder, "florence2")
    assert isinstance(found, Florence2)
    return found


@pytest.fixture(scope="module")
def processor(folder: Path) -> Any:
    return tf.Florence2Processor.from_pretrained(folder)


def say(model: Florence2, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Let the network answer that, as tokens of its own tokenizer."""
    tokens = model.tokens(answer)["input_ids"]
    monkeypatch.setattr(model.network, "generate", lambda **_: torch.tensor([[2, *tokens]]))


def test_the_option_offers_all_tasks() -> None:
    (option,) = (one for one in families.get("florence2").options if one.name == "task")
    assert option.choices == ["auto", *TASKS]


@pytest.mark.parametrize("task", NAMES)
def test_the_tokens_are_the_librarys(folder: Path, model: Florence2, processor: Any, task: str) -> None:
    """Same question, same picture, same search: the same tokens."""
    phrase = {"segment_region": "<loc_100><loc_200><loc_700><loc_900>"}.get(task, "red car")
    question = NAMES[task] + (phrase if "{}" in TASKS[task].question else "")
    inputs = processor(images=IMAGE, text=question, return_tensors="pt")
    network = tf.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    theirs = network.generate(**inputs, num_beams=3, do_sample=False, max_new_tokens=30)[0].tolist()
    assert len(set(theirs)) > 3
    seen: list[list[int]] = []
    inner = model.pieces
    model.pieces = lambda tokens: (seen.append(tokens), inner(tokens))[1]  # type: ignore[method-assign]
    try:
        options = {"task": task, "max_tokens": 30, "region": "0.1001,0.2001,0.7001,0.9001"}
        model.detect(IMAGE, "Red  CAR" if "{}" in TASKS[task].question else "", options=options)
    finally:
        model.pieces = inner  # type: ignore[method-assign]
    assert seen == [theirs]


ANSWERS = {
    "grounding": "a red car<loc_10><loc_20><loc_500><loc_600><loc_1><loc_2><loc_30><loc_40>",
    "objects": "car<loc_52><loc_334><loc_932><loc_774>"
    "wheel<loc_0><loc_0><loc_999><loc_999><loc_5><loc_6><loc_7><loc_8>",
    "dense_captions": "a turquoise car, parked<loc_52><loc_334><loc_932><loc_774>",
    "regions": "<loc_52><loc_334><loc_932><loc_774><loc_1><loc_2><loc_3><loc_4>",
    "open_vocabulary": "cat<loc_52><loc_334><loc_932><loc_774>",
    "ocr": "HELLO<loc_10><loc_10><loc_200><loc_12><loc_198><loc_60><loc_9><loc_58>"
    "World 2<loc_300><loc_310><loc_400><loc_310><loc_400><loc_360><loc_300><loc_360>",
    "referring": "<loc_10><loc_10><loc_500><loc_20><loc_480><loc_700><loc_15><loc_680>"
    "<sep><loc_800><loc_800><loc_900><loc_800><loc_900><loc_950>",
    "segment_region": "<poly><loc_10><loc_10><loc_500><loc_20><loc_480><loc_700></poly>",
}


@pytest.mark.parametrize("task", ANSWERS)
def test_answers_are_read_as_the_library_reads_them(
    model: Florence2, processor: Any, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    say(model, monkeypatch, ANSWERS[task])
    asks = "{}" in TASKS[task].question and task != "segment_region"
    found = model.detect(IMAGE, "red car" if asks else "", options={"task": task, "region": "0.1,0.1,0.9,0.9"})
    (theirs,) = processor.post_process_generation(text=ANSWERS[task], task=NAMES[task], image_size=(150, 90)).values()
    if theirs.get("polygons"):
        parts = [np.reshape(polygon, (-1, 2)) for polygons in theirs["polygons"] for polygon in polygons]
        together = np.concatenate(parts)
        (one,) = found
        edges = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
        np.testing.assert_allclose(edges, [*together.min(axis=0), *together.max(axis=0)], atol=1.0)
        assert one.logits is not None
        return
    boxes = theirs.get("quad_boxes", theirs.get("bboxes"))
    assert len(found) == len(boxes) > 0
    for one, box in zip(found, boxes, strict=True):
        corners = np.reshape(box, (-1, 2))
        edges = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
        np.testing.assert_allclose(
            edges, [*corners.min(axis=0), *corners.max(axis=0)], atol=1.0
        )  # theirs: whole pixels
        if task == "ocr":
            np.testing.assert_allclose(one.quad, corners, atol=1.0)
    labels = theirs.get("labels") or theirs.get("bboxes_labels")
    if asks:
        assert {d.label for d in found} == {"red car"}
    elif task != "regions":
        assert [d.text or d.label for d in found] == labels


def test_phrases_are_asked_one_by_one_and_the_picture_seen_once(
    model: Florence2, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, asked = [], []
    look, answer = model.look, model.answer
    monkeypatch.setattr(model, "look", lambda image: (looked.append(1), look(image))[1])

    def counted(seen: Any, question: str, *more: Any) -> Any:
        asked.append(question)
        return [1, 2, 300, 400] if "dog" in question else []

    monkeypatch.setattr(model, "answer", counted)
    found = model.detect(IMAGE, "dog; unicorn")
    assert asked == ["Locate the phrases in the caption: dog", "Locate the phrases in the caption: unicorn"]
    assert len(looked) == 1
    assert [d.label for d in found] == ["dog"]
    assert model.detect(IMAGE, "unicorn") == []
    assert answer is not None


def test_other_scripts_survive(model: Florence2, monkeypatch: pytest.MonkeyPatch) -> None:
    say(model, monkeypatch, "Übergröße 你好 café<loc_10><loc_10><loc_500><loc_500>")
    (one,) = model.detect(IMAGE, "", options={"task": "objects"})
    assert one.label == "Übergröße 你好 café"
    quad = "".join(f"<loc_{i}>" for i in (10, 10, 500, 10, 500, 60, 10, 60))
    say(model, monkeypatch, f"Привет{quad}")
    (line,) = model.detect(IMAGE, "", options={"task": "ocr"})
    assert line.text == line.label == "Привет"
    assert model.detect(IMAGE, "привет", options={"task": "ocr"}) == [line]
    assert model.detect(IMAGE, "hello", options={"task": "ocr"}) == []
    say(model, monkeypatch, "")
    assert model.detect(IMAGE, "漢字; naïve", options={"task": "referring"}) == []


def test_the_same_question_has_the_same_answer(model: Detector) -> None:
    options = {"task": "grounding", "max_tokens": 40}
    first = model.detect(IMAGE, "red car", options=options)
    torch.manual_seed(99)
    assert model.detect(IMAGE, "red car", options=options) == first


def test_without_a_text_it_finds_objects(model: Florence2, monkeypatch: pytest.MonkeyPatch) -> None:
    say(model, monkeypatch, ANSWERS["objects"])
    assert [d.label for d in model.detect(IMAGE, "")] == ["car", "wheel", "wheel"]
    assert [d.label for d in model.detect(IMAGE, "Wheel", options={"task": "objects"})] == ["wheel", "wheel"]


def test_what_cannot_be_asked(model: Detector) -> None:
    for task in ("grounding", "referring", "open_vocabulary"):
        with pytest.raises(EmptyPrompt):
            model.detect(IMAGE, " ; ", options={"task": task})
    for region in ("", "1,2,3,4", "0.5,0.5,0.4,0.9", "a,b,c,d", "0,0,1", "nan,0,1,1"):
        with pytest.raises(BadInput):
            model.detect(IMAGE, "", options={"task": "segment_region", "region": region})


def test_a_text_beyond_the_networks_places_is_refused(model: Florence2) -> None:
    with pytest.raises(TooLarge):
        model.detect(IMAGE, "\u732b" * 400)


def test_it_does_no_more_than_the_library(folder: Path, model: Florence2, processor: Any) -> None:
    """The same parts of the network run as often and on tensors of the same shapes."""
    parts = ("vision_tower", "multi_modal_projector", "language_model.encoder", "language_model.decoder", "lm_head")

    def watched(network: Any, run: Callable[[], object]) -> list[tuple[str, list[tuple[int, ...]]]]:
        seen: list[tuple[str, list[tuple[int, ...]]]] = []

        def note(name: str, given: list[Any]) -> None:
            seen.append((name, sorted(tuple(one.shape) for one in given if isinstance(one, torch.Tensor))))

        hooks = [
            module.register_forward_hook(
                lambda _, args, more, __, name=name: note(name, [*args, *more.values()]), with_kwargs=True
            )
            for name, module in network.named_modules()
            if name.endswith(parts)
        ]
        run()
        for hook in hooks:
            hook.remove()
        return seen

    network = tf.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    inputs = processor(images=IMAGE, text=f"{NAMES['grounding']}red car", return_tensors="pt")
    theirs = watched(network, lambda: network.generate(**inputs, num_beams=3, do_sample=False, max_new_tokens=20))
    ours = watched(model.network, lambda: model.detect(IMAGE, "red car", options={"max_tokens": 20}))
    assert ours == theirs
    assert len(ours) > 20
