"""What is offered for a first installation: by memory, by the card, by what is installed."""

from __future__ import annotations

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Entry, Source
from maskwright.models.install import recommend, scan
from maskwright.models.install.recommend import RESERVE, Computer, best_set, recommended
from maskwright.models.machine import hardware, packages
from tests.server.models.entries import entry_of

GIB = 1 << 30
SOURCES = (Source(hub="a/b"),)
BUILT_IN = catalogue.built_in()


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
        model("there", 0.1, role="parser", embedded=True),
        model("cutout", 1, role="matting"),
        model("trimap", 1, role="matting", needs_trimap=True),
    )
)


@pytest.mark.parametrize(
    ("main", "card", "torch", "device", "segmenter"),
    [
        (16, 0, True, "auto", "large"),
        (7, 0, True, "auto", "large"),
        (5.5, 0, True, "auto", "small"),
        (4, 0, True, "auto", None),
        (16, 0, False, "auto", "small"),
        (16, 12, True, "auto", "huge"),
        (16, 6, True, "auto", "large"),
        (16, 12, True, "cpu", "large"),
        (16, 12, True, "directml", "large"),
    ],
)
def test_the_best_that_suits_is_offered(
    monkeypatch: pytest.MonkeyPatch, main: float, card: int, torch: bool, device: str, segmenter: str | None
) -> None:
    monkeypatch.setattr(hardware, "memory", lambda: int(main * GIB))
    monkeypatch.setattr(hardware, "torch_build", lambda: "cuda 12.8" if torch else None)
    monkeypatch.setattr(recommend, "card_memory", lambda: card * GIB)
    monkeypatch.setattr(packages, "find_spec", lambda name: object() if torch else None)
    found = recommended(KNOWN, device)
    assert [name for name in found if name in ("huge", "large", "small")] == ([segmenter] if segmenter else [])
    assert ("cutout" in found) == (main > 4)
    assert set(found) <= {"huge", "large", "small", "cutout", "trimap"}


def slow(name: str, seconds: float | None, **more) -> Entry:
    timed = {"seconds": {"cpu": seconds}} if seconds else {}
    return model(name, 1, role="detector", family="grounding_dino", prefers_gpu=True, **timed, **more)


def test_where_all_are_slow_the_quickest_that_was_measured_is_offered() -> None:
    known = Catalogue(model=(slow("a", 20), slow("b", None), slow("c", 9), slow("d", 30)))
    assert best_set(known, Computer(8 * GIB, 0)) == ["c"]
    torch = Catalogue(model=(slow("e", 20, file="a.safetensors"), slow("f", 9, file="a.safetensors")))
    assert best_set(Catalogue(model=(*known.model, *torch.model)), Computer(8 * GIB, 0)) == ["c"]
    if not packages.lacking(torch.model[0]):
        assert best_set(torch, Computer(8 * GIB, 8 * GIB)) == ["e"]
    assert best_set(Catalogue(model=(slow("b", None),)), Computer(8 * GIB, 0)) == []


def test_models_stay_loaded_together_and_run_one_at_a_time() -> None:
    """Weights add up, what is for running does not."""
    parts = [model(name, 1, role=role, parameters=100_000_000) for name, role in (("a", "segmenter"), ("b", "parser"))]
    weights = 400_000_000
    known = Catalogue(model=tuple(parts))
    assert best_set(known, Computer(GIB + weights, 0)) == ["a", "b"]
    assert best_set(known, Computer(GIB + weights - 1, 0)) == ["a"]


MACHINES = {
    "no torch, 8 GB": (Computer(4 * GIB, 0), False),
    "no torch, 16 GB": (Computer(12 * GIB, 0), False),
    "torch, 8 GB": (Computer(4 * GIB, 0), True),
    "torch, 16 GB": (Computer(12 * GIB, 0), True),
    **{f"a card of {n} GB": (Computer(12 * GIB, n * GIB - RESERVE - GIB // 2), True) for n in (4, 6, 8, 12, 24)},
    "Apple, 8 GB": (Computer(4 * GIB, 2 * GIB, "fp32", True), True),
    "Apple, 16 GB": (Computer(12 * GIB, 6 * GIB, "fp32", True), True),
    "Apple, 32 GB": (Computer(28 * GIB, 14 * GIB, "fp32", True), True),
}


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_gets_a_set_that_fits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    computer, torch = MACHINES[name]
    monkeypatch.setattr(packages, "find_spec", lambda name: object() if torch or name == "tokenizers" else None)
    ids = best_set(BUILT_IN, computer)
    chosen = [BUILT_IN.get(one) for one in ids]
    assert computer.holds(chosen)
    assert all(one.commercial == "yes" and not one.gated and not one.embedded and one.sources for one in chosen)
    readers = [one for one in chosen if one.facts.reads_any_words]
    assert len(readers) == 1, ids
    assert computer.on_card(readers[0]) or "cpu" in readers[0].seconds
    roles = [role for one in chosen for role in one.roles]
    assert roles.count("parser") == 1
    assert "yolox-s" in ids
    assert ("segmenter" in roles) == torch  # MobileSAM is built in
    assert ("matting" in roles) == (name != "no torch, 8 GB")
    if not torch:
        assert all(one.runtime == "onnx" for one in chosen)
    assert recommend.reader(BUILT_IN).facts.reads_any_words


def test_larger_cards_get_better_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: object())
    small, large = (set(best_set(BUILT_IN, MACHINES[f"a card of {n} GB"][0])) for n in (4, 8))
    assert {"sam2.1-small", "birefnet-lite", "florence-2-base-ft"} <= small
    assert {"sam2.1-large", "birefnet", "grounding-dino-tiny"} <= large


def test_one_model_is_named_for_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "memory", lambda: 16 * GIB)
    monkeypatch.setattr(recommend, "card_memory", lambda: 0)
    monkeypatch.setattr(packages, "find_spec", lambda name: object() if name == "tokenizers" else None)
    assert recommend.reader(BUILT_IN).id == "owlv2-base"
    assert recommend.for_role(BUILT_IN, "parser").id == "deeplab-human"
    text = recommend.advice(recommend.reader(BUILT_IN))
    assert text.startswith("OWLv2 base (148 MiB) finds whatever you describe in words. ")
    assert text.endswith("Run: maskwright models pull owlv2-base.")
    monkeypatch.setattr(hardware, "memory", lambda: 2 * GIB)  # too little for any, and yet one is named
    assert recommend.reader(BUILT_IN).id == "owlv2-base"
    assert recommend.for_role(BUILT_IN, "matting", True).sources


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
    offered = recommended(BUILT_IN)
    infos = {info.id: info for info in scan.model_infos(scan.scan([]))}
    assert {name for name, info in infos.items() if info.recommended} == set(offered)
    assert all(infos[name].downloadable and infos[name].commercial == "yes" for name in offered)
    roles = [tuple(infos[name].roles) for name in offered]
    assert ("detector",) in roles
    assert len(offered) <= 6
    timed = infos["owlv2-base"]
    assert (timed.seconds, timed.measured_on) == (9.4, "one core of a server's processor")
    assert (infos["yolox-m"].seconds, infos["yolox-m"].measured_on) == (0.0, "")
