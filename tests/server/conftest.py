"""A real server for a test module: its own process, runtime directory and settings."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from maskwright.models.install import scan
from maskwright_client.client import Client
from maskwright_protocol.discovery import Endpoint, read_endpoint
from maskwright_protocol.messages import Status, StatusRequest
from tests.shared_data import MODELS

T = TypeVar("T")
START_S = 30.0


@dataclass
class Server:
    """A running server. ``environment`` makes a child process find it."""

    process: subprocess.Popen[bytes]
    endpoint: Endpoint
    environment: dict[str, str]

    def client(self, name: str = "test") -> Client:
        return Client(name, endpoint=lambda: self.endpoint)

    def status(self) -> Status:
        with self.client("status") as client:
            answer = client.request(StatusRequest(""), 10)
        assert isinstance(answer, Status)
        return answer

    def cli(self, *arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the ``maskwright`` command against this server."""
        command = [sys.executable, "-m", "maskwright.cli", *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )


def start_server(
    folder: Path, *flags: str, prefix: Sequence[str] = (), own_group: bool = False, **variables: str
) -> Server:
    """Start ``maskwright serve`` with everything of its own under ``folder``; ``variables`` go into its environment.

    ``prefix``: a command that replaces itself by the server, in surroundings that it prepared. ``own_group``: the
    server and all that it starts can be killed together.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MASKWRIGHT_")}
    environment.update(
        MASKWRIGHT_RUNTIME_DIR=str(folder / "run"),
        MASKWRIGHT_CONFIG=str(folder / "config.toml"),
        XDG_DATA_HOME=str(folder / "data"),
    )
    if MODELS.is_dir():
        environment["MASKWRIGHT_MODELS"] = str(MODELS)
    environment.update(variables)
    log = (folder / "server.log").open("wb")
    command = [*prefix, sys.executable, "-m", "maskwright.cli", "serve", *flags]
    process = subprocess.Popen(command, env=environment, stderr=log, start_new_session=own_group)
    log.close()
    # A server with a prefix may have mounts of its own.
    runtime = Path(f"/proc/{process.pid}/root{folder}/run") if prefix else folder / "run"
    endpoint = wait_for(lambda: _endpoint_in(runtime, process), START_S)
    assert endpoint is not None
    return Server(process, endpoint, environment)


def _endpoint_in(folder: Path, process: subprocess.Popen[bytes]) -> Endpoint | None:
    assert process.poll() is None, "the server ended at its start"
    before = os.environ.get("MASKWRIGHT_RUNTIME_DIR")
    os.environ["MASKWRIGHT_RUNTIME_DIR"] = str(folder)
    try:
        found = read_endpoint()
        return found if found and found.pid == process.pid else None
    finally:
        if before is None:
            del os.environ["MASKWRIGHT_RUNTIME_DIR"]
        else:
            os.environ["MASKWRIGHT_RUNTIME_DIR"] = before


def wait_for(condition: Callable[[], T], seconds: float = 10.0) -> T:
    """The first true value of ``condition``; fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return value


def stop_server(server: Server) -> None:
    server.process.terminate()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait(10)
        raise


def break_installation(patch: pytest.MonkeyPatch, folder: Path, *left: str) -> None:
    """In this process, as if of the files of the models that come with Maskwright only those of ``left`` were there."""
    folder.mkdir(exist_ok=True)
    for name in left:
        (folder / name).symlink_to(scan.EMBEDDED / name)
    patch.setattr(scan, "EMBEDDED", folder)


@pytest.fixture
def broken_installation(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The files of the models that come with Maskwright are missing."""
    break_installation(monkeypatch, tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("server"))
    yield server
    stop_server(server)
