"""``connect`` and ``aconnect``: the verbs on a connection to the server, for threads and for event loops."""

import asyncio
import functools
import os
import sys
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Generator, Optional, TypeVar

from maskwright_client import ask, launcher
from maskwright_client.client import Client, Ticket
from maskwright_protocol.discovery import Endpoint, find_server
from maskwright_protocol.messages import Job, Message, Models, ModelsRequest, Status, StatusRequest
from maskwright_protocol.messages import Progress as ProgressMessage

from . import pictures, questions
from .questions import Progress, Question

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

A = TypeVar("A")
REPLY_S = 10.0  # how long the server may take for an answer that needs no model
_TURN_S = 0.1  # between two calls of ``while_waiting``


def _blocking(verb: "Callable[P, Question[A]]") -> "Callable[Concatenate[Maskwright, P], A]":
    """The verb as a method that waits for its answer."""

    @functools.wraps(verb)
    def method(self: "Maskwright", *given: Any, **named: Any) -> A:
        return self._ask(verb(*given, **named))

    return method


def _awaiting(verb: "Callable[P, Question[A]]") -> "Callable[Concatenate[AsyncMaskwright, P], asyncio.Future[A]]":
    """The verb as a method that is awaited."""

    @functools.wraps(verb)
    async def method(self: "AsyncMaskwright", *given: Any, **named: Any) -> A:
        return await self._ask(verb(*given, **named))

    return method  # type: ignore[return-value]


class _Connection:
    """What both kinds have in common. Threads may share it: each call is a job of its own."""

    def __init__(self, client: Client, read: Optional[pictures.Read], priority: str) -> None:
        self._client = client
        self._read = read
        self._priority = priority
        self._close = weakref.finalize(self, client.close)

    def _prepared(self, question: "Question[Any]") -> "tuple[pictures.ArraySource, Job]":
        source = pictures.read(question.image, self._read)
        job = question.job(lambda given: pictures.mask(given, source, self._read))
        # Other calls of this connection must not take its place, and a painter's clicks go first.
        return source, replace(job, tool="", priority=self._priority)


class Maskwright(_Connection):
    """A connection whose methods wait for their answers and raise ``maskwright_protocol.errors``. Made by ``connect``.

    Ctrl+C while it waits cancels the job on the server too.
    """

    def __init__(
        self, client: Client, read: Optional[pictures.Read], priority: str, while_waiting: Optional[Callable[[], None]]
    ) -> None:
        super().__init__(client, read, priority)
        self._while_waiting = while_waiting

    select = _blocking(questions.select)
    cutout = _blocking(questions.cutout)
    refine = _blocking(questions.refine)
    parse = _blocking(questions.parse)
    everything = _blocking(questions.everything)
    detect = _blocking(questions.detect)
    similar = _blocking(questions.similar)
    flats = _blocking(questions.flats)

    def status(self) -> Status:
        """The server, its device, its memory and its jobs."""
        answer = self._client.request(StatusRequest(""), REPLY_S)
        assert isinstance(answer, Status)
        return answer

    def models(self) -> Models:
        """All models and recipes that the server knows, and which are installed."""
        answer = self._client.request(ModelsRequest(""), REPLY_S)
        assert isinstance(answer, Models)
        return answer

    def close(self) -> None:
        """End the connection; the server goes on running."""
        self._close()

    def __enter__(self) -> "Maskwright":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ask(self, question: "Question[A]") -> A:
        source, job = self._prepared(question)
        steps = ask.answer(self._client, job, source, _telling(question.progress))
        return question.answer(ask.run(steps, self._wait), source)

    def _wait(self, ticket: Ticket) -> None:
        try:
            while not ticket.wait(_TURN_S):
                if self._while_waiting is not None:
                    self._while_waiting()
        except BaseException:
            ticket.cancel()
            raise


class AsyncMaskwright(_Connection):
    """The same for an event loop: every method is awaited, and cancelling the task cancels the job."""

    select = _awaiting(questions.select)
    cutout = _awaiting(questions.cutout)
    refine = _awaiting(questions.refine)
    parse = _awaiting(questions.parse)
    everything = _awaiting(questions.everything)
    detect = _awaiting(questions.detect)
    similar = _awaiting(questions.similar)
    flats = _awaiting(questions.flats)

    async def status(self) -> Status:
        """The server, its device, its memory and its jobs."""
        answer = await _answered(self._client.submit(StatusRequest("")))
        assert isinstance(answer, Status)
        return answer

    async def models(self) -> Models:
        """All models and recipes that the server knows, and which are installed."""
        answer = await _answered(self._client.submit(ModelsRequest("")))
        assert isinstance(answer, Models)
        return answer

    async def close(self) -> None:
        """End the connection; the server goes on running."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    async def __aenter__(self) -> "AsyncMaskwright":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def _ask(self, question: "Question[A]") -> A:
        loop = asyncio.get_running_loop()
        source, job = await loop.run_in_executor(None, self._prepared, question)
        tell = _telling(question.progress)

        def heard(said: ProgressMessage) -> None:  # in the client's own thread
            if tell is not None:
                loop.call_soon_threadsafe(tell, said)

        steps = ask.answer(self._client, job, source, heard)
        ticket: Optional[Ticket] = None
        while True:  # pixels are read and scaled off the loop
            ticket, end = await loop.run_in_executor(None, _step, steps, ticket)
            if end is not None:
                return question.answer(end.value, source)
            if ticket is not None:
                await _done(ticket)


def _step(steps: ask.Steps, ticket: Optional[Ticket]) -> "tuple[Optional[Ticket], Optional[StopIteration]]":
    """What the steps wait for next, or their end, which no future may carry as an error."""
    try:
        return ask.step(steps, ticket), None
    except StopIteration as end:
        return None, end


async def _done(ticket: Ticket) -> None:
    """Wait until the ticket is done; whoever cancels this cancels the ticket."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def wake(done: Ticket) -> None:
        loop.call_soon_threadsafe(event.set)

    ticket.add_done_callback(wake)
    try:
        await event.wait()
    except asyncio.CancelledError:
        ticket.cancel()
        raise


async def _answered(ticket: Ticket) -> Message:
    await _done(ticket)
    return ticket.result(0)


def _telling(progress: Optional[Progress]) -> Optional[Callable[[ProgressMessage], None]]:
    if progress is None:
        return None
    tell = progress  # narrowed for the closure
    return lambda said: tell(said.text or said.stage, min(1.0, max(0.0, said.fraction)))


# ---------------------------------------------------------------- connecting


def connect(
    *, endpoint: Optional[Endpoint] = None, start: bool = True, read: Optional[pictures.Read] = None,
    name: str = "python", priority: str = "batch", while_waiting: Optional[Callable[[], None]] = None,
) -> Maskwright:  # fmt: skip
    """Connect to this user's server; with ``start`` one is started if there is none.

    ``endpoint`` names another server. ``read`` reads picture files in place of the installed reader: ``Path`` or bytes
    -> ``(H, W, C)``. ``name`` is how ``maskwright status`` calls this client. ``priority`` is "interactive", "batch"
    or "background". ``while_waiting`` is called about ten times a second in the thread that waits; an error of it ends
    the call and cancels the job. Raises ``ServerAbsent``.
    """
    return Maskwright(_client(endpoint, start, name), read, priority, while_waiting)


class aconnect:
    """The same for an event loop: ``client = await aconnect()``, or ``async with aconnect() as client``."""

    def __init__(
        self, *, endpoint: Optional[Endpoint] = None, start: bool = True, read: Optional[pictures.Read] = None,
        name: str = "python", priority: str = "batch",
    ) -> None:  # fmt: skip
        self._given = (endpoint, start, name)
        self._read, self._priority = read, priority
        self._made: Optional[AsyncMaskwright] = None

    async def _connect(self) -> AsyncMaskwright:
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(None, _client, *self._given)
        return AsyncMaskwright(client, self._read, self._priority)

    def __await__(self) -> Generator[Any, None, AsyncMaskwright]:
        return self._connect().__await__()

    async def __aenter__(self) -> AsyncMaskwright:
        self._made = await self._connect()
        return self._made

    async def __aexit__(self, *exc: object) -> None:
        if self._made is not None:
            await self._made.close()


def _client(endpoint: Optional[Endpoint], start: bool, name: str) -> Client:
    if endpoint is not None:
        known = endpoint
        return Client(name, endpoint=lambda: known)
    find = _start_if_absent if start else find_server
    find()
    return Client(name, endpoint=find)


def _start_if_absent() -> Endpoint:
    """The server's endpoint; one that has to be started is this Python's own, if Maskwright is installed with it."""
    beside = os.path.join(os.path.dirname(sys.executable), "maskwright.exe" if os.name == "nt" else "maskwright")
    return launcher.start_if_absent(command=[beside] if os.path.isfile(beside) else None)
