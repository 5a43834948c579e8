"""The whole server, as a client sees it: answers, and what happens when things go wrong."""

from __future__ import annotations

import math
import os
import signal
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from maskwright.files.reading import FileSource
from maskwright.files.result import mask_plane
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import codec, errors, messages
from maskwright_protocol.digest import image_key, strip_digests
from tests.protocol.support import let_in

from .conftest import Server, start_server, stop_server, wait_for
from .photos import BOX, PHOTO

ANSWER_S = 120


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def source() -> FileSource:
    return FileSource(PHOTO)


def select(client: Client, source: FileSource, **fields) -> messages.Selection:
    job = messages.Select(id="", **fields)
    answer = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(ANSWER_S))
    assert isinstance(answer, messages.Selection)
    return answer


def works(client: Client, source: FileSource) -> None:
    """The next job succeeds."""
    answer = select(client, source, boxes=[BOX], merge=True)
    assert answer.instances
    assert answer.merged is not None


def test_a_box_gives_a_mask_of_what_is_inside(client: Client, source: FileSource) -> None:
    answer = select(client, source, boxes=[BOX], merge=True)
    assert answer.merged is not None
    mask = mask_plane(answer.merged, source.width, source.height)
    assert mask[150, 220] > 200  # the face
    assert mask[30, 490] < 50  # the background, outside the box
    assert answer.report.device == "cpu"
    assert answer.report.models
    assert sum(answer.report.timings.values()) > 0


def test_the_second_job_on_an_image_sends_no_pixels(client: Client, source: FileSource) -> None:
    works(client, source)
    sent: list[messages.Message] = []
    original = client.submit
    client.submit = lambda message, on_progress=None: (sent.append(message), original(message, on_progress))[1]  # type: ignore[method-assign]
    works(client, source)
    [job] = sent
    assert isinstance(job, messages.Job)
    assert job.picture is not None
    assert all(raster.data is None for raster in job.picture.rasters)


def test_cutout_asks_for_full_resolution_and_returns_colours(client: Client, source: FileSource) -> None:
    job = messages.Cutout(id="", format="BGRA8")
    answer = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(ANSWER_S))
    assert isinstance(answer, messages.CutoutResult)
    assert answer.alpha is not None
    assert answer.foreground is not None
    assert answer.foreground.format == "BGRA8"
    box = answer.foreground.box
    pixels = np.frombuffer(answer.foreground.data or b"", np.uint8).reshape(box.height, box.width, 4)
    inside = pixels[:, :, 3] == 255
    photo = source.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    assert np.abs(pixels[:, :, 2::-1][inside].astype(int) - photo[inside]).max() <= 2


def test_progress_is_told_while_a_worker_does_not_answer(server: Server, client: Client, source: FileSource) -> None:
    works(client, source)
    pid = worker_pid(server)
    halt(pid)
    told: list[messages.Progress] = []
    try:
        ticket = client.submit(job_for(client, source), told.append)
        wait_for(lambda: len(told) >= 3, 10)
        ticket.cancel()
        with pytest.raises(errors.JobCancelled):
            ticket.result(5)
    finally:
        os.kill(pid, signal.SIGCONT)
    works(client, source)


def halt(pid: int) -> None:
    """Stop a process, and wait until it has stopped."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)


def test_a_job_that_no_worker_took_is_given_to_the_next(server: Server, client: Client, source: FileSource) -> None:
    works(client, source)
    pid = worker_pid(server)
    halt(pid)
    ticket = client.submit(job_for(client, source))
    wait_for(lambda: server.status().running == 1)
    os.kill(pid, signal.SIGKILL)
    assert isinstance(ticket.result(ANSWER_S), messages.Selection)
    assert worker_pid(server) != pid
    assert server.status().workers[0].restarts >= 1


def test_other_clients_jobs_survive_a_killed_worker(server: Server, client: Client, source: FileSource) -> None:
    works(client, source)
    pid = worker_pid(server)
    with server.client("other") as other:
        works(other, source)
        halt(pid)
        interrupted = client.submit(job_for(client, source))
        wait_for(lambda: server.status().running == 1)
        waiting = other.submit(job_for(other, source))
        wait_for(lambda: server.status().queued == 1)
        os.kill(pid, signal.SIGKILL)
        assert isinstance(interrupted.result(ANSWER_S), messages.Selection)
        assert isinstance(waiting.result(ANSWER_S), messages.Selection)


def test_a_newer_generation_supersedes_the_older(server: Server, client: Client, source: FileSource) -> None:
    works(client, source)
    pid = worker_pid(server)
    halt(pid)
    try:
        tickets = [client.submit(job_for(client, source, tool="click", generation=n)) for n in range(3)]
        for ticket in tickets[:2]:
            with pytest.raises(errors.JobCancelled) as caught:
                ticket.result(10)
            assert caught.value.details["superseded"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert isinstance(tickets[2].result(ANSWER_S), messages.Selection)


def test_a_deadline_ends_the_job(server: Server, client: Client, source: FileSource) -> None:
    works(client, source)
    pid = worker_pid(server)
    halt(pid)
    try:
        with pytest.raises(errors.DeadlineExceeded):
            client.submit(job_for(client, source, deadline_s=0.5)).result(10)
    finally:
        os.kill(pid, signal.SIGCONT)
    works(client, source)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"points": [messages.Point(math.nan, 5)]}, errors.BadInput),
        ({"boxes": [messages.Rect(10, 10, math.inf, 5)]}, errors.BadInput),
        ({"boxes": [messages.Rect(5000, 5000, 50, 50)]}, errors.OutsideImage),
        ({"points": [messages.Point(-900, 4)]}, errors.OutsideImage),
        ({}, errors.EmptyPrompt),
        ({"text": "   "}, errors.EmptyPrompt),
        ({"boxes": [BOX], "recipe": "no-such-recipe"}, errors.BadInput),
        ({"boxes": [BOX], "models": {"segmenter": "no-such-model"}}, errors.ModelMissing),
        ({"boxes": [BOX], "priority": "at once"}, errors.BadInput),
        ({"boxes": [BOX], "mask_depth": 12}, errors.BadInput),
        ({"points": [messages.Point(5, 5)] * 5000}, errors.BadInput),
    ],
)
def test_bad_input_gets_its_typed_error(client: Client, source: FileSource, fields, error: type) -> None:
    with pytest.raises(error) as caught:
        select(client, source, **fields)
    assert caught.value.message.endswith((".", "!", "?"))
    assert caught.value.hint
    works(client, source)


@pytest.mark.parametrize("bomb", [zlib.compress(bytes(200_000_000), 9), b"not zlib at all"])
def test_a_decompression_bomb_is_refused(client: Client, source: FileSource, bomb: bytes) -> None:
    mask = messages.Mask(messages.PixelRect(0, 0, 100, 100), 8, "zlib", data=bomb)
    with pytest.raises(errors.BadInput, match="compressed data"):
        select(client, source, start=mask)
    works(client, source)


def test_garbage_is_answered_and_the_conversation_goes_on(server: Server, client: Client, source: FileSource) -> None:
    with raw_connection(server) as raw:
        for garbage in (b"", b"\xc1", b"\x80", b"\xff" * 100, b"{}", codec.encode_bytes(messages.Cancel("x"))[:-1]):
            raw.send(garbage)
            answer = codec.decode(raw.recv(5), messages.SERVER_MESSAGES)  # type: ignore[arg-type]
            assert isinstance(answer, messages.Failed)
            assert answer.code == "bad_message"
        raw.send(codec.encode_bytes(messages.StatusRequest("still-there")))
        answer = codec.decode(raw.recv(5), messages.SERVER_MESSAGES)  # type: ignore[arg-type]
        assert isinstance(answer, messages.Status)
    works(client, source)


def test_an_oversized_message_closes_that_connection_only(server: Server, client: Client, source: FileSource) -> None:
    with raw_connection(server) as raw:
        raw.send(bytes(codec.MAX_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as caught:
            raw.recv(10)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009
    works(client, source)


def test_a_client_that_vanishes_mid_upload_leaves_nothing(server: Server, client: Client, source: FileSource) -> None:
    before = server.status().image_bytes
    width, height = 1000, 6400
    data = os.urandom(width * height)
    strips = strip_digests(data, height, width)
    key = image_key(width, height, "GRAY8", "srgb", strips)
    with raw_connection(server) as raw:
        raw.send(codec.encode_bytes(messages.ImageBegin("u", key, width, height, "GRAY8", "srgb", strips)))
        need = codec.decode(raw.recv(5), messages.SERVER_MESSAGES)  # type: ignore[arg-type]
        assert isinstance(need, messages.ImageNeed)
        assert len(need.strips) == len(strips)
        raw.send(codec.encode_bytes(messages.ImageSlice(key, 0, 0, data[:1000])))
        assert server.status().image_bytes == before + len(data)
        raw.socket.close()
    wait_for(lambda: server.status().image_bytes == before)
    works(client, source)


def test_pixels_that_are_not_what_their_key_says_are_refused(client: Client, source: FileSource) -> None:
    overview = source.overview()
    raster = messages.Raster(
        overview.raster.key[:-8] + "badbad00", overview.raster.width, overview.raster.height, overview.raster.format,
        source.box, data=bytes(overview.data),
    )  # fmt: skip
    job = messages.Select(id="", picture=messages.Picture(source.box, [raster]), boxes=[BOX])
    with pytest.raises(errors.BadImage):
        client.request(job, 10)
    works(client, source)


def test_strangers_are_refused(server: Server) -> None:
    address = f"ws://127.0.0.1:{server.endpoint.port}"
    port, token = server.endpoint.port, server.endpoint.token
    refusals = [
        ({}, None, 401),
        ({"Authorization": f"Bearer {token}"}, None, 401),
        (let_in(port, "wrong"), None, 401),
        (let_in(port, token), "https://evil.example", 403),
        (let_in(port, token), "null", 403),
    ]
    for headers, origin, status in refusals:
        with (
            pytest.raises(InvalidStatus) as caught,
            connect(address, additional_headers=headers, origin=origin),  # type: ignore[arg-type]
        ):
            pass
        assert caught.value.response.status_code == status
    assert b" 403 " in handshake(server, "Host: evil.example")
    assert b" 403 " in handshake(server, f"Host: 127.0.0.1:{server.endpoint.port}\r\nHost: evil.example")
    assert b" 101 " in handshake(server, f"Host: localhost:{server.endpoint.port}")
    stranger = Client("stranger", endpoint=lambda: replace(server.endpoint, token="wrong"))
    with stranger, pytest.raises(errors.Forbidden):
        stranger.request(messages.StatusRequest(""), 5)


def test_an_idle_worker_gives_its_memory_back(tmp_path: Path, source: FileSource) -> None:
    server = start_server(tmp_path, "--worker-idle-s", "0.3")
    try:
        with server.client() as client:
            works(client, source)
            pid = worker_pid(server)
            wait_for(lambda: server.status().workers[0].state == "stopped")
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
            works(client, source)
            assert server.status().workers[0].restarts == 0
    finally:
        stop_server(server)


def test_a_server_that_nobody_uses_ends(tmp_path: Path) -> None:
    server = start_server(tmp_path, "--exit-idle-s", "1.2")
    try:
        with server.client() as client:
            client.request(messages.StatusRequest(""), 5)
            time.sleep(2.5)
            assert server.process.poll() is None, "somebody is connected"
        assert server.process.wait(timeout=20) == 0
        assert not (tmp_path / "run" / "server.json").exists()
    finally:
        stop_server(server)


def test_eviction_costs_only_time(tmp_path: Path, source: FileSource) -> None:
    server = start_server(tmp_path, "--image-budget", "16")
    try:
        with server.client() as client:
            works(client, source)
            for number in range(8):  # 8 x 3 MiB through a budget of 16 MiB
                noise = np.random.default_rng(number).integers(0, 256, (1024, 1024, 3), np.uint8)
                Image.fromarray(noise).save(tmp_path / "noise.png", compress_level=0)
                noisy = FileSource(tmp_path / "noise.png")
                ask.run(ask.answer(client, messages.Prefetch(id="", recipe="grabcut"), noisy))
            assert server.status().image_bytes <= 16 << 20
            works(client, source)
    finally:
        stop_server(server)


def test_shutting_down_answers_what_is_under_way(tmp_path: Path, source: FileSource) -> None:
    server = start_server(tmp_path)
    with server.client() as client:
        works(client, source)
        pid = worker_pid(server)
        halt(pid)
        ticket = client.submit(job_for(client, source))
        wait_for(lambda: server.status().running == 1)
        server.process.terminate()
        with pytest.raises(errors.MaskwrightError) as caught:
            ticket.result(10)
        assert caught.value.code in ("shutting_down", "connection_lost", "server_absent")
    assert server.process.wait(15) == 0
    assert not (tmp_path / "run" / "server.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_second_server_of_the_same_user_does_not_start(server: Server) -> None:
    import subprocess
    import sys

    second = subprocess.run(
        [sys.executable, "-m", "maskwright.cli", "serve"], env=server.environment, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode == 0
    assert "running already" in second.stderr


# ---------------------------------------------------------------- helpers


def job_for(client: Client, source: FileSource, **fields) -> messages.Select:
    """A job whose image the server knows already."""
    raster = source.overview().raster
    assert raster.key in client.known_keys
    return messages.Select(id="", picture=messages.Picture(source.box, [raster]), boxes=[BOX], **fields)


def worker_pid(server: Server) -> int:
    pid = server.status().workers[0].pid
    assert pid is not None
    return pid


def handshake(server: Server, host: str) -> bytes:
    """The status line that a handshake with this Host header gets."""
    shown = let_in(server.endpoint.port, server.endpoint.token)["Authorization"]
    request = (
        f"GET / HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: {shown}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.endpoint.port), timeout=5) as raw:
        raw.sendall(request.encode())
        return raw.recv(4096).split(b"\r\n")[0]


@contextmanager
def raw_connection(server: Server) -> Iterator[ClientConnection]:
    """A greeted connection of the ``websockets`` library, to send what our client would not."""
    with connect(
        f"ws://127.0.0.1:{server.endpoint.port}",
        additional_headers=let_in(server.endpoint.port, server.endpoint.token),
        compression=None,
        max_size=None,
    ) as raw:
        raw.send(codec.encode_bytes(messages.Hello(messages.PROTOCOL_VERSION, "raw")))
        assert isinstance(codec.decode(raw.recv(5), messages.SERVER_MESSAGES), messages.Welcome)  # type: ignore[arg-type]
        yield raw
