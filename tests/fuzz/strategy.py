"""Inputs for targets by hypothesis: sound ones with a few bytes changed, and plain bytes."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from .targets import Target


@st.composite
def _changed(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.integers(0, 3))
        piece = draw(st.binary(min_size=1, max_size=8))
        if kind == 0:
            data[at : at + len(piece)] = piece
        elif kind == 1:
            data[at:at] = piece
        elif kind == 2:
            del data[at : at + piece[0] % 16 + 1]
        else:
            data[at:at] = data[: piece[0]]
    return bytes(data)


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    return st.one_of(_changed(target.seeds()), _changed(target.seeds()), st.binary(max_size=target.longest))


def run(function: Callable[[bytes], object], target: Target, count: int, number: int | None = None) -> None:
    """So many inputs, the same ones each time; the smallest one that shows a defect is told."""
    checks = settings(
        max_examples=count, deadline=None, database=None, derandomize=number is None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )  # fmt: skip

    @checks
    @given(inputs(target))
    def each(data: bytes) -> None:
        function(data)

    (seed(number)(each) if number is not None else each)()
