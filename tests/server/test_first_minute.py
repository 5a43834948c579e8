"""The wheel in a bare environment without any network: all that is built in works, and nothing has to be fetched.

Bare means: the packages that ``pyproject.toml`` asks for and theirs, no extras, no model folder, an empty home.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

from tests.shared_data import REPOSITORY

UNSHARE, IP = shutil.which("unshare"), shutil.which("ip")
MOST_BYTES = 45_000_000


def namespaces_work() -> bool:
    up = [UNSHARE or "false", "-rn", IP or "false", "link", "set", "lo", "up"]
    return bool(UNSHARE and IP) and subprocess.run(up, capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(not namespaces_work(), reason="needs ip and user namespaces")


def needed(distribution: metadata.Distribution, extras: tuple[str, ...] = ()) -> Iterator[metadata.Distribution]:
    """What the package asks for, and what that asks for, each once or more."""
    for line in distribution.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            wanted = metadata.distribution(requirement.name)
            yield wanted
            yield from needed(wanted, tuple(requirement.extras))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder ``bin`` of an environment with the wheel and links to what it needs."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    (site,) = folder.glob("lib/python*/site-packages")
    python = str(folder / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    (own,) = site.glob("maskwright-*.dist-info")
    for distribution in needed(metadata.Distribution.at(own)):
        for name in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / name).exists():
                (site / name).symlink_to(str(distribution.locate_file(name)))
    return folder / "bin"


def offline(bare: Path, folder: Path, *commands: str) -> str:
    """The commands one after the other on a computer without any route; what the first ones print is in files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "HF_", "XDG_"))}
    kept.pop("PYTHONPATH", None)
    environment = {
        **kept,
        "HOME": str(folder),
        "MASKWRIGHT_RUNTIME_DIR": str(folder / "run"),
        "PATH": f"{bare}:/usr/bin:/bin",
    }
    script = "\n".join(["set -e", f"{IP} link set lo up", *commands])
    done = subprocess.run(
        [str(UNSHARE), "-rn", "sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


def test_the_wheel_is_small_and_holds_the_notices(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert "maskwright/models/embedded/NOTICE.md" in names
    assert "maskwright/cli/sample/NOTICE.md" in names
    assert {"LICENSE", "NOTICE.md", "LICENSE-APACHE-2.0.txt"} <= {Path(name).name for name in names}


def test_nothing_but_what_is_asked_for_is_there(bare: Path) -> None:
    code = "import importlib.util as u; print([n for n in ('torch', 'skimage', 'pymatting') if u.find_spec(n)])"
    done = subprocess.run([bare / "python", "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@needs_namespaces
def test_everything_works_without_network_or_models(bare: Path, tmp_path: Path) -> None:
    (sample,) = bare.parent.glob("lib/python*/site-packages/maskwright/cli/sample/astronaut.jpg")
    printed = offline(
        bare, tmp_path,
        f"{IP} route",
        "maskwright demo --out demo",
        f"maskwright select {sample} --text person --json -o person.png > text.json",
        f"maskwright select {sample} --text hair --json -o hair.png > hair.json",
        f"maskwright select {sample} --point 380,450 --point 470,390 --json -o helmet.png > point.json",
        f"maskwright cutout {sample} --json -o cut.png > cutout.json",
        f"maskwright parse {sample} --part clothes --json -o clothes.png > parse.json",
        "maskwright doctor --json > doctor.json",
        "maskwright stop",
    )  # fmt: skip
    assert not any(line.startswith("default") for line in printed.splitlines()), "it has no route"
    for name in ("all.png", "word.png", "clicks.png", "hair.png", "cutout.png"):
        assert (tmp_path / "demo" / name).is_file()
    models = {
        name: set(json.loads((tmp_path / f"{name}.json").read_text())["report"]["models"])
        for name in ("text", "point", "hair", "parse")
    }
    assert models["text"] == {"yolox-nano", "mobile-sam"}
    assert models["point"] == {"mobile-sam"}
    assert "skin-clothes-hair" in models["hair"] & models["parse"]
    mask = {
        name: np.asarray(Image.open(tmp_path / f"{name}.png")) > 127 for name in ("person", "helmet", "hair", "clothes")
    }
    mask["cut"] = np.asarray(Image.open(tmp_path / "cut.png"))[:, :, 3] > 127
    inside = {"person": (225, 120), "helmet": (380, 440), "hair": (225, 45), "clothes": (120, 330), "cut": (225, 120)}
    for name, (x, y) in inside.items():
        assert mask[name][y, x], name
        assert not mask[name][40, 330], f"{name} has a piece of the wall"
    findings = json.loads((tmp_path / "doctor.json").read_text())["findings"]
    assert [one for one in findings if one["topic"] == "models" and one["state"] == "problem"] == []
