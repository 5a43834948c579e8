"""The WebSocket side: who may connect, and moving bytes between sockets and sessions."""

from __future__ import annotations

import asyncio
import hmac
import http
import logging
import secrets
import ssl

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from maskwright_protocol import bulk, codec
from maskwright_protocol.messages import Message

from .session import ClientSession, CloseConnection, Services

log = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MAX_SESSIONS = 64
CLOSE_TIMEOUT_S = 2.0
MAX_UNREAD = 512  # messages


class HandshakePolicy:
    """Decides on each handshake: right Host (against DNS rebinding), right token, not too many."""

    def __init__(self, token: str, hosts: set[str]) -> None:
        self._expected = f"Bearer {token}".encode()
        self._hosts = hosts
        self.sessions: dict[str, ClientSession] = {}

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        hosts = request.headers.get_all("Host")
        if len(hosts) != 1 or _host_name(hosts[0]) not in self._hosts:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "unknown host\n")
        tokens = request.headers.get_all("Authorization")
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0].encode(), self._expected):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong token\n")
        if len(self.sessions) >= MAX_SESSIONS:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")
        return None


def _host_name(header: str) -> str:
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    return name.strip("[]").lower()


async def listen(
    services: Services, host: str, port: int, token: str, tls: ssl.SSLContext | None
) -> tuple[Server, HandshakePolicy]:
    """Start to accept clients; the server and the policy, which knows its sessions.

    Browsers are refused by their ``Origin``. Compression is off: on loopback it costs far more than it saves. At most
    four messages of a client wait to be handled.
    """
    policy = HandshakePolicy(token, LOOPBACK | {host.lower()})

    async def converse(connection: ServerConnection) -> None:
        await _converse(connection, services, policy, remote=not local)

    local = host in LOOPBACK
    server = await serve(
        converse,
        host,
        port,
        origins=[None],
        process_request=policy,
        compression=None,
        max_size=codec.MAX_MESSAGE,
        max_queue=4,
        ping_interval=None if local else 20,
        ping_timeout=None if local else 60,
        close_timeout=CLOSE_TIMEOUT_S,
        server_header=None,
        ssl=tls,
    )
    return server, policy


async def _converse(connection: ServerConnection, services: Services, policy: HandshakePolicy, remote: bool) -> None:
    outgoing: asyncio.Queue[Message | None] = asyncio.Queue()

    def send(message: Message) -> None:
        outgoing.put_nowait(message)
        if outgoing.qsize() == MAX_UNREAD:  # a client that does not read must not fill our memory
            log.warning("a client does not read its answers", extra={"session": session.name})
            connection.transport.abort()

    session = ClientSession(secrets.token_hex(8), services, send)
    policy.sessions[session.name] = session
    writer = asyncio.create_task(_write(connection, outgoing, remote))
    try:
        async for data in connection:
            session.receive(data if isinstance(data, bytes) else data.encode())
    except CloseConnection:
        pass
    except ConnectionClosed as error:
        log.info("connection lost", extra={"session": session.name, "reason": str(error)})
    finally:
        policy.sessions.pop(session.name, None)
        session.closed()
        outgoing.put_nowait(None)
        try:
            await asyncio.wait_for(writer, CLOSE_TIMEOUT_S)
        except TimeoutError:
            pass


async def _write(connection: ServerConnection, outgoing: asyncio.Queue[Message | None], remote: bool) -> None:
    try:
        while (message := await outgoing.get()) is not None:
            if remote:
                await asyncio.to_thread(bulk.compress, message)
            for part in bulk.detach(message):
                await connection.send(codec.encode_bytes(part))
            await connection.send(codec.encode_bytes(message))
    except ConnectionClosed:
        pass
