"""Which models are offered for download, and what is said about them."""

from typing import Any

import pytest

from maskwright_client import offers
from maskwright_protocol.errors import LicenceNeeded, ModelMissing, NeedsPackage, UnknownWord
from maskwright_protocol.messages import ModelInfo, Report


def model(name: str, roles: str = "segmenter", **fields: Any) -> ModelInfo:
    usual = {"commercial": "yes", "installed": False, "downloadable": True, "size": 5_000_000, "licence": "MIT"}
    values = {**usual, **fields}
    return ModelInfo(id=name, family="f", roles=[roles], title=name.title(), summary="", **values)


HAND = model("hand", downloadable=False)
THERE = model("there", installed=True)
BUILT_IN = model("built", installed=True, embedded=True, downloadable=False)
GOOD = model("good", recommended=True, size=2_500_000_000)
SMALL = model("small", commercial="ask", gated=True)
FINDER = model("finder", "detector", commercial="no", size=0)
ALL = [HAND, THERE, BUILT_IN, GOOD, SMALL, FINDER]


def test_the_list_begins_with_what_is_recommended() -> None:
    assert [(row.heading, row.model.id) for row in offers.rows(ALL)] == [
        (offers.RECOMMENDED, "good"),
        (offers.INSTALLED, "built"),
        (offers.INSTALLED, "there"),
        (offers.MORE, "finder"),
        (offers.MORE, "hand"),
        (offers.MORE, "small"),
    ]
    about = {row.model.id: row.about for row in offers.rows(ALL)}
    assert about["good"] == "outlines · 2.5 GB · MIT"
    assert about["finder"] == "finds by name · unknown size · MIT, not for commercial use"
    timed = model("slow", seconds=9.4, measured_on="one core of a processor")
    assert offers.rows([timed])[0].about == "outlines · 5 MB · MIT · about 9 s a picture on one core of a processor"
    assert about["small"] == "outlines · 5 MB · MIT, commercial use: see the licence · needs an account"
    assert about["hand"] == "outlines · to be placed by hand · MIT"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModelMissing("", model="small"), "small"),
        (ModelMissing("", role="segmenter"), "good"),
        (ModelMissing("", role="detector"), "finder"),
        (ModelMissing("", role="parser"), None),
        (ModelMissing("", model="hand"), None),
        (ModelMissing("", model="there", role="segmenter"), None),
        (ModelMissing("", model="nowhere"), None),
        (ModelMissing(""), None),
        (LicenceNeeded("", model="small"), "small"),
        (UnknownWord("", word="zebra", models=["finder", "there"]), "finder"),
        (UnknownWord("", word="zebra", models=[]), None),
        (NeedsPackage("", package="torch", model="good"), None),
        (ValueError("model"), None),
    ],
    ids=repr,
)
def test_a_failure_offers_the_model_that_it_names_or_the_best_for_its_role(
    error: Exception, expected: str | None
) -> None:
    found = offers.offered(error, ALL)
    assert (found.id if found else None) == expected


def test_for_a_role_the_recommended_comes_before_the_small() -> None:
    models = [
        model("matting", "matting", size=1),
        model("tiny", "detector", size=10),
        model("gated", "detector", size=5, gated=True),
        model("good", "detector", size=100, recommended=True),
    ]
    for count, expected in ((4, "good"), (3, "tiny")):
        found = offers.offered(ModelMissing("", role="detector"), models[:count])
        assert found is not None
        assert found.id == expected


def test_an_answer_suggests_a_model_that_is_not_there_yet() -> None:
    def report(offer: str) -> Report:
        return Report("auto", [], "cpu", offer=offer)

    assert offers.suggested(report("good"), ALL) is GOOD
    assert [offers.suggested(report(name), ALL) for name in ("", "there", "built", "hand", "nowhere")] == [None] * 5
    assert offers.suggested(None, ALL) is None
    assert offers.understands(GOOD) == "Good understands all of it (2.5 GB, MIT)."


def test_what_is_told_before_a_download() -> None:
    assert offers.facts(FINDER) == "unknown size, MIT"
    for seconds, expected in ((0.0, ""), (0.25, "about 0.2 s"), (2.94, "about 2.9 s"), (29.9, "about 30 s")):
        told = offers.time(model("a", seconds=seconds, measured_on="a card"))
        assert told == (f"{expected} a picture on a card" if expected else "")
    assert offers.facts(model("a", seconds=3.2, measured_on="x")) == "5 MB, MIT, about 3 s a picture on x"


def test_the_first_set_is_for_those_who_have_none_of_it() -> None:
    models = [
        model("embedded", recommended=True, embedded=True, installed=True),
        model("a", recommended=True),
        model("b", recommended=True, downloadable=False),
        model("c", installed=True),
    ]
    assert [found.id for found in offers.first_set(models)] == ["a"]
    assert offers.first_set([*models, model("d", recommended=True, installed=True)]) == []
    assert offers.first_set([]) == []


def test_only_installed_models_play_a_role() -> None:
    models = [model("a", "matting", installed=True), model("b", "matting"), model("c", installed=True)]
    assert [found.id for found in offers.playing(models, "matting")] == ["a"]


def test_sizes_of_one_and_of_several() -> None:
    counts = (0, 400, 35_858_002, 2_400_000_000)
    sizes = [offers.size(model("a", size=count)) for count in counts]
    assert sizes == ["unknown size", "1 MB", "36 MB", "2.4 GB"]
    assert offers.size(SMALL, model("b", size=7_000_000)) == "12 MB"
    assert offers.size(SMALL, FINDER) == "more than 5 MB"


def test_only_what_is_free_for_all_needs_no_yes() -> None:
    assert [offers.needs_a_yes(one) for one in (GOOD, SMALL, FINDER)] == [False, True, True]
    assert offers.needs_a_yes(GOOD, SMALL)
    assert "any purpose" in offers.terms(GOOD)
    assert "Not for commercial" in offers.terms(FINDER)
    assert "unclear" in offers.terms(SMALL)
    assert "account" in offers.terms(SMALL)


def test_what_is_said() -> None:
    assert offers.only_built_in([BUILT_IN, GOOD])
    assert not offers.only_built_in(ALL)
    assert offers.sentence(ModelMissing("No.", "By hand.")) == "No. By hand."
    assert offers.sentence(ValueError("odd")) == "odd"
