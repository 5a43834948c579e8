"""Folders of models that are links: what they lead to is the user's."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from maskwright.config import default_model_folder
from maskwright.models import catalogue
from maskwright.models.install import download, remove, scan, user_models
from maskwright_protocol.errors import ModelMissing
from tests.server.models.entries import entry_of, there
from tests.server.models.onnx_files import answering

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there that users seldom have")


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_removing_a_linked_model_removes_the_link_only(home: Path) -> None:
    entry, mine, models = entry_of("mine", "mine.onnx"), home / "elsewhere", default_model_folder()
    there(mine, entry)
    models.mkdir(parents=True)
    (models / "mine").symlink_to(mine / "mine")
    assert remove.remove(entry, models) == 0
    assert not (models / "mine").is_symlink()
    assert contents(mine / "mine") == {"mine.onnx": b"some bytes"}
    assert {p.name for p in (models / download.STAGING).iterdir()} <= {"mine.lock"}
    with pytest.raises(ModelMissing):
        remove.remove(entry, models)


@pytest.mark.parametrize("target", ["folder", "nothing"])
def test_pulling_over_a_linked_model_leaves_what_it_leads_to(home: Path, target: str) -> None:
    source, right = home / "mine.onnx", answering({"images": 4}, ["output0"], (1, 6, 4))
    source.write_bytes(right)
    folder = user_models.add([source], "mine", "yolo", {"names": ["cat", "dog"], "input_size": 64}).folder
    entry = catalogue.load().get("mine")
    elsewhere = home / "elsewhere"
    os.rename(folder, elsewhere)
    (elsewhere / "mine.onnx").write_bytes(b"the wrong bytes")
    (folder).symlink_to(elsewhere if target == "folder" else home / "nothing")
    assert download.pull(entry, [], default_model_folder(), origin=home) == folder
    assert not folder.is_symlink()
    assert contents(folder) == {"mine.onnx": right}
    assert contents(elsewhere) == {"mine.onnx": b"the wrong bytes"}
    assert not (default_model_folder() / download.STAGING / "mine.old").is_symlink()


def test_links_in_circles_do_not_hold_up_a_scan(tmp_path: Path) -> None:
    entry = entry_of("mine", "mine.onnx")
    known = there(tmp_path / "models", entry)
    for number in range(200):
        (tmp_path / "models" / f"round{number}").symlink_to("." if number % 2 else "..", target_is_directory=True)
    (tmp_path / "models" / "self").symlink_to("self")
    (tmp_path / "models" / "mine" / "up").symlink_to("..", target_is_directory=True)
    start = time.process_time()
    found = scan.scan([tmp_path / "models"], known)
    assert time.process_time() - start < 2
    assert found["mine"].folder.name == "mine"


def test_a_linked_folder_counts_by_its_own_name_too(tmp_path: Path) -> None:
    """The name tells which model it is, also where the folder itself is found first, under another name."""
    entry = entry_of("mine", "model.safetensors")
    known = there(tmp_path, entry)
    os.rename(tmp_path / "mine", tmp_path / "a")
    assert "mine" not in scan.scan([tmp_path], known)
    (tmp_path / "mine").symlink_to("a", target_is_directory=True)
    assert scan.scan([tmp_path], known)["mine"].folder == tmp_path / "mine"


def test_a_folder_in_a_folder_is_looked_into_as_deep_as_any(tmp_path: Path) -> None:
    entry = entry_of("mine", "mine.onnx")
    known = there(tmp_path / "all" / "some" / "kind", entry)
    assert "mine" not in scan.scan([tmp_path / "all"], known)
    assert "mine" in scan.scan([tmp_path / "all", tmp_path / "all" / "some"], known)
