"""A page of another origin in a real Chromium, beside a running server: it may try everything and gets nothing.

The page is given more than any attacker has: the server's port and its token. The browser's own protection of local
networks is switched off, so that what holds is the server's.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.sync.server import ServerConnection, serve

from maskwright_protocol.proof import CHALLENGE_PATH
from tests.server.conftest import Server, wait_for

PAGE = Path(__file__).with_name("page.html")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ATTEMPTS = 30  # of a page, at one name of the server
BROWSER_S = 180.0
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,Translate,OptimizationHints",
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


class Attacker(ThreadingHTTPServer):
    """Serves the page, and takes what it tells."""

    daemon_threads = True

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), _Pages)

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.read_bytes())

    def do_POST(self) -> None:
        assert isinstance(self.server, Attacker)
        self.server.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Wire:
    """Passes connections on, and notes the first line of each request and answer.

    ``port`` is where they lead; ``then``, if set, takes its place with the first answer.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.then: int | None = None
        self.asked: list[bytes] = []
        self.answered: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.own_port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(browser,), daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        """A browser opens connections before it needs them: where one leads is settled by its first bytes."""
        first = browser.recv(65536)
        if not first:
            return
        self.asked.append(first.split(b"\r\n")[0])
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(first)
            threading.Thread(target=_pass, args=(browser, server), daemon=True).start()
            answer = server.recv(65536)
            self.answered.append(answer.split(b"\r\n")[0])
            self.port, self.then = self.then or self.port, None
            try:
                browser.sendall(answer)
                _pass(server, browser)
            except OSError:
                pass  # the browser went away

    def close(self) -> None:
        self._listener.close()


def _pass(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    attacker = Attacker()
    threading.Thread(target=attacker.serve_forever, daemon=True).start()
    yield attacker
    attacker.shutdown()
    attacker.server_close()


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    wire = Wire(server.endpoint.port)
    yield wire
    wire.close()


def visit(address: str, attacker: Attacker, folder: Path) -> dict[str, str]:
    """Open the address in a new browser; what the page tells that its attempts came to."""
    assert CHROMIUM is not None
    with (folder / "browser.log").open("wb") as log:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", address]
        browser = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        return wait_for(lambda: attacker.told, BROWSER_S)
    finally:
        browser.terminate()
        browser.wait(20)


def query(port: int, attacker: Attacker, server: Server, *hosts: str) -> str:
    home = f"http://127.0.0.1:{attacker.port}/told"
    return urlencode(
        {
            "port": port,
            "token": server.endpoint.token,
            "home": home,
            "hosts": ",".join(hosts),
            "challenge": CHALLENGE_PATH,
        }
    )


def check(told: dict[str, str], wire: Wire, server: Server, hosts: int = 1) -> None:
    """Nothing was opened or loaded, the server answered by refusals alone, and it did nothing."""
    assert len(told) >= ATTEMPTS * hosts, told
    assert "failed" not in told, told
    # As a script the challenge is a random number that does nothing, and is not told to the page.
    loaded = {name for name, came in told.items() if came in ("OPEN", "LOADED") and "challenge as a script" not in name}
    assert not loaded
    assert len(wire.asked) >= 20 * hosts
    refusals = [line for line in wire.answered if line and line.split()[1] in (b"400", b"401", b"403", b"405", b"426")]
    # Whoever sends no Origin may ask for a challenge: a random number, which a page of another origin cannot read.
    challenges = [line for line in wire.answered if line == b"HTTP/1.1 200 OK"]
    assert len(refusals) >= 15 * hosts
    assert len(challenges) <= hosts * sum("challenge" in name for name in told)
    assert len(refusals) + len(challenges) == len([line for line in wire.answered if line]), wire.answered
    status = server.status()
    assert (status.running, status.queued, status.image_bytes) == (0, 0, 0)
    assert [worker.pid for worker in status.workers] == [None], "a job ran"
    assert server.process.poll() is None


def test_a_page_of_another_origin_gets_nothing(server: Server, attacker: Attacker, wire: Wire, tmp_path: Path) -> None:
    asked = query(wire.own_port, attacker, server, "127.0.0.1", "localhost")
    told = visit(f"http://127.0.0.1:{attacker.port}/?{asked}", attacker, tmp_path)
    check(told, wire, server, hosts=2)
    assert [came for came in told.values() if came.startswith("READ")] == []


def test_a_page_from_a_file_gets_nothing(server: Server, attacker: Attacker, wire: Wire, tmp_path: Path) -> None:
    told = visit(f"{PAGE.as_uri()}?{query(wire.own_port, attacker, server, '127.0.0.1')}", attacker, tmp_path)
    check(told, wire, server)
    assert [came for came in told.values() if came.startswith("READ")] == []


def test_a_page_whose_name_was_rebound_reads_refusals_only(
    server: Server, attacker: Attacker, wire: Wire, tmp_path: Path
) -> None:
    """The page comes from evil.example; then that very name and port lead to the server: to the browser, one origin."""
    wire.port, wire.then = attacker.port, server.endpoint.port
    asked = query(wire.own_port, attacker, server, "evil.example")
    told = visit(f"http://evil.example:{wire.own_port}/?{asked}", attacker, tmp_path)
    assert wire.answered.pop(0) == b"HTTP/1.0 200 OK", "the page itself"
    check(told, wire, server)
    read = {came for came in told.values() if came.startswith("READ")}
    assert read, "to the browser it is the page's own server"
    assert all(re.fullmatch(r"READ (403 )?unknown host\s*", came) for came in read), read


def test_the_attempts_would_get_in_where_nothing_is_refused(attacker: Attacker, server: Server, tmp_path: Path) -> None:
    """At a server that lets everybody in, the same page opens sockets: else the tests above would prove little."""

    def greet(connection: ServerConnection) -> None:
        connection.recv()

    with serve(greet, "127.0.0.1", 0) as open_to_all:
        threading.Thread(target=open_to_all.serve_forever, daemon=True).start()
        asked = query(open_to_all.socket.getsockname()[1], attacker, server, "127.0.0.1")
        told = visit(f"http://127.0.0.1:{attacker.port}/?{asked}", attacker, tmp_path)
        open_to_all.shutdown()
    assert told["127.0.0.1 socket"] == "OPEN"
    assert told["127.0.0.1 worker socket"] == "OPEN"
