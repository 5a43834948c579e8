"""Which models are offered for download, and what is said about them."""

from typing import Any

from maskwright_gimp import offers
from maskwright_protocol.errors import ModelMissing, NeedsPackage, UnknownWord
from maskwright_protocol.messages import ModelInfo


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
    assert about["small"] == "outlines · 5 MB · MIT, commercial use: see the licence · needs an account"
    assert about["hand"] == "outlines · to be placed by hand · MIT"


def test_a_failure_offers_the_model_that_it_names_or_the_best_for_its_role() -> None:
    def offered(error: Exception) -> Any:
        return offers.offered(error, ALL)

    assert offered(ModelMissing("", model="small")) is SMALL
    assert offered(ModelMissing("", role="segmenter")) is GOOD
    assert offered(ModelMissing("", model="hand")) is None
    assert offered(ModelMissing("", model="there", role="segmenter")) is None
    assert offered(UnknownWord("", models=["finder"])) is FINDER
    assert offered(NeedsPackage("", package="torch", model="good")) is None
    assert offers.sentence(ModelMissing("No.", "By hand."), GOOD).endswith("or run 'maskwright models pull good'.")
    assert offers.sentence(ModelMissing("No.", "By hand.")) == "No. By hand."


def test_only_what_is_free_for_all_needs_no_yes() -> None:
    assert [offers.needs_a_yes(one) for one in (GOOD, SMALL, FINDER)] == [False, True, True]
    assert offers.only_built_in([BUILT_IN, GOOD])
    assert not offers.only_built_in(ALL)
