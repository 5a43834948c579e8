"""Which models a prompt is given to; the table of recipes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue import abilities
from maskwright.models.install.scan import Installed
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import model_choice, presets
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
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
