"""Finding the command, and starting the real server with it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from maskwright_client import launcher
from maskwright_client.client import Client
from maskwright_protocol import discovery
from maskwright_protocol.discovery import Endpoint, read_endpoint, write_endpoint
from maskwright_protocol.errors import ServerAbsent
from maskwright_protocol.messages import Done, Shutdown, Status, StatusRequest
from tests.protocol.support import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as commands")
Script = Callable[..., Path]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("MASKWRIGHT_CONFIG", os.devnull)
    for name in ("MASKWRIGHT_COMMAND", "MASKWRIGHT_TOKEN", "MASKWRIGHT_PORT", "MASKWRIGHT_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """``script(lines, place)`` writes an executable shell script."""

    def write(lines: str, place: str = "bin/maskwright") -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return path

    return write


def test_the_places_in_their_order(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if launcher.find_command() is None:
        local = script("", "home/.local/bin/maskwright")
        assert launcher.find_command() == [str(local)]
    on_path = script("", "bin/maskwright")
    monkeypatch.setenv("PATH", f"{on_path.parent}:/usr/bin:/bin")
    assert launcher.find_command() == [str(on_path)]
    named = script("", "named")
    monkeypatch.setenv("MASKWRIGHT_COMMAND", str(named))
    assert launcher.find_command() == [str(named)]
    chosen = script("", "chosen")
    assert launcher.find_command(str(chosen)) == [str(chosen)]
    assert launcher.find_command(str(tmp_path / "gone")) == [str(named)]


def test_an_editors_python_is_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "LD_PRELOAD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/users/own")
    assert launcher.clean_environment()["LD_LIBRARY_PATH"] == "/users/own"
    monkeypatch.setenv("APPDIR", "/tmp/.mount_krita")
    environment = launcher.clean_environment()
    assert not {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH"} & set(environment)
    assert environment["HOME"] == os.environ["HOME"]


def test_the_real_server_is_started_used_and_stopped(script: Script) -> None:
    command = str(script(f'exec "{sys.executable}" -m maskwright.cli "$@"'))
    stale = Endpoint("127.0.0.1", 1, "of a server that crashed", 1, 1)
    write_endpoint(stale)
    endpoint = launcher.start_if_absent(command)
    assert endpoint == read_endpoint() != stale
    with Client("test", endpoint=lambda: endpoint) as client:
        status = client.request(StatusRequest(""), 10)
        assert isinstance(status, Status)
        assert status.pid == endpoint.pid
        assert launcher.start_if_absent(command) == endpoint
        assert launcher.start([command]) == endpoint  # a second one finds the lock and leaves
        assert isinstance(client.request(Shutdown(""), 10), Done)
    assert until(lambda: read_endpoint() is None, 10)


def test_a_server_that_is_ending_is_waited_for(script: Script) -> None:
    """Its endpoint file is gone already, and its lock not yet."""
    command = str(script(f'exec "{sys.executable}" -m maskwright.cli "$@"'))
    lock = FileLock(discovery.prepare_runtime_directory() / "server.lock", thread_local=False)
    lock.acquire()
    threading.Timer(1.0, lock.release).start()
    endpoint = launcher.start_if_absent(command)
    with Client("test", endpoint=lambda: endpoint) as client:
        assert isinstance(client.request(Shutdown(""), 10), Done)
    assert until(lambda: read_endpoint() is None, 10)


@pytest.mark.parametrize(
    ("lines", "says"), [("exit 3", "stopped right after"), ("exec sleep 5", "in time"), ("exit 0", "in time")]
)
def test_a_command_that_does_not_serve(script: Script, lines: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "START_TIMEOUT_S", 0.5)
    with pytest.raises(ServerAbsent, match=says):
        launcher.start([str(script(lines))])


def test_a_command_that_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(ServerAbsent, match="could not be started"):
        launcher.start([str(tmp_path / "absent")])


def test_waiting_leaves_the_caller_something_to_do(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "START_TIMEOUT_S", 0.3)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    with pytest.raises(ServerAbsent):
        launcher.start([str(script("exec sleep 5"))], pause)
    assert len(pauses) >= 2


def test_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    if launcher.find_command() is not None:
        pytest.skip("Maskwright is installed in a place that is always looked at")
    with pytest.raises(ServerAbsent) as caught:
        launcher.start_if_absent()
    assert "pipx" in caught.value.hint


def test_who_is_not_found_says_where_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find_command", lambda setting: None)
    with pytest.raises(ServerAbsent) as caught:
        launcher.start_if_absent("/nowhere", place="the field below")
    assert caught.value.hint.endswith("or tell where it is: the field below.")
