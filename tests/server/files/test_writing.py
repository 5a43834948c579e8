from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskwright.files.masks import read_mask
from maskwright.files.reading import read_picture
from maskwright.files.result import mask_plane
from maskwright.files.writing import write_png
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
