"""A program at the port of a server that is gone: ``python -m tests.server.impostor KIND PORT FILE [TARGET]``.

Everything that it is sent goes into FILE. It answers as its kind does:

- ``silent``: not at all
- ``http``: each request with the same page
- ``welcoming``: as the server would, with a proof of zeros, and a welcome at once
- ``echoing``: the same, with the client's own proof
- ``relaying``: with whatever the server at the port TARGET answers
"""

from __future__ import annotations

import base64
import hashlib
import socket
import sys
import threading
from pathlib import Path

from maskwright_protocol import codec
from maskwright_protocol.messages import Welcome

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def welcome_frame() -> bytes:
    payload = codec.encode_bytes(Welcome(1, "session", "0", codec.MAX_MESSAGE, 1_000_000, 256 * 1024, 64))
    return b"\x82\x7e" + len(payload).to_bytes(2, "big") + payload


def page(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def agreement(request: bytes, echo: bool) -> bytes:
    """The answer to a handshake, with everything right but the proof."""
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    accept = base64.b64encode(hashlib.sha1(headers[b"Sec-WebSocket-Key"] + GUID).digest())
    proof = headers[b"Authorization"].split(b" ")[-1] if echo else b"0" * 64
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\nMaskwright-Proof: " + proof + b"\r\n\r\n"
    )


def answer(kind: str, request: bytes) -> bytes:
    if kind == "silent":
        return b""
    if kind == "http" or request.startswith(b"GET /challenge"):
        return page(b"a1b2c3d4")
    if request.startswith(b"GET /"):
        return agreement(request, kind == "echoing") + welcome_frame()
    return welcome_frame()


def pump(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.close()


def serve(kind: str, connection: socket.socket, file: Path, target: int) -> None:
    upstream = socket.create_connection(("127.0.0.1", target)) if kind == "relaying" else None
    if upstream is not None:
        threading.Thread(target=pump, args=(upstream, connection), daemon=True).start()
    try:
        while data := connection.recv(65536):
            with file.open("ab") as record:
                record.write(data)
            if upstream is not None:
                upstream.sendall(data)
            else:
                connection.sendall(answer(kind, data))
    except OSError:
        pass


def main(kind: str, port: int, file: Path, target: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        file.touch()
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=serve, args=(kind, connection, file, target), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int((sys.argv[4:] or ["0"])[0]))
