"""Location tokens: what is written is read, whatever the shape."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from maskwright.models.families.florence2.inference.tokens import CLOSE, OPEN, SEPARATOR, Region, parse, places, spell

BINS = st.integers(0, 999)
LABELS = st.text(string.ascii_letters + "äß字 ", min_size=1).filter(lambda text: text.strip())


@given(
    st.lists(st.tuples(LABELS, st.lists(st.lists(BINS, min_size=4, max_size=4), min_size=1, max_size=3)), max_size=4)
)
def test_boxes(groups: list[tuple[str, list[list[int]]]]) -> None:
    pieces = [piece for label, boxes in groups for piece in (label, *(value for box in boxes for value in box))]
    expected = [Region(label.strip(), places(box)) for label, boxes in groups for box in boxes]
    assert parse(pieces, "box") == expected


@given(LABELS, st.lists(st.lists(BINS, min_size=6, max_size=12), min_size=1, max_size=4), st.booleans())
def test_polygons(label: str, polygons: list[list[int]], marked: bool) -> None:
    even = [polygon[: len(polygon) // 2 * 2] for polygon in polygons]
    inner = [piece for polygon in polygons for piece in (*polygon, SEPARATOR)][:-1]
    pieces = [label, OPEN, *inner, CLOSE] if marked else [label, *inner]
    (region,) = parse(pieces, "box" if marked or len(polygons) > 1 else "polygon")
    assert region == Region(label.strip(), polygons=[places(polygon) for polygon in even])


@given(st.lists(st.one_of(BINS, st.sampled_from([SEPARATOR, OPEN, CLOSE]), LABELS), max_size=40))
def test_nonsense_is_read_without_harm(pieces: list) -> None:
    for kind in ("box", "quad", "polygon"):
        for region in parse(pieces, kind):
            assert all(0 < x < 1 and 0 < y < 1 for x, y in [*region.corners, *(c for p in region.polygons for c in p)])
            assert len(region.corners) in (0, 2, 4)
            assert all(len(polygon) >= 3 for polygon in region.polygons)
            assert bool(region.corners) != bool(region.polygons)


def test_too_few_places_are_passed_over() -> None:
    assert parse(["cat", 1, 2, 3], "box") == []
    assert parse(["cat", 1, 2, 3, "dog", 1, 2, 3, 4, 5], "box") == [Region("dog", places([1, 2, 3, 4]))]
    assert parse(["cat", 1, 2, 3, 4], "polygon") == []
    assert parse([OPEN, 1, 2, 3, 4, 5, 6, CLOSE, OPEN, 7, 8, 9, 10, 11, 12, CLOSE], "polygon") == [
        Region("", polygons=[places([1, 2, 3, 4, 5, 6])]),
        Region("", polygons=[places([7, 8, 9, 10, 11, 12])]),
    ]
    assert parse(["no places at all"], "box") == []


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_spelt_box_reads_back_within_half_a_bin(box: list[float]) -> None:
    bins = [int(part) for part in spell(box).replace("<loc_", " ").replace(">", "").split()]
    middles = [value for place in places(bins) for value in place]
    assert all(abs(a - b) <= 0.0005 + 1e-9 for a, b in zip(middles, box, strict=True))
