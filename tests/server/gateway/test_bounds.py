"""What one client may take, and that it is not taken from the others: real servers, attacked from outside."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import statistics
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from maskwright.gateway import listener, outgoing, session
from maskwright.gateway.throttle import GUESSES, MAX_ADDRESSES, REFILL_S, Throttle
from maskwright.images.store import ImageStore
from maskwright_client import websocket
from maskwright_client.ask import RasterData, raster_data
from maskwright_client.client import Client
from maskwright_protocol import codec, errors
from maskwright_protocol.messages import (
    SERVER_MESSAGES,
    BulkPart,
    Failed,
    Hello,
    ImageBegin,
    ImageEnd,
    ImageNeed,
    ImageReady,
    ImageSlice,
    Job,
    Mask,
    Message,
    Picture,
    PixelRect,
    Prefetch,
    Refine,
    Report,
    Selection,
    Status,
    StatusRequest,
)
from tests.protocol.support import TOKEN, Gateway, let_in
from tests.server.conftest import Server, start_server, stop_server, wait_for

from .support import DirectClient

MIB = 1 << 20


class RawClient:
    """A client that does only what it is told, and above all does not read unless asked."""

    def __init__(self, port: int, token: str, greet: bool = True) -> None:
        nonce = let_in(port, token)["Authorization"].split(" ")[1]
        opening = websocket.Handshake("127.0.0.1", port, token, nonce)
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.sendall(opening.request)
        while not opening.feed(self.socket.recv(1000)):
            pass
        self._source = websocket.FrameReader(64 * MIB)
        self._frames = self._source.feed(opening.rest)
        if greet:
            self.send(Hello(1, "raw"))
            self.read()

    def send(self, message: Message) -> None:
        self.frame(websocket.BINARY, codec.encode_bytes(message))

    def frame(self, opcode: int, payload: bytes) -> None:
        self.socket.sendall(b"".join(map(bytes, websocket.frame(opcode, [payload]))))

    def read(self) -> Message:
        while not self._frames:
            data = self.socket.recv(65536)
            assert data, "the server closed the connection"
            self._frames += self._source.feed(data)
        return codec.decode(bytes(self._frames.pop(0)[1]), SERVER_MESSAGES)

    def is_cut(self) -> bool:
        self.socket.settimeout(0.01)
        try:
            return not self.socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that has room for pictures of 16 MiB."""
    server = start_server(tmp_path_factory.mktemp("server"), "--image-budget", "16")
    yield server
    stop_server(server)


def resident(server: Server) -> int:
    return psutil.Process(server.process.pid).memory_info().rss


def begin(item: RasterData) -> ImageBegin:
    r = item.raster
    return ImageBegin("u", r.key, r.width, r.height, r.format, r.transfer, item.strips)


def grey(width: int, height: int, seed: bytes = b"x") -> RasterData:
    return raster_data(seed * (width * height), width, height, "GRAY8", PixelRect(0, 0, width, height))


# ---------------------------------------------------------------- connections


def test_clients_that_do_not_greet_lock_nobody_out(server: Server) -> None:
    port, token = server.endpoint.port, server.endpoint.token
    strangers = [RawClient(port, token, greet=False) for _ in range(listener.MAX_SESSIONS)]
    started = time.monotonic()
    with server.client() as client:
        assert isinstance(client.request(StatusRequest(""), 10), Status)
    assert time.monotonic() - started < listener.HELLO_S - 1 or all(s.is_cut() for s in strangers)
    wait_for(lambda: all(stranger.is_cut() for stranger in strangers), listener.HELLO_S + 5)


def test_pings_of_a_client_that_does_not_read_take_no_memory(server: Server) -> None:
    client = RawClient(server.endpoint.port, server.endpoint.token)
    client.socket.settimeout(5)
    before = resident(server)
    pings = b"".join(map(bytes, websocket.frame(websocket.PING, [bytes(125)]))) * 1000
    sent = 0
    try:
        while sent < 200 * MIB:
            client.socket.sendall(pings)
            sent += len(pings)
    except OSError:
        pass  # it was cut off
    assert sent < 100 * MIB
    assert resident(server) - before < 64 * MIB
    client.close()


def test_guesses_of_tokens_from_other_computers_are_slowed_down(new_client: type[DirectClient]) -> None:
    """Right tokens have to wait too, or it would be no hindrance; on loopback all users have one address."""

    async def statuses(host: str) -> list[int]:
        services = new_client().services
        services.sessions.clear()
        server, _ = await listener.listen(services, host, 0, TOKEN, None)
        port = server.sockets[0].getsockname()[1]
        found = []
        for _ in range(GUESSES + 2):
            reader, writer = await asyncio.open_connection(host, port)
            request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            request += "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            writer.write((request + "Authorization: Maskwright wrong\r\n\r\n").encode())
            found.append(int((await reader.readline()).split()[1]))
            writer.close()
        server.close()
        await server.wait_closed()
        return found

    assert asyncio.run(statuses("127.0.0.2")) == [401] * GUESSES + [429] * 2
    assert asyncio.run(statuses("127.0.0.1")) == [401] * (GUESSES + 2)


def test_a_client_that_must_wait_is_told_so() -> None:
    opening = websocket.Handshake("studio", 1, TOKEN, "a1")
    with pytest.raises(errors.Busy, match="wrong tokens"):
        opening.feed(b"HTTP/1.1 429 Too Many Requests\r\n\r\n")


def test_the_throttle_forgives_with_time_and_forgets_with_numbers() -> None:
    throttle = Throttle()
    for _ in range(GUESSES):
        assert not throttle.must_wait("192.0.2.1", 0.0)
        throttle.wrong("192.0.2.1", 0.0)
    assert throttle.must_wait("192.0.2.1", 1.0)
    assert not throttle.must_wait("192.0.2.2", 1.0)
    assert not throttle.must_wait("192.0.2.1", REFILL_S)
    throttle.wrong("192.0.2.1", REFILL_S)
    assert throttle.must_wait("192.0.2.1", REFILL_S + 1)
    for number in range(GUESSES):
        throttle.wrong(f"2001:db8::{number}%eth0", 0.0)
    assert throttle.must_wait("2001:db8::ffff", 0.0), "one computer may have a whole /64"
    assert not throttle.must_wait("2001:db8:0:1::1", 0.0)
    for number in range(MAX_ADDRESSES):
        throttle.wrong(f"198.51.{number >> 8}.{number & 255}", 0.0)
    assert not throttle.must_wait("192.0.2.1", REFILL_S + 1)


# ---------------------------------------------------------------- uploads


def test_an_upload_that_stands_still_leaves_room_for_others(server: Server) -> None:
    stalled = RawClient(server.endpoint.port, server.endpoint.token)
    stalled.send(begin(grey(4096, 4096)))
    assert isinstance(stalled.read(), ImageNeed)
    small = grey(1000, 1000, os.urandom(1))
    client = RawClient(server.endpoint.port, server.endpoint.token)
    client.send(begin(small))
    need = client.read()
    assert isinstance(need, ImageNeed), need
    data = memoryview(small.data)
    for strip in need.strips:
        client.send(ImageSlice(small.raster.key, strip, 0, bytes(data[strip * 64000 : (strip + 1) * 64000])))
    client.send(ImageEnd("e", small.raster.key))
    assert isinstance(client.read(), ImageReady)
    stalled.close()
    client.close()


def test_uploads_and_parts_that_stand_still_are_given_up(client: DirectClient) -> None:
    client.send(begin(grey(1000, 1000)))
    client.send(BulkPart("j", 0, 0, bytes(100)))
    client.take()
    now = time.monotonic()
    client.session.expire(now + session.SILENCE_S - 1)
    assert client.store.used == 1_000_000
    assert client.session.parts.held == 100
    client.session.expire(now + session.SILENCE_S + 1)
    (failed,) = client.take()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code) == ("j", "busy")
    assert (client.store.used, client.session.parts.held) == (0, 0)


def test_an_upload_has_a_slowest_pace(client: DirectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(session.time, "monotonic", lambda: now)
    item = grey(1000, 1000)
    client.send(begin(item))
    step = 0
    while client.store.used:
        client.send(ImageSlice(item.raster.key, 0, step, b"x"))
        step += 1
        now += session.SILENCE_S / 2
        client.session.expire(now)
        assert step < 100
    assert session.SILENCE_S < step * session.SILENCE_S / 2 < 3 * session.SILENCE_S


def test_pictures_of_waiting_jobs_leave_room_for_others(client: DirectClient) -> None:
    """The store is full of what waits for one client; the other's picture gets the room of the last of these jobs."""
    for number in range(4):
        item = grey(1000, 1000, bytes([number]))
        item.raster.data = bytes(item.data)
        client.send(Prefetch(str(number), picture=Picture(item.raster.box, [item.raster])))
    client.take()
    got: list[Message] = []
    other = client.open("second", got)
    client.greet(other)
    client.send(begin(grey(1000, 1000, b"y")), other)
    assert isinstance(got[-1], ImageNeed)
    (failed,) = client.take()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code) == ("3", "busy")
    assert len(client.scheduler.queue.waiting()) == 3


@pytest.mark.parametrize("damage", [False, True])
def test_the_end_of_an_upload_takes_no_time(damage: bool) -> None:
    """What arrived is checked as it arrives: at the end of 100 megapixels it would stop the server for long."""
    store = ImageStore(1 << 28, 1 << 28)
    item = grey(8000, 5000)
    data, row = bytearray(item.data), 8000 * 64
    if damage:
        data[-1] ^= 1
    try:
        spent = 0.0
        for strip in store.begin("s", begin(item)):
            piece = ImageSlice(item.raster.key, strip, 0, bytes(data[strip * row : (strip + 1) * row]))
            started = time.perf_counter()
            store.receive("s", piece)
            spent += time.perf_counter() - started
        started = time.perf_counter()
        if damage:
            with pytest.raises(errors.BadImage):
                store.end("s", item.raster.key)
        else:
            store.end("s", item.raster.key)
            assert time.perf_counter() - started < spent / 5
    finally:
        store.clear()


# ---------------------------------------------------------------- masks


def test_the_masks_of_all_clients_together_have_a_limit(client: DirectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_MASKS_TOTAL", 1000)
    got: list[Message] = []
    other = client.open("second", got)
    client.greet(other)
    item = grey(20, 20)
    item.raster.data = bytes(item.data)
    picture = Picture(item.raster.box, [item.raster])
    client.send(Refine("waiting", picture=picture, mask=Mask(item.raster.box, data=bytes(400))))
    client.send(BulkPart("part", 0, 0, bytes(400)))
    client.take()
    client.send(BulkPart("theirs", 0, 0, bytes(390)), other)
    (failed,) = client.take()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code) == ("part", "busy"), "the client with the most loses its parts first"
    client.send(BulkPart("theirs", 1, 0, bytes(300)), other)
    assert isinstance(got[-1], Failed)
    assert got[-1].id == "theirs", "now it is the other that holds the most"
    assert [job.request.id for job in client.scheduler.queue.waiting()] == ["waiting"]


def test_parts_of_a_client_that_left_are_freed_at_once(server: Server) -> None:
    before = resident(server)
    for _ in range(3):
        client = RawClient(server.endpoint.port, server.endpoint.token)
        for offset in range(0, 200 * MIB, MIB):
            client.send(BulkPart("j", 0, offset, bytes(MIB)))
        wait_for(lambda: resident(server) - before > 150 * MIB, 30)
        client.close()
        wait_for(lambda: resident(server) - before < 48 * MIB, 5)


# ---------------------------------------------------------------- answers


def large_answers(request: Job, pixels: dict[str, bytes]) -> Message:
    return Selection(
        request.id, 0, Report("auto", [], "cpu"), merged=Mask(PixelRect(0, 0, 8 * MIB, 1), data=bytes(8 * MIB))
    )


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway(large_answers)
    yield gateway
    gateway.close()


def ask_without_reading(gateway: Gateway, jobs: int) -> RawClient:
    client = RawClient(gateway.port, TOKEN)
    item = grey(8, 8)
    item.raster.data = bytes(item.data)
    for number in range(jobs):
        client.send(Prefetch(str(number), picture=Picture(item.raster.box, [item.raster])))
    return client


def test_unread_answers_are_bounded_in_bytes(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MAX_UNREAD_BYTES", 20 * MIB)
    client = ask_without_reading(gateway, 6)
    wait_for(client.is_cut)
    assert not gateway.policy.sessions
    client.close()


def test_unread_answers_of_all_clients_have_a_limit(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MAX_UNREAD_TOTAL", 40 * MIB)
    modest = ask_without_reading(gateway, 1)
    wait_for(lambda: held(gateway) >= 8 * MIB)
    greedy = ask_without_reading(gateway, 7)
    wait_for(greedy.is_cut)
    assert len(gateway.policy.sessions) == 1
    for client in (modest, greedy):
        client.close()


def test_a_client_that_reads_nothing_is_cut_off_in_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "READ_TIMEOUT_S", 0.5)
    client = ask_without_reading(gateway, 1)
    wait_for(lambda: not gateway.policy.sessions)
    client.close()


def test_what_waits_for_a_client_goes_with_it(gateway: Gateway) -> None:
    """Session and answers are freed without the collector of circles, which may not come for minutes."""
    gc.collect()
    gc.disable()
    try:
        client = ask_without_reading(gateway, 3)
        client.send(BulkPart("p", 0, 0, bytes(MIB)))
        wait_for(lambda: gateway.call(lambda: held(gateway)) >= 24 * MIB)
        sessions = [weakref.ref(one) for one in gateway.policy.sessions.values()]
        waiting = [weakref.ref(one) for one in gateway.policy.outgoing.values()]
        client.close()
        wait_for(lambda: not any(one() for one in [*sessions, *waiting]), listener.CLOSE_TIMEOUT_S + 5)
    finally:
        gc.enable()


def test_a_client_that_does_not_read_does_not_keep_the_server_from_ending(gateway: Gateway) -> None:
    client = ask_without_reading(gateway, 1)
    wait_for(lambda: held(gateway) >= 8 * MIB)
    started = time.monotonic()
    gateway.close()
    assert time.monotonic() - started < listener.CLOSE_TIMEOUT_S + 5
    client.close()


def held(gateway: Gateway) -> int:
    return sum(one.held for one in gateway.policy.outgoing.values())


def test_no_thread_is_left_behind(gateway: Gateway) -> None:
    before = threading.active_count()
    for _ in range(5):
        RawClient(gateway.port, TOKEN).close()
    wait_for(lambda: not gateway.policy.sessions)
    assert threading.active_count() <= before


def test_a_hundred_megapixels_do_not_stop_the_server(tmp_path: Path) -> None:
    """Neither when their memory is taken, nor when the last of them arrived, nor when it is given back."""
    server = start_server(tmp_path)
    try:
        width, height = 10_000, 10_000
        item = grey(width, height)
        strips = memoryview(item.data)
        row = width * 64
        with server.client() as other:
            assert isinstance(other.request(StatusRequest(""), 10), Status)
            client = RawClient(server.endpoint.port, server.endpoint.token)
            times = [status_ms(other)]

            def while_waiting() -> Message:
                client.socket.settimeout(0.001)
                while True:
                    try:
                        return client.read()
                    except TimeoutError:
                        times.append(status_ms(other))

            client.send(begin(item))
            need = while_waiting()
            assert isinstance(need, ImageNeed)
            client.socket.settimeout(20)
            for strip in need.strips:
                client.send(ImageSlice(item.raster.key, strip, 0, bytes(strips[strip * row : (strip + 1) * row])))
            client.send(ImageEnd("e", item.raster.key))
            assert isinstance(while_waiting(), ImageReady)
            client.close()
            assert max(times) < 1000, "the event loop waited"
            assert statistics.median(times) < 100
    finally:
        stop_server(server)


def status_ms(client: Client) -> float:
    started = time.perf_counter()
    assert isinstance(client.request(StatusRequest(""), 20), Status)
    return (time.perf_counter() - started) * 1e3
