"""Downloads one after the other: progress, cancel, failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection

from maskwright_client.client import Client
from maskwright_client.downloads import Downloads
from maskwright_protocol import codec
from maskwright_protocol.errors import JobCancelled, Offline
from maskwright_protocol.messages import Cancel, Done, Failed, Message, ModelInfo, ModelPull, Progress
from tests.protocol.client.event_loop import QueueLoop
from tests.protocol.support import greet, read, scripted


def model(name: str) -> ModelInfo:
    return ModelInfo(name, "f", ["segmenter"], name, "", licence="MIT", commercial="no", installed=False)


FIRST, SECOND = model("first"), model("second")


class Told:
    """What a user interface is told."""

    def __init__(self, client: Client) -> None:
        self.loop = QueueLoop()
        self.models: list[str] = []
        self.progress: list[tuple[str, float]] = []
        self.ends: list[Exception | None] = []
        self.downloads = Downloads(client, self.loop, self._changed, self._progressed, self.ends.append)

    def _changed(self) -> None:
        self.models.append(self.downloads.current.id if self.downloads.current is not None else "")

    def _progressed(self, text: str, fraction: float) -> None:
        self.progress.append((text, fraction))


def hub(connection: ServerConnection) -> None:
    """Downloads everything at once, and tells of it with an odd fraction."""
    greet(connection)
    while True:
        pull = read(connection)
        assert isinstance(pull, ModelPull)
        assert pull.accept_licence
        for answer in (Progress(pull.id, 0, "download", 1.5, f"Loading {pull.model}"), Done(pull.id, 0)):
            connection.send(codec.encode_bytes(answer))


def test_one_after_the_other(connect: Callable[..., Client]) -> None:
    with scripted(hub) as endpoint:
        told = Told(connect(endpoint))
        assert told.downloads.start([FIRST, SECOND])
        assert told.downloads.busy()
        assert not told.downloads.start([FIRST]), "one set at a time"
        told.loop.turn(lambda: told.ends)
        assert (told.ends, told.models) == ([None], ["first", "second", ""])
        assert ("Loading first", 1.0) in told.progress
        assert not told.downloads.busy()
        assert told.downloads.start([FIRST])
        told.loop.turn(lambda: len(told.ends) == 2)


def test_a_cancel_reaches_the_server(connect: Callable[..., Client]) -> None:
    seen: list[Message] = []

    def slow(connection: ServerConnection) -> None:
        greet(connection)
        while True:
            seen.append(read(connection))

    with scripted(slow) as endpoint:
        told = Told(connect(endpoint))
        told.downloads.start([FIRST, SECOND])
        told.loop.turn(lambda: seen)
        told.downloads.cancel()
        assert isinstance(told.ends[0], JobCancelled)
        told.loop.turn(lambda: len(seen) == 2)
        assert isinstance(seen[1], Cancel)
        assert (told.downloads.busy(), told.models) == (False, ["first", ""])


def test_a_failure_ends_all(connect: Callable[..., Client]) -> None:
    def offline(connection: ServerConnection) -> None:
        greet(connection)
        connection.send(codec.encode_bytes(Failed(read(connection).id, "offline", "No network.")))  # type: ignore[attr-defined]
        connection.recv()

    with scripted(offline) as endpoint:
        told = Told(connect(endpoint))
        told.downloads.start([FIRST, SECOND])
        told.loop.turn(lambda: told.ends)
        with pytest.raises(Offline):
            raise told.ends[0] or AssertionError
        assert told.models == ["first", ""]
