"""Answers on their way to one client. A client that does not read is cut off before it fills the memory."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from maskwright_protocol import bulk, codec
from maskwright_protocol.messages import Message

log = logging.getLogger(__name__)

MAX_UNREAD = 512  # messages of one client
MAX_UNREAD_BYTES = 256 * 1024 * 1024  # of masks and pixels for one client; a single answer may be larger
MAX_UNREAD_TOTAL = 1024 * 1024 * 1024  # the same over all clients; beyond it the one with the most is cut off
MAX_UNSENT = 16 * 1024 * 1024  # bytes in the socket's buffer, where answers to pings wait too
READ_TIMEOUT_S = 60.0  # how long a client may take to read one message or part


class BoundedConnection(ServerConnection):
    """Ends when its buffer grows beyond ``MAX_UNSENT``: pongs go there without waiting for the client to read."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MAX_UNSENT:
            self.transport.abort()


class Outgoing:
    """``held``: bytes of masks and pixels that wait. ``everybody``: those of all clients, this one among them.

    It knows nothing of the session that sends, so that both are freed as soon as the client is gone.
    """

    def __init__(self, connection: ServerConnection, everybody: Collection[Outgoing], remote: bool) -> None:
        self.held = 0
        self._connection = connection
        self._everybody = everybody
        self._remote = remote
        self._waiting: deque[tuple[Message, int]] = deque()
        self._filled = asyncio.Event()
        self._open = True

    def send(self, message: Message) -> None:
        """Queue a message. After the end it is dropped."""
        if not self._open:
            return
        size = sum(len(item.data or b"") for item in bulk.bulk_fields(message))
        if len(self._waiting) >= MAX_UNREAD or (size and self.held and self.held + size > MAX_UNREAD_BYTES):
            self.cut()
            return
        self._waiting.append((message, size))
        self.held += size
        self._filled.set()
        holders = [other for other in self._everybody if other.held]
        if size and len(holders) > 1 and sum(other.held for other in holders) > MAX_UNREAD_TOTAL:
            max(holders, key=lambda other: other.held).cut()

    def cut(self, reason: str = "a client does not read its answers") -> None:
        """End the connection at once."""
        log.warning(reason)
        self._connection.transport.abort()
        self.close(now=True)

    def close(self, now: bool = False) -> None:
        """Take no more messages; those that wait are still written unless ``now``."""
        self._open = False
        if now:
            self._waiting.clear()
            self.held = 0
        self._filled.set()

    async def write(self) -> None:
        """Write what is sent until ``close``, or until the connection ends."""
        try:
            while await self._something_waits():
                message, size = self._waiting.popleft()
                if self._remote:
                    await asyncio.to_thread(bulk.compress, message)
                for part in bulk.detach(message):
                    await self._write(part)
                await self._write(message)
                self.held = max(0, self.held - size)
                del message
        except ConnectionClosed:
            pass
        except TimeoutError:
            self.cut()
        finally:
            self.close(now=True)

    async def _something_waits(self) -> bool:
        while not self._waiting and self._open:
            self._filled.clear()
            await self._filled.wait()
        return bool(self._waiting)

    async def _write(self, message: Message) -> None:
        async with asyncio.timeout(READ_TIMEOUT_S):
            await self._connection.send(codec.encode_bytes(message))
