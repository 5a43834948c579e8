"""Which pictures are meant by files, folders, patterns and lists."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from maskwright.batch.companions import Companion
from maskwright.batch.inputs import gather, is_several, without_outputs
from maskwright_protocol.errors import BadInput


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    names = ["a.png", "b.JPG", "notes.txt", ".hidden.png", "c d.webp", "deep/e.tif", "deep/deeper/f.png", "[1].png"]
    for name in names:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "photos"


def names(arguments: list[str], lists: list[str] | None = None, recursive: bool = False) -> list[str]:
    return [one.path.as_posix() for one in gather(arguments, lists or [], recursive)]


def test_folders_patterns_and_what_is_named(tree: Path) -> None:
    top = ["photos/[1].png", "photos/a.png", "photos/b.JPG", "photos/c d.webp"]
    assert names(["photos"]) == top
    below = ["photos/deep/deeper/f.png", "photos/deep/e.tif"]
    assert sorted(names(["photos"], recursive=True)) == sorted([*top, *below])
    assert names(["photos/*.png"]) == ["photos/[1].png", "photos/a.png"]
    assert sorted(names(["photos/**/*.[pt][ni]*"])) == sorted(["photos/[1].png", "photos/a.png", *below])
    assert names(["photos/[1].png"]) == ["photos/[1].png"], "a name with brackets that is there is no pattern"
    assert names(["photos/notes.txt", "gone.png", "no-*.png"]) == ["photos/notes.txt", "gone.png", "no-*.png"]
    assert names(["photos/a.png", "photos", "./photos/a.png"]) == [
        "photos/a.png",
        *[n for n in top if "a.png" not in n],
    ]


def test_outputs_keep_their_place_below_what_was_asked_for(tree: Path) -> None:
    roots = {one.path.name: one.root for one in gather(["photos", "photos/deep/*.tif"], recursive=True)}
    assert roots["f.png"] == Path("photos")
    assert gather(["photos/deep/*.tif"])[0].root == Path("photos/deep")
    assert gather(["photos/a.png"])[0].root is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_lists(tree: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"photos/a.png{end}photos/c d.webp{end}{end}# no comment.png{end}"
    Path("list.txt").write_bytes(b"\xef\xbb\xbf" + text.encode() if end != "\0" else text.encode())
    assert names([], ["list.txt"]) == ["photos/a.png", "photos/c d.webp", "# no comment.png"]
    with Path("list.txt").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert names(["photos/b.JPG"], ["-"])[:2] == ["photos/b.JPG", "photos/a.png"]
    with pytest.raises(BadInput, match=r"gone\.txt"):
        gather([], ["gone.txt"])


def test_a_folder_called_like_a_picture_is_told_and_what_never_ends_is_left_alone(tree: Path) -> None:
    (tree / "x.png").mkdir()
    (tree / "lost.png").symlink_to("nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tree / "pipe.png")
    found = names(["photos"])
    assert {"photos/x.png", "photos/lost.png"} <= set(found)
    assert "photos/pipe.png" not in found
    (tree / "deep" / "ring").symlink_to(tree)
    assert len(names(["photos"], recursive=True)) == 7, "no ring of links is followed"


def test_a_second_run_does_not_take_the_first_one_s_outputs(tree: Path) -> None:
    made = ["a-mask.png", "a-cutout.webp", "a-mask-01-guess-2.png", "a-mask-07.png", "deep/e-parts.png"]
    kept = ["my-mask.png", "a-maskerade.png", "masked-a.png"]
    for name in [*made, *kept, "out/a-mask.png", "out/other.png"]:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(b"")
    found = gather(["photos"], recursive=True)
    left = {one.path.relative_to("photos").as_posix() for one in without_outputs(found, [Path("photos/out")])}
    assert left == {"a.png", "b.JPG", "c d.webp", "deep/e.tif", "deep/deeper/f.png", "[1].png", *kept}
    named = without_outputs(gather(["photos/a.png", "photos/a-mask.png"]), [])
    assert len(named) == 2, "what is named is meant"
    assert len(without_outputs(gather(["photos/out"]), [Path("photos/out")])) == 2, "a folder may be worked on in place"


def test_what_counts_as_many(tree: Path) -> None:
    assert not is_several(["photos/a.png"])
    assert not is_several(["photos/[1].png"])
    assert not is_several(["-"])
    for many in (["photos"], ["photos/*.png"], ["a", "b"], []):
        assert is_several(many)
    assert is_several(["photos/a.png"], ["list.txt"])


def test_each_picture_s_own_mask(tree: Path) -> None:
    masks = tree.parent / "masks"
    masks.mkdir()
    for name in ("a.png", "b-mask.webp", "c d.png", "c d.tif"):
        (masks / name).write_bytes(b"")
    assert Companion("one.png").of(Path("x/a.jpg")) == Path("one.png")
    assert Companion("masks").of(Path("x/a.jpg")) == Path("masks/a.png")
    assert Companion("masks").of(Path("x/b.jpg")) == Path("masks/b-mask.webp")
    assert Companion("masks/{stem}.png").of(Path("x/a.jpg")) == Path("masks/a.png")
    assert Companion("{folder}/{name}").of(tree / "a.png") == tree / "a.png"
    for pattern, picture, said in (
        ("masks", "z.jpg", "z.jpg"), ("masks", "c d.jpg", "several"), ("masks/{stem}.gif", "a.jpg", "a.gif"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            Companion(pattern).of(Path(picture))
    with pytest.raises(BadInput, match="without a name"):
        Companion("masks").of(None)
