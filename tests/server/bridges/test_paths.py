"""Which files assistants may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskwright.bridges.paths import Folders, of_roots, write_new
from maskwright_protocol.errors import BadInput


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """``photos/a.png`` that may be used, and around it what may not."""
    for name in ("photos/a.png", "photos/deep/b.png", "photos/.hidden/c.png", "photos/.d.png", "secret.png",
                 "photos-too/e.png"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"pixels")
    (tmp_path / "photos" / "out").symlink_to(tmp_path)
    (tmp_path / "photos" / "link.png").symlink_to(tmp_path / "secret.png")
    return tmp_path


@pytest.mark.parametrize("text", ["a.png", "deep/b.png", "./a.png", "deep/../a.png", " a.png ", "HOME/photos/a.png"])
def test_what_may_be_used(home: Path, text: str) -> None:
    found = Folders([home / "photos"]).picture(text.replace("HOME", str(home)))
    assert found.name in ("a.png", "b.png")


@pytest.mark.parametrize(
    "text",
    ["", "  ", "\0", "a\0.png", "../secret.png", "HOME/secret.png", "HOME/photos-too/e.png", "out/secret.png",
     "link.png", ".hidden/c.png", ".d.png", "deep/../../secret.png", "/etc/passwd", "/", ".", "absent.png", "deep",
     "~root/.profile"],
)  # fmt: skip
def test_what_may_not(home: Path, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Folders([home / "photos"]).picture(text.replace("HOME", str(home)))
    assert caught.value.hint


def test_a_folder_that_is_a_link_is_the_one_it_leads_to(home: Path) -> None:
    (home / "mine").symlink_to(home / "photos")
    assert Folders([home / "mine"]).picture(str(home / "mine" / "a.png")) == home / "photos" / "a.png"


def test_outputs_lie_beside_or_within(home: Path) -> None:
    folders = Folders([home / "photos"])
    picture = folders.picture("a.png")
    assert folders.outputs("", picture) == home / "photos"
    assert folders.outputs("new/cut", picture) == home / "photos" / "new" / "cut"
    assert (home / "photos" / "new" / "cut").is_dir()
    for text in ("..", "HOME", "out/x", ".config", "a.png"):
        with pytest.raises(BadInput):
            folders.outputs(text.replace("HOME", str(home)), picture)
    assert not (home / "x").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / "a-2.png").symlink_to(tmp_path / "elsewhere")  # not even through a link that leads nowhere
    assert write_new(tmp_path, "a", b"new") == tmp_path / "a-3.png"
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()
    if os.getuid():
        tmp_path.chmod(0o500)
        with pytest.raises(BadInput):
            write_new(tmp_path, "b", b"new")
        tmp_path.chmod(0o700)


def test_roots() -> None:
    assert of_roots(["file:///a/b%20c", "https://example.org/x", "file:///"]) == [Path("/a/b c"), Path("/")]
