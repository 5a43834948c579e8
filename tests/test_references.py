"""Files and modules that the Makefile, CI and the documentation name are there, also after something was moved."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LISTS = ("Makefile", ".ci/run", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml")
TOLD = [
    *(ROOT / name for name in LISTS),
    *sorted((ROOT / "docs").rglob("*.md")),
]
MODULE = re.compile(r"-m ((?:maskwright|tests)[\w.]*\w)")
FILE = re.compile(r"(?<![\w./-])((?:tests|server|protocol|plugin_krita|plugin_gimp)/[\w./-]*\w)")


def _told(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    found = {(file.relative_to(ROOT).as_posix(), name) for file in TOLD for name in pattern.findall(file.read_text())}
    return sorted(found)


@pytest.mark.parametrize(("file", "module"), _told(MODULE))
def test_a_module_that_is_run_is_there(file: str, module: str) -> None:
    assert find_spec(module) is not None, f"{file} runs {module}"


@pytest.mark.parametrize(("file", "path"), _told(FILE))
def test_a_file_that_is_named_is_there(file: str, path: str) -> None:
    under = (ROOT, ROOT / "tests", ROOT / "server" / "maskwright")  # a page may say once where its paths begin
    assert any((place / path).exists() for place in under), f"{file} names {path}"
