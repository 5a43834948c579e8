"""The WebSocket side: who may connect, and moving bytes between sockets and sessions."""

from __future__ import annotations

import asyncio
import http
import logging
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from maskwright_protocol import codec, proof

from .credentials import Admission, Credentials
from .outgoing import BoundedConnection, Outgoing
from .session import ClientSession, CloseConnection, Services
from .throttle import Throttle
from .tokens import LOCAL

log = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MAX_SESSIONS = 64
CLOSE_TIMEOUT_S = 2.0
HELLO_S = 5.0  # within which a client has to greet
REFUSALS_S = 10.0  # in which the log has one line for each reason to refuse
# No page may read an answer, nor run it as a script.
NOT_FOR_PAGES = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}


class HandshakePolicy:
    """Decides on each handshake: right Host (against DNS rebinding), proof of a token, not too many."""

    def __init__(
        self,
        credentials: Credentials,
        hosts: set[str],
        tls: bool,
        sessions: dict[str, ClientSession],
        throttle: Throttle | None,
    ) -> None:
        self._credentials = credentials
        self._hosts = hosts
        self._tls = tls
        self._throttle = throttle
        self.admissions: WeakKeyDictionary[ServerConnection, Admission] = WeakKeyDictionary()
        self.sessions = sessions
        self.outgoing: dict[str, Outgoing] = {}
        self._refusals = Refusals()

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        answer = self._answer(connection, request)
        if answer is not None:
            for name, value in NOT_FOR_PAGES.items():
                answer.headers[name] = value
            if answer.status_code != http.HTTPStatus.OK:
                self._refusals.note(answer.body.decode().strip(), str(connection.remote_address[0]))
        return answer

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        hosts = request.headers.get_all("Host")
        if len(hosts) != 1 or _host_name(hosts[0]) not in self._hosts:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "unknown host\n")
        if request.path == proof.CHALLENGE_PATH and not _from_a_page(request):
            return connection.respond(http.HTTPStatus.OK, self._credentials.challenge())
        shown = request.headers.get_all("Authorization")
        channel = proof.TLS if self._tls else str(connection.local_address[1])
        address, now = connection.remote_address[0], time.monotonic()
        if self._throttle is not None and self._throttle.must_wait(address, now):
            return connection.respond(http.HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens\n")
        admission = self._credentials.admit(shown[0], channel) if len(shown) == 1 else None
        if admission is None:
            if self._throttle is not None:
                self._throttle.wrong(address, now)
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong token\n")
        if len(self.sessions) >= MAX_SESSIONS and not self._cut_a_stranger():
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")
        self.admissions[connection] = admission
        return None

    def cut_all(self) -> None:
        """End all connections."""
        for outgoing in list(self.outgoing.values()):
            outgoing.cut("a client does not let the server end")

    def _cut_a_stranger(self) -> bool:
        """Cut off the client that has not greeted for the longest; False when all have."""
        for name, session in self.sessions.items():
            if not session.greeted:
                self.outgoing[name].cut("a client does not greet, and others want its place")
                del self.sessions[name]
                return True
        return False

    def prove(self, connection: ServerConnection, request: Request, response: Response) -> None:
        """Show a client that was let in that this is its server."""
        if connection in self.admissions:
            response.headers[proof.PROOF_HEADER] = self.admissions[connection].proof

    def cut_revoked(self) -> None:
        """End the connections whose token was revoked."""
        for connection, admission in list(self.admissions.items()):
            if not self._credentials.still_hold(admission):
                log.info("a token was revoked", extra={"token": admission.token})
                del self.admissions[connection]
                connection.transport.abort()


class Refusals:
    """Writes into the log who was refused and why: at most a line for each reason within ten seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def note(self, reason: str, address: str) -> None:
        now = self._clock()
        if now - self._told.get(reason, -REFUSALS_S) < REFUSALS_S:
            self._untold[reason] = self._untold.get(reason, 0) + 1
            return
        self._told[reason] = now
        more = self._untold.pop(reason, 0)
        log.warning("a connection was refused", extra={"why": reason, "address": address, "more": more})


def _from_a_page(request: Request) -> bool:
    """Whether a browser asks for a page: no program of ours sends these headers, and no page can leave them out."""
    return any(name == "origin" or name.startswith("sec-fetch-") for name in map(str.lower, request.headers))


def _host_name(header: str) -> str:
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    return name.strip("[]").lower()


async def listen(
    services: Services,
    host: str,
    port: int,
    token: str,
    tls: ssl.SSLContext | None,
    others: Callable[[], Mapping[str, proof.Verifier]] = dict,
) -> tuple[Server, HandshakePolicy]:
    """Start to accept clients; the server and the policy, which knows its sessions.

    ``token`` is for programs of this user on this computer; ``others`` gives verifiers of further tokens, by name.

    Browsers are refused by their ``Origin``. Compression is off: on loopback it costs far more than it saves. At most
    four messages of a client wait to be handled.
    """
    own = {LOCAL: proof.verifier_of(token)}
    local = host in LOOPBACK
    policy = HandshakePolicy(
        Credentials(lambda: {**others(), **own}),
        LOOPBACK | {host.lower()},
        tls is not None,
        services.sessions,
        None if local else Throttle(),  # on loopback all users have the same address
    )

    async def converse(connection: ServerConnection) -> None:
        await _converse(connection, services, policy, remote=not local)

    server = await serve(
        converse,
        host,
        port,
        origins=[None],
        process_request=policy,
        process_response=policy.prove,
        create_connection=BoundedConnection,
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


async def close(server: Server, policy: HandshakePolicy) -> None:
    """Say goodbye to all clients; those that do not read it are cut off."""
    server.close()
    last = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, policy.cut_all)
    await server.wait_closed()
    last.cancel()


async def _converse(connection: ServerConnection, services: Services, policy: HandshakePolicy, remote: bool) -> None:
    outgoing = Outgoing(connection, policy.outgoing.values(), remote)
    session = ClientSession(secrets.token_hex(8), services, outgoing.send)
    session.token = policy.admissions[connection].token
    policy.sessions[session.name], policy.outgoing[session.name] = session, outgoing
    writer = asyncio.create_task(outgoing.write())
    watch = asyncio.create_task(_watch(session, outgoing))
    try:
        async for data in connection:
            session.receive(data if isinstance(data, bytes) else data.encode())
    except CloseConnection:
        pass
    except ConnectionClosed as error:
        log.info("connection lost", extra={"session": session.name, "reason": str(error)})
    finally:
        watch.cancel()
        policy.outgoing.pop(session.name, None)
        session.closed()
        outgoing.close()
        try:
            await asyncio.wait_for(writer, CLOSE_TIMEOUT_S)
        except TimeoutError:
            pass


async def _watch(session: ClientSession, outgoing: Outgoing) -> None:
    """Cut off a client that does not greet; have the session give up what stands still."""
    await asyncio.sleep(HELLO_S)
    if not session.greeted:
        outgoing.cut("a client does not greet")
    while True:
        session.expire(time.monotonic())
        await asyncio.sleep(1.0)
