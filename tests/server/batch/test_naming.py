from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.batch import naming
from maskwright_protocol.errors import BadInput

# Few letters, so that names meet; both cases and both ways to write an accent.
_NAMES = st.sampled_from(["x", "X", "y", "x-jpg", "a-x", "b-x", "\u00e9", "e\u0301", "x.y", ".x", "-"])
_FOLDERS = st.sampled_from(["", "a", "b", "A", "a/b", "b/a", "../a", "/a", "a-b"])
_SUFFIXES = st.sampled_from([".jpg", ".png", ".JPG", ".tif", ""])
_INPUTS = st.lists(
    st.builds(lambda folder, name, suffix: Path(folder) / f"{name}{suffix}", _FOLDERS, _NAMES, _SUFFIXES), max_size=12
)


def _key(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


@given(_INPUTS, st.sampled_from([None, Path("out")]), st.randoms(use_true_random=False))
def test_no_two_inputs_share_an_output_in_any_order(
    inputs: list[Path], out: Path | None, chance: random.Random
) -> None:
    chosen = naming.plan(inputs, out, "mask", "png")
    assert set(chosen) == set(inputs)
    assert len({_key(target) for target in chosen.values()}) == len(chosen)
    shuffled = list(inputs)
    chance.shuffle(shuffled)
    assert naming.plan(shuffled, out, "mask", "png") == chosen
    for one, target in chosen.items():
        assert target.parent == (one.parent if out is None else out)
        assert target.name.endswith("-mask.png")
        assert one.stem in target.name


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["a/x.jpg", "b/y.jpg"], ["x-mask.png", "y-mask.png"]),
        (["a/x.jpg", "b/x.png"], ["a-x-mask.png", "b-x-mask.png"]),
        (["a/x.jpg", "a/x.png"], ["x-jpg-mask.png", "x-png-mask.png"]),
        (["a/x.jpg", "a/x.png", "b/x.jpg"], ["a-x-jpg-mask.png", "a-x-png-mask.png", "b-x-jpg-mask.png"]),
        (["a/X.jpg", "b/x.jpg", "y.jpg"], ["a-X-mask.png", "b-x-mask.png", "y-mask.png"]),
        (["a.b.jpg"], ["a.b-mask.png"]),
    ],
)
def test_names_are_as_the_rule_says(inputs: list[str], names: list[str]) -> None:
    chosen = naming.plan([Path(one) for one in inputs], Path("out"), "mask", "png")
    assert [chosen[Path(one)] for one in inputs] == [Path("out") / name for name in names]


def test_what_was_found_in_a_folder_keeps_its_place_in_it() -> None:
    inputs = [Path("in/x.jpg"), Path("in/deep/x.jpg"), Path("else/x.jpg")]
    roots = {inputs[0]: Path("in"), inputs[1]: Path("in")}
    chosen = naming.plan(inputs, Path("out"), "mask", "png", roots)
    assert chosen[inputs[1]] == Path("out/deep/x-mask.png")
    assert {chosen[inputs[0]], chosen[inputs[2]]} == {Path("out/in-x-mask.png"), Path("out/else-x-mask.png")}


def test_what_o_means(tmp_path: Path) -> None:
    one, two = Path("a/x.jpg"), Path("a/y.jpg")
    (tmp_path / "there").mkdir()
    there, new, file = str(tmp_path / "there"), str(tmp_path / "new"), str(tmp_path / "file.webp")
    assert naming.targets([one], "", "mask", "png") == {one: Path("a/x-mask.png")}
    assert naming.targets([one], file, "mask", "png") == {one: Path(file)}
    assert naming.targets([one], there, "mask", "webp") == {one: Path(there) / "x-mask.webp"}
    assert naming.targets([one], new + "/", "mask", "png") == {one: Path(new) / "x-mask.png"}
    assert naming.targets([one, two], new, "mask", "png")[two] == Path(new) / "y-mask.png"
    with pytest.raises(BadInput, match="do not fit into the one file"):
        naming.targets([one, two], file, "mask", "png")


@pytest.mark.parametrize("frames", [1, 9, 10, 250])
@pytest.mark.parametrize(("stem", "extension"), [("x-mask", "png"), ("a.b-mask", "coco.json"), ("é", "tif")])
def test_frames_have_names_that_sort(frames: int, stem: str, extension: str) -> None:
    names = [
        naming.of_frame(Path(f"out/{stem}.{extension}"), frame, frames).as_posix() for frame in range(1, frames + 1)
    ]
    assert names == sorted(set(names))
    assert all(name.startswith(f"out/{stem}-") and name.endswith(f".{extension}") for name in names)
