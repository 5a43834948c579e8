"""The examples of docs/automation.md, run one after the other as they stand there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import skimage
from PIL import Image

from tests.server.conftest import Server, wait_for
from tests.shared_data import REPOSITORY

PAGE = (REPOSITORY / "docs" / "automation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PHOTOS = {"astronaut": "astronaut.png", "cat": "chelsea.png", "coffee": "coffee.png"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small photos, and a command ``maskwright`` of this checkout."""
    folder = tmp_path_factory.mktemp("shop")
    for made in ("photos", "incoming", "bin"):
        (folder / made).mkdir()
    for name, file in PHOTOS.items():
        photo = Image.open(Path(skimage.__file__).parent / "data" / file).convert("RGB")
        photo.thumbnail((360, 360))
        photo.save(folder / "photos" / f"{name}.jpg", quality=95)
    command = folder / "bin" / "maskwright"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m maskwright.cli "$@"\n')
    command.chmod(0o755)
    return folder


def environment(server: Server, shop: Path) -> dict[str, str]:
    paths = [str(REPOSITORY / "server"), str(REPOSITORY / "protocol"), os.environ.get("PYTHONPATH", "")]
    return {
        **server.environment,
        "PATH": f"{shop / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def run(command: list[str], server: Server, shop: Path) -> str:
    done = subprocess.run(
        command, cwd=shop, env=environment(server, shop), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def watched(line: str, server: Server, shop: Path) -> None:
    """A command that ends by Ctrl+C: a photo arrives before that."""
    command = line.partition("#")[0]
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=shop, env=environment(server, shop), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "Watching" in process.stderr.readline()
    part = shop / "incoming" / "late.part"
    part.write_bytes((shop / "photos" / "cat.jpg").read_bytes())
    part.rename(shop / "incoming" / "late.jpg")
    wait_for(lambda: (shop / "done" / "late-cutout.png").exists(), 60)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, process.stderr.read()


def test_the_examples(server: Server, shop: Path) -> None:
    said = []
    for kind, text in BLOCKS:
        if kind == "toml":
            name = text.partition("\n")[0].removeprefix("# ")
            (shop / name).write_text(text, encoding="utf-8")
        elif kind == "python":
            (shop / "example.py").write_text(text, encoding="utf-8")
            said.append(run([sys.executable, "example.py"], server, shop))
        elif kind == "sh" and "--watch" in text:
            watched(text, server, shop)
        elif kind == "sh":
            said.append(run(["bash", "-euo", "pipefail", "-c", text], server, shop))
    for name in (
        "cut/astronaut-cutout.png", "cut/cat-cutout.png", "cut/coffee-cutout.png", "cat.webp",
        "parts/astronaut-parts.tif", "report.jsonl", "sheet.html", "done/late-cutout.png", "coffee.png",
        "masks/cat-mask.png",
        "out/astronaut-cutout.png", "out/masks/astronaut-hair.png", "inpaint/cat_mask.png", "cats/cat-mask.png",
        "soft/cat-refined.png", "cat-cat.png",
    ):  # fmt: skip
        path = shop / name
        assert path.stat().st_size > 0, name
        if path.suffix not in (".jsonl", ".html"):
            assert min(Image.open(path).size) > 100, name
    assert any("maskwright select PICTURE --text cat --grow 4" in each for each in said)
