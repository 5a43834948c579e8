"""Long bulk fields travel ahead of their message, in ``part`` messages; this takes them out and puts them back."""

import copy
import dataclasses
import zlib
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Tuple, TypeVar, Union

from .errors import BadMessage, TooLarge
from .language import tr
from .masks import INLINE_BYTES
from .messages import BulkPart, Mask, Message, Pixels

PART_BYTES = 1024 * 1024
MAX_BLOBS = 1024  # held at a time: each costs more than its bytes
Bulk = Union[Mask, Pixels]
Outgoing = TypeVar("Outgoing", bound=Message)


@lru_cache(maxsize=None)
def _marked(cls: type) -> List[str]:
    return [field.name for field in dataclasses.fields(cls) if field.metadata.get("bulk")]


def bulk_fields(holder: Any) -> List[Bulk]:
    """All masks and pixels of a message or a part of one, in the order of its fields that are marked as ``BULK``."""
    found: List[Bulk] = []
    for name in _marked(type(holder)):
        value = getattr(holder, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, (Mask, Pixels)):
                found.append(item)
            elif item is not None:
                found.extend(bulk_fields(item))
    return found


def outgoing(request: Outgoing) -> Outgoing:
    """A copy of a request for ``detach`` to change; the original keeps its bytes, so that it can be sent again."""
    twin = copy.copy(request)
    for name, value in vars(request).items():
        if isinstance(value, (Mask, Pixels)):
            setattr(twin, name, copy.copy(value))
        elif isinstance(value, list) and value and isinstance(value[0], Mask):
            setattr(twin, name, [copy.copy(one) for one in value])
    return twin


def detach(message: Message) -> Iterator[BulkPart]:
    """Parts to send before the message, so that what stays inline is at most ``INLINE_BYTES`` in sum.

    Changes the message: a detached field's ``data`` becomes None and ``blob`` its number.
    """
    inline = 0
    blob = 0
    for item in bulk_fields(message):
        size = len(item.data or b"")
        if inline + size <= INLINE_BYTES:
            inline += size
            continue
        view = memoryview(item.data or b"").cast("B")
        item.data, item.blob = None, blob
        for offset in range(0, size, PART_BYTES):
            yield BulkPart(id=getattr(message, "id"), blob=blob, offset=offset, data=view[offset : offset + PART_BYTES])  # type: ignore[arg-type]  # noqa: B009
        blob += 1


def compress(message: Message) -> None:
    """Compress the raw fields, for connections that are slower than zlib; loopback is faster."""
    for item in bulk_fields(message):
        if item.data is not None and item.encoding == "raw":
            item.data, item.encoding = zlib.compress(item.data, 1), "zlib"


class PartStore:
    """Collects parts until their message comes. ``limit`` bounds the bytes held."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._blobs: Dict[Tuple[str, int], bytearray] = {}

    def add(self, part: BulkPart) -> None:
        """Raises ``TooLarge`` beyond the limit and ``BadMessage`` for a gap; the blob is dropped then."""
        name = (part.id, part.blob)
        if name not in self._blobs and len(self._blobs) >= MAX_BLOBS:
            raise TooLarge(tr("A message has too many parts."))
        blob = self._blobs.setdefault(name, bytearray())
        if part.offset != len(blob):
            self._drop(name)
            raise BadMessage(tr("Parts of a mask arrived out of order."))
        if self.held + len(part.data) > self.limit:
            self._drop(name)
            raise TooLarge(tr("The masks of a message are larger than allowed."))
        blob += part.data
        self.held += len(part.data)

    def attach(self, message: Message) -> None:
        """Give the message's detached fields their bytes back; parts held for its id are released."""
        identity = getattr(message, "id", "")
        try:
            for item in bulk_fields(message):
                if item.blob is not None:
                    blob = self._blobs.get((identity, item.blob))
                    if blob is None:
                        raise BadMessage(tr("A mask's data did not arrive before its message."))
                    item.data, item.blob = blob, None  # type: ignore[assignment]
        finally:
            self.discard(identity)

    def clear(self) -> List[str]:
        """Drop all parts; returns the ids that they were sent for."""
        identities = sorted({identity for identity, _ in self._blobs})
        self._blobs.clear()
        self.held = 0
        return identities

    def discard(self, identity: str) -> None:
        for name in [name for name in self._blobs if name[0] == identity]:
            self._drop(name)

    def _drop(self, name: Tuple[str, int]) -> None:
        self.held -= len(self._blobs.pop(name, b""))
