"""Models on a graphics card under pressure. There is none here: the "card" is main memory under another name, moves are
recorded where PyTorch would make them, and what is tested is which model is where and what is told."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maskwright.models import families
from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.family import Family
from maskwright.models.runtime.devices import Devices
from maskwright.models.runtime.out_of_memory import with_fallback
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Placement, Setup
from maskwright_protocol.errors import ModelBroken, OutOfMemory
from tests.server.models.entries import entry_of, there

torch = pytest.importorskip("torch", reason="torch is not installed")

CARD = "cuda:0"
MIB = 1 << 20


class Layer(torch.nn.Linear):
    """Real weights that remember where they were sent."""

    def __init__(self) -> None:
        super().__init__(4, 4)
        self.moves: list[str] = []

    def to(self, device: str):  # type: ignore[override]
        if device == CARD and full[0] == "moving":
            torch.empty(1 << 55)  # PyTorch's own error
        self.moves.append(device)
        return self


@dataclass
class Toy:
    model_id: str
    device: str
    nbytes: int
    network: Layer = field(default_factory=Layer)


class Bare(Toy):
    """Holds nothing that could be moved."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments, network=None)  # type: ignore[arg-type]


full = [""]  # what fails for want of memory


def load(entry: Entry, folder: Path, setup: Setup) -> Toy:
    if setup.device == CARD and full[0] == f"loading {entry.id}":
        torch.empty(1 << 55)
    return (Bare if entry.options.get("bare") else Toy)(entry.id, setup.device, entry.memory)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(families.known(), "toy", Family(name="toy", title="Toy", roles=("segmenter",), load=load))
    from maskwright.models.runtime import device_memory, torch_runtime

    assert torch_runtime.is_memory
    monkeypatch.setattr(Devices, "place", lambda self, runtime: Placement(CARD, "fp32", "there is a card"))
    monkeypatch.setattr(Devices, "outlook", Devices.place)
    monkeypatch.setattr(device_memory, "held", lambda device: 0)  # sizes are the estimates
    full[0] = ""


def pool_of(folder: Path, *entries: Entry, card: int = 250, main: int = 1000) -> ModelPool:
    pool = ModelPool([folder], "auto", 1, budget=card * MIB, known=there(folder, *entries))
    pool.loaded.budgets["cpu"] = main * MIB
    return pool


def model(name: str, mib: int = 100, **more) -> Entry:
    return entry_of(name, f"{name}.safetensors", family="toy", memory=mib * MIB, **more)


def moves(pool: ModelPool, name: str) -> list[str]:
    return pool.loaded.model(name).network.moves  # type: ignore[attr-defined]


@pytest.mark.usefixtures("card")
def test_the_least_recent_waits_in_main_memory_and_comes_back(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, *map(model, "abc"))
    for name in "aba":
        pool.detector(name)
    assert pool.nbytes(CARD) == 200 * MIB
    waiting = pool.loaded.model("b")
    pool.detector("c")
    assert pool.resident() == ["b", "a", "c"]
    assert (pool.nbytes(CARD), pool.nbytes("cpu"), pool.nbytes()) == (200 * MIB, 100 * MIB, 300 * MIB)
    assert moves(pool, "b") == ["cpu"]
    assert pool.detector("b") is waiting, "it was loaded again"
    assert moves(pool, "b") == ["cpu", CARD]
    assert moves(pool, "a") == ["cpu"], "it was the least recent then"
    assert (pool.nbytes(CARD), pool.nbytes("cpu")) == (200 * MIB, 100 * MIB)


@pytest.mark.usefixtures("card")
def test_without_room_in_main_memory_or_nothing_to_move_it_is_dropped(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "1", *map(model, "abc"), main=50)
    for name in "abc":
        pool.detector(name)
    assert pool.resident() == ["b", "c"]
    pool = pool_of(tmp_path / "2", model("a", options={"bare": True}), model("b"), model("c"))
    for name in "abc":
        pool.detector(name)
    assert pool.resident() == ["b", "c"]
    pool = pool_of(tmp_path / "3", *map(model, "abcd"), main=150)
    for name in "abcd":
        pool.detector(name)
    assert pool.resident() == ["a", "c", "d"], "only one may wait"


@pytest.mark.usefixtures("card")
def test_a_model_that_cannot_come_back_is_loaded_anew_after_the_others_went(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, *map(model, "abc"))
    for name in "abc":
        pool.detector(name)
    waiting = pool.loaded.model("a")
    full[0] = "moving"
    told: list[list[str]] = []

    def job(notes: list[str]) -> Toy:
        told.append([*notes, *pool.resident()])
        return pool.detector("a")  # type: ignore[return-value]

    found = with_fallback(job, pool, lambda: None)
    assert found.device == CARD
    assert found is not waiting
    assert told == [["a", "b", "c"], ["Other models were unloaded because the memory was not enough."]]
    assert pool.resident() == ["a"]


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("named", [False, True])
def test_what_does_not_fit_gives_way_to_a_smaller_one_or_goes_to_the_cpu(tmp_path: Path, named: bool) -> None:
    pool = pool_of(tmp_path, model("large", 200), model("larger", 240), model("small", 50))
    full[0] = "loading large"
    told: list[list[str]] = []

    def job(notes: list[str]) -> tuple[str, str]:
        told.append(notes)
        found = pool.detector("large" if named else pool.best("detector") or "")
        return found.model_id, found.device

    answer = with_fallback(job, pool, lambda: None, frozenset({"large"}) if named else frozenset())
    assert [len(notes) for notes in told] == [0, 1, 1]
    if named:
        assert answer == ("large", "cpu")
        assert "graphics card" in told[-1][0]
        assert "ran on the CPU" in told[-1][0]
        assert pool.reason(["large"], "cpu") == "Large does not fit into the graphics card's memory"
        assert pool.setup(pool.known.get("large")).device == "cpu"
        assert pool.setup(pool.known.get("small")).device == CARD
    else:
        assert answer == ("small", CARD)
        assert told[-1] == ["Large does not fit into the memory, so a smaller model was used."]


@pytest.mark.usefixtures("card")
def test_all_that_was_tried_is_told_and_the_end_is_a_typed_error(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, model("large", 200), model("small", 50))
    told: list[list[str]] = []

    def job(notes: list[str]) -> None:
        told.append(notes)
        name = pool.best("detector") or ""
        pool.detector(name)
        raise OutOfMemory("There is not enough memory to run it.", model=name)

    with pytest.raises(OutOfMemory):
        with_fallback(job, pool, lambda: None)
    assert [len(notes) for notes in told] == [0, 1, 1, 2]
    assert "a smaller model was used" in told[-1][0]
    assert "ran on the CPU" in told[-1][1]


@pytest.mark.usefixtures("card")
def test_a_full_card_is_not_taken_for_a_broken_model(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, model("a"))
    full[0] = "loading a"
    with pytest.raises(OutOfMemory):
        pool.detector("a")
    full[0] = ""
    assert pool.detector("a").device == CARD
    broken = entry_of("b", "b.onnx", family="yolox")
    with pytest.raises(ModelBroken):
        ModelPool([tmp_path], "cpu", 1, known=there(tmp_path, broken)).detector("b")


def test_a_cpu_that_is_really_out_of_memory() -> None:
    from maskwright.models.runtime.torch_runtime import running

    with pytest.raises(OutOfMemory) as caught, running("a"):
        torch.empty(1 << 55)
    assert caught.value.details == {"model": "a"}
    with pytest.raises(ModelBroken) as broken, running("a"):
        torch.mm(torch.zeros(2, 3), torch.zeros(2, 3))
    assert "shapes" in broken.value.details["reason"]
    with pytest.raises(OutOfMemory):
        with_fallback(
            lambda notes: bytearray(1 << 62), ModelPool([], "cpu", 1, known=Catalogue(model=())), lambda: None
        )


def test_modules_are_found_wherever_a_model_keeps_them() -> None:
    from maskwright.models.runtime.torch_runtime import move

    model = types.SimpleNamespace(one=torch.nn.Linear(2, 2), more={"x": [torch.nn.Linear(2, 2)]}, words=["a"], size=3)
    assert move(model, "meta")
    assert {p.device.type for m in (model.one, model.more["x"][0]) for p in m.parameters()} == {"meta"}
    assert not move(types.SimpleNamespace(size=3), "cpu")
