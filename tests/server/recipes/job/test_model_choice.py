"""Which models a prompt is given to; the table of recipes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue import abilities
from maskwright.models.install import recommend
from maskwright.models.install.scan import Installed
from maskwright.models.machine import hardware, packages
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import model_choice, presets
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.prompt_language import parse_query
from maskwright_protocol.errors import UnknownWord
from maskwright_protocol.messages import Select


class Shelf(ModelPool):
    """A pool in which these models count as installed; none is loaded here."""

    def __init__(self, *ids: str, device: str = "cpu") -> None:
        super().__init__([], "cpu", 1)
        entries = [self.known.get(i) for i in (*ids, "grabcut", "u2netp")]
        self._there = {entry.id: Installed(entry, Path()) for entry in entries}
        self._fast = device != "cpu"

    @property
    def installed(self) -> dict[str, Installed]:
        return self._there

    def slow(self, model_id: str) -> bool:
        return not self._fast and self.known.get(model_id).prefers_gpu


def cast(pool: ModelPool, **fields) -> ModelChoice:
    context = JobContext(pool, EmbeddingCache(1000), lambda *_: None, lambda: False)
    return ModelChoice(Select("1", **fields), "select", context)


def route(pool: ModelPool, *phrases: str, masks: bool = True, **fields) -> tuple[str, str]:
    found = cast(pool, **fields).route(phrases, masks)
    return found.kind, found.model_id


def test_closed_vocabularies_are_taken_only_for_words_they_know():
    pool = Shelf("yolox-nano", "grounding-dino-tiny", "mobile-sam")
    assert route(pool, "dog") == ("boxes", "yolox-nano")
    assert route(pool, "dog", "lamp") == ("boxes", "grounding-dino-tiny")
    assert route(pool, "red car") == ("boxes", "grounding-dino-tiny")
    assert not cast(Shelf("yolox-nano")).route(["lamp"]).knows


def test_options_are_given_to_a_model_that_takes_them():
    pool = Shelf("yolox-nano", "rf-detr-nano", "grounding-dino-tiny", "florence-2-base", "sam3", device="cuda:0")
    assert route(pool, detector_options={"task": "ocr"}) == ("boxes", "florence-2-base")
    assert route(pool, "dog", detector_options={"text_threshold": 0.2}) == ("boxes", "grounding-dino-tiny")
    assert route(pool, detector_options={"classes": "0"}, masks=False)[1] in ("yolox-nano", "rf-detr-nano")
    assert route(pool, "dog", detector_options={"poetry": 1})[0] in ("boxes", "concepts")


def test_a_model_that_reads_is_taken_where_it_is_quick():
    ids = ("sam3", "yolox-nano", "mobile-sam")
    assert route(Shelf(*ids), "dog") == ("boxes", "yolox-nano")
    assert route(Shelf(*ids), "lamp") == ("concepts", "sam3")
    assert route(Shelf(*ids, device="cuda:0"), "dog") == ("concepts", "sam3")
    assert route(Shelf(*ids, device="cuda:0"), "dog", masks=False) == ("boxes", "sam3")
    assert route(Shelf(*ids), "dog", recipe="sam3") == ("concepts", "sam3")
    assert route(Shelf(*ids), "dog", models={"detector": "yolox-nano"}) == ("boxes", "yolox-nano")


def test_parts_go_to_a_parser_when_nothing_else_knows_them():
    parser = ("skin-clothes-hair", "yolox-nano")
    assert route(Shelf(*parser), "hair") == ("parts", "skin-clothes-hair")
    assert route(Shelf(*parser), "hair of person 2") == ("parts", "skin-clothes-hair")
    assert route(Shelf(*parser), "person") == ("boxes", "yolox-nano")
    assert route(Shelf(*parser, "grounding-dino-tiny"), "hair") == ("boxes", "grounding-dino-tiny")
    assert route(Shelf(*parser), "hair", masks=False) == ("boxes", "yolox-nano")
    assert route(Shelf(*parser, "grounding-dino-tiny"), "hair", recipe="parts") == ("parts", "skin-clothes-hair")


@pytest.mark.parametrize(
    ("model", "word", "known"),
    [
        ("yolo11n", "dogs", True),
        ("face-yolov8n", "face", True),
        ("face-yolov8n", "person", False),
        ("person-yolov8m-seg", "people", True),
        ("clothes-yolov8s-seg", "skirt", True),
        ("rt-detr-r50", "dog", True),
        ("yunet", "faces", True),
        ("florence-2-base", "anything at all", True),
    ],
)
def test_what_published_checkpoints_know(model, word, known):
    assert abilities.knows(catalogue.built_in().get(model), word) is known


def test_own_models_names_are_told_by_their_files():
    entry = catalogue.built_in().get("yolo11n").model_copy(update={"own": True, "options": {}})
    assert abilities.knows(entry, "dog") is None
    listed = entry.model_copy(update={"names": ("dragon",)})
    assert abilities.knows(listed, "dragons") is True


def test_what_is_installed_or_added_is_asked_before_what_is_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert route(Shelf("rt-detr-r18", "yolox-nano"), "dog") == ("boxes", "rt-detr-r18")
    own = catalogue.built_in().get("yolo11n").model_copy(update={"own": True, "options": {}})
    pool = Shelf(own.id, "yolox-nano")
    pool.known = pool.known.model_copy(update={"model": (own, pool.known.get("yolox-nano"))})
    monkeypatch.setattr(model_choice, "lacking", lambda entry: None)
    monkeypatch.setattr(pool, "detector", lambda model_id: SimpleNamespace(labels=("dog", "dragon")))
    assert route(pool, "dog") == ("boxes", own.id)
    assert route(pool, "dragon") == ("boxes", own.id)
    assert route(pool, "cat") == ("boxes", "yolox-nano")


def test_the_table_has_each_detector_with_each_segmenter():
    names = {preset.name for preset in presets.PRESETS if preset.verb == "select"}
    wanted = {"auto", "yolo+sam", "grounding-dino+sam-hq", "florence2+sam2", "sam3", "yolox+mobile-sam", "parts"}
    assert wanted <= names
    assert len(names) == len([preset for preset in presets.PRESETS if preset.verb == "select"])
    preset = presets.find("select", "grounding-dino+sam-hq")
    assert "grounding-dino-base" in preset.models("detector")
    assert "mm-grounding-dino-tiny" in preset.models("detector")
    assert all(catalogue.built_in().get(i).family == "sam_hq" for i in preset.models("segmenter"))
    entries = [catalogue.built_in().get(i) for i in ("yolox-s", "mobile-sam")]
    assert presets.named("select", entries) == "yolox+mobile-sam"
    known = {info.name: info for info in presets.available(Shelf("yolox-m", "mobile-sam").installed)}
    assert known["yolox+mobile-sam"].available
    assert known["florence2+sam2"].missing.count(",") == 1


def test_any_size_of_a_family_serves():
    pool = Shelf("yolox-m", "mobile-sam")
    assert cast(pool, recipe="yolox+mobile-sam").model_id("detector") == "yolox-m"


def test_a_named_recipe_takes_the_detector_that_knows_the_word():
    pool = Shelf("yolo11n", "face-yolov8n", "yolox-nano", "sam2.1-tiny")
    for word, model in (
        ("face", "face-yolov8n"),
        ("faces", "face-yolov8n"),
        ("dog", "yolo11n"),
        ("red car", "yolo11n"),
    ):
        assert route(pool, word, recipe="yolo+sam2") == ("boxes", model)
        assert route(pool, word, recipe="yolo+sam2", masks=False) == ("boxes", model)
    assert route(pool, "dog", recipe="yolox+sam2") == ("boxes", "yolox-nano")
    assert cast(pool, recipe="yolo+sam2").route(["face"]).knows
    assert not cast(pool, recipe="yolo+sam2").route(["scarf"]).knows
    assert route(pool, "face", models={"detector": "yolo11n"}) == ("boxes", "yolo11n")


def test_what_knows_all_of_the_words_comes_before_what_knows_a_part():
    pool = Shelf("yolox-nano", "grounding-dino-tiny")
    for word, model in (
        ("person", "yolox-nano"),
        ("bikes", "yolox-nano"),
        ("woman", "grounding-dino-tiny"),
        ("red car", "grounding-dino-tiny"),
        ("the left dog", "grounding-dino-tiny"),
    ):
        assert route(pool, word) == ("boxes", model)
    for word in ("woman", "red car", "the left dog"):
        found = cast(Shelf("yolox-nano", "face-yolov8n")).route([word])
        assert (found.model_id, found.knows) == ("yolox-nano", False)
    assert route(Shelf("skin-clothes-hair", "yolox-nano"), "hair") == ("parts", "skin-clothes-hair")


def without_torch(monkeypatch):
    monkeypatch.setattr(hardware, "memory", lambda: 16 << 30)
    monkeypatch.setattr(recommend, "card_memory", lambda: 0)
    monkeypatch.setattr(packages, "find_spec", lambda name: object() if name == "tokenizers" else None)


@pytest.mark.parametrize("word", ["scarf", "zebra crossing", "Eiffel tower", "qwx", "the man's hat"])
def test_one_model_is_offered_for_a_word_that_none_knows(word, monkeypatch):
    without_torch(monkeypatch)
    choice = cast(Shelf("yolox-nano"))
    error = choice.explained(UnknownWord(f"The detector does not know {word!r}.", "", word=word, near=[]), "yolox-nano")
    assert error.message == f"YOLOX-Nano does not know {word!r}."
    assert error.details["models"] == ["owlv2-base"]
    assert error.hint.count("maskwright models pull") == 1
    assert "148 MiB" in error.hint


def test_what_is_installed_is_named_before_what_is_not():
    choice = cast(Shelf("yolox-nano", "grounding-dino-tiny", "mobile-sam"), recipe="yolox+mobile-sam")
    error = choice.explained(UnknownWord("The detector does not know 'hat'.", "", word="hat"), "yolox-nano")
    assert error.hint == "Grounding DINO tiny, which is installed, knows it: leave the choice to Maskwright."
    assert error.details["models"] == []


def test_part_of_the_words_is_told_with_what_knows_the_rest(monkeypatch):
    without_torch(monkeypatch)
    for text, phrases, offer in (
        ("woman; dog", ("person", "dog"), "owlv2-base"),
        ("red car", ("car",), "owlv2-base"),
        ("the left dog", ("dog",), ""),
    ):
        choice = cast(Shelf("yolox-nano"))
        assert choice.understood(parse_query(text), "yolox-nano").phrases == phrases
        report = choice._context.report("auto")
        assert report.offer == offer
        assert len(report.notes) == 1
    choice = cast(Shelf("yolox-nano", "owlv2-base"), models={"detector": "yolox-nano"})
    choice.understood(parse_query("red car"), "yolox-nano")
    assert not choice._context.offer
    assert choice._context.notes[1].startswith("OWLv2 base, which is installed, knows it")
