"""What is offered for a first installation: by memory, by the card, by what is installed."""

from __future__ import annotations

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Entry, Source
from maskwright.models.install import recommend, scan
from maskwright.models.install.recommend import recommended
from maskwright.models.machine import hardware, packages
from tests.server.models.entries import entry_of

GIB = 1 << 30
SOURCES = (Source(hub="a/b"),)


def model(name: str, gib: float, file: str = "a.onnx", role: str = "segmenter", **more) -> Entry:
    fields = {"recommended": True, "sources": SOURCES, **more}
    return entry_of(name, file, roles=(role,), memory=int(gib * GIB), **fields)


KNOWN = Catalogue(
    model=(
        model("huge", 12, "a.safetensors", prefers_gpu=True, memory_in={"fp16": 6 * GIB}),
        model("large", 2, "a.safetensors"),
        model("small", 1),
        model("unmarked", 0.1, role="parser", recommended=False),
        model("unclear", 0.1, role="parser", commercial="ask"),
        model("gated", 0.1, role="parser", gated=True),
        model("nowhere", 0.1, role="parser", sources=()),
        model("cutout", 1, role="matting"),
        model("trimap", 1, role="matting", needs_trimap=True),
    )
)


@pytest.mark.parametrize(
    ("main", "card", "torch", "device", "segmenter"),
    [
        (16, 0, True, "auto", "large"),
        (7, 0, True, "auto", "small"),
        (3, 0, True, "auto", None),
        (16, 0, False, "auto", "small"),
        (16, 12, True, "auto", "huge"),
        (16, 6, True, "auto", "large"),
        (16, 12, True, "cpu", "large"),
    ],
)
def test_the_best_that_suits_is_offered(
    monkeypatch: pytest.MonkeyPatch, main: int, card: int, torch: bool, device: str, segmenter: str | None
) -> None:
    monkeypatch.setattr(hardware, "memory", lambda: main * GIB)
    monkeypatch.setattr(recommend, "card_memory", lambda: card * GIB)
    monkeypatch.setattr(packages, "find_spec", lambda name: object() if torch else None)
    matters = [] if main == 3 else ["cutout", "trimap"]
    assert recommended(KNOWN, device) == ([segmenter] if segmenter else []) + matters


def test_a_card_counts_only_with_a_pytorch_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        hardware, "cards", lambda: (hardware.Card("A", 8 * GIB, GIB, "1"), hardware.Card("B", GIB, 1, "1"))
    )
    for why, expected in (("PyTorch is not installed", 0), (None, 8 * GIB)):
        recommend.card_memory.cache_clear()
        monkeypatch.setattr(hardware, "why_not_torch_on_a_card", lambda why=why: why)
        monkeypatch.setattr(hardware, "torch_build", lambda: "cuda 12.8")
        assert recommend.card_memory() == expected
    recommend.card_memory.cache_clear()


def test_the_set_for_this_computer_is_small_known_and_told_over_the_wire() -> None:
    offered = recommended(catalogue.built_in())
    infos = {info.id: info for info in scan.model_infos(scan.scan([]))}
    assert {name for name, info in infos.items() if info.recommended} == set(offered)
    assert all(infos[name].downloadable and infos[name].commercial == "yes" for name in offered)
    roles = [tuple(infos[name].roles) for name in offered]
    assert ("detector",) in roles
    assert len(offered) <= 6
