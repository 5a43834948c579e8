from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskwright.files.masks import read_mask
from maskwright.files.picture import Picture
from maskwright.files.reading import read_picture
from maskwright.files.result import Result, mask_plane
from maskwright.files.writing import WriteOptions, identities, write, write_png
from maskwright_protocol.errors import BadInput, DiskFull
from maskwright_protocol.masks import unpack
from maskwright_protocol.messages import PixelRect


def test_masks_go_through_files_unharmed(tmp_path: Path) -> None:
    plane = np.zeros((40, 50), np.uint16)
    plane[7:20, 9:33] = np.random.default_rng(3).integers(1, 65536, (13, 24), np.uint16)
    write_png(tmp_path / "m.png", plane)
    mask = read_mask(tmp_path / "m.png", 50, 40)
    assert mask.box == PixelRect(9, 7, 24, 13)
    assert mask.depth == 16
    assert bytes(unpack(mask)) == plane[7:20, 9:33].tobytes()
    assert np.array_equal(mask_plane(mask, 50, 40), plane)


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_an_output_that_cannot_be_written_whole_is_not_written(tmp_path: Path) -> None:
    """The disk is full after a part of it: the file keeps what it held, or is not there, and nothing else is left."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    write_png(tmp_path / "old.png", np.zeros((4, 4), np.uint8))
    before = (tmp_path / "old.png").read_bytes()
    code = (
        "import resource, signal, sys; from pathlib import Path; import numpy as np\n"
        "from maskwright.files.writing import write_png\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)\n"
        "try: write_png(Path(sys.argv[1]), noise)\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    for name in ("old.png", "new.png"):
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.strip() == "BadInput", done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old.png": before}
    write_png(tmp_path / "old.png", noise)
    assert np.array_equal(read_picture(tmp_path / "old.png").pixels[:, :, 0], noise)


def test_an_output_goes_where_a_link_leads_and_into_pipes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "there" / "real.png")
    write_png(tmp_path / "link.png", np.zeros((4, 4), np.uint8))
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "there" / "real.png").is_file()
    write_png(Path(os.devnull), np.zeros((4, 4), np.uint8))
    assert not Path(os.devnull).is_file()


def _mask(value: int = 255) -> Result:
    return Result(8, 6, mask=np.full((6, 8), value, np.uint8))


# First bytes by which each format is known.
_SIGNS = {
    "png": b"\x89PNG", "webp": b"RIFF", "tif": b"II*\0", "tiff": b"II*\0", "avif": b"\0\0\0", "jxl": b"\0\0\0\x0cJXL",
    "jpg": b"\xff\xd8", "jpeg": b"\xff\xd8", "psd": b"8BPS", "ora": b"PK", "svg": b"<?xml", "geojson": b"{",
    "coco.json": b"{",
}  # fmt: skip


@pytest.mark.parametrize("suffix", _SIGNS)
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_a_file_is_what_its_name_says_and_a_pipe_what_format_says(
    tmp_path: Path, suffix: str, change: Callable[[str], str]
) -> None:
    path = tmp_path / f"a.b {change(suffix)}.{change(suffix)}"
    assert write(_mask(), path) == [path]
    assert path.read_bytes().startswith(_SIGNS[suffix])
    pipe = io.BytesIO()
    assert write(_mask(), pipe, WriteOptions(format=suffix)) == []
    assert pipe.getvalue() == path.read_bytes()


@pytest.mark.parametrize(
    "name", ["a.bmp", "a.gif", "a.xcf", "a.jp2", "a.heic", "a", "a.", ".png", "a.png.zip", "a.json"]
)
def test_other_names_are_refused_with_what_can_be_written(tmp_path: Path, name: str) -> None:
    if name == ".png":  # is a hidden PNG file
        assert write(_mask(), tmp_path / name) == [tmp_path / name]
        return
    with pytest.raises(BadInput) as told:
        write(_mask(), tmp_path / name)
    assert name in told.value.message
    assert all(f".{suffix}" in told.value.hint for suffix in _SIGNS)
    assert list(tmp_path.iterdir()) == []


def test_a_name_and_a_format_that_differ_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="TIFF file, and --format says webp"):
        write(_mask(), tmp_path / "a.tif", WriteOptions(format="webp"))
    assert write(_mask(), tmp_path / "a.tif", WriteOptions(format="tiff"))


@pytest.mark.parametrize("given", ["itself", "other spelling", "relative", "link", "link to a link", "hard link"])
@pytest.mark.parametrize("as_picture", [True, False])
def test_a_source_is_never_overwritten_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, as_picture: bool
) -> None:
    source = tmp_path / "photo.png"
    write_png(source, np.zeros((6, 8, 3), np.uint8))
    before = source.read_bytes()
    target = tmp_path / "target.png"
    if given == "itself":
        target = source
    elif given == "other spelling":
        (tmp_path / "sub").mkdir()
        target = tmp_path / "sub" / ".." / "photo.png"
    elif given == "relative":
        monkeypatch.chdir(tmp_path)
        target = Path("photo.png")
    elif given == "hard link":
        os.link(source, target)
    else:
        target.symlink_to(source)
        if given == "link to a link":
            (tmp_path / "again.png").symlink_to(target)
            target = tmp_path / "again.png"
    result = _mask()
    options = WriteOptions()
    if as_picture:
        result.picture = Picture(np.zeros((6, 8, 3), np.uint8), path=source)
    else:  # another of the command's, or its mask
        options = WriteOptions(sources=identities([source]))
    with pytest.raises(BadInput, match="one of the pictures that are read") as told:
        write(result, target, options)
    assert "--overwrite" in told.value.hint
    assert source.read_bytes() == before
    write(result, target, replace(options, overwrite=True))
    assert target.read_bytes() != before
    assert target.is_symlink() == given.startswith("link")


def test_another_output_is_renewed(tmp_path: Path) -> None:
    write(_mask(10), tmp_path / "a.png")
    write(_mask(20), tmp_path / "a.png", WriteOptions(sources=identities([tmp_path / "photo.png"])))
    assert read_picture(tmp_path / "a.png").pixels[0, 0, 0] == 20


@pytest.mark.skipif(sys.platform == "win32" or not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "full.png").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="the disk is full"):
        write(_mask(), tmp_path / "full.png")


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_places_where_nothing_can_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    cases = {
        tmp_path / "file" / "a.png": "is a file, not a folder",
        tmp_path / "folder.png": "is a folder",
        tmp_path / ("n" * 300 + ".png"): "its name is too long",
        Path("/proc/nowhere/a.png"): "cannot be written",
    }
    if os.getuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        cases[tmp_path / "closed" / "a.png"] = "nothing may be written there"
    for path, sentence in cases.items():
        with pytest.raises(BadInput, match=sentence) as told:
            write(_mask(), path)
        assert "-o" in told.value.hint
    write(_mask(), tmp_path / "new" / "folders" / "a.png")  # are made
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "closed") == ["file", "folder.png", "new"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_command_that_is_killed_while_writing_leaves_whole_files(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from maskwright.files.result import Result; from maskwright.files.writing import write\n"
        "masks = [Result(900, 600, mask=np.random.default_rng(i).integers(0, 256, (600, 900)).astype(np.uint8))\n"
        "         for i in range(2)]\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for at, mask in enumerate(masks): write(mask, Path(sys.argv[1], f'{at}.tif')); print(at, flush=True)\n"
    )
    for wait in (0.0, 0.05, 0.11):
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as one:
            assert one.stdout is not None
            while one.stdout.readline() != "1\n":
                pass
            time.sleep(wait)
            one.kill()
        for at in range(2):
            expected = np.random.default_rng(at).integers(0, 256, (600, 900)).astype(np.uint8)
            assert np.array_equal(read_picture(tmp_path / f"{at}.tif").pixels[:, :, 0], expected)
    write(_mask(), tmp_path / "next.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.tif", "1.tif", "next.png"]
