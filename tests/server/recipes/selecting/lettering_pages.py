"""Made-up pages: lettering in many sizes, colours and angles, dark on light and reversed, on plain and busy ground."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.server.recipes.conftest import photo

PHOTOS = (
    "photos/astronaut.png", "photos/bus.jpg", "photos/chelsea.png", "photos/coffee.png", "photos/motorcycle_left.png",
    "photos/truck.jpg", "person_parts/000335_image.png", "person_parts/000342_image.png", "voc/2011_000003.jpg",
)  # fmt: skip
_NAMES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif-Italic.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
_PLAIN = ((255, 255, 255), (250, 245, 230), (20, 20, 24), (200, 60, 50), (60, 90, 160), (120, 180, 120))
_COLOURS = ((0, 0, 0), (255, 255, 255), (250, 220, 40), (180, 20, 20), (20, 30, 120))
_WORDS = (
    "the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "LETTERING", "Open", "24", "hours", "Fresh",
    "COFFEE", "Don't", "panic!", "What?", "Never", "again,", "Captain", "Zürich", "Sale", "50%", "No", "parking",
)  # fmt: skip
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass
class Line:
    """``ink`` ``(h, w)`` float32 0..1 lies at ``place`` of the page."""

    place: tuple[slice, slice]
    ink: np.ndarray
    size: int


@dataclass
class Page:
    """``pixels`` ``(H, W, 3)`` uint8, ``ink`` ``(H, W)`` float32 0..1."""

    pixels: np.ndarray
    ink: np.ndarray
    lines: list[Line]


def page(seed: int, busy: bool, side: int = 1024, sizes: tuple[int, int] = (16, 110), count: int = 8) -> Page:
    """The same for the same numbers, as far as the fonts are."""
    chance = random.Random(seed)
    ground = np.asarray(_ground(chance, seed, busy, side), np.float32)
    pixels, ink, taken = ground.copy(), np.zeros((side, side), np.float32), np.zeros((side, side), bool)
    lines: list[Line] = []
    for _ in range(300):
        size = round(math.exp(chance.uniform(*map(math.log, sizes))))
        layer = _written(chance, size)
        if len(lines) == count or max(layer.size) >= side - 20:
            continue
        x, y = (chance.randint(8, side - length - 8) for length in layer.size)
        place = (slice(y, y + layer.height), slice(x, x + layer.width))
        drawn = np.asarray(layer, np.float32) / 255
        colour = _legible(chance, ground[place][drawn > 0.05])
        if taken[place].any() or colour is None:
            continue
        taken[max(0, y - 10) : y + layer.height + 10, max(0, x - 10) : x + layer.width + 10] = True
        pixels[place] = pixels[place] * (1 - drawn[..., None]) + colour * drawn[..., None]
        ink[place] = np.maximum(ink[place], drawn)
        lines.append(Line(place, drawn, size))
    return Page(np.clip(pixels + 0.5, 0, 255).astype(np.uint8), ink, lines)


def _ground(chance: random.Random, seed: int, busy: bool, side: int) -> Image.Image:
    if not busy:
        return Image.new("RGB", (side, side), chance.choice(_PLAIN))
    image = Image.fromarray(photo(PHOTOS[seed % len(PHOTOS)]))
    scale = side / min(image.size)
    size = (math.ceil(image.width * scale), math.ceil(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS).crop((0, 0, side, side))


def _written(chance: random.Random, size: int) -> Image.Image:
    """A line of words as opacities, half of them at some angle."""
    font = _font(chance.choice(_NAMES), size)
    text = " ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 4)))
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    layer = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(layer).text((4 - left, 4 - top), text, 255, font=font)
    angle = 0.0 if chance.random() < 0.5 else chance.uniform(-35, 35)
    return layer.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)


def _font(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One of the system's, or the one that Pillow brings."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)


def _legible(chance: random.Random, ground: np.ndarray) -> np.ndarray | None:
    """A colour that can be read on these; None where none is found."""
    light = ground @ _GREY
    for _ in range(30):
        mixed = tuple(chance.randint(0, 255) for _ in range(3))
        colour = np.array(chance.choice((mixed, chance.choice(_COLOURS))), np.float32)
        own = float(colour @ _GREY)
        if abs(own - np.median(light)) > 70 and np.mean(np.abs(light - own) > 45) > 0.93:
            return colour
    return None
