"""What the protocol's tests share: the real gateway in a thread, scripted servers, and messages for hypothesis."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import http.client
import logging
import threading
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from maskwright.gateway.listener import close, listen
from maskwright.gateway.session import Services
from maskwright.images.segments import Segment
from maskwright.images.store import ImageStore
from maskwright.jobs import scheduler
from maskwright.workers.messages import JobAnswer, JobFailure, Ready, WorkerOptions
from maskwright.workers.process import Event, WorkerProcess
from maskwright_protocol import codec, proof
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    ImageBegin,
    ImageSlice,
    Job,
    Message,
    Models,
    Status,
    Welcome,
)

TOKEN = "a-token-of-the-tests"
# What a job's stand-in model sees and gives: the job and its rasters' bytes -> the answer, or a typed error raised.
Reply = Callable[[Job, dict[str, bytes]], Message]


# ---------------------------------------------------------------- messages for hypothesis


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that messages use."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        return st.none() | values(next(a for a in arguments if a is not type(None)))
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(st.text(max_size=8), values(arguments[1]), max_size=3)
    if dataclasses.is_dataclass(hint):
        return instances(typing.cast(type, hint))
    if hint is Any:
        return st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(max_size=20),
        bytes: st.binary(max_size=40) | st.binary(min_size=codec.SEPARATE_BYTES, max_size=codec.SEPARATE_BYTES + 9),
        int: st.integers(-(2**31), 2**31),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
    }
    return simple[hint]


def instances(cls: type) -> st.SearchStrategy[Any]:
    """Any instance of a message or of a part of one."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{f.name: values(hints[f.name]) for f in dataclasses.fields(cls)})


# ---------------------------------------------------------------- the real gateway


class StandIn(WorkerProcess):
    """A worker without a process that answers in the event loop; models are not what is tested here."""

    def __init__(
        self,
        options: WorkerOptions,
        on_event: Callable[[Event], None],
        on_exit: Callable[[int | None], None],
        store: ImageStore,
        reply: Reply | None,
    ) -> None:
        super().__init__(options, on_event, on_exit)
        self.cancels = 0
        self._started = False
        self._store, self._reply = store, reply

    @property
    def alive(self) -> bool:
        return self._started

    def start(self) -> None:
        self._started, self.info.state = True, "starting"
        self._later(Ready("cpu", ""))

    def run(self, request: Job, rasters: dict[str, tuple[str, int]], evicted: list[str]) -> int:
        number = super().run(request, rasters, evicted)
        if self._reply is not None:  # without one, jobs run until they are cancelled
            asyncio.get_running_loop().call_soon(self._answer, request, list(rasters))
        return number

    def _answer(self, request: Job, keys: list[str]) -> None:
        assert self._reply is not None
        pixels = {}
        for key in keys:
            stored = self._store.get(key)
            pixels[key] = bytes(stored.memory.buf)
        try:
            self._event(JobAnswer(self.current, self._reply(request, pixels)))
        except MaskwrightError as error:
            self._event(JobFailure(self.current, error.code, error.message, error.hint, error.details))

    def cancel(self) -> None:
        self.cancels += 1
        self._later(JobFailure(self.current, "cancelled", "Cancelled.", "", {}))

    def _later(self, event: Ready | JobFailure) -> None:
        asyncio.get_running_loop().call_soon(self._event, event)


class NotingScheduler(scheduler.Scheduler):
    """Notes jobs as they came over the wire."""

    seen: list[Message]

    def submit(self, session: str, request: Job, deliver: Callable[[Message], None]) -> None:
        self.seen.append(copy.deepcopy(request))
        super().submit(session, request, deliver)


class NotingStore(ImageStore):
    seen: list[Message]
    on_slice: Callable[[], None] | None = None

    def begin(self, session: str, begin: ImageBegin, spare: list[Segment] | None = None) -> list[int]:
        self.seen.append(begin)
        return super().begin(session, begin, spare)

    def receive(self, session: str, piece: ImageSlice) -> None:
        self.seen.append(piece)
        super().receive(session, piece)
        if self.on_slice is not None:
            self.on_slice()


class Gateway:
    """The real listener, sessions, image store and scheduler, in a thread. ``seen`` is what clients sent."""

    worker: StandIn

    def __init__(self, reply: Reply | None = None, port: int = 0, budget: int = 1 << 27) -> None:
        self.seen: list[Message] = []
        self.store = NotingStore(budget, 100_000_000)
        self.store.seen = self.seen
        self.port = port
        self._reply = reply
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="gateway")
        self._thread.start()
        assert self._up.wait(10)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, TOKEN)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        options = WorkerOptions("cpu", [], 1, 1 << 20)

        def worker(
            options: WorkerOptions, on_event: Callable[[Event], None], on_exit: Callable[[int | None], None]
        ) -> StandIn:
            self.worker = StandIn(options, on_event, on_exit, self.store, self._reply)
            return self.worker

        with mock.patch.object(scheduler, "WorkerProcess", worker):
            self.scheduler = NotingScheduler(
                self.store, options, queue_length=8, deadline_s=60.0, idle_s=60.0, start_timeout_s=60.0
            )
        self.scheduler.seen = self.seen
        services = Services(
            self.store,
            self.scheduler,
            self._status,
            lambda identity, deliver: deliver(Models(identity)),
            self._stop.set,
        )
        self.server, self.policy = await listen(services, "127.0.0.1", self.port, TOKEN, None)
        self.port = self.server.sockets[0].getsockname()[1]
        self.scheduler.start()
        self._up.set()
        await self._stop.wait()
        await self.scheduler.stop()
        await close(self.server, self.policy)
        self.store.clear()

    def _status(self, identity: str) -> Message:
        return Status(identity, "0", 1, 0.0, len(self.policy.sessions), 0, 0, self.store.used, self.store.budget, 0)

    def call(self, function: Callable[[], Any]) -> Any:
        """Run in the gateway's thread and return the result."""

        async def wrapped() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(10)

    def cut(self) -> None:
        """Break all connections without a goodbye. For the gateway's own thread."""
        for connection in list(self.server.connections):
            connection.transport.abort()

    def vanish(self) -> None:
        """Accept nobody any more, then break all connections. For the gateway's own thread."""
        self.server.close(close_connections=False)
        self.cut()

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        assert not self._thread.is_alive()


# ---------------------------------------------------------------- scripted servers


def let_in(port: int, token: str = TOKEN) -> dict[str, str]:
    """The headers that open the door to another WebSocket client than ours, once."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    asked.request("GET", proof.CHALLENGE_PATH)
    nonce = asked.getresponse().read().decode()
    asked.close()
    signed = proof.transcript(str(port), nonce, "0123")
    return {"Authorization": f"{proof.SCHEME} {nonce} 0123 {proof.client_proof(token, signed)}"}


class Doorman:
    """The server's part of the handshake, for servers of the tests. ``seen`` are the requests' headers."""

    def __init__(self, token: str) -> None:
        self.seen: list[str] = []
        self.token = token

    def ask(self, connection: ServerConnection, request: Request) -> Response | None:
        self.seen.append(str(request.headers))
        if request.path == proof.CHALLENGE_PATH:
            return connection.respond(http.HTTPStatus.OK, "a1b2")
        return None

    def prove(self, connection: ServerConnection, request: Request, response: Response) -> None:
        if response.status_code == 101:
            nonce, client_nonce = request.headers["Authorization"].split(" ")[1:3]
            signed = proof.transcript(str(connection.local_address[1]), nonce, client_nonce)
            response.headers[proof.PROOF_HEADER] = proof.server_proof(proof.verifier_of(self.token), signed)


def greet(connection: ServerConnection, **changes: Any) -> None:
    """Read the client's hello and welcome it."""
    connection.recv()
    welcome = Welcome(1, "session", "0", codec.MAX_MESSAGE, 1_000_000, 256 * 1024, 64)
    connection.send(codec.encode_bytes(dataclasses.replace(welcome, **changes)))


def read(connection: ServerConnection) -> Message:
    data = connection.recv()
    assert isinstance(data, bytes)
    return codec.decode(data, CLIENT_MESSAGES)


@contextmanager
def scripted(script: Callable[[ServerConnection], None], **options: Any) -> Iterator[Endpoint]:
    """A WebSocket server that does what the test says with each connection."""

    def handler(connection: ServerConnection) -> None:
        try:
            script(connection)
        except ConnectionClosed:
            pass

    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    door = Doorman(TOKEN)
    hooks = {"process_request": door.ask, "process_response": door.prove}
    with serve(handler, "127.0.0.1", 0, compression=None, max_size=1 << 26, **{**hooks, **options}) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Endpoint("127.0.0.1", server.socket.getsockname()[1], TOKEN)
        finally:
            server.shutdown()
            thread.join(5)


def until(condition: Callable[[], Any], seconds: float = 5.0) -> bool:
    """Wait until something is true; False when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
