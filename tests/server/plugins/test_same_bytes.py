"""The plug-ins' zips are the same bytes wherever, whenever and by whomever they are built from the same files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_data import REPOSITORY

FOLDERS = (
    "server/maskwright",
    "protocol/maskwright_protocol",
    "protocol/maskwright_client",
    "plugin_krita",
    "plugin_gimp",
)


def copy_of_the_files(target: Path, age_s: int, mode: int) -> Path:
    """The files that zips are built from, in another folder, of another time and with other permissions."""
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "embedded")
        shutil.copytree(REPOSITORY / folder, target / folder, ignore=ignored, copy_function=shutil.copyfile)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file():
            path.chmod(mode)
        os.utime(path, (age_s, age_s))
    return target


def built(files: Path, editor: str, umask: int, **environment: str) -> str:
    """The SHA-256 of a zip built by a process of its own."""
    out = files / "a folder for zips"
    code = (
        "import os, sys; os.umask(int(sys.argv[3]))\n"
        "from pathlib import Path\n"
        f"from maskwright.plugins import {editor}\n"
        f"assert {editor}.__file__.startswith(sys.argv[1]), {editor}.__file__\n"
        f"print({editor}.build(Path(sys.argv[2])))"
    )
    paths = os.pathsep.join(str(files / folder) for folder in ("server", "protocol"))
    done = subprocess.run(
        [sys.executable, "-c", code, str(files), str(out), str(umask)],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True, text=True, check=True, timeout=60, cwd=files,
    )  # fmt: skip
    return hashlib.sha256(Path(done.stdout.strip()).read_bytes()).hexdigest()


@pytest.mark.parametrize("editor", ["krita", "gimp", "comfyui"])
def test_the_same_files_make_the_same_zip(tmp_path: Path, editor: str) -> None:
    one = copy_of_the_files(tmp_path / "one", age_s=1_000_000_000, mode=0o644)
    other = copy_of_the_files(tmp_path / "a longer name" / "other", age_s=1_700_000_000, mode=0o755)
    first = built(one, editor, 0o022, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    second = built(other, editor, 0o077, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", PYTHONHASHSEED="2")
    assert first == second


@pytest.mark.parametrize("editor", ["krita", "gimp", "comfyui"])
def test_another_file_makes_another_zip(tmp_path: Path, editor: str) -> None:
    files = copy_of_the_files(tmp_path, age_s=1_000_000_000, mode=0o644)
    before = built(files, editor, 0o022)
    with (files / "protocol/maskwright_protocol/version.py").open("a") as file:
        file.write("# more\n")
    assert built(files, editor, 0o022) != before
