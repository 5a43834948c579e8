"""The door: who is let in, told by the status of the handshake over a real socket."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from maskwright.gateway import listener
from maskwright_client import websocket
from maskwright_protocol import codec
from maskwright_protocol.messages import SERVER_MESSAGES, Failed, Hello, Models, ModelsRequest, StatusRequest
from maskwright_protocol.proof import CHALLENGE_PATH
from tests.protocol.support import let_in

from .support import DirectClient

TOKEN = "the token"
RIGHT = object()  # stands for a right proof over the server's nonce
Visit = Callable[[int, listener.HandshakePolicy], Awaitable[Any]]


@pytest.fixture
def served(new_client: type[DirectClient]) -> Callable[[Visit], Any]:
    """Run a visit to a listening server."""

    def run(visit: Visit) -> Any:
        async def main() -> Any:
            services = new_client().services
            services.sessions.clear()
            server, policy = await listener.listen(services, "127.0.0.1", 0, TOKEN, None)
            try:
                return await visit(server.sockets[0].getsockname()[1], policy)
            finally:
                server.close()
                await server.wait_closed()

        return asyncio.run(asyncio.wait_for(main(), 20))

    return run


async def handshake(port: int, path: str = "/", **headers: Any) -> tuple[int, str]:
    """Status and head of the answer to a handshake with some headers changed."""
    usual: dict[str, Any] = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Authorization": RIGHT,
    }
    usual.update({name.replace("_", "-"): value for name, value in headers.items()})
    if usual["Authorization"] is RIGHT:
        usual.update(await asyncio.to_thread(let_in, port, TOKEN))
    lines = [f"{name}: {value}" for name, value in usual.items() if value is not None]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write((f"GET {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    return int(head.split()[1]), head


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Host": "localhost:{port}"}, 101),
        ({"Host": "[::1]:{port}"}, 101),
        ({"Host": "127.0.0.1"}, 101),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Authorization": None}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": "Maskwright "}, 401),
        ({"Authorization": "Maskwright a b c"}, 401),
        ({"Authorization": f"Maskwright {'0' * 80} 0123 {'0' * 64}"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 403),
    ],
)
def test_who_is_let_in(served: Callable[[Visit], Any], headers: dict[str, Any], status: int) -> None:
    async def visit(port: int, policy: listener.HandshakePolicy) -> int:
        filled = {name: value and value.replace("{port}", str(port)) for name, value in headers.items()}
        return (await handshake(port, **filled))[0]

    assert served(visit) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Mode": "no-cors"}, 401),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "script"}, 401),
        ({"SEC-FETCH-SITE": "same-origin"}, 401),
        ({"Origin": "http://127.0.0.1:{port}"}, 401),
        ({"Host": "evil.example"}, 403),
    ],
)
def test_no_page_is_challenged_nor_runs_the_answer(
    served: Callable[[Visit], Any], headers: dict[str, str], status: int
) -> None:
    async def visit(port: int, policy: listener.HandshakePolicy) -> tuple[int, str]:
        filled = {name: value.replace("{port}", str(port)) for name, value in headers.items()}
        return await handshake(port, CHALLENGE_PATH, Authorization=None, **filled)

    answered, head = served(visit)
    assert answered == status
    assert "x-content-type-options: nosniff" in head.lower()
    assert "cross-origin-resource-policy: same-origin" in head.lower()


def test_refusals_are_logged_a_line_for_each_reason_at_a_time(
    served: Callable[[Visit], Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def visit(port: int, policy: listener.HandshakePolicy) -> None:
        for _ in range(5):
            await handshake(port, Authorization="Bearer nothing")
        await handshake(port, Host="evil.example")

    served(visit)
    assert [record.__dict__["why"] for record in caplog.records if "refused" in record.message] == [
        "wrong token",
        "unknown host",
    ]


def test_those_that_were_left_out_of_the_log_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refusals = listener.Refusals(lambda: now)
    for now in (0.0, 1.0, 9.9, 10.0, 30.0):  # noqa: B007 - the clock reads it
        refusals.note("wrong token", "192.0.2.7")
    assert [record.__dict__["more"] for record in caplog.records] == [0, 2, 0]


def test_compression_is_not_agreed_to(served: Callable[[Visit], Any]) -> None:
    async def visit(port: int, policy: listener.HandshakePolicy) -> str:
        return (await handshake(port, Sec_WebSocket_Extensions="permessage-deflate"))[1]

    assert "extensions" not in served(visit).lower()


def test_too_many_clients(served: Callable[[Visit], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_SESSIONS", 1)

    async def visit(port: int, policy: listener.HandshakePolicy) -> None:
        url = f"ws://127.0.0.1:{port}"
        async with connect(url, additional_headers=await asyncio.to_thread(let_in, port, TOKEN)) as first:
            await first.send(codec.encode_bytes(Hello(1, "test")))
            await first.recv()
            with pytest.raises(InvalidStatus) as caught:
                await connect(url, additional_headers=await asyncio.to_thread(let_in, port, TOKEN))
            assert caught.value.response.status_code == 503
        while policy.sessions:
            await asyncio.sleep(0.01)
        assert (await handshake(port))[0] == 101

    served(visit)


def conversation(served: Callable[[Visit], Any], *messages: bytes | str) -> tuple[list[Any], int | None]:
    """What is answered until the connection closes or falls silent, and the close code if it closed."""

    async def visit(port: int, policy: listener.HandshakePolicy) -> tuple[list[Any], int | None]:
        url, headers = f"ws://127.0.0.1:{port}", await asyncio.to_thread(let_in, port, TOKEN)
        async with connect(url, additional_headers=headers, max_size=None, compression=None) as link:
            answers: list[Any] = []
            try:
                for message in messages:
                    await link.send(message)
                while True:
                    answers.append(codec.decode(await asyncio.wait_for(link.recv(False), 0.3), SERVER_MESSAGES))
            except ConnectionClosed:
                return answers, link.close_code
            except TimeoutError:
                return answers, None

    return served(visit)


HELLO = codec.encode_bytes(Hello(1, "test"))


def test_a_conversation(served: Callable[[Visit], Any]) -> None:
    answers, closed = conversation(served, HELLO, codec.encode_bytes(ModelsRequest("m")))
    assert answers[1:] == [Models("m")]
    assert closed is None


def test_a_bad_greeting_is_answered_before_the_door_closes(served: Callable[[Visit], Any]) -> None:
    answers, closed = conversation(served, codec.encode_bytes(Hello(99, "test")))
    assert [answer.code for answer in answers] == ["version_mismatch"]
    assert closed == 1000


def test_garbage_leaves_the_connection_open(served: Callable[[Visit], Any]) -> None:
    answers, closed = conversation(served, HELLO, b"\xff\xfe", "text", codec.encode_bytes(StatusRequest("s")))
    assert [type(answer) for answer in answers[1:3]] == [Failed, Failed]
    assert answers[3].id == "s"
    assert closed is None


def test_a_message_beyond_the_limit_closes_the_connection(served: Callable[[Visit], Any]) -> None:
    """The announced length is enough; nothing is received for it."""

    async def visit(port: int, policy: listener.HandshakePolicy) -> bytearray:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        nonce = (await asyncio.to_thread(let_in, port))["Authorization"].split(" ")[1]
        opening = websocket.Handshake("127.0.0.1", port, TOKEN, nonce)
        writer.write(opening.request)
        while not opening.feed(await reader.read(1000)):
            pass
        head = b"\x82\xff" + (codec.MAX_MESSAGE + 1).to_bytes(8, "big")
        writer.write(b"".join(map(bytes, websocket.frame(websocket.BINARY, [HELLO]))) + head + bytes(4))
        frames, source = [], websocket.FrameReader(1 << 20)
        while not frames or frames[-1][0] != websocket.CLOSE:
            frames += source.feed(await reader.read(1000))
        writer.close()
        return frames[-1][1]

    assert served(visit)[:2] == (1009).to_bytes(2, "big")
