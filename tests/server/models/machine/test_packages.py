"""What to type to get a model, or the package that it needs."""

from __future__ import annotations

import pytest

from maskwright.models import catalogue
from maskwright.models.machine import packages
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelMissing


def test_a_missing_model_says_how_to_get_it(monkeypatch) -> None:
    known = catalogue.load()
    assert packages.how_to_get(known.get("yolox-s")) == "Run: maskwright models pull yolox-s."
    gated = packages.how_to_get(known.get("sam3"))
    assert gated.startswith("Run: maskwright models pull sam3. Ask for access first")
    with pytest.raises(ModelMissing) as caught:
        ModelPool([], "cpu", 1).detector("yolox-s")
    assert caught.value.hint == packages.how_to_get(known.get("yolox-s"))
    monkeypatch.setattr(packages, "find_spec", lambda name: None)


def test_what_nobody_offers_is_put_there_by_hand() -> None:
    built_in = catalogue.load().get("mobile-sam")
    assert "install Maskwright again" in packages.how_to_get(built_in)
    by_hand = built_in.model_copy(update={"embedded": False})
    assert packages.how_to_get(by_hand).startswith("Put a folder with ")
    assert all(file.name in packages.how_to_get(by_hand) for file in by_hand.files)
