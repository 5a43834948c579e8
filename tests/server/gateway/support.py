"""A client of a session with the real image store and scheduler, without sockets and without a worker process."""

from __future__ import annotations

from unittest import mock

from maskwright.gateway.session import ClientSession, Services
from maskwright.images.store import ImageStore
from maskwright.jobs import scheduler
from maskwright.workers.messages import WorkerOptions
from maskwright.workers.process import WorkerProcess
from maskwright_protocol import codec
from maskwright_protocol.messages import Failed, Hello, Message, Models, Recipes, Status


class NoWorker(WorkerProcess):
    """A worker that is for ever starting: jobs wait."""

    started = False

    @property
    def alive(self) -> bool:
        return self.started

    def start(self) -> None:
        self.started, self.info.state = True, "starting"


class DirectClient:
    """One server and its sessions; ``got`` is what it sent to each."""

    def __init__(self) -> None:
        self.store = ImageStore(1 << 22, 1_000_000)
        options = WorkerOptions("cpu", [], 1, 1)
        with mock.patch.object(scheduler, "WorkerProcess", NoWorker):
            self.scheduler = scheduler.Scheduler(
                self.store, options, queue_length=4, deadline_s=60.0, idle_s=60.0, start_timeout_s=60.0
            )
        self.stopped = 0
        self.services = Services(
            self.store,
            self.scheduler,
            self._status,
            lambda identity, deliver: deliver(Models(identity)),
            self._shutdown,
            recipes=lambda message, deliver: deliver(Recipes(message.id)),
        )
        self.got: list[Message] = []
        self.session = self.open("first", self.got)

    def open(self, name: str, got: list[Message]) -> ClientSession:
        session = self.services.sessions[name] = ClientSession(name, self.services, got.append)
        return session

    def _status(self, identity: str) -> Message:
        return Status(identity, "0", 1, 0.0, 1, 0, 0, 0, 0, 0)

    def _shutdown(self) -> None:
        self.stopped += 1

    def send(self, message: Message | bytes, session: ClientSession | None = None) -> None:
        data = message if isinstance(message, bytes) else codec.encode_bytes(message)
        (session or self.session).receive(data)

    def greet(self, session: ClientSession | None = None) -> None:
        self.send(Hello(1, "test"), session)

    def take(self) -> list[Message]:
        """What was sent since the last call."""
        got = list(self.got)
        self.got.clear()
        return got

    def error(self, message: Message | bytes) -> Failed:
        """The one answer to a message, which must be a failure."""
        self.take()
        self.send(message)
        (answer,) = self.take()
        assert isinstance(answer, Failed), answer
        assert answer.message
        return answer
