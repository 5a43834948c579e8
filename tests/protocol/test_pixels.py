"""Pixel formats: sizes and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright_protocol.pixels import FORMATS, TRANSFERS


def test_the_table() -> None:
    """Written out, since other languages' clients write it out too."""
    sizes = {
        "RGBA8": 4, "BGRA8": 4, "RGB8": 3, "GRAY8": 1, "GRAYA8": 2,
        "RGBA16": 8, "BGRA16": 8, "RGB16": 6, "GRAY16": 2, "GRAYA16": 4,
        "RGBA16F": 8, "BGRA16F": 8, "RGB16F": 6, "GRAY16F": 2, "GRAYA16F": 4,
        "RGBA32F": 16, "BGRA32F": 16, "RGB32F": 12, "GRAY32F": 4, "GRAYA32F": 8,
    }  # fmt: skip
    assert {name: layout.pixel_bytes for name, layout in FORMATS.items()} == sizes
    assert TRANSFERS == ("srgb", "linear")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_names_say_what_they_are(name: str) -> None:
    layout = FORMATS[name]
    assert layout.name == name
    assert layout.kind == ("float" if name.endswith("F") else "uint")
    assert name.rstrip("F").endswith(str(8 * layout.channel_bytes))
    letters = name.rstrip("F0123456789")
    assert layout.channels == {"GRAY": "Y", "GRAYA": "YA"}.get(letters, letters)


@given(st.sampled_from(sorted(FORMATS)), st.integers(0, 5000), st.integers(0, 5000))
def test_image_bytes(name: str, width: int, height: int) -> None:
    layout = FORMATS[name]
    assert layout.image_bytes(width, height) == width * height * len(layout.channels) * layout.channel_bytes
