"""A session with the real image store and job desk, without sockets and without a worker process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from maskwright.gateway.session import Services, Session
from maskwright.images.store import ImageStore
from maskwright.jobs.scheduler import JobDesk
from maskwright.workers.main import WorkerOptions
from maskwright.workers.process import WorkerProcess
from maskwright_protocol import codec
from maskwright_protocol.messages import Failed, Hello, Message, Models, Status

settings.register_profile("the same each time", derandomize=True, deadline=None)
settings.load_profile("the same each time")


class NoWorker(WorkerProcess):
    """A worker that is for ever starting: jobs wait."""

    started = False

    @property
    def alive(self) -> bool:
        return self.started

    def start(self) -> None:
        self.started, self.info.state = True, "starting"


class Talk:
    """One server and its sessions; ``got`` is what it sent to each."""

    def __init__(self) -> None:
        self.store = ImageStore(1 << 22, 1_000_000)
        options = WorkerOptions("cpu", [], 1, 1)
        self.desk = JobDesk(self.store, options, queue_length=4, deadline_s=60.0, idle_s=60.0, start_timeout_s=60.0)
        self.desk._worker = NoWorker(options, self.desk._on_event, self.desk._on_exit)
        self.stopped = 0
        self.services = Services(self.store, self.desk, self._status, lambda identity: Models(identity), self._shutdown)
        self.got: list[Message] = []
        self.session = self.open("first", self.got)

    def open(self, name: str, got: list[Message]) -> Session:
        return Session(name, self.services, got.append)

    def _status(self, identity: str) -> Message:
        return Status(identity, "0", 1, 0.0, 1, 0, 0, 0, 0, 0)

    def _shutdown(self) -> None:
        self.stopped += 1

    def send(self, message: Message | bytes, session: Session | None = None) -> None:
        data = message if isinstance(message, bytes) else codec.encode_bytes(message)
        (session or self.session).receive(data)

    def greet(self, session: Session | None = None) -> None:
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


@pytest.fixture
def new_talk() -> Iterator[type[Talk]]:
    made: list[Talk] = []

    class Kept(Talk):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    yield Kept
    for one in made:
        one.store.clear()


@pytest.fixture
def talk(new_talk: type[Talk], caplog: pytest.LogCaptureFixture) -> Iterator[Talk]:
    """A greeted session. Nothing may reach the place where defects are logged."""
    caplog.set_level(logging.ERROR, "maskwright")
    made = new_talk()
    made.greet()
    made.take()
    yield made
    assert [record.getMessage() for record in caplog.records] == []
