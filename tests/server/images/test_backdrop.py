"""What shows through transparent pixels: things of every colour stay visible on an empty layer."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.images import pixels
from maskwright_protocol.pixels import FORMATS

WITH_ALPHA = sorted(name for name, layout in FORMATS.items() if layout.channels.endswith("A"))
GREYS = list(range(0, 256, 15))
COLOURS = [(200, 40, 30), (30, 160, 60), (20, 40, 220), (250, 230, 90), (128, 128, 40), (118, 140, 128)]


def layer(colour: tuple[int, ...], name: str, size: tuple[int, int] = (40, 60), soft: bool = False) -> bytes:
    """A rectangle of one colour on an empty layer."""
    coverage = np.zeros(size, np.float32)
    coverage[10:30, 15:45] = 1
    if soft:
        coverage[9], coverage[30] = 0.3, 0.6
    drawn = np.zeros((*size, 3), np.float32)
    drawn[coverage > 0] = np.array(colour, np.float32) / 255
    return pixels.pack(drawn, coverage, name)


@pytest.mark.parametrize("name", WITH_ALPHA)
@pytest.mark.parametrize("colour", [*((grey, grey, grey) for grey in GREYS), *COLOURS])
def test_no_colour_vanishes(colour: tuple[int, int, int], name: str) -> None:
    data = layer(colour, name)
    ground = pixels.backdrop(data, 60, 40, name)
    assert ground is not None
    shown = pixels.rgb8(data, 60, 40, name, ground=ground).astype(int)
    assert (shown[0, 0] == ground).all()
    assert np.linalg.norm(shown[20, 30] - shown[0, 0]) >= 48


@pytest.mark.parametrize("seed", range(8))
def test_a_thing_of_many_colours_keeps_most_of_its_rim(seed: int) -> None:
    rng = np.random.default_rng(seed)
    array = np.zeros((80, 80, 4), np.uint8)
    array[10:70, 10:70, :3] = rng.integers(0, 256, (6, 6, 3)).repeat(10, 0).repeat(10, 1)
    array[10:70, 10:70, 3] = 255
    ground = pixels.backdrop(array.tobytes(), 80, 80, "RGBA8")
    assert ground is not None
    rim = np.concatenate([array[10, 10:70, :3], array[69, 10:70, :3], array[10:70, 10, :3], array[10:70, 69, :3]])
    assert (np.linalg.norm(rim.astype(int) - ground, axis=1) < 48).mean() < 0.3


@pytest.mark.parametrize("name", WITH_ALPHA)
def test_an_empty_layer_shows_nothing(name: str) -> None:
    size = FORMATS[name].image_bytes(60, 40)
    assert pixels.backdrop(bytes(size), 60, 40, name) is None


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_is_opaque_has_the_usual_ground(name: str) -> None:
    data = pixels.pack(np.full((8, 9, 3), 0.5, np.float32), np.ones((8, 9), np.float32), name)
    assert pixels.backdrop(data, 9, 8, name) == pixels.BACKDROP


def test_hardly_visible_things_are_there_too() -> None:
    array = np.zeros((20, 20, 4), np.uint8)
    array[5:9, 5:9] = (128, 128, 128, 40)
    assert pixels.backdrop(array.tobytes(), 20, 20, "RGBA8") is not None
