"""Files are whole whenever their writer is killed, and what it leaves is removed by the next."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from maskwright_protocol import whole_file
from maskwright_protocol.whole_file import PREFIX, write_whole

_SIZE = 30_000_000
_WRITES_FOR_EVER = f"""
import sys
from pathlib import Path
from maskwright_protocol.whole_file import write_whole
while True:
    for content in (b"a", b"b"):
        write_whole(Path(sys.argv[1]), content * {_SIZE})
"""


def _parts(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(PREFIX)]


@pytest.fixture(autouse=True)
def _never_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_file, "_swept", set())


@pytest.mark.parametrize("half_way", [0, _SIZE // 3, _SIZE - 1])
def test_a_killed_writer_leaves_the_file_whole_and_the_next_one_tidies_up(tmp_path: Path, half_way: int) -> None:
    target = tmp_path / "out.bin"
    write_whole(target, b"a" * _SIZE)
    for _ in range(20):
        writer = subprocess.Popen([sys.executable, "-c", _WRITES_FOR_EVER, str(target)])
        try:
            for _ in range(20_000):
                if any(path.exists() and path.stat().st_size >= half_way for path in _parts(tmp_path)):
                    break
                time.sleep(0.0005)
        finally:
            writer.kill()
            writer.wait()
        assert target.read_bytes() in (b"a" * _SIZE, b"b" * _SIZE)
        if _parts(tmp_path):
            break
    else:
        pytest.fail("the writer was never killed in the middle of a file")
    whole_file._swept.clear()  # as another process begins
    write_whole(tmp_path / "other.bin", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.bin", "out.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="another lock there")
def test_what_a_living_writer_has_not_finished_stays(tmp_path: Path) -> None:
    waits = (
        "import os, sys; from pathlib import Path; from maskwright_protocol import whole_file\n"
        "real = os.replace\n"
        "def slow(*paths): print('here', flush=True); sys.stdin.readline(); real(*paths)\n"
        "os.replace = slow; whole_file.write_whole(Path(sys.argv[1]), b'slow')\n"
    )
    command = [sys.executable, "-c", waits, str(tmp_path / "slow")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "here\n"
        whole_file._swept.clear()
        write_whole(tmp_path / "quick", b"quick")
        assert len(_parts(tmp_path)) == 1
        writer.communicate("\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"slow": b"slow", "quick": b"quick"}


def test_writers_and_sweepers_do_not_disturb_each_other(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(60):
                write_whole(tmp_path / f"{number % 3}", bytes([number]) * 5000)
                whole_file.sweep(tmp_path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]
    assert all(len(set(path.read_bytes())) == 1 and path.stat().st_size == 5000 for path in tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_modes(tmp_path: Path, private: bool, mode: int) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"", private)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    write_whole(tmp_path / ("n" * 255), b"x")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"x"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "file", b"x")
