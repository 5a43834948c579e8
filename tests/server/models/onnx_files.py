"""ONNX files made by hand, field by field of their protobuf messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence


def number(field: int, value: int) -> bytes:
    return bytes([field << 3, value])


def block(field: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    assert len(data) < 1 << 14
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return bytes([field << 3 | 2]) + size + data


def value_info(field: int, name: str, sizes: Sequence[int] | None, kind: int = 1) -> bytes:
    """An input or output of float32, with ``kind`` 10 of float16; ``sizes`` None: of any shape, 0: of any size."""
    sides = [block(1, number(1, size)) if size else block(1, block(2, b"n")) for size in sizes or ()]
    shape = block(2, *sides) if sizes is not None else b""
    return block(field, block(1, name.encode()), block(2, block(1, number(1, kind), shape)))


def model(*graph: bytes) -> bytes:
    return number(1, 8) + block(7, *graph, block(2, b"g")) + block(8, number(2, 13))


def with_weights_in(location: str) -> bytes:
    """A model that adds four numbers of another file to its input."""
    where = block(13, block(1, b"location"), block(2, location.encode()))
    weights = block(5, number(1, 4), number(2, 1), block(8, b"w"), where, number(14, 1))
    node = block(1, block(1, b"x"), block(1, b"w"), block(2, b"y"), block(4, b"Add"))
    return model(node, weights, value_info(11, "x", [4]), value_info(12, "y", [4]))


def answering(inputs: Mapping[str, int], outputs: Sequence[str], sizes: Sequence[int]) -> bytes:
    """A model that answers with ones of the shape ``sizes`` whatever it is given; ``inputs``: names and ranks."""
    count = 1
    for size in sizes:
        count *= size
    dims = b"".join(number(1, size) for size in sizes)
    weights = block(5, dims, number(2, 1), block(8, b"w"), block(9, struct.pack("<f", 1.0) * count))
    nodes = [block(1, block(1, b"w"), block(2, name.encode()), block(4, b"Identity")) for name in outputs]
    ends = [value_info(11, name, [0] * rank) for name, rank in inputs.items()]
    return model(*nodes, weights, *ends, *(value_info(12, name, None) for name in outputs))


def filled(inputs: Mapping[str, int], output: str, sizes: Sequence[int], number_bytes: bytes) -> bytes:
    """A model that answers with that number (four bytes) everywhere, of the shape ``sizes``, whatever it is given."""
    shape = struct.pack(f"<{len(sizes)}q", *sizes)
    sides = block(5, number(1, len(sizes)), number(2, 7), block(8, b"s"), block(9, shape))
    value = block(5, block(5, number(1, 1), number(2, 1), block(9, number_bytes)), block(1, b"value"), b"\xa0\x01\x04")
    node = block(1, block(1, b"s"), block(2, output.encode()), block(4, b"ConstantOfShape"), value)
    ends = [value_info(11, name, [0] * rank) for name, rank in inputs.items()]
    return model(node, sides, *ends, value_info(12, output, None))
