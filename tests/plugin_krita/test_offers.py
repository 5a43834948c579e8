"""Which models are offered for download, and what is said of them."""

from typing import Any

from maskwright_krita.offers import first_set, needs_a_yes, offered, size, terms
from maskwright_protocol.messages import ModelInfo


def model(name: str, **values: Any) -> ModelInfo:
    given: dict[str, Any] = {"roles": ["detector"], "commercial": "yes", "installed": False, "downloadable": True}
    given.update(values)
    return ModelInfo(name, "family", title=name, summary="", licence="MIT", **given)


def test_the_named_model_is_offered_and_no_other() -> None:
    models = [model("a", recommended=True), model("b"), model("c", downloadable=False), model("d", installed=True)]
    found = offered({"model": "b"}, models)
    assert found is not None
    assert found.id == "b"
    for name in ("c", "d", "e"):
        assert offered({"model": name, "role": "detector"}, models) is None
    assert offered({}, models) is None


def test_for_a_role_the_recommended_comes_before_the_small() -> None:
    models = [
        model("matting", roles=["matting"], size=1),
        model("tiny", size=10),
        model("gated", size=5, gated=True),
        model("good", size=100, recommended=True),
    ]
    found = offered({"role": "detector"}, models)
    assert found is not None
    assert found.id == "good"
    found = offered({"role": "detector"}, models[:3])
    assert found is not None
    assert found.id == "tiny"
    assert offered({"role": "parser"}, models) is None


def test_the_first_set_is_for_those_who_have_none_of_it() -> None:
    models = [
        model("embedded", recommended=True, embedded=True, installed=True),
        model("a", recommended=True),
        model("b", recommended=True, downloadable=False),
        model("c", installed=True),
    ]
    assert [found.id for found in first_set(models)] == ["a"]
    assert first_set([*models, model("d", recommended=True, installed=True)]) == []
    assert first_set([]) == []


def test_sizes_and_terms() -> None:
    assert [size(count) for count in (0, 400, 35_858_002, 2_400_000_000)] == ["unknown size", "1 MB", "36 MB", "2.4 GB"]
    assert "any purpose" in terms(model("a"))
    assert "Not for commercial" in terms(model("a", commercial="no"))
    assert "unclear" in terms(model("a", commercial="ask"))
    assert "account" in terms(model("a", gated=True))
    assert not needs_a_yes([model("a")])
    assert needs_a_yes([model("a"), model("b", commercial="ask")])
