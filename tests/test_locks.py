"""The lists of packages for releases: complete, with hashes, within what ``pyproject.toml`` allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.shared_data import REPOSITORY

LOCKS = REPOSITORY / "server" / "locks"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = tuple(re.findall(r"[a-z0-9]+", PROJECT["optional-dependencies"]["all"][0].partition("[")[2]))


def pinned(path: Path) -> dict[str, tuple[Requirement, int]]:
    """Each package's line and its number of hashes, by name."""
    found = {}
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement = Requirement(line.split("--hash")[0].strip())
            found[plain(requirement.name)] = requirement, len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line))
    return found


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("file", "extras"), [("core.txt", ()), ("all.txt", EXTRAS)])
def test_a_lock_pins_what_is_asked_for(file: str, extras: tuple[str, ...]) -> None:
    known = pinned(LOCKS / file)
    wanted = list(PROJECT["dependencies"])
    for extra in extras:
        wanted += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        pin, _ = known[plain(requirement.name)]
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(exact.version), f"{pin} is not {requirement}: run 'make lock'"
    assert [name for name, (_, hashes) in known.items() if not hashes] == []


def test_locks_name_no_place_to_get_packages_from() -> None:
    for path in LOCKS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?:|--index|--find-links|--extra-index|file:|@ ", text), path


def test_both_locks_agree() -> None:
    """On the versions; which systems need a package can differ."""
    core, everything = pinned(LOCKS / "core.txt"), pinned(LOCKS / "all.txt")
    versions = {name: str(pin.specifier) for name, (pin, _) in everything.items()}
    assert {name: str(pin.specifier) for name, (pin, _) in core.items()}.items() <= versions.items()
