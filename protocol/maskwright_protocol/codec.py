"""Messages <-> bytes: one msgpack map a message, with limits on size, depth and count checked before decoding."""

import dataclasses
import struct
import typing
from functools import lru_cache
from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional, Type, Union

from . import _msgpack
from .errors import BadInput, BadMessage, TooLarge
from .messages import Message

Buffer = Union[bytes, bytearray, memoryview]

MAX_MESSAGE = 8 * 1024 * 1024
MAX_DEPTH = 16
MAX_ITEMS = 50_000
SEPARATE_BYTES = 4096  # a bytes field this long is sent as its own buffer, without a copy
# Of what clients send.
MAX_TEXT = 1000  # characters
MAX_LIST = 4096  # elements
MAX_ENTRIES = 64  # of a map
MAX_INTEGER = 2**31
MAX_COORDINATE = 1e7


# ---------------------------------------------------------------- encoding


def encode(message: Message) -> List[Buffer]:
    """The message as a list of buffers to be sent one after the other as a single WebSocket message.

    Long bytes fields are passed through untouched (no copy); everything else is packed. Fields that are None are left
    out. Raises ``BadMessage`` for values that msgpack cannot hold.
    """
    buffers: List[Buffer] = []
    packed = bytearray()

    def emit(value: Any) -> None:
        nonlocal packed
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            emit_map(_fields_of(value))
        elif isinstance(value, dict):
            emit_map(value)
        elif isinstance(value, (list, tuple)):
            packed += _header(len(value), 0x90, 0xDC)
            for item in value:
                emit(item)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            size = value.nbytes if isinstance(value, memoryview) else len(value)
            packed += _bin_header(size)
            if size < SEPARATE_BYTES:
                packed += value
            else:
                buffers.append(bytes(packed))
                buffers.append(value)
                packed = bytearray()
        else:
            packed += _msgpack.pack(value)

    def emit_map(items: Mapping[str, Any]) -> None:
        nonlocal packed
        packed += _header(len(items), 0x80, 0xDE)
        for key, value in items.items():
            packed += _msgpack.pack(key)
            emit(value)

    try:
        emit({"type": message.TYPE, **_fields_of(message)})
    except _msgpack.MsgpackError as error:
        raise BadMessage(f"A {message.TYPE} message holds a value that cannot be sent: {error}") from error
    if packed:
        buffers.append(bytes(packed))
    return buffers


def encode_bytes(message: Message) -> bytes:
    """The message as one bytes object."""
    return b"".join(encode(message))


def _fields_of(value: Any) -> Dict[str, Any]:
    items = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
    return {name: item for name, item in items if item is not None}


def _header(count: int, fix: int, wide: int) -> bytes:
    if count < 16:
        return bytes([fix | count])
    if count < 1 << 16:
        return struct.pack(">BH", wide, count)
    return struct.pack(">BI", wide + 1, count)


def _bin_header(size: int) -> bytes:
    if size < 1 << 8:
        return struct.pack(">BB", 0xC4, size)
    if size < 1 << 16:
        return struct.pack(">BH", 0xC5, size)
    return struct.pack(">BI", 0xC6, size)


# ---------------------------------------------------------------- decoding


def decode_map(data: bytes, max_size: int = MAX_MESSAGE) -> Dict[str, Any]:
    """The message's map with plain values. Raises ``TooLarge`` or ``BadMessage``."""
    if len(data) > max_size:
        raise TooLarge(f"A message of {len(data)} bytes is longer than the {max_size} allowed.")
    check_limits(data)
    try:
        value = _msgpack.unpack(data)
    except _msgpack.MsgpackError as error:
        raise BadMessage(f"A message could not be read: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise BadMessage("A message is not a map with a 'type'.")
    return value


def decode(
    data: bytes, known: Mapping[str, Type[Message]], max_size: int = MAX_MESSAGE, limited: bool = False
) -> Message:
    """The message as its dataclass; unknown fields are ignored. ``limited``: as in ``build``, for the server.

    Raises ``TooLarge``, ``BadMessage`` (not of this protocol) or ``BadInput`` (values beyond the limits).
    """
    value = decode_map(data, max_size)
    kind = value["type"]
    if kind not in known:
        raise BadMessage(f"Messages of type {kind[:40]!r} are not known.")
    return build(known[kind], value, kind, limited)


def check_limits(data: bytes) -> None:
    """Walk msgpack's headers without building anything; raise ``BadMessage`` beyond depth, item count or length.

    A few bytes can announce millions of empty maps; this costs at most ``MAX_ITEMS`` steps.
    """
    position, end, steps = 0, len(data), 0
    pending = [1]  # values still to read, per nesting level
    while pending:
        if pending[-1] == 0:
            pending.pop()
            continue
        pending[-1] -= 1
        steps += 1
        if steps > MAX_ITEMS:
            raise BadMessage("A message holds too many values.")
        if position >= end:
            raise BadMessage("A message is cut off.")
        tag = data[position]
        position += 1
        size_bytes, payload, children = _TAGS[tag]
        if payload < 0:
            raise BadMessage(f"A message holds the unsupported msgpack type 0x{tag:02x}.")
        if size_bytes:
            count = int.from_bytes(data[position : position + size_bytes], "big")
            position += size_bytes
            if children:
                children *= count
            else:
                payload = count
        position += payload
        if position > end or children > end - position:
            raise BadMessage("A message is cut off.")
        if children:
            pending.append(children)
            if len(pending) > MAX_DEPTH + 1:
                raise BadMessage("A message is nested too deeply.")
    if position != end:
        raise BadMessage("A message is followed by more bytes.")


def _tag_table() -> List[typing.Tuple[int, int, int]]:
    """For each first byte: bytes of the length field, payload bytes (-1: refused), children (per counted entry)."""
    table = [(0, -1, 0)] * 256
    for tag in [*range(0x80), 0xC0, 0xC2, 0xC3, *range(0xE0, 0x100)]:
        table[tag] = (0, 0, 0)
    for count in range(16):
        table[0x80 + count] = (0, 0, 2 * count)
        table[0x90 + count] = (0, 0, count)
    for size in range(32):
        table[0xA0 + size] = (0, size, 0)
    table[0xC4:0xC7] = [(1, 0, 0), (2, 0, 0), (4, 0, 0)]  # bin
    table[0xCA:0xCC] = [(0, 4, 0), (0, 8, 0)]  # floats
    for start in (0xCC, 0xD0):  # unsigned and signed integers
        table[start : start + 4] = [(0, 1, 0), (0, 2, 0), (0, 4, 0), (0, 8, 0)]
    table[0xD9:0xDC] = [(1, 0, 0), (2, 0, 0), (4, 0, 0)]  # str
    table[0xDC:0xDE] = [(2, 0, 1), (4, 0, 1)]  # array
    table[0xDE:0xE0] = [(2, 0, 2), (4, 0, 2)]  # map
    return table


_TAGS = _tag_table()
_SCALARS = (str, bytes, int, float, bool)


class _Field(NamedTuple):
    name: str
    kind: Any  # the annotated type
    required: bool
    choices: Collection[Any]  # the values that it takes; empty is any
    lowest: Optional[float]


@lru_cache(maxsize=None)
def _fields_of_class(cls: type) -> List[_Field]:
    kinds = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    return [
        _Field(
            f.name,
            kinds[f.name],
            f.default is missing and f.default_factory is missing,
            f.metadata.get("choices", ()),
            f.metadata.get("lowest"),
        )
        for f in dataclasses.fields(cls)
    ]


def build(kind: Any, value: Any, where: str, limited: bool = False) -> Any:
    """A value of the annotated type ``kind`` from plain values; ``where`` names it in errors.

    Raises ``BadMessage`` for another type or a missing field. With ``limited`` also ``BadInput`` beyond a limit, of the
    type (``MAX_TEXT`` and so on) or of the field (``fields.one_of``, ``fields.at_least``).
    """
    if kind in _SCALARS:
        return _build_scalar(kind, value, where, limited)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where, limited)
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is list:
        return _build_list(arguments[0], value, where, limited)
    if origin is dict:
        return _build_dict(arguments[1], value, where, limited)
    inner = next(a for a in arguments if a is not type(None))  # Optional[X]
    return None if value is None else build(inner, value, where, limited)


def _build_scalar(kind: Any, value: Any, where: str, limited: bool) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadMessage(f"The field {where} is not of type {kind.__name__}.")
    if limited:
        _check_value(value, where)
    return value


def _build_list(kind: Any, value: Any, where: str, limited: bool) -> List[Any]:
    if not isinstance(value, list):
        raise BadMessage(f"The field {where} is not a list.")
    if limited and len(value) > MAX_LIST:
        raise _unusable(where, f"it has more than {MAX_LIST} elements")
    return [build(kind, item, f"{where}.{number}", limited) for number, item in enumerate(value)]


def _build_dict(kind: Any, value: Any, where: str, limited: bool) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise BadMessage(f"The field {where} is not a dict.")
    if not all(isinstance(key, str) for key in value):
        raise BadMessage(f"The field {where} has a key that is not text.")
    if limited and len(value) > MAX_ENTRIES:
        raise _unusable(where, f"it has more than {MAX_ENTRIES} entries")
    if limited and any(len(key) > MAX_TEXT for key in value):
        raise _unusable(where, f"a key is longer than {MAX_TEXT} characters")
    return {key: build(kind, item, f"{where}.{key[:40]}", limited) for key, item in value.items()}


def _build_dataclass(cls: Any, value: Any, where: str, limited: bool) -> Any:
    if not isinstance(value, dict):
        raise BadMessage(f"The field {where} is not a map.")
    found = {}
    for field in _fields_of_class(cls):
        if field.name in value:
            place = f"{where}.{field.name}"
            found[field.name] = item = build(field.kind, value[field.name], place, limited)
            if limited and field.choices and item not in field.choices:
                known = ", ".join(map(str, field.choices))
                raise _unusable(place, f"{str(item)[:40]!r} is not one of {known}")
            if limited and field.lowest is not None and item < field.lowest:
                raise _unusable(place, f"it is less than {field.lowest:g}")
        elif field.required:
            raise BadMessage(f"The field {where}.{field.name} is missing.")
    return cls(**found)


def _check_value(value: Any, where: str) -> None:
    """Raises ``BadInput`` for a text or number beyond the limits of its type."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise _unusable(where, f"it is longer than {MAX_TEXT} characters")
    elif isinstance(value, float):
        if not -MAX_COORDINATE <= value <= MAX_COORDINATE:  # NaN is not either
            raise _unusable(where, f"it is not between {-MAX_COORDINATE:,.0f} and {MAX_COORDINATE:,.0f}")
    elif isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _unusable(where, "it is not between -2^31 and 2^31")


def _unusable(where: str, why: str) -> BadInput:
    return BadInput(f"The value of {where} cannot be used: {why}.")
