"""Long bulk fields: taken out before their message is sent, put back when it arrives."""

import copy
import dataclasses
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright_protocol import bulk
from maskwright_protocol.bulk import PART_BYTES, PartStore, detach, outgoing
from maskwright_protocol.errors import BadMessage, TooLarge
from maskwright_protocol.masks import INLINE_BYTES
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Alternative,
    BulkPart,
    CutoutResult,
    Instance,
    Mask,
    PixelRect,
    Pixels,
    Rect,
    Refine,
    Report,
    Select,
    Selection,
)

REPORT = Report("auto", [], "cpu")


def mask(size: int, fill: int = 1) -> Mask:
    return Mask(PixelRect(0, 0, size, 1), data=bytes([fill]) * size)


def instance(size: int, *alternatives: int) -> Instance:
    others = [Alternative(0.5, mask=mask(other, 2)) for other in alternatives]
    return Instance("i", "thing", 1.0, Rect(0, 0, 1, 1), "m", others, mask=mask(size, 3))


sizes = st.sampled_from([0, 1, 5000, INLINE_BYTES // 2, INLINE_BYTES, INLINE_BYTES + 1, INLINE_BYTES + PART_BYTES])


@settings(max_examples=25, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=4), st.none() | sizes)
def test_attach_reverses_detach(lengths: list[int], merged: int | None) -> None:
    answer = Selection("a", 1, REPORT, instances=[instance(size, size // 2) for size in lengths])
    answer.merged = None if merged is None else mask(merged, 4)
    original = copy.deepcopy(answer)
    store = PartStore(1 << 28)
    for part in detach(answer):
        assert 0 < len(part.data) <= PART_BYTES
        store.add(part)
    inline = sum(len(item.data or b"") for item in bulk.bulk_fields(answer))
    assert inline <= INLINE_BYTES
    assert inline + store.held == sum(len(item.data or b"") for item in bulk.bulk_fields(original))
    store.attach(answer)
    assert answer == original
    assert store.held == 0


def test_short_fields_stay_where_they_are() -> None:
    select = Select("s", start=mask(10), region=mask(20))
    before = copy.deepcopy(select)
    assert list(detach(select)) == []
    assert select == before


def test_parts_are_not_copied() -> None:
    data = bytes(INLINE_BYTES + 1)
    parts = list(detach(Refine("r", mask=Mask(PixelRect(0, 0, len(data), 1), data=data))))
    assert all(isinstance(part.data, memoryview) and part.data.obj is data for part in parts)
    assert b"".join(part.data for part in parts) == data


def test_a_copy_for_sending_leaves_the_original_whole() -> None:
    """A request is sent again when the connection broke, so its bytes must still be there."""
    refine = Refine("r", mask=mask(INLINE_BYTES + 1))
    before = copy.deepcopy(refine)
    for _ in range(2):
        twin = outgoing(refine)
        assert len(list(detach(twin))) == 5
        assert twin.mask is not None
        assert twin.mask.data is None
        assert refine == before


def test_alpha_and_colours_of_a_cutout() -> None:
    box = PixelRect(0, 0, 2048, 1024)
    answer = CutoutResult("c", 0, REPORT, alpha=Mask(box, data=b"a" * 2**21))
    answer.foreground = Pixels(box, "RGBA8", data=b"f" * 2**23)
    original = copy.deepcopy(answer)
    store = PartStore(1 << 28)
    parts = list(detach(answer))
    assert {part.blob for part in parts} == {0}
    assert answer.alpha == original.alpha
    for part in parts:
        store.add(part)
    store.attach(answer)
    assert answer == original


def reaches_bulk(kind: typing.Any) -> bool:
    """Whether a value of that type can hold a mask or pixels."""
    if kind in (Mask, Pixels):
        return True
    if dataclasses.is_dataclass(kind):
        return any(map(reaches_bulk, typing.get_type_hints(kind).values()))
    return any(map(reaches_bulk, typing.get_args(kind)))


@pytest.mark.parametrize("cls", [*CLIENT_MESSAGES.values(), *SERVER_MESSAGES.values(), Instance, Alternative])
def test_every_field_that_can_hold_bulk_bytes_is_marked(cls: type) -> None:
    """One that is not would make its message too long to be sent."""
    kinds = typing.get_type_hints(cls)
    holding = {field.name for field in dataclasses.fields(cls) if reaches_bulk(kinds[field.name])}
    assert {field.name for field in dataclasses.fields(cls) if "bulk" in field.metadata} == holding


# ---------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("offset", [1, -1, 5, 11])
def test_a_gap_drops_the_blob(offset: int) -> None:
    store = PartStore(100)
    if offset != 1:
        store.add(BulkPart("a", 0, 0, bytes(10)))
    with pytest.raises(BadMessage):
        store.add(BulkPart("a", 0, offset, bytes(3)))
    assert store.held == 0
    store.add(BulkPart("a", 0, 0, bytes(100)))
    assert store.held == 100


def test_the_limit_is_over_all_blobs_and_exact() -> None:
    store = PartStore(30)
    store.add(BulkPart("a", 0, 0, bytes(10)))
    store.add(BulkPart("b", 0, 0, bytes(20)))
    with pytest.raises(TooLarge):
        store.add(BulkPart("b", 0, 20, bytes(1)))
    assert store.held == 10
    store.add(BulkPart("c", 0, 0, bytes(20)))
    assert store.held == 30


def test_many_empty_parts_are_refused() -> None:
    store = PartStore(1 << 20)
    for number in range(bulk.MAX_BLOBS):
        store.add(BulkPart("a", number, 0, b""))
    with pytest.raises(TooLarge):
        store.add(BulkPart("a", bulk.MAX_BLOBS, 0, b""))
    store.discard("a")
    store.add(BulkPart("a", bulk.MAX_BLOBS, 0, b""))


def test_a_blob_that_never_came() -> None:
    store = PartStore(100)
    store.add(BulkPart("r", 1, 0, bytes(10)))
    refine = Refine("r", mask=Mask(PixelRect(0, 0, 10, 1), blob=0))
    with pytest.raises(BadMessage):
        store.attach(refine)
    assert store.held == 0


def test_parts_belong_to_their_message_only() -> None:
    store = PartStore(100)
    store.add(BulkPart("a", 0, 0, b"a" * 10))
    store.add(BulkPart("b", 0, 0, b"b" * 10))
    refine = Refine("a", mask=Mask(PixelRect(0, 0, 10, 1), blob=0))
    store.attach(refine)
    assert refine.mask is not None
    assert refine.mask.data == b"a" * 10
    assert refine.mask.blob is None
    assert store.held == 10
    store.discard("b")
    assert store.held == 0
    store.discard("b")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 12), st.binary(max_size=6))))
def test_held_is_what_is_held(parts: list[tuple[str, int, int, bytes]]) -> None:
    store, kept = PartStore(20), {}
    for identity, number, offset, data in parts:
        name = (identity, number)
        try:
            store.add(BulkPart(identity, number, offset, data))
            kept[name] = kept.get(name, b"") + data
        except (BadMessage, TooLarge):
            kept.pop(name, None)
        assert store.held == sum(len(held) for held in kept.values()) <= 20
    for identity, number in kept:
        refine = Refine(identity, mask=Mask(PixelRect(0, 0, 1, 1), blob=number))
        expected = kept[identity, number]
        probe = copy.deepcopy(store)
        probe.attach(refine)
        assert refine.mask is not None
        assert refine.mask.data == expected
