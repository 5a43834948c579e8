"""The pictures of ``maskwright demo``: selections shown on the photo, and a sheet of all with captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskwright.batch.thumbnails import over
from maskwright.files.result import Array
from maskwright_protocol.messages import Point

CELL = 512  # pixels of a picture's long side on the sheet
COLUMNS = 3
GAP, STRIP = 24, 64
PAPER, INK, FAINT = (250, 249, 246), (30, 30, 34), (110, 110, 118)
OUTLINE, MARK = (255, 255, 255), (40, 200, 90)
SKY, GROUND = np.array([20, 40, 78], np.float32), np.array([238, 148, 96], np.float32)


@dataclass(frozen=True)
class Panel:
    """A picture ``(H, W, 3)`` uint8 with two lines under it."""

    title: str
    about: str
    picture: Array


def highlighted(photo: Array, mask: Array, marks: Sequence[Point]) -> Array:
    """What is selected in its colours with an outline, all else grey and pale; ``marks`` are clicks."""
    alpha = (mask.astype(np.float32) / np.iinfo(mask.dtype).max)[:, :, None]
    grey = photo.mean(axis=2, keepdims=True) * 0.35 + 150
    shown = np.ascontiguousarray((photo * alpha + grey * (1 - alpha)).astype(np.uint8))
    thick = max(2, max(photo.shape[:2]) // 256)
    contours, _ = cv2.findContours((alpha[:, :, 0] > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, contours, -1, OUTLINE, thick, cv2.LINE_AA)
    for mark in marks:
        centre = (round(mark.x), round(mark.y))
        cv2.circle(shown, centre, 4 * thick, OUTLINE, -1, cv2.LINE_AA)
        cv2.circle(shown, centre, 3 * thick, MARK, -1, cv2.LINE_AA)
    return shown


def on_scene(cut: Array) -> Array:
    """A cut-out, RGBA, before an evening sky."""
    down = np.linspace(0, 1, cut.shape[0], dtype=np.float32)[:, None, None]
    return over(cut, SKY * (1 - down) + GROUND * down)


def sheet(panels: Sequence[Panel]) -> Array:
    """All panels in rows, each as large as fits, with its lines below it."""
    height, width = panels[0].picture.shape[:2]
    scale = CELL / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    step = (size[0] + GAP, size[1] + GAP + STRIP)
    across = 2 if len(panels) == 4 else min(COLUMNS, len(panels))
    down = -(-len(panels) // across)
    page = Image.new("RGB", (GAP + across * step[0], GAP + down * step[1]), PAPER)
    draw = ImageDraw.Draw(page)
    large, small = ImageFont.load_default(24), ImageFont.load_default(16)
    for number, panel in enumerate(panels):
        x, y = GAP + number % across * step[0], GAP + number // across * step[1]
        page.paste(Image.fromarray(panel.picture).resize(size, Image.Resampling.LANCZOS), (x, y))
        draw.text((x, y + size[1] + 8), panel.title, INK, large)
        draw.text((x, y + size[1] + 40), panel.about, FAINT, small)
    return np.asarray(page)
