"""What counts as done: the same picture and masks with the same settings and models, and the files still there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskwright.batch import fingerprint
from maskwright.batch.companions import Companion
from maskwright.batch.cutting import CutoutTask
from maskwright.batch.journal import NAME, Journal
from maskwright.batch.selecting import SelectTask
from maskwright.batch.task import Task
from maskwright.files.writing import WriteOptions
from maskwright_client.jobs import JobOptions, Prompt
from maskwright_protocol.messages import Cutout, ModelInfo, Models, Point, RecipeInfo


def model(name: str, role: str, installed: bool = True) -> ModelInfo:
    return ModelInfo(name, "f", [role], "", "", "", "yes", installed)


MODELS = Models(
    "", [model("u2netp", "matting"), model("mobile-sam", "segmenter"), model("big", "matting", False)],
    [RecipeInfo("auto", "", "cutout", []), RecipeInfo("clicks", "", "select", [])],
)  # fmt: skip
CUT = CutoutTask(ask=Cutout("", text="dog"))


def settings(task: Task = CUT, options: WriteOptions | None = None, models: Models = MODELS, version: str = "1") -> str:
    return fingerprint.of_settings(task, options or WriteOptions(), models, version)


def test_settings_count_and_where_things_lie_does_not() -> None:
    same = settings()
    with_masks = [CutoutTask(ask=CUT.ask, mask=Companion(where)) for where in ("masks", "elsewhere/{stem}.png")]
    assert settings(with_masks[0]) == settings(with_masks[1])
    assert settings(options=WriteOptions(overwrite=True, sources=frozenset({(1, 2)}))) == same
    others = [
        settings(CutoutTask(ask=Cutout("", text="cat"))),
        settings(CutoutTask(ask=Cutout("", text="dog", hair=True))),
        settings(CutoutTask(ask=replace(CUT.ask, models={"matting": "u2netp"}))),
        settings(SelectTask(prompt=Prompt(text="dog"))),
        settings(SelectTask(prompt=Prompt(points=[Point(1, 2)]))),
        settings(SelectTask(prompt=Prompt(points=[Point(1, 2, include=False)]))),
        settings(SelectTask(prompt=Prompt(text="dog"), options=JobOptions(feather=2))),
        settings(options=WriteOptions(quality=80)),
        settings(options=WriteOptions(format="webp")),
        settings(version="2"),
        settings(models=replace(MODELS, models=[*MODELS.models[:2], model("big", "matting")])),
        settings(models=replace(MODELS, models=MODELS.models[1:])),
    ]
    assert len({same, *others}) == 1 + len(others)
    unrelated = replace(MODELS, models=[*MODELS.models, model("depth", "depth")])
    assert settings(models=unrelated) == same, "a model that cut-outs never use"


def test_content_counts_and_names_do_not(tmp_path: Path) -> None:
    for name, data in (("a", b"one"), ("b", b"one"), ("c", b"two"), ("m", b"mask"), ("n", b"another")):
        (tmp_path / name).write_bytes(data)

    def of(settings: str, name: str, *masks: str) -> str:
        return fingerprint.of_files(settings, tmp_path / name, [tmp_path / mask for mask in masks])

    assert of("s", "a") == of("s", "b")
    values = [of("s", "a"), of("t", "a"), of("s", "c"), of("s", "a", "m"), of("s", "a", "n"), of("s", "a", "m", "n")]
    assert len(set(values)) == len(values)


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder with an output that is noted as done."""
    output = tmp_path / "a-mask.png"
    output.write_bytes(b"pixels")
    Journal().add(output, "f1", [output], record("a"))
    return output


def record(name: str) -> dict[str, Any]:
    return {"image": name, "status": "done"}


def test_what_is_noted_is_found_by_whoever_comes_later(done: Path) -> None:
    assert Journal().find(done, "f1") == record("a")
    assert Journal().find(done, "f2") is None, "other settings, or another picture"
    assert Journal().find(done.with_name("b-mask.png"), "f1") is None
    done.write_bytes(b"mended by hand")
    assert Journal().find(done, "f1") == record("a"), "a hand's work is never done over"
    done.write_bytes(b"")
    assert Journal().find(done, "f1") is None, "a power cut left it empty"
    done.unlink()
    assert Journal().find(done, "f1") is None


def test_the_folder_can_be_moved(done: Path, tmp_path: Path) -> None:
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    assert Journal().find(moved / done.name, "f1") == record("a")


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_is_cut_off_costs_that_line_alone(done: Path, cut: int) -> None:
    second = done.with_name("b-mask.png")
    second.write_bytes(b"pixels")
    Journal().add(second, "f2", [second], record("b"))
    journal = done.with_name(NAME)
    journal.write_bytes(journal.read_bytes()[:-cut])
    after = Journal()
    assert after.find(done, "f1") == record("a")
    assert after.find(second, "f2") == (record("b") if cut == 1 else None)
    third = done.with_name("c-mask.png")
    third.write_bytes(b"pixels")
    after.add(third, "f3", [third], record("c"))
    for found in (after, Journal()):
        assert [found.find(one, name) for one, name in ((done, "f1"), (third, "f3"))] == [record("a"), record("c")]


@pytest.mark.parametrize(
    "line", [b"\xff\xfe", b"[]", b"null", b'{"output": 3}', b"{" * 2000, json.dumps({"output": "x"}).encode()]
)
def test_lines_of_somebody_else_are_left_alone(done: Path, line: bytes) -> None:
    with done.with_name(NAME).open("ab") as file:
        file.write(line + b"\n")
    assert Journal().find(done, "f1") == record("a")


def test_the_latest_line_counts(done: Path) -> None:
    Journal().add(done, "f2", [done], record("again"))
    assert Journal().find(done, "f1") is None
    assert Journal().find(done, "f2") == record("again")


def test_two_at_the_same_time(done: Path) -> None:
    """Each knows the file as it was when it began, and reads its own lines and the other's earlier ones."""
    one, other = Journal(), Journal()
    assert one.find(done, "f1")
    assert other.find(done, "f1")
    for number in range(20):
        path = done.with_name(f"{number}-mask.png")
        path.write_bytes(b"pixels")
        (one, other)[number % 2].add(path, f"g{number}", [path], record(str(number)))
    everything = Journal()
    for number in range(20):
        path, name = done.with_name(f"{number}-mask.png"), f"g{number}"
        assert everything.find(path, name) == record(str(number))
        assert (one, other)[number % 2].find(path, name) == record(str(number))
