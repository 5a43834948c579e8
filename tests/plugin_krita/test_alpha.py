"""A mask goes into the alpha channel of every depth; the other channels stay as they are."""

import numpy as np
import pytest

from maskwright_krita.editor.alpha import with_alpha

KINDS = {"U8": (np.uint8, 255), "U16": (np.uint16, 65535), "F16": (np.float16, 1), "F32": (np.float32, 1)}


@pytest.mark.parametrize("depth", KINDS)
@pytest.mark.parametrize("channels", [2, 4, 5])
def test_alpha_of_every_depth(depth: str, channels: int) -> None:
    kind, full = KINDS[depth]
    generator = np.random.default_rng(1)
    pixels = (generator.random((256, channels)) * full).astype(kind)
    mask = np.arange(256, dtype=np.uint8)
    out = np.frombuffer(with_alpha(pixels.tobytes(), mask.tobytes(), depth), kind).reshape(256, channels)
    assert (out[:, :-1] == pixels[:, :-1]).all()
    assert np.allclose(out[:, -1].astype(float), mask / 255 * full, rtol=1e-3 if depth == "F16" else 1e-6)
    assert out[-1, -1] == full


def test_nothing_in_nothing_out() -> None:
    assert with_alpha(b"", b"", "U8") == b""
