"""The client side of RFC 6455 without any I/O: bytes in, frames out; and the masking of outgoing frames.

Enough for one trusted local server: binary messages, ping, pong, close, fragments; no extensions, no text frames.
"""

import base64
import hashlib
import os
import struct
from typing import Dict, Iterator, List, Optional, Tuple, Union

from maskwright_protocol import proof
from maskwright_protocol.errors import (
    BadMessage,
    Busy,
    ConnectionLost,
    Forbidden,
    MaskwrightError,
    ServerAbsent,
    TooLarge,
)
from maskwright_protocol.language import tr

Buffer = Union[bytes, bytearray, memoryview]

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
MASK_SLICE = 128 * 1024  # int XOR is fastest on slices that stay in the cache
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_RESPONSE_HEAD = 16 * 1024
MAX_NONCE = 256
NOT_OURS = tr("What answers at the server's address is not the Maskwright server.")


class Challenge:
    """The request for the server's nonce: ``request`` to send, then ``feed`` the answer until ``nonce`` is there."""

    def __init__(self, host: str, port: int) -> None:
        self.request = _request(proof.CHALLENGE_PATH, host, port, [])
        self.nonce = ""
        self._received = b""

    def feed(self, data: bytes) -> bool:
        """True when the answer is whole. Raises ``Forbidden``, ``Busy``, or ``ServerAbsent`` if this is no server."""
        self._received += data
        found = _head(self._received, b"200")
        if found is None:
            return False
        headers, body = found
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or int(length) > MAX_NONCE:
            raise ServerAbsent(NOT_OURS)
        if len(body) < int(length):
            return False
        self.nonce = body[: int(length)].decode("ascii", "replace").strip()
        if not self.nonce.isalnum():
            raise ServerAbsent(NOT_OURS)
        return True


class Handshake:
    """The opening handshake: ``request`` to send, then ``feed`` the answer until it returns True.

    ``nonce`` is the server's, of a ``Challenge``. The request proves that this side knows the token, and the answer is
    refused unless it proves the same of the server.
    """

    def __init__(self, host: str, port: int, token: str, nonce: str, tls: bool = False) -> None:
        key = base64.b64encode(os.urandom(16))
        self._expected = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 - what the RFC says
        self._token = token
        own_nonce = os.urandom(16).hex()
        self._signed = proof.transcript(proof.TLS if tls else str(port), nonce, own_nonce)
        self._received = b""
        self.rest = b""  # bytes of the first frames that came with the answer
        lines = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key.decode()}",
            "Sec-WebSocket-Version: 13",
            f"Authorization: {proof.SCHEME} {nonce} {own_nonce} {proof.client_proof(token, self._signed)}",
        ]
        self.request = _request("/", host, port, lines)

    def feed(self, data: bytes) -> bool:
        """True when the server agreed. Raises ``Forbidden``, ``Busy``, or ``ServerAbsent`` if it is no such server."""
        self._received += data
        found = _head(self._received, b"101")
        if found is None:
            return False
        headers, self.rest = found
        shown = headers.get(proof.PROOF_HEADER.lower().encode(), b"").decode("ascii", "replace")
        if headers.get(b"sec-websocket-accept") != self._expected or not proof.is_server_proof(
            self._token, self._signed, shown
        ):
            raise ServerAbsent(NOT_OURS)
        return True


def _request(path: str, host: str, port: int, lines: List[str]) -> bytes:
    name = f"[{host}]" if ":" in host else host
    try:
        return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {name}:{port}", *lines, "", ""]).encode("ascii")
    except UnicodeEncodeError as error:
        raise Forbidden(tr("The server's address holds letters that cannot be sent.")) from error


def _head(received: bytes, wanted: bytes) -> Optional[Tuple[Dict[bytes, bytes], bytes]]:
    """Headers by lower-case name, and what follows them; None until the head is whole. ``wanted`` is the status."""
    head, separator, rest = received.partition(b"\r\n\r\n")
    if not separator:
        if len(received) > MAX_RESPONSE_HEAD:
            raise ServerAbsent(NOT_OURS)
        return None
    lines = head.split(b"\r\n")
    status = lines[0].split(b" ")[1:2]
    if status in ([b"401"], [b"403"]):
        raise Forbidden(tr("The server refused this program."))
    if status == [b"503"]:
        raise Busy(tr("Too many programs are connected to the server."))
    if status == [b"429"]:
        raise Busy(
            tr("Too many wrong tokens came from this computer."),
            tr("Wait a minute, then try again with the right token."),
        )
    headers: Dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.lower() in headers:
            raise ServerAbsent(NOT_OURS)  # nothing that matters here may be said twice
        headers[name.lower()] = value.strip()
    if status != [wanted]:
        raise ServerAbsent(NOT_OURS)
    return headers, rest


def frame(opcode: int, payload: List[Buffer]) -> Iterator[Buffer]:
    """One masked frame as buffers ready for the socket; long payloads are masked slice by slice."""
    size = sum(p.nbytes if isinstance(p, memoryview) else len(p) for p in payload)
    mask = os.urandom(4)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    yield head + mask
    phase = 0
    key_of_slice = {}
    for part in payload:
        view = memoryview(part).cast("B")
        for start in range(0, len(view), MASK_SLICE):
            piece = view[start : start + MASK_SLICE]
            length = len(piece)
            name = (phase, length)
            if name not in key_of_slice:
                turned = mask[phase:] + mask[:phase]
                key_of_slice[name] = int.from_bytes((turned * (length // 4 + 1))[:length], "little")
            yield (int.from_bytes(piece, "little") ^ key_of_slice[name]).to_bytes(length, "little")
            phase = (phase + length) % 4


class FrameReader:
    """Turns received bytes into ``(opcode, payload)``; fragments of a message are joined.

    Large payloads are received straight into their final buffer: ask ``wanted()`` where to put the next bytes.
    """

    def __init__(self, max_message: int) -> None:
        self._max = max_message
        self._head = bytearray()
        self._body: Optional[bytearray] = None
        self._filled = 0
        self._opcode = 0
        self._final = True
        self._message: List[bytearray] = []
        self._message_opcode = 0
        self._message_size = 0

    def wanted(self) -> Optional[memoryview]:
        """The unfilled rest of a payload being received, or None while a header is awaited."""
        if self._body is None:
            return None
        return memoryview(self._body)[self._filled :]

    def filled(self, count: int) -> List[Tuple[int, bytearray]]:
        """``count`` bytes were written into ``wanted()``."""
        self._filled += count
        return self._finish_frame()

    def feed(self, data: Buffer) -> List[Tuple[int, bytearray]]:
        """Messages completed by these bytes. Raises ``BadMessage`` or ``TooLarge``."""
        found: List[Tuple[int, bytearray]] = []
        view = memoryview(data)
        while len(view):
            if self._body is None:
                need = self._header_need() - len(self._head)
                self._head += view[:need]
                view = view[need:]
                if len(self._head) == self._header_need():
                    self._start_body()
                    found += self._finish_frame()
            else:
                count = min(len(view), len(self._body) - self._filled)
                self._body[self._filled : self._filled + count] = view[:count]
                view = view[count:]
                found += self.filled(count)
        return found

    def _header_need(self) -> int:
        if len(self._head) < 2:
            return 2
        return {126: 4, 127: 10}.get(self._head[1] & 127, 2)

    def _start_body(self) -> None:
        first, second = self._head[0], self._head[1]
        if second & 0x80 or first & 0x70:
            raise BadMessage(tr("The server sent a frame that WebSocket does not allow."))
        size = second & 127
        if size == 126:
            size = struct.unpack_from("!H", self._head, 2)[0]
        elif size == 127:
            size = struct.unpack_from("!Q", self._head, 2)[0]
        self._final, self._opcode = bool(first & 0x80), first & 15
        self._head = bytearray()
        if self._opcode not in (0, BINARY, CLOSE, PING, PONG):
            raise BadMessage(tr("The server sent a frame of an unknown kind."))
        if self._opcode >= 8 and (size > 125 or not self._final):
            raise BadMessage(tr("The server sent a control frame that is too long."))
        if size + (self._message_size if self._opcode == 0 else 0) > self._max:
            raise TooLarge(tr("The server sent a message that is too long."))
        self._body, self._filled = bytearray(size), 0

    def _finish_frame(self) -> List[Tuple[int, bytearray]]:
        if self._body is None or self._filled < len(self._body):
            return []
        body, self._body = self._body, None
        if self._opcode >= 8:
            return [(self._opcode, body)]
        if (self._opcode == 0) != bool(self._message_opcode):
            raise BadMessage(tr("The server mixed up the fragments of a message."))
        self._message_opcode = self._opcode or self._message_opcode
        self._message.append(body)
        self._message_size += len(body)
        if not self._final:
            return []
        whole = self._message[0] if len(self._message) == 1 else bytearray().join(self._message)
        opcode = self._message_opcode
        self._message, self._message_opcode, self._message_size = [], 0, 0
        return [(opcode, whole)]


def close_error(payload: Buffer) -> MaskwrightError:
    """The error that a close frame means."""
    code = struct.unpack_from("!H", payload)[0] if len(payload) >= 2 else 1005
    reason = bytes(payload[2:]).decode("utf-8", "replace")
    if code == 1009:
        return TooLarge(tr("A message was longer than the server allows."))
    if code == 1001:
        return ConnectionLost(tr("The server is shutting down."))
    return ConnectionLost(tr("The server closed the connection ({0}).", f"{code}: {reason}" if reason else code))
