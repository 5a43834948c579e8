"""``maskwright cutout`` and ``refine`` with prompts, borders and backgrounds, as their user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.masks.opencv import cv2
from tests.server.conftest import Server


def picture(folder: Path) -> tuple[Path, Path]:
    """A red disk on grey, and a rough mask of it."""
    noise = np.random.default_rng(2).normal(0, 4, (300, 500, 1))
    image = np.clip(np.full((300, 500, 3), 170.0) + noise, 0, 255).astype(np.uint8)
    cv2.circle(image, (150, 150), 80, (200, 40, 40), -1, cv2.LINE_AA)
    rough = np.zeros((300, 500), np.uint8)
    cv2.circle(rough, (150, 150), 77, 255, -1)
    Image.fromarray(image).save(folder / "disk.png")
    Image.fromarray(rough).save(folder / "rough.png")
    return folder / "disk.png", folder / "rough.png"


def test_a_sticker_by_mask(server: Server, tmp_path: Path) -> None:
    image, rough = picture(tmp_path)
    out = tmp_path / "sticker.png"
    run = server.cli(
        "cutout", image, "--mask", rough, "--outline", "10", "--outline-colour", "#ffee00", "--crop",
        "-o", out, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["edge_method"]
    assert told["agreement"] > 0.8
    sticker = np.asarray(Image.open(out))
    assert sticker.shape[2] == 4
    assert all(abs(side - 180) <= 4 for side in sticker.shape[:2])
    assert sticker[sticker.shape[0] // 2, 5].tolist() == [255, 238, 0, 255]


def test_a_background_and_a_click(server: Server, tmp_path: Path) -> None:
    image, _ = picture(tmp_path)
    out = tmp_path / "filled.png"
    run = server.cli("cutout", image, "--point", "150,150", "--background", "#102030", "-o", out)
    assert run.returncode == 0, run.stderr
    filled = np.asarray(Image.open(out))
    assert filled.shape == (300, 500, 4)
    assert filled[10, 10].tolist() == [16, 32, 48, 255]
    assert filled[150, 150, 0] > 150


def test_ready_for_inpainting(server: Server, tmp_path: Path) -> None:
    image, rough = picture(tmp_path)
    out = tmp_path / "inpaint.png"
    run = server.cli("refine", image, "--mask", rough, "--recipe", "inpaint", "--grow", "10", "-o", out)
    assert run.returncode == 0, run.stderr
    assert "context: 0,0,496,300" in run.stderr or "context: 0,0,500,300" in run.stderr
    grown = np.asarray(Image.open(out))
    assert grown[150, 150 + 77 + 6] > 128
    assert grown[150, 150 + 77 + 25] < 20


def test_wrong_settings_are_told(server: Server, tmp_path: Path) -> None:
    image, rough = picture(tmp_path)
    run = server.cli("cutout", image, "--background", "blue", "--json")
    assert run.returncode == 2
    assert json.loads(run.stdout)["error"] == "bad_input"
    run = server.cli("refine", image, "--mask", rough, "--contrast", "3")
    assert run.returncode == 2
    assert "contrast" in run.stderr
