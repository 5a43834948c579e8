"""The blocking client: one IO thread that connects when needed, sends by priority, and resolves tickets.

Standard library only. Nothing here blocks the thread that calls ``submit``; ``Ticket.result`` does, by choice.
"""

import itertools
import logging
import os
import threading
import time
from typing import Callable, Dict, Iterable, List, Optional, Set, TypeVar

from maskwright_protocol import bulk, language
from maskwright_protocol.discovery import Endpoint, find_server
from maskwright_protocol.errors import ConnectionLost, InternalError, JobCancelled, MaskwrightError, from_code
from maskwright_protocol.language import tr
from maskwright_protocol.messages import (
    PROTOCOL_VERSION,
    BulkPart,
    Cancel,
    Cancelled,
    Failed,
    Hello,
    ImageEnd,
    ImageForget,
    ImageSlice,
    Job,
    Message,
    Progress,
    Request,
    Welcome,
)
from maskwright_protocol.version import __version__

from .link import BULK, NORMAL, URGENT, Link, Outbox, Waker

SILENCE_S = 30.0  # the server reports each second while a job runs; so long a silence means that it hangs
RECONNECT_S = 3.0  # how long a restarting server is waited for when requests are under way
MAX_PARTS = 1024 * 1024 * 1024

log = logging.getLogger("maskwright.client")
_Argument = TypeVar("_Argument")


class Ticket:
    """The future answer to one request. Callbacks run in the client's IO thread: hand over to the UI thread there."""

    def __init__(self, client: "Client", message: Request, on_progress: Optional[Callable[[Progress], None]]) -> None:
        self.message = message
        self.on_progress = on_progress
        self.retries = 1
        self._client = client
        self._answer: Optional[Message] = None
        self._error: Optional[MaskwrightError] = None
        self._done = threading.Event()
        self._callbacks: List[Callable[["Ticket"], None]] = []
        self._lock = threading.Lock()

    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait for the answer; True when it is there."""
        return self._done.wait(timeout)

    def result(self, timeout: Optional[float] = None) -> Message:
        """The answer; raises the typed error of a failed job, ``JobCancelled``, or ``TimeoutError``."""
        if not self._done.wait(timeout):
            raise TimeoutError("no answer yet")
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def cancel(self) -> None:
        """Ask the server to drop the job; the ticket then ends with ``JobCancelled``."""
        self._client._cancel(self)

    def add_done_callback(self, callback: Callable[["Ticket"], None]) -> None:
        """Call back once done, at once if it is already."""
        with self._lock:
            if not self._done.is_set():
                self._callbacks.append(callback)
                return
        callback(self)

    def _resolve(self, answer: Optional[Message], error: Optional[MaskwrightError]) -> None:
        with self._lock:
            if self._done.is_set():
                return
            self._answer, self._error = answer, error
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            _call(callback, self)


def _call(callback: Callable[[_Argument], None], argument: _Argument) -> None:
    """A callback that fails must not end the IO thread."""
    try:
        callback(argument)
    except Exception:
        log.exception("a callback of the client failed")


class Client:
    """A connection to the server, made at the first request and again whenever it is lost.

    ``endpoint`` is asked for the address before each connection. ``known_keys`` are the rasters that the server is
    believed to hold. Requests that were under way when the connection broke are sent once more.
    """

    def __init__(
        self,
        name: str,
        version: str = __version__,
        endpoint: Callable[[], Endpoint] = find_server,
        on_state: Optional[Callable[[str], None]] = None,
    ) -> None:
        self.known_keys: Set[str] = set()
        self.welcome: Optional[Welcome] = None
        self.state = "disconnected"
        self._hello = Hello(version=PROTOCOL_VERSION, client=name, client_version=version, language=language.current())
        self._endpoint = endpoint
        self._on_state = on_state
        self.outbox = Outbox()
        self._waker = Waker()
        self._tickets: Dict[str, Ticket] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._waiting_since = 0.0
        self.parts = bulk.PartStore(MAX_PARTS)
        self._numbers = itertools.count(1)
        self._prefix = os.urandom(4).hex()
        self._thread = threading.Thread(target=self._run, name="maskwright-io", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ any thread

    def new_id(self) -> str:
        return f"{self._prefix}-{next(self._numbers)}"

    def submit(self, message: Request, on_progress: Optional[Callable[[Progress], None]] = None) -> Ticket:
        """Queue a request; returns at once. An empty ``message.id`` is filled in."""
        message.id = message.id or self.new_id()
        ticket = Ticket(self, message, on_progress)
        with self._lock:
            if self._closing:
                raise ConnectionLost(tr("The client is closed."))
            self._tickets[message.id] = ticket
            self._queue(message)
        return ticket

    def send(self, message: Message, priority: int = BULK) -> None:
        """Queue a message that has no answer (an ``image.slice``)."""
        self.outbox.put(message, priority)
        self._waker.wake()

    def forget(self, keys: Iterable[str]) -> None:
        """Tell the server, if it is connected, that these rasters are not needed any more."""
        unneeded = sorted(set(keys))
        self.known_keys.difference_update(unneeded)
        if self.state == "connected":
            self.send(ImageForget(unneeded))

    def request(self, message: Request, timeout: Optional[float] = None) -> Message:
        """``submit`` and wait."""
        return self.submit(message).result(timeout)

    def close(self) -> None:
        """End the IO thread and the connection; requests under way fail with ``ConnectionLost``."""
        with self._lock:
            self._closing = True
        self.outbox.filled.set()
        self._waker.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(5.0)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _queue(self, message: Request) -> None:
        priority = BULK if isinstance(message, ImageEnd) else NORMAL  # the end must not overtake its slices
        copy = bulk.outgoing(message)
        for part in bulk.detach(copy):
            self.outbox.put(part, priority)
        self.outbox.put(copy, priority)
        self._waker.wake()

    def _cancel(self, ticket: Ticket) -> None:
        identity = ticket.message.id
        if ticket.done():
            return
        if isinstance(ticket.message, ImageEnd):
            key = ticket.message.key
            self.outbox.remove(lambda m: isinstance(m, ImageSlice) and m.key == key)
        queued = self.outbox.remove(lambda m: isinstance(m, (Request, BulkPart)) and m.id == identity)
        if not queued or bulk.bulk_fields(ticket.message):  # some of its parts may have left already
            self.send(Cancel(id=identity), URGENT)
        if queued or not isinstance(ticket.message, Job):  # the server does not answer cancels of other requests
            self._finish(identity, None, JobCancelled(tr("Cancelled.")))

    def _finish(self, identity: str, answer: Optional[Message], error: Optional[MaskwrightError]) -> None:
        with self._lock:
            ticket = self._tickets.pop(identity, None)
        if ticket is not None:
            ticket._resolve(answer, error)

    # ------------------------------------------------------------ IO thread

    def _run(self) -> None:
        while not self._closing:
            self.outbox.filled.wait()
            if self._closing:
                break
            try:
                link = self._connect()
            except MaskwrightError as error:
                self._fail_all(error)
                continue
            except Exception as error:
                self._fail_all(InternalError(tr("The connection could not be made: {0!r}.", error)))
                continue
            try:
                self._set_state("connected")
                link.pump(self.outbox, self._waker, self._handle, self._tick)
            except MaskwrightError as error:
                self._lost(error)
            except Exception as error:  # a defect: still no ticket may wait for ever
                self._lost(InternalError(tr("An answer could not be handled: {0!r}.", error)))
            finally:
                link.close()
                self._set_state("disconnected")
        self._fail_all(ConnectionLost(tr("The client was closed.")))
        self._waker.close()

    def _connect(self) -> Link:
        retrying = any(ticket.retries == 0 for ticket in list(self._tickets.values()))
        patience = time.monotonic() + (RECONNECT_S if retrying else 0.0)
        while True:
            try:
                link = Link(self._endpoint(), self._hello)
                self.welcome = link.welcome
                self.known_keys.clear()
                return link
            except MaskwrightError:
                if time.monotonic() >= patience or self._closing:
                    raise
                time.sleep(0.1)

    def _tick(self, heard: float) -> bool:
        if self._closing:
            return False
        now = time.monotonic()
        if not self._tickets:
            self._waiting_since = now
        elif now - max(heard, self._waiting_since) > SILENCE_S:
            raise ConnectionLost(tr("The server does not answer any more."))
        return True

    def _handle(self, message: Message) -> None:
        identity = getattr(message, "id", "")
        ticket = self._tickets.get(identity)
        if ticket is None:
            return  # an answer to something that was given up
        if isinstance(message, BulkPart):
            self.parts.add(message)
        elif isinstance(message, Progress):
            if ticket.on_progress is not None:
                _call(ticket.on_progress, message)
        elif isinstance(message, Failed):
            self._finish(identity, None, from_code(message.code, message.message, message.hint, message.details))
        elif isinstance(message, Cancelled):
            self._finish(identity, None, JobCancelled(tr("Cancelled."), superseded=message.superseded))
        else:
            self.parts.attach(message)
            self._finish(identity, message, None)

    def _lost(self, error: MaskwrightError) -> None:
        """Send again what may be sent again: requests change nothing on the server, so a second run is harmless.

        Uploads are not repeated here: the new connection starts without images and asks for them by itself.
        """
        self.outbox.remove(lambda m: not isinstance(m, (Request, BulkPart)) or isinstance(m, ImageSlice))
        self.parts = bulk.PartStore(MAX_PARTS)
        with self._lock:
            tickets = list(self._tickets.values())
        for ticket in tickets:
            identity = ticket.message.id
            again = (
                isinstance(error, ConnectionLost) and ticket.retries > 0 and not isinstance(ticket.message, ImageEnd)
            )
            queued = self.outbox.remove(lambda m, identity=identity: getattr(m, "id", "") == identity)
            if again or (queued and ticket.retries > 0):
                ticket.retries -= 1
                self._queue(ticket.message)
            else:
                self._finish(identity, None, error)

    def _fail_all(self, error: MaskwrightError) -> None:
        with self._lock:  # callbacks may submit anew, so what they queue must not be dropped after
            tickets, self._tickets = list(self._tickets.values()), {}
            self.outbox.clear()
        for ticket in tickets:
            ticket._resolve(None, error)

    def _set_state(self, state: str) -> None:
        self.state = state
        if self._on_state is not None:
            _call(self._on_state, state)
