"""One connection: the order in which messages leave, and servers that misbehave."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from websockets.sync.server import ServerConnection

from maskwright_client import client as client_module
from maskwright_client import link
from maskwright_client.client import Client
from maskwright_client.link import BULK, NORMAL, URGENT, Link, Outbox
from maskwright_protocol import codec
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import (
    BadMessage,
    ConnectionLost,
    Forbidden,
    MaskwrightError,
    ServerAbsent,
    TooLarge,
    VersionMismatch,
)
from maskwright_protocol.messages import (
    BulkPart,
    Cancel,
    Done,
    Failed,
    Hello,
    ImageSlice,
    Message,
    Models,
    ModelsRequest,
    Shutdown,
    StatusRequest,
)
from tests.protocol.support import TOKEN, Gateway, greet, read, scripted, until

HELLO = Hello(1, "test")
Connect = Callable[..., Client]
Start = Callable[..., Gateway]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "CONNECT_TIMEOUT_S", 0.4)
    monkeypatch.setattr(client_module, "RECONNECT_S", 0.3)


# ---------------------------------------------------------------- the outbox


def drained(outbox: Outbox) -> list[str]:
    order = []
    while (message := outbox.take()) is not None:
        order.append(getattr(message, "id", ""))
    return order


def test_urgent_messages_leave_first_and_equals_in_order() -> None:
    outbox = Outbox()
    for number, priority in enumerate([BULK, NORMAL, BULK, URGENT, NORMAL, URGENT]):
        outbox.put(Cancel(str(number)), priority)
    assert len(outbox) == 6
    assert drained(outbox) == ["3", "5", "1", "4", "0", "2"]


def test_removed_messages_do_not_leave() -> None:
    outbox = Outbox()
    for number in range(9):
        outbox.put(Cancel(str(number)), number % 3)
    assert outbox.remove(lambda message: getattr(message, "id", "") in "147") == 3
    assert drained(outbox) == ["0", "3", "6", "2", "5", "8"]


def test_the_flag_says_whether_there_is_something() -> None:
    outbox = Outbox()
    assert not outbox.filled.is_set()
    outbox.put(Cancel("a"))
    assert outbox.filled.is_set()
    drained(outbox)
    assert not outbox.filled.is_set()
    outbox.put(Cancel("a"))
    outbox.clear()
    assert not outbox.filled.is_set()
    assert len(outbox) == 0


# ---------------------------------------------------------------- greeting


def test_a_greeting_with_the_real_gateway(gateway: Start) -> None:
    made = Link(gateway().endpoint, HELLO)
    assert made.welcome.version == 1
    made.close()


def test_the_real_gateway_refuses_other_versions(gateway: Start) -> None:
    with pytest.raises(VersionMismatch) as caught:
        Link(gateway().endpoint, Hello(2, "test"))
    assert caught.value.details["version"] == 1


def answering(*messages: Message | bytes | str) -> Callable[[ServerConnection], None]:
    """Answer the greeting with these."""

    def script(connection: ServerConnection) -> None:
        connection.recv()
        for message in messages:
            connection.send(codec.encode_bytes(message) if isinstance(message, Message) else message)
        time.sleep(0.02)

    return script


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"garbage", BadMessage),
        ("text", BadMessage),
        (b"", BadMessage),
        (Done("x"), BadMessage),
        (Cancel("x"), BadMessage),
        (Failed("", "forbidden", "no", "hint"), Forbidden),
        (b"\x81\xa4type\xa7welcome", BadMessage),
    ],
)
def test_servers_that_do_not_greet(answer: Message | bytes | str, error: type[MaskwrightError]) -> None:
    with scripted(answering(answer)) as endpoint, pytest.raises(error):
        Link(endpoint, HELLO)


@pytest.mark.parametrize(("change", "error"), [({"version": 2}, VersionMismatch), ({"slice_bytes": 0}, BadMessage)])
def test_welcomes_that_cannot_be(change: dict[str, int], error: type[MaskwrightError]) -> None:
    with scripted(lambda connection: greet(connection, **change)) as endpoint, pytest.raises(error):
        Link(endpoint, HELLO)


def test_a_server_that_hangs_up_on_the_greeting() -> None:
    with scripted(lambda connection: connection.close(1011, "no")) as endpoint, pytest.raises(ConnectionLost):
        Link(endpoint, HELLO)


@pytest.fixture
def raw_server() -> Iterator[Callable[[bytes | None], Endpoint]]:
    """A socket that answers with some bytes; None answers nothing and keeps the connection."""
    listeners: list[socket.socket] = []
    kept: list[socket.socket] = []

    def start(answer: bytes | None) -> Endpoint:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(4096)
            if answer is None:
                kept.append(connection)
            else:
                connection.sendall(answer)
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        return Endpoint("127.0.0.1", listener.getsockname()[1], TOKEN)

    yield start
    for one in [*listeners, *kept]:
        one.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ServerAbsent),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", Forbidden),
        (b"", ConnectionLost),
        (None, ConnectionLost),
    ],
)
def test_what_is_no_websocket_server(
    raw_server: Callable[[bytes | None], Endpoint], answer: bytes | None, error: type[MaskwrightError]
) -> None:
    endpoint = raw_server(answer)
    with pytest.raises(error):
        Link(endpoint, HELLO)


def test_tls_with_a_server_that_has_none(raw_server: Callable[[bytes | None], Endpoint]) -> None:
    with pytest.raises(ConnectionLost):
        Link(replace(raw_server(b"HTTP/1.1 400\r\n\r\n"), tls=True), HELLO)


# ---------------------------------------------------------------- order


def test_a_cancel_overtakes_pixels(connect: Connect) -> None:
    """The server reads nothing while megabytes are queued; then the cancel comes long before the last slice."""
    asked, may_read = threading.Event(), threading.Event()
    order: list[Message] = []

    def script(connection: ServerConnection) -> None:
        greet(connection)
        read(connection)
        asked.set()
        may_read.wait(5)
        while len(order) < 129:
            order.append(read(connection))

    with scripted(script, max_queue=1) as endpoint:
        client = connect(endpoint)
        ticket = client.submit(ModelsRequest("m"))
        assert asked.wait(5)
        for number in range(128):
            client.send(ImageSlice("k", number, 0, bytes(256 * 1024)))
        assert until(lambda: len(client.outbox) < 128)
        ticket.cancel()
        may_read.set()
        assert until(lambda: len(order) == 129, 10)
        client.close()
    assert order.index(Cancel("m")) < 64
    strips = [message.strip for message in order if isinstance(message, ImageSlice)]
    assert strips == list(range(128))


# ---------------------------------------------------------------- misbehaviour


def test_pings_are_answered(connect: Connect) -> None:
    answered: list[bool] = []

    def script(connection: ServerConnection) -> None:
        greet(connection)
        request = read(connection)
        answered.append(connection.ping(b"are you there").wait(2))
        connection.send(codec.encode_bytes(Done(getattr(request, "id", ""))))
        time.sleep(0.05)

    with scripted(script, ping_interval=None) as endpoint:
        assert isinstance(connect(endpoint).request(Shutdown(""), 5), Done)
    assert answered == [True]


def test_a_message_in_fragments(connect: Connect) -> None:
    def script(connection: ServerConnection) -> None:
        greet(connection)
        data = codec.encode_bytes(Models(getattr(read(connection), "id", "")))
        connection.send(iter([data[:1], data[1:5], data[5:]]))
        time.sleep(0.05)

    with scripted(script) as endpoint:
        assert isinstance(connect(endpoint).request(ModelsRequest(""), 5), Models)


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage",
        "text",
        codec.encode_bytes(StatusRequest("x")),
        codec.encode_bytes(BulkPart("{id}", 0, 99, b"x")),
        b"\x82\xa4type\xa4done\xa2id\x01",
    ],
)
def test_nonsense_fails_the_request_and_the_next_one_is_served(connect: Connect, answer: bytes | str) -> None:
    visits: list[int] = []

    def script(connection: ServerConnection) -> None:
        greet(connection)
        request = read(connection)
        visits.append(1)
        if len(visits) == 1:
            assert isinstance(request, ModelsRequest)
            connection.send(answer.replace(b"\xa4{id}", b"\xa4abcd") if isinstance(answer, bytes) else answer)
        else:
            connection.send(codec.encode_bytes(Done(getattr(request, "id", ""))))
        connection.recv()

    with scripted(script) as endpoint:
        client = connect(endpoint)
        with pytest.raises(BadMessage):
            client.request(ModelsRequest("abcd"), 5)
        assert isinstance(client.request(Shutdown(""), 5), Done)
        client.close()
    assert len(visits) == 2


def test_answers_to_nothing_are_ignored(connect: Connect) -> None:
    def script(connection: ServerConnection) -> None:
        greet(connection)
        request = read(connection)
        for identity in ("", "unknown", getattr(request, "id", "")):
            connection.send(codec.encode_bytes(BulkPart(identity, 0, 0, b"x")))
            connection.send(codec.encode_bytes(Done(identity)))
        connection.recv()

    with scripted(script) as endpoint:
        client = connect(endpoint)
        assert isinstance(client.request(Shutdown(""), 5), Done)
        assert client.parts.held == 0
        client.close()


@pytest.mark.parametrize(("code", "error"), [(1001, ConnectionLost), (1011, ConnectionLost), (1009, TooLarge)])
def test_closing_in_the_middle_of_an_answer(connect: Connect, code: int, error: type[MaskwrightError]) -> None:
    visits: list[int] = []

    def script(connection: ServerConnection) -> None:
        visits.append(1)
        greet(connection)
        request = read(connection)
        connection.send(codec.encode_bytes(BulkPart(getattr(request, "id", ""), 0, 0, b"half")))
        connection.close(code)

    with scripted(script) as endpoint:
        client = connect(endpoint)
        with pytest.raises(error):
            client.request(ModelsRequest(""), 5)
        assert len(visits) == (1 if error is TooLarge else 2)
        assert client.parts.held == 0
        client.close()


def test_silence_is_not_waited_out(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "SILENCE_S", 0.3)
    release = threading.Event()

    def script(connection: ServerConnection) -> None:
        greet(connection)
        release.wait(10)

    with scripted(script) as endpoint:
        client = connect(endpoint)
        with pytest.raises(ConnectionLost):
            client.request(ModelsRequest(""), 8)
        release.set()
        client.close()


def test_an_idle_connection_may_be_silent(connect: Connect, monkeypatch: pytest.MonkeyPatch, gateway: Start) -> None:
    monkeypatch.setattr(client_module, "SILENCE_S", 0.2)
    states: list[str] = []
    client = connect(gateway().endpoint, states.append)
    client.request(StatusRequest(""), 5)
    time.sleep(0.8)
    client.request(StatusRequest(""), 5)
    assert states == ["connected"]


HOST_WITH_SIGPIPE = """
import signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from maskwright_protocol import messages
from maskwright_client.client import Client
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import MaskwrightError
endpoint = Endpoint("127.0.0.1", int(sys.argv[1]), sys.argv[2])
with Client("host", endpoint=lambda: endpoint) as client:
    for _ in range(20):
        mask = messages.Mask(messages.PixelRect(0, 0, 1000, 1000), data=bytes(1_000_000))
        try:
            client.request(messages.Refine("", mask=mask), 10)
        except MaskwrightError as error:
            print(error.code)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="this system has no SIGPIPE")
def test_a_host_that_does_not_ignore_broken_pipes_lives_on() -> None:
    def script(connection: ServerConnection) -> None:
        greet(connection)
        # Hang up with a reset in the middle of what the client writes.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()

    with scripted(script) as endpoint:
        run = subprocess.run(
            [sys.executable, "-c", HOST_WITH_SIGPIPE, str(endpoint.port), endpoint.token],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["connection_lost"] * 20
