"""Nobody poses as the server, and a server that died, stops or lost its file stands in nobody's way."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

from maskwright_client import launcher
from maskwright_client.client import Client
from maskwright_client.link import Link, hang_up, open_connection
from maskwright_protocol import errors, messages
from maskwright_protocol.discovery import Endpoint, find_server, read_endpoint, write_endpoint
from tests.shared_data import REPOSITORY

from .conftest import Server, start_server, stop_server, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed, and files have modes")
HELLO = messages.Hello(messages.PROTOCOL_VERSION, "test")
COMMAND = [sys.executable, "-m", "maskwright.cli"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Server]]:
    """Start a server in this test's own folders. Whatever serves there in the end is stopped."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("MASKWRIGHT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    started: list[Server] = []

    def start() -> Server:
        started.append(start_server(tmp_path))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait(10)
    while (left := read_endpoint()) is not None:
        try:
            with Client("tests", endpoint=lambda left=left: left) as client:
                client.request(messages.Shutdown(""), 10)
        except errors.ServerAbsent:
            break


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(10)


def select(server: Server, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sends pixels."""
    picture = folder / "small.png"
    image = Image.effect_noise((96, 96), 40).convert("RGB")
    ImageDraw.Draw(image).ellipse((24, 24, 72, 72), fill="red")
    image.save(picture)
    return server.cli("select", picture, "--box", "16,16,64,64", "--recipe", "grabcut", "--json")


@contextmanager
def impostor(kind: str, port: int, file: Path, target: int = 0) -> Iterator[None]:
    """Another program at a port. ``file`` gets all that it is sent."""
    command = [sys.executable, "-m", "tests.server.impostor", kind, str(port), str(file), str(target)]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        wait_for(file.exists)
        yield
    finally:
        process.kill()
        process.wait(10)


def forget_the_process(endpoint: Endpoint) -> None:
    """As on systems that do not tell when a process started, or from another container."""
    write_endpoint(Endpoint(**{**endpoint.__dict__, "process": ""}))


# ---------------------------------------------------------------- a server that died


def test_after_a_kill_the_next_command_works_at_once(own: Callable[[], Server], tmp_path: Path) -> None:
    dead = own()
    kill(dead)
    run = select(dead, tmp_path)
    assert run.returncode == 0, run.stderr
    alive = read_endpoint()
    assert alive is not None
    assert alive.pid != dead.process.pid
    assert alive.token != dead.endpoint.token


def test_what_a_dead_server_left_is_swept(own: Callable[[], Server], tmp_path: Path) -> None:
    dead = own()
    dead.process.kill()  # it is not waited for: a zombie has ended too
    wait_for(lambda: read_endpoint() is None)
    assert not (tmp_path / "run" / "server.json").exists()
    assert "not running" in dead.cli("status").stderr


@pytest.mark.parametrize(
    ("kind", "told"),
    [("welcoming", True), ("silent", False), ("http", False), ("welcoming", False), ("echoing", False)],
)
def test_a_program_at_a_dead_servers_port_gets_nothing(
    own: Callable[[], Server], tmp_path: Path, kind: str, told: bool
) -> None:
    """Neither the token nor pixels nor as much as a greeting; and the command works, with a new server.

    ``told``: the system tells that the old process has ended; otherwise only the missing proof does.
    """
    dead = own()
    kill(dead)
    if not told:
        forget_the_process(dead.endpoint)
    with impostor(kind, dead.endpoint.port, tmp_path / "received"):
        run = select(dead, tmp_path)
    received = (tmp_path / "received").read_bytes()
    assert run.returncode == 0, run.stderr
    assert dead.endpoint.token.encode() not in received
    requests = received.split(b"GET /")[1:]
    assert len(received) < 4096
    assert bool(requests) != told
    assert all(part.endswith(b"\r\n\r\n") for part in requests), "more than the heads of requests"
    assert b"hello" not in received


def test_a_program_that_passes_everything_on_gets_nothing(own: Callable[[], Server], tmp_path: Path) -> None:
    """The real server answers, but its port is not the one that the client speaks to."""
    server = own()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lured = Endpoint("127.0.0.1", port, server.endpoint.token)
    posing = impostor("relaying", port, tmp_path / "received", server.endpoint.port)
    with posing, pytest.raises((errors.Forbidden, errors.ServerAbsent)):
        Link(lured, HELLO)
    assert b"hello" not in (tmp_path / "received").read_bytes()
    assert server.status().clients == [messages.ClientInfo("status", "local")]


def test_a_handshake_that_was_heard_cannot_be_repeated(own: Callable[[], Server]) -> None:
    server = own()
    sent: list[bytes] = []
    with heard(sent):
        hang_up(open_connection(server.endpoint)[0])
    (handshake,) = [request for request in sent if b"Authorization" in request]
    with socket.create_connection(("127.0.0.1", server.endpoint.port), 5) as again:
        again.sendall(handshake)
        assert again.recv(4096).startswith(b"HTTP/1.1 401 ")


@contextmanager
def heard(sent: list[bytes]) -> Iterator[None]:
    """Note what sockets of this process send, as somebody on the way would."""
    with pytest.MonkeyPatch.context() as patch:

        class Heard(socket.socket):
            def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
                sent.append(bytes(data))
                super().sendall(data, flags)

        patch.setattr(socket, "socket", Heard)
        yield


# ---------------------------------------------------------------- a server that lives


@pytest.mark.parametrize("whole", [False, True], ids=["the file", "its directory"])
def test_a_file_that_was_removed_is_written_again(own: Callable[[], Server], tmp_path: Path, whole: bool) -> None:
    server = own()
    if whole:
        shutil.rmtree(tmp_path / "run")
    else:
        (tmp_path / "run" / "server.json").unlink()
    assert wait_for(read_endpoint, 6.0) == server.endpoint
    assert server.cli("status").returncode == 0


def test_three_at_once_are_one(own: Callable[[], Server], tmp_path: Path) -> None:
    environment = {**os.environ, "MASKWRIGHT_RUNTIME_DIR": str(tmp_path / "run")}
    three = [subprocess.Popen([*COMMAND, "serve"], env=environment, stderr=subprocess.DEVNULL) for _ in range(3)]
    try:
        endpoint = wait_for(read_endpoint, 30)
        assert endpoint is not None
        wait_for(lambda: sum(one.poll() is not None for one in three) == 2, 30)
        assert sorted(one.returncode or 0 for one in three if one.poll() is not None) == [0, 0]
        assert [one.pid for one in three if one.poll() is None] == [endpoint.pid]
        assert read_endpoint() == endpoint
    finally:
        for one in three:
            one.kill()
            one.wait(10)


def test_commands_right_after_stop_start_a_new_server(own: Callable[[], Server]) -> None:
    seen = {own().endpoint.pid}
    for _ in range(20):
        with Client("test", endpoint=find_server) as client:
            assert isinstance(client.request(messages.Shutdown(""), 10), messages.Done)
        endpoint = launcher.start_if_absent(command=COMMAND)
        with Client("test", endpoint=lambda endpoint=endpoint: endpoint) as client:
            status = client.request(messages.StatusRequest(""), 10)
        assert isinstance(status, messages.Status)
        assert status.pid == endpoint.pid
        seen.add(endpoint.pid)
    assert len(seen) == 21


def test_stop_and_select_on_the_command_line(own: Callable[[], Server], tmp_path: Path) -> None:
    server = own()
    assert server.cli("stop").returncode == 0
    run = select(server, tmp_path)
    assert run.returncode == 0, run.stderr


def test_connecting_takes_little(own: Callable[[], Server]) -> None:
    """The best of many: what others do on the machine at the same time is not ours."""
    server = own()
    took = []
    for _ in range(60):
        begun = time.perf_counter()
        Link(server.endpoint, HELLO).close()
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.005


def test_a_planted_file_is_not_believed(own: Callable[[], Server], tmp_path: Path) -> None:
    """A link to a file of the victim's that happens to look like an endpoint."""
    victims = tmp_path / "settings.json"
    victims.write_text(json.dumps({"host": "127.0.0.1", "port": 9, "token": "of something else"}))
    victims.chmod(0o600)
    (tmp_path / "run" / "server.json").symlink_to(victims)
    assert read_endpoint() is None
    server = own()
    assert read_endpoint() == server.endpoint
    assert "something else" in victims.read_text()
    stop_server(server)


def test_serve_waits_for_a_server_that_ends(own: Callable[[], Server], tmp_path: Path) -> None:
    """Its endpoint file is gone already, and its lock not yet."""
    environment = {**os.environ, "MASKWRIGHT_RUNTIME_DIR": str(tmp_path / "run")}
    with FileLock(tmp_path / "run" / "server.lock"):
        process = subprocess.Popen([*COMMAND, "serve"], env=environment, stderr=subprocess.DEVNULL)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6.0)
    try:
        endpoint = wait_for(read_endpoint, 20)
        assert endpoint is not None
        assert endpoint.pid == process.pid
    finally:
        process.kill()
        process.wait(10)
