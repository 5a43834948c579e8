"""The codec: what goes in comes out, and nothing that is sent can do more than raise a typed error."""

import dataclasses
import math
import typing

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright_protocol import codec
from maskwright_protocol.errors import BadMessage, MaskwrightError, TooLarge
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    BulkPart,
    Cancel,
    Failed,
    ImageNeed,
    ImageSlice,
    Mask,
    Models,
    PixelRect,
    Pixels,
    Progress,
    Raster,
    Refine,
    Select,
    StatusRequest,
)

from .support import instances

ALL = {**CLIENT_MESSAGES, **SERVER_MESSAGES}
OUR_FIELD = b"\x81\xa4type"


class CountingBytes(bytes):
    """Counts how often a single byte of it is looked at."""

    looks = 0

    def __getitem__(self, index: typing.Any) -> typing.Any:
        type(self).looks += not isinstance(index, slice)
        return super().__getitem__(index)


@pytest.mark.parametrize("kind", sorted(ALL))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_message_survives_the_wire(kind: str, data: st.DataObject) -> None:
    message = data.draw(instances(ALL[kind]))
    decoded = codec.decode(codec.encode_bytes(message), ALL)
    assert type(decoded) is ALL[kind]
    assert decoded == message


@settings(max_examples=50, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(ALL)))
def test_what_is_sent_is_plain_msgpack_without_absent_fields(data: st.DataObject, kind: str) -> None:
    message = data.draw(instances(ALL[kind]))
    plain = msgpack.unpackb(codec.encode_bytes(message))
    assert next(iter(plain.items())) == ("type", kind)
    expected = {name for name, value in vars(message).items() if value is not None}
    assert set(plain) == {"type"} | expected


def test_long_bytes_pass_through_uncopied() -> None:
    for data in (bytearray(codec.SEPARATE_BYTES), memoryview(bytearray(300_000))):
        buffers = codec.encode(ImageSlice("k", 0, 0, typing.cast(bytes, data)))
        assert any(buffer is data for buffer in buffers)
        assert codec.decode(b"".join(buffers), ALL) == ImageSlice("k", 0, 0, bytes(data))


def test_short_bytes_are_packed_along() -> None:
    assert len(codec.encode(ImageSlice("k", 0, 0, bytes(codec.SEPARATE_BYTES - 1)))) == 1


def test_wide_views_count_in_bytes() -> None:
    wide = memoryview(bytearray(8192)).cast("H")
    decoded = codec.decode(b"".join(codec.encode(ImageSlice("k", 0, 0, typing.cast(bytes, wide)))), ALL)
    assert isinstance(decoded, ImageSlice)
    assert len(decoded.data) == 8192


@pytest.mark.parametrize("cls", [Raster, Mask, Pixels, BulkPart, ImageSlice])
def test_bulk_fields_come_last(cls: type) -> None:
    """A sender writes everything before the pixels as one prefix, so nothing may follow them."""
    assert dataclasses.fields(cls)[-1].name == "data"
    assert "bytes" in str(typing.get_type_hints(cls)["data"])


def test_the_long_field_is_the_last_buffer() -> None:
    data = bytes(codec.SEPARATE_BYTES)
    for message in (ImageSlice("k", 0, 0, data), Refine("i", mask=Mask(PixelRect(0, 0, 64, 64), data=data))):
        assert codec.encode(message)[-1] is data


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, object(), {1, 2}, "\ud800"])
def test_what_msgpack_cannot_hold_is_a_typed_error(value: object) -> None:
    with pytest.raises(BadMessage):
        codec.encode(Failed("i", "c", "m", details={"value": value}))


# ---------------------------------------------------------------- limits


def test_size_limit_is_exact() -> None:
    data = codec.encode_bytes(StatusRequest("x"))
    assert codec.decode(data, ALL, max_size=len(data)) == StatusRequest("x")
    with pytest.raises(TooLarge):
        codec.decode(data, ALL, max_size=len(data) - 1)
    with pytest.raises(TooLarge):
        codec.decode_map(bytes(codec.MAX_MESSAGE + 1))


def test_depth_limit_is_exact() -> None:
    def nested(levels: int) -> bytes:
        return b"\x91" * (levels - 1) + b"\x90"

    codec.check_limits(b"\x91" * codec.MAX_DEPTH + b"\xc0")
    with pytest.raises(BadMessage, match="deep"):
        codec.check_limits(b"\x91" * (codec.MAX_DEPTH + 1) + b"\xc0")
    with pytest.raises(BadMessage, match="deep"):
        codec.decode_map(nested(1_000_000))


def test_count_limit_is_exact() -> None:
    def array(count: int) -> bytes:
        return b"\xdd" + count.to_bytes(4, "big") + b"\xc0" * count

    codec.check_limits(array(codec.MAX_ITEMS - 1))
    with pytest.raises(BadMessage, match="too many"):
        codec.check_limits(array(codec.MAX_ITEMS))


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdd" + (1_000_000).to_bytes(4, "big") + b"\x80" * 1_000_000,
        b"\xdf" + (500_000).to_bytes(4, "big") + b"\x80" * 1_000_000,
        b"\xdd" + (1_000_000).to_bytes(4, "big") + b"\x90" * 1_000_000,
        (b"\x9f" + b"\xc0" * 14) * 50_000,
    ],
)
def test_bombs_cost_a_bounded_number_of_steps(bomb: bytes) -> None:
    CountingBytes.looks = 0
    with pytest.raises(BadMessage):
        codec.decode_map(CountingBytes(bomb))
    assert 0 < CountingBytes.looks <= codec.MAX_ITEMS


@pytest.mark.parametrize(
    "head", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff"]
)
def test_announced_lengths_are_not_believed(head: bytes) -> None:
    with pytest.raises(BadMessage, match="cut off"):
        codec.decode_map(head + b"\xc0" * 10)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_truncation_is_refused(data: st.DataObject) -> None:
    whole = codec.encode_bytes(data.draw(instances(Select)))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadMessage):
        codec.decode(whole[:cut], ALL)


@given(st.binary(min_size=1, max_size=8))
def test_trailing_bytes_are_refused(rest: bytes) -> None:
    with pytest.raises(BadMessage, match="followed"):
        codec.decode(codec.encode_bytes(Cancel("x")) + rest, ALL)


@pytest.mark.parametrize("tag", [0xC1, 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8])
def test_extension_types_are_refused(tag: int) -> None:
    with pytest.raises(BadMessage, match=f"0x{tag:02x}"):
        codec.decode_map(OUR_FIELD + bytes([tag]) + bytes(40))


def test_timestamps_are_refused() -> None:
    with pytest.raises(BadMessage):
        codec.decode_map(typing.cast(bytes, msgpack.packb({"type": msgpack.Timestamp(1)})))


# ---------------------------------------------------------------- garbage


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_raises_only_typed_errors(data: bytes) -> None:
    with pytest.raises(MaskwrightError):
        codec.decode(b"\x81" + data, {})


atoms = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5)
keys = st.text(max_size=5) | st.binary(max_size=3)
plain_values = st.recursive(
    atoms | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted(ALL)), data=st.data())
def test_fields_of_wrong_types_raise_only_typed_errors(kind: str, data: st.DataObject) -> None:
    names = sorted(ALL[kind].__dataclass_fields__)
    fields = data.draw(st.dictionaries(st.sampled_from(names), plain_values))
    raw = typing.cast(bytes, msgpack.packb({"type": kind, **fields}))
    try:
        decoded = codec.decode(raw, ALL)
    except MaskwrightError:
        return
    assert codec.encode_bytes(decoded)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_flipped_bytes_raise_only_typed_errors(data: st.DataObject) -> None:
    raw = bytearray(codec.encode_bytes(data.draw(instances(Select))))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        codec.decode(bytes(raw), ALL)
    except MaskwrightError:
        pass


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "not a map"),
        ({}, "not a map"),
        ({"type": 3}, "not a map"),
        ({"type": "nonsense"}, "nonsense"),
        ({"type": "cancel"}, "missing"),
        ({"type": "cancel", "id": 3}, "cancel.id"),
        ({"type": "cancel", "id": b"x"}, "cancel.id"),
        ({"type": "image.need", "id": "i", "key": "k", "strips": [True]}, "strips"),
        ({"type": "image.need", "id": "i", "key": "k", "strips": [1.0]}, "strips"),
        ({"type": "image.need", "id": "i", "key": "k", "strips": {}}, "list"),
        ({"type": "failed", "id": "i", "code": "c", "message": "m", "details": {b"k": 1}}, "key"),
        ({"type": "select", "id": "i", "points": [{"x": 1}]}, "missing"),
        ({"type": "select", "id": "i", "points": [[1, 2]]}, "not a map"),
        ({"type": "select", "id": "i", "text": None}, "select.text"),
    ],
)
def test_wrong_shapes_are_named(value: object, says: str) -> None:
    with pytest.raises(BadMessage, match=says):
        codec.decode(typing.cast(bytes, msgpack.packb(value)), ALL)


def test_integer_keys_are_refused() -> None:
    with pytest.raises(BadMessage):
        codec.decode_map(typing.cast(bytes, msgpack.packb({"type": "cancel", 1: 2})))


def test_unknown_fields_are_ignored_so_that_either_side_may_be_newer() -> None:
    raw = typing.cast(bytes, msgpack.packb({"type": "cancel", "id": "x", "added_later": {"a": [1]}}))
    assert codec.decode(raw, ALL) == Cancel("x")


def test_whole_numbers_serve_as_floats() -> None:
    raw = typing.cast(
        bytes, msgpack.packb({"type": "progress", "id": "x", "generation": 1, "stage": "s", "fraction": 1})
    )
    decoded = codec.decode(raw, ALL)
    assert isinstance(decoded, Progress)
    assert type(decoded.fraction) is float
    assert decoded.fraction == 1


def test_optional_fields_may_be_nil() -> None:
    raw = typing.cast(bytes, msgpack.packb({"type": "select", "id": "x", "min_score": None, "start": None}))
    assert codec.decode(raw, ALL) == Select("x")


def test_special_floats_travel() -> None:
    decoded = codec.decode(codec.encode_bytes(Progress("x", 0, "s", math.inf)), ALL)
    assert isinstance(decoded, Progress)
    assert decoded.fraction == math.inf


def test_both_sides_know_disjoint_names_but_for_parts() -> None:
    assert set(CLIENT_MESSAGES) & set(SERVER_MESSAGES) == {"part"}
    for known in (CLIENT_MESSAGES, SERVER_MESSAGES):
        assert all(name == cls.TYPE for name, cls in known.items())
    with pytest.raises(BadMessage):
        codec.decode(codec.encode_bytes(Models("x")), CLIENT_MESSAGES)
    with pytest.raises(BadMessage):
        codec.decode(codec.encode_bytes(Cancel("x")), SERVER_MESSAGES)


def test_lists_of_many_lengths() -> None:
    for count in (0, 15, 16, 40_000):
        need = ImageNeed("i", "k", list(range(count)))
        assert codec.decode(codec.encode_bytes(need), ALL) == need
