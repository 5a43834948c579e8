"""The only import of msgpack. Inside the editors the pure-Python part of the package is bundled beside us."""

import typing

import msgpack

MsgpackError = (ValueError, TypeError, OverflowError, RecursionError, msgpack.exceptions.UnpackException)


def unpack(data: bytes) -> object:
    """Decode one object; the caller has checked size, depth and count (see ``codec.check_limits``)."""
    return msgpack.unpackb(data, raw=False, strict_map_key=True, max_ext_len=0)


def pack(value: object) -> bytes:
    """Encode one plain value."""
    return typing.cast(bytes, msgpack.packb(value))
