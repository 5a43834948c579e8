"""Which pixels of a cut-out get new colours."""

import struct
from array import array

from maskwright_gimp import edges


def test_only_what_is_neither_transparent_nor_opaque_is_soft() -> None:
    alphas = (0, 1, 255, 256, 32768, 65279, 65280, 65534, 65535)
    pixels = b"".join(struct.pack("<4H", 7, 65535, 0, alpha) for alpha in alphas)
    alpha = edges.alpha_of(pixels)
    assert struct.unpack("<9H", alpha) == alphas
    soft = edges.soft(alpha)
    assert list(soft) == [0, 1, 1, 1, 1, 1, 1, 1, 0]
    assert list(edges.both(soft, bytes([1, 0, 1] * 3))) == [0, 0, 1, 1, 0, 1, 1, 0, 0]
    assert edges.soft(b"") == b""


def test_colours_outside_srgb_are_passed_over() -> None:
    good, bad = [0.0, 0.5, 1.0], [0.2, 1.5, 0.2]
    seen = array("f", good + good + bad + good + bad + [0.5, -0.1, 0.5])
    assert list(edges.runs(bytes([1, 1, 1, 1, 0, 1]), seen)) == [(0, 1), (1, 2), (3, 4)]
    assert list(edges.runs(bytes([0, 1, 0, 1, 0, 0]), seen)) == [(1, 2), (3, 4)]
    assert list(edges.runs(bytes([1, 1, 0, 0, 0, 0]), seen)) == [(0, 2)]


def test_alpha_stays_when_colours_are_replaced() -> None:
    own, clean = bytearray(range(24)), bytes(range(100, 124))
    edges.replace(own, clean, 1, 2, 8, 6)
    assert bytes(own) == bytes([*range(8), *range(108, 114), 14, 15, *range(16, 24)])
