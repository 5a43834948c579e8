"""Bytes from clients -> messages: the limits of types and fields, and the right error for each kind of wrong."""

from __future__ import annotations

import copy
import dataclasses
import typing
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright_protocol import codec
from maskwright_protocol.codec import MAX_COORDINATE, MAX_ENTRIES, MAX_INTEGER, MAX_LIST, MAX_TEXT
from maskwright_protocol.errors import BadInput, BadMessage, MaskwrightError
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Failed,
    Message,
    Picture,
    PixelRect,
    Point,
    Raster,
    Rect,
    Select,
)

BOX = {"x": 0, "y": 0, "width": 8, "height": 8}
JOB: dict[str, Any] = {
    "type": "select",
    "id": "j",
    "picture": {"box": BOX, "rasters": [{"key": "k", "width": 8, "height": 8, "format": "RGB8", "box": BOX}]},
    "text": "dog",
    "points": [{"x": 1.5, "y": 2}],
    "boxes": [{"x": 0, "y": 0, "width": 1, "height": 1}],
    "post": {"grow": -2},
    "models": {"segmenter": "mobile-sam"},
}


def parsed(value: object) -> Message:
    data = msgpack.packb(value)
    assert data is not None
    return codec.decode(data, CLIENT_MESSAGES, limited=True)


def changed(path: str, value: object) -> dict[str, Any]:
    """The usual job with one value replaced; the path is joined by dots."""
    job = copy.deepcopy(JOB)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = job
    for part in parents:
        target = target[part]
    target[last] = value
    return job


def test_a_good_job() -> None:
    raster = Raster("k", 8, 8, "RGB8", PixelRect(0, 0, 8, 8))
    expected = Select("j", Picture(PixelRect(0, 0, 8, 8), [raster]), text="dog", points=[Point(1.5, 2.0)])
    expected.boxes, expected.post.grow, expected.models = [Rect(0, 0, 1, 1)], -2.0, {"segmenter": "mobile-sam"}
    assert parsed(JOB) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e8, -1e8, 2**63])
@pytest.mark.parametrize(
    "path", ["points.0.x", "boxes.0.width", "post.grow", "post.threshold", "deadline_s", "min_score"]
)
def test_numbers_that_no_document_has(path: str, value: float) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(changed(path, value))
    assert path in caught.value.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("generation", 2**40),
        ("picture.box.x", -(2**40)),
        ("text", "x" * (MAX_TEXT + 1)),
        ("id", "x" * (MAX_TEXT + 1)),
        ("points", [{"x": 0, "y": 0}] * (MAX_LIST + 1)),
        ("models", {str(number): "m" for number in range(65)}),
        ("models", {"x" * (MAX_TEXT + 1): "m"}),
        ("priority", "now"),
        ("mask_depth", 1),
        ("deadline_s", -0.5),
        ("picture.rasters.0.format", "RGB9"),
        ("picture.rasters.0.transfer", "rec709"),
        ("picture.rasters.0.format", "x" * MAX_TEXT),
    ],
)
def test_values_that_cannot_be_used(path: str, value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(changed(path, value))
    assert f"select.{path}" in caught.value.message
    assert len(caught.value.message) < 300


def test_values_that_a_field_takes_are_named() -> None:
    with pytest.raises(BadInput, match="'now' is not one of interactive, batch, background"):
        parsed(changed("priority", "now"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("type", "welcome"),
        ("type", "x" * 100_000),
        ("id", 7),
        ("id", None),
        ("text", b"dog"),
        ("text", ["dog"]),
        ("points.0.x", "1"),
        ("points.0.x", True),
        ("points.0.include", 1),
        ("points", {}),
        ("points.0", [1, 2]),
        ("generation", 1.0),
        ("generation", True),
        ("models", {"segmenter": 1}),
        ("models", {b"segmenter": "m"}),
        ("picture.rasters.0.data", "text"),
        ("picture.rasters.0", {"key": "k"}),
        ("post", None),
    ],
)
def test_fields_of_another_type(path: str, value: object) -> None:
    with pytest.raises(BadMessage) as caught:
        parsed(changed(path, value))
    assert len(caught.value.message) < 300


def test_limits_are_exact() -> None:
    parsed(changed("text", "x" * MAX_TEXT))
    parsed(changed("points", [{"x": 0, "y": 0}] * MAX_LIST))
    parsed(changed("points.0.x", MAX_COORDINATE))
    parsed(changed("points.0.x", -MAX_COORDINATE))
    parsed(changed("generation", MAX_INTEGER))
    parsed(changed("generation", -MAX_INTEGER))
    parsed(changed("models", {str(number): "m" for number in range(MAX_ENTRIES)}))
    parsed(changed("deadline_s", 0))


def test_clients_are_told_more_than_they_may_say() -> None:
    long = codec.encode_bytes(Failed("f", "internal", "x" * (MAX_TEXT + 1), details={"free": 2**40}))
    assert isinstance(codec.decode(long, SERVER_MESSAGES), Failed)


def test_newer_clients_may_send_more() -> None:
    assert parsed({**JOB, "added_later": [1], "post": {"grow": -2, "added": 1}}) == parsed(JOB)


def test_absent_fields_have_the_dataclasses_defaults() -> None:
    short = {name: JOB[name] for name in ("type", "id", "picture")}
    message = parsed(short)
    assert isinstance(message, Select)
    assert message == Select("j", picture=message.picture)


def test_required_fields_are_required() -> None:
    for name, cls in CLIENT_MESSAGES.items():
        required = [
            f.name
            for f in dataclasses.fields(cls)
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        assert required, name
        with pytest.raises(BadMessage, match=required[0]):
            parsed({"type": name})


@pytest.mark.parametrize("kind", sorted(set(SERVER_MESSAGES) - {"part"}))
def test_what_only_servers_say(kind: str) -> None:
    with pytest.raises(BadMessage):
        parsed({"type": kind, "id": "x"})


atoms = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=4)
plain = st.recursive(
    atoms | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
PATHS = ["id", "picture", "picture.box", "picture.rasters.0.data", "points.0", "points.0.x", "post", "models", "start"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), plain)
def test_one_odd_value_is_fine_or_a_typed_error(path: str, value: object) -> None:
    try:
        message = parsed(changed(path, value))
    except (BadInput, BadMessage):
        return
    assert codec.decode(codec.encode_bytes(message), CLIENT_MESSAGES) == message


@pytest.mark.parametrize("kind", sorted(CLIENT_MESSAGES))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_odd_fields_of_every_message(kind: str, data: st.DataObject) -> None:
    names = sorted(typing.get_type_hints(CLIENT_MESSAGES[kind]).keys() - {"TYPE"})
    fields = data.draw(st.dictionaries(st.sampled_from(names), plain))
    try:
        message = parsed({"type": kind, **fields})
    except MaskwrightError:
        return
    assert isinstance(message, CLIENT_MESSAGES[kind])
