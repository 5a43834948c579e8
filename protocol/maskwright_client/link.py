"""One open connection: socket, frames and the order in which queued messages leave. Used by the client's IO thread."""

import hashlib
import heapq
import selectors
import socket
import ssl
import threading
import time
from typing import Callable, Iterator, List, Optional, Tuple, Union

from maskwright_protocol import codec
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import (
    BadMessage,
    ConnectionLost,
    MaskwrightError,
    ServerAbsent,
    VersionMismatch,
    from_code,
)
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PROTOCOL_VERSION, SERVER_MESSAGES, Failed, Hello, Message, Welcome

from . import websocket

CONNECT_TIMEOUT_S = 5.0
MAX_INCOMING = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
TURN_BYTES = 1024 * 1024  # how much to write before looking for answers again

# What leaves first: a cancel overtakes pixels.
URGENT, NORMAL, BULK = 0, 1, 2


class Outbox:
    """A thread-safe priority queue of messages; messages of one priority keep their order."""

    def __init__(self) -> None:
        self._heap: List[Tuple[int, int, Message]] = []
        self._count = 0
        self._lock = threading.Lock()
        self.filled = threading.Event()

    def put(self, message: Message, priority: int = NORMAL) -> None:
        with self._lock:
            self._count += 1
            heapq.heappush(self._heap, (priority, self._count, message))
            self.filled.set()

    def take(self) -> Optional[Message]:
        with self._lock:
            if not self._heap:
                self.filled.clear()
                return None
            return heapq.heappop(self._heap)[2]

    def remove(self, unwanted: Callable[[Message], bool]) -> int:
        """Drop queued messages; returns how many."""
        with self._lock:
            before = len(self._heap)
            self._heap = [entry for entry in self._heap if not unwanted(entry[2])]
            heapq.heapify(self._heap)
            return before - len(self._heap)

    def clear(self) -> None:
        with self._lock:
            self._heap = []
            self.filled.clear()

    def __len__(self) -> int:
        return len(self._heap)


class Waker:
    """Wakes a selector from another thread."""

    def __init__(self) -> None:
        self._receive, self._send = socket.socketpair()
        self._receive.setblocking(False)
        self._send.setblocking(False)

    def fileno(self) -> int:
        return self._receive.fileno()

    def wake(self) -> None:
        try:
            self._send.send(b"\0")
        except (BlockingIOError, OSError):
            pass  # it is awake already, or closed

    def drain(self) -> None:
        try:
            while self._receive.recv(4096):
                pass
        except (BlockingIOError, OSError):
            pass

    def close(self) -> None:
        self._receive.close()
        self._send.close()


def open_connection(endpoint: Endpoint) -> Tuple[socket.socket, bytes]:
    """A WebSocket to the server of this endpoint, which has proved to be it; and the bytes that came with its answer.

    Neither the token nor any message was sent. Raises ``ServerAbsent``, ``Forbidden``, ``Busy`` or ``ConnectionLost``.
    """
    challenge = websocket.Challenge(endpoint.host, endpoint.port)
    _exchange(endpoint, challenge).close()
    handshake = websocket.Handshake(endpoint.host, endpoint.port, endpoint.token, challenge.nonce, endpoint.tls)
    return _exchange(endpoint, handshake), handshake.rest


def _exchange(endpoint: Endpoint, talk: Union[websocket.Challenge, websocket.Handshake]) -> socket.socket:
    """Connect, send the request and read until its answer is whole."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), timeout=CONNECT_TIMEOUT_S)
    except OSError as error:
        raise ServerAbsent(tr("The Maskwright server does not answer.")) from error
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.tls:
            connection = _secured(connection, endpoint)
        connection.sendall(talk.request, _flags(connection))
        while not talk.feed(_receive(connection)):  # an answer that trickles must not hold us for ever
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
    except OSError as error:
        connection.close()
        raise ConnectionLost(tr("The connection to the server broke while it was being made.")) from error
    except MaskwrightError:
        connection.close()
        raise
    return connection


def _secured(connection: socket.socket, endpoint: Endpoint) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=endpoint.ca_file or None)
    if endpoint.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    secured = context.wrap_socket(connection, server_hostname=endpoint.host)
    wanted = endpoint.fingerprint.replace(":", "").lower()
    if wanted and hashlib.sha256(secured.getpeercert(True) or b"").hexdigest() != wanted:
        secured.close()
        raise ServerAbsent(tr("The server's certificate is not the one that this program was told to trust."))
    return secured


def _flags(connection: socket.socket) -> int:
    """A host that does not ignore SIGPIPE, as Krita, would be ended by a server that dies while it is written to."""
    return 0 if isinstance(connection, ssl.SSLSocket) else getattr(socket, "MSG_NOSIGNAL", 0)


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(READ_BYTES)
    if not data:
        raise ConnectionLost(tr("The server closed the connection."))
    return data


def hang_up(connection: socket.socket) -> None:
    """Say goodbye, if that is possible at once, and close."""
    try:
        connection.settimeout(0.2)
        for buffer in websocket.frame(websocket.CLOSE, [b"\x03\xe8"]):
            connection.sendall(buffer, _flags(connection))
    except OSError:
        pass
    finally:
        connection.close()


class Link:
    """A connection after ``hello``/``welcome``. Not thread-safe: one thread opens, pumps and closes it."""

    def __init__(self, endpoint: Endpoint, hello: Hello) -> None:
        """Connect and greet; raises ``ServerAbsent``, ``Forbidden``, ``VersionMismatch`` or ``ConnectionLost``."""
        self._socket, rest = open_connection(endpoint)
        self._flags = _flags(self._socket)
        try:
            self._reader = websocket.FrameReader(MAX_INCOMING)
            self._early = self._reader.feed(rest)
            self.welcome = self._greet(hello)
        except OSError as error:
            self._socket.close()
            raise ConnectionLost(tr("The connection to the server broke while it was being made.")) from error
        except MaskwrightError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._frame: Optional[Iterator[websocket.Buffer]] = None
        self._unsent = memoryview(b"")
        self.heard = time.monotonic()

    def _greet(self, hello: Hello) -> Welcome:
        for buffer in websocket.frame(websocket.BINARY, codec.encode(hello)):
            self._socket.sendall(buffer, self._flags)
        while not self._early:
            self._early += self._reader.feed(_receive(self._socket))
        opcode, payload = self._early.pop(0)
        if opcode == websocket.CLOSE:
            raise websocket.close_error(payload)
        answer = codec.decode(bytes(payload), SERVER_MESSAGES, MAX_INCOMING)
        if isinstance(answer, Failed):
            raise from_code(answer.code, answer.message, answer.hint, answer.details)
        if not isinstance(answer, Welcome) or answer.slice_bytes < 1:
            raise BadMessage(tr("The server did not greet."))
        if answer.version != PROTOCOL_VERSION:
            raise VersionMismatch(
                tr("The server speaks protocol version {0}, this program {1}.", answer.version, PROTOCOL_VERSION)
            )
        return answer

    def pump(
        self, outbox: Outbox, waker: Waker, handle: Callable[[Message], None], tick: Callable[[float], bool]
    ) -> None:
        """Send and receive until ``tick(time of the last answer)``, called several times a second, returns False.

        Raises ``ConnectionLost`` when the connection breaks, ``BadMessage``/``TooLarge`` when the server misbehaves.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(waker, selectors.EVENT_READ)
            selector.register(self._socket, selectors.EVENT_READ)
            self._deliver(self._early, outbox, handle)
            try:
                while tick(self.heard):
                    writing = bool(self._unsent) or self._frame is not None or len(outbox) > 0
                    events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
                    selector.modify(self._socket, events)
                    ready = {key.fileobj: mask for key, mask in selector.select(0.25)}
                    if waker in ready:
                        waker.drain()
                    mask = ready.get(self._socket, 0)
                    if mask & selectors.EVENT_READ:
                        self._read(outbox, handle)
                    if mask & selectors.EVENT_WRITE:
                        self._write(outbox)
            except OSError as error:
                raise ConnectionLost(tr("The connection to the server broke.")) from error

    def _read(self, outbox: Outbox, handle: Callable[[Message], None]) -> None:
        for _ in range(64):  # TLS may hold decrypted bytes that select does not see, so read until it blocks
            try:
                target = self._reader.wanted()
                if target is not None and len(target):
                    count = self._socket.recv_into(target)
                    found = self._reader.filled(count) if count else None
                else:
                    data = self._socket.recv(READ_BYTES)
                    count, found = len(data), self._reader.feed(data)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not count:
                raise ConnectionLost(tr("The server closed the connection."))
            self.heard = time.monotonic()
            self._deliver(found or [], outbox, handle)

    def _deliver(self, found: List[Tuple[int, bytearray]], outbox: Outbox, handle: Callable[[Message], None]) -> None:
        for opcode, payload in found:
            if opcode == websocket.CLOSE:
                raise websocket.close_error(payload)
            if opcode == websocket.PING:
                outbox.put(_Pong(bytes(payload)), URGENT)
            elif opcode == websocket.BINARY:
                handle(codec.decode(payload, SERVER_MESSAGES, MAX_INCOMING))  # type: ignore[arg-type]

    def _write(self, outbox: Outbox) -> None:
        sent = 0
        while sent < TURN_BYTES:
            if not self._unsent:
                buffer = next(self._frame, None) if self._frame is not None else None
                if buffer is None:
                    message = outbox.take()
                    if message is None:
                        self._frame = None
                        return
                    self._frame = _frame_of(message)
                    continue
                self._unsent = memoryview(buffer)
            try:
                count = self._socket.send(self._unsent, self._flags)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._unsent = self._unsent[count:]
            sent += count

    def close(self) -> None:
        if self._frame is None and not self._unsent:
            hang_up(self._socket)
        self._socket.close()


class _Pong(Message):
    def __init__(self, payload: bytes) -> None:
        self.payload = payload


def _frame_of(message: Message) -> Iterator[websocket.Buffer]:
    if isinstance(message, _Pong):
        return websocket.frame(websocket.PONG, [message.payload])
    return websocket.frame(websocket.BINARY, codec.encode(message))
