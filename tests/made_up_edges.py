"""Things with hard edges to cut out, whose opacity is known exactly: strands, fur, lace, motion blur, glass.

Each is drawn four times as large as it is shown, so that the opacity of a pixel is the share that is covered, and laid
over a real photo. The same seed gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from maskwright.masks.opencv import cv2

WIDTH, HEIGHT = 640, 480
_FINE = 4  # times as large as it is shown
_SAMPLES = Path(skimage.__file__).parent / "data"
_GROUNDS = (
    "grass.png",
    "coffee.png",
    "rocket.jpg",
    "gravel.png",
    "motorcycle_left.png",
    "brick.png",
    "clock_motion.png",
)
_STUFF = ("chelsea.png", "gravel.png", "astronaut.png")  # what things are covered with
_SHIFT = 4  # bits after the point in OpenCV's places


@dataclass
class MadeUp:
    """``pixels`` ``(H, W, 3)`` uint8 sRGB, ``alpha`` ``(H, W)`` float32 0..1, ``inside``: a place ``(x, y)`` on it."""

    kind: str
    pixels: np.ndarray
    alpha: np.ndarray
    inside: tuple[int, int]


class _Canvas:
    """Opacity at the fine size; lengths and places in shown pixels."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.plane = np.zeros((HEIGHT * _FINE, WIDTH * _FINE), np.uint8)
        self.middle = np.array([WIDTH, HEIGHT]) / 2 + rng.uniform(-40, 40, 2)
        self.radius = float(rng.uniform(95, 125))

    def outline(self, bumps: float = 0.12, radius: float = 0.0) -> np.ndarray:
        """A closed line around the middle, ``(n, 2)``: a circle with a few low waves."""
        turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        waves = sum(
            self.rng.uniform(0, bumps / k) * np.sin(k * turn + self.rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4, 5)
        )
        reach = (radius or self.radius) * (1 + waves)
        return self.middle + np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)

    def fill(self, line: np.ndarray, value: int = 255) -> None:
        cv2.fillPoly(self.plane, [self._fixed(line)], value, cv2.LINE_AA, _SHIFT)

    def stroke(self, line: np.ndarray, width: float, closed: bool = False, value: int = 255) -> None:
        thick = max(1, round(width * _FINE))
        cv2.polylines(self.plane, [self._fixed(line)], closed, value, thick, cv2.LINE_AA, _SHIFT)

    def hair(self, root: np.ndarray, direction: np.ndarray, length: float, width: float) -> None:
        """A bent hair that gets thinner towards its end."""
        bend = self.rng.normal(0, 0.35, 2)
        along = np.linspace(0, 1, 9)[:, None]
        line = root + along * length * direction + along**2 * length * bend
        for first in range(0, 8, 2):
            self.stroke(line[first : first + 3], width * (1 - first / 11))

    def shown(self) -> np.ndarray:
        small = cv2.resize(self.plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return small.astype(np.float32) / np.float32(255)

    def _fixed(self, line: np.ndarray) -> np.ndarray:
        return np.round((line * _FINE - 0.5) * (1 << _SHIFT)).astype(np.int32)


def _with_hairs(canvas: _Canvas, count: int, lengths: tuple[float, float], widths: tuple[float, float]) -> np.ndarray:
    line = canvas.outline()
    canvas.fill(line)
    for _ in range(count):
        root = line[canvas.rng.integers(len(line))]
        outward = (root - canvas.middle) / np.linalg.norm(root - canvas.middle)
        outward = outward + canvas.rng.normal(0, 0.3, 2)
        canvas.hair(root - 3 * outward, outward, canvas.rng.uniform(*lengths), canvas.rng.uniform(*widths))
    return canvas.shown()


def _strands(canvas: _Canvas) -> np.ndarray:
    return _with_hairs(canvas, 140, (25, 70), (0.8, 2.4))


def _fur(canvas: _Canvas) -> np.ndarray:
    return _with_hairs(canvas, 1500, (8, 22), (0.7, 1.6))


def _lace(canvas: _Canvas) -> np.ndarray:
    """A cloth with a border of net: threads two pixels wide, and holes between them."""
    cloth = canvas.outline(0.06, canvas.radius * 0.75)
    canvas.fill(cloth)
    size, width = canvas.rng.uniform(9, 14), canvas.rng.uniform(1.4, 2.4)
    border = canvas.middle + (cloth - canvas.middle) * 1.55
    net = _Canvas(canvas.rng)
    for turned in (canvas.rng.uniform(0.2, 0.5), canvas.rng.uniform(1.7, 2.1)):
        along = np.array([np.cos(turned), np.sin(turned)])
        across = np.array([-along[1], along[0]])
        for step in np.arange(-400, 400, size):
            net.stroke(canvas.middle + step * across + np.array([[-500.0], [500.0]]) * along, width)
    within = _Canvas(canvas.rng)
    within.fill(border)
    canvas.plane = np.maximum(canvas.plane, np.minimum(net.plane, within.plane))
    canvas.stroke(border, 2.5, closed=True)
    return canvas.shown()


def _motion_blur(canvas: _Canvas) -> np.ndarray:
    canvas.fill(canvas.outline(0.25))
    length, turned = canvas.rng.uniform(18, 40), canvas.rng.uniform(0, np.pi)
    side = int(length) | 1
    kernel = np.zeros((side * _FINE, side * _FINE), np.float32)
    half = np.array([np.cos(turned), np.sin(turned)]) * length / 2 * _FINE
    centre = np.full(2, side * _FINE / 2)
    ends = [tuple(int(v) for v in np.round(centre + sign * half)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, _FINE)
    kernel = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
    return np.clip(cv2.filter2D(canvas.shown(), -1, kernel / kernel.sum()), 0, 1)


def _glass(canvas: _Canvas) -> np.ndarray:
    """A tumbler: a thick bottom, walls, a filling that hides most, and clear glass above it."""
    wide, high = canvas.radius * 0.8, canvas.radius * 1.35
    narrow = wide * 0.8
    x, y = canvas.middle
    cup = np.array([(x - wide, y - high), (x + wide, y - high), (x + narrow, y + high), (x - narrow, y + high)])
    level = canvas.rng.uniform(-0.2, 0.3)
    clear, filling = (int(255 * canvas.rng.uniform(low, high)) for low, high in ((0.18, 0.35), (0.6, 0.8)))
    canvas.fill(cup, clear)
    inner = narrow + (wide - narrow) * (1 - level) / 2
    canvas.fill(np.array([(x - inner, y + level * high), (x + inner, y + level * high), cup[2], cup[3]]), filling)
    canvas.stroke(cup, 4, closed=True, value=235)
    canvas.fill(np.array([(x - narrow, y + high * 0.9), (x + narrow, y + high * 0.9), cup[2], cup[3]]), 245)
    return canvas.shown()


KINDS: dict[str, Callable[[_Canvas], np.ndarray]] = {
    "strands": _strands,
    "fur": _fur,
    "lace": _lace,
    "motion blur": _motion_blur,
    "glass": _glass,
}


def made_up(kind: str, seed: int) -> MadeUp:
    """A thing of that kind; 640x480."""
    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    canvas = _Canvas(rng)
    alpha = KINDS[kind](canvas)
    ground = _piece(_GROUNDS[int(rng.integers(len(_GROUNDS)))], rng)
    ground = cv2.GaussianBlur(ground, (0, 0), float(rng.uniform(3, 7)))  # out of focus
    stuff = _piece(_STUFF[int(rng.integers(len(_STUFF)))], rng)
    tint = rng.uniform(20, 235, 3).astype(np.float32)
    # Another colour than what lies behind, as things that are looked at mostly have.
    behind = ground.mean(axis=(0, 1))
    tint = behind + (tint - behind) * max(1.0, 90 / max(1.0, float(np.abs(tint - behind).max())))
    colours = np.clip(tint + 0.45 * (stuff - stuff.mean(axis=(0, 1))), 0, 255)
    pixels = colours * alpha[..., None] + ground * (1 - alpha[..., None]) + rng.normal(0, 1.5, ground.shape)
    x, y = (int(v) for v in canvas.middle)
    return MadeUp(kind, np.clip(np.round(pixels), 0, 255).astype(np.uint8), alpha, (x, y))


def _piece(name: str, rng: np.random.Generator) -> np.ndarray:
    """A part of a sample photo that fills the picture: ``(H, W, 3)`` float32 0..255."""
    photo = np.array(Image.open(_SAMPLES / name).convert("RGB"))
    height, width = photo.shape[:2]
    share = min(width / WIDTH, height / HEIGHT) * float(rng.uniform(0.7, 1.0))
    wide, tall = int(WIDTH * share), int(HEIGHT * share)
    left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - tall + 1))
    part = photo[top : top + tall, left : left + wide]
    return cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
