"""Messages <-> bytes: one msgpack map a message, with limits on size, depth and count checked before decoding."""

import dataclasses
import struct
import typing
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Type, Union

from . import _msgpack
from .errors import BadInput, BadMessage, TooLarge
from .language import tr
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
        raise BadMessage(tr("A {0} message holds a value that cannot be sent: {1}", message.TYPE, error)) from error
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
        raise TooLarge(tr("A message of {0} bytes is longer than the {1} allowed.", len(data), max_size))
    check_limits(data)
    try:
        value = _msgpack.unpack(data)
    except _msgpack.MsgpackError as error:
        raise BadMessage(tr("A message could not be read: {0}", error)) from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise BadMessage(tr("A message is not a map with a 'type'."))
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
        raise BadMessage(tr("Messages of type {0!r} are not known.", kind[:40]))
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
            raise BadMessage(tr("A message holds too many values."))
        if position >= end:
            raise BadMessage(tr("A message is cut off."))
        tag = data[position]
        position += 1
        size_bytes, payload, children = _TAGS[tag]
        if payload < 0:
            raise BadMessage(tr("A message holds the unsupported msgpack type 0x{0:02x}.", tag))
        if size_bytes:
            count = int.from_bytes(data[position : position + size_bytes], "big")
            position += size_bytes
            if children:
                children *= count
            else:
                payload = count
        position += payload
        if position > end or children > end - position:
            raise BadMessage(tr("A message is cut off."))
        if children:
            pending.append(children)
            if len(pending) > MAX_DEPTH + 1:
                raise BadMessage(tr("A message is nested too deeply."))
    if position != end:
        raise BadMessage(tr("A message is followed by more bytes."))


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
_LONGEST = {str: MAX_TEXT, list: MAX_LIST, dict: MAX_ENTRIES}
_LARGEST = {int: MAX_INTEGER, float: MAX_COORDINATE}


def build(kind: Any, value: Any, where: str, limited: bool = False) -> Any:
    """A value of the annotated type ``kind`` from plain values; ``where`` names it in errors.

    Raises ``BadMessage`` for another type or a missing field. With ``limited`` also ``BadInput`` beyond a limit, of the
    type (``MAX_TEXT`` and so on) or of the field (``fields.one_of``, ``fields.at_least``).
    """
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where, limited)
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is Union:  # Optional[X]
        return None if value is None else build(arguments[0], value, where, limited)
    if origin is float and type(value) is int:
        value = float(value)
    if not isinstance(value, origin) or (origin is int and isinstance(value, bool)):
        raise BadMessage(tr("The field {0} is not of type {1}.", where, origin.__name__))
    if limited:
        _check_size(value, where)
    if origin is list:
        return [build(arguments[0], item, f"{where}.{number}", limited) for number, item in enumerate(value)]
    if origin is dict:
        keys = [build(str, key, f"{where} (a key of it)", limited) for key in value]
        return {key: build(arguments[1], value[key], f"{where}.{key[:40]}", limited) for key in keys}
    return value


@lru_cache(maxsize=None)
def _fields_with_types(cls: type) -> List[typing.Tuple["dataclasses.Field[Any]", Any]]:
    kinds = typing.get_type_hints(cls)
    return [(field, kinds[field.name]) for field in dataclasses.fields(cls)]


def _build_dataclass(cls: Any, value: Any, where: str, limited: bool) -> Any:
    if not isinstance(value, dict):
        raise BadMessage(tr("The field {0} is not a map.", where))
    found = {}
    for field, kind in _fields_with_types(cls):
        place = f"{where}.{field.name}"
        if field.name in value:
            found[field.name] = build(kind, value[field.name], place, limited)
            if limited and field.metadata:
                _check_field(field.metadata, found[field.name], place)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise BadMessage(tr("The field {0} is missing.", place))
    return cls(**found)


def _check_size(value: Any, where: str) -> None:
    longest, largest = _LONGEST.get(type(value)), _LARGEST.get(type(value))
    if longest is not None and len(value) > longest:
        raise BadInput(tr("The value of {0} cannot be used: it is longer than {1:,}.", where, longest))
    if largest is not None and not -largest <= value <= largest:
        raise BadInput(
            tr("The value of {0} cannot be used: it is not between {1:,.0f} and {2:,.0f}.", where, -largest, largest)
        )


def _check_field(metadata: Mapping[str, Any], value: Any, where: str) -> None:
    known, lowest = metadata.get("choices"), metadata.get("lowest")
    if known is not None and value not in known:
        text = f"{str(value)[:40]!r} is not one of {', '.join(map(str, known))}"
        raise BadInput(tr("The value of {0} cannot be used: {1}.", where, text))
    if lowest is not None and value < lowest:
        raise BadInput(tr("The value of {0} cannot be used: it is less than {1:g}.", where, lowest))
