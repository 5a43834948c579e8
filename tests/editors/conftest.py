"""Fixtures for the tests in the real editors: labs in the chroot and the real server."""

import importlib.util
from collections.abc import Callable, Iterator

import pytest

from .chroot import Lab, unusable
from .server import Server


@pytest.fixture(scope="session")
def server_or_skip() -> None:
    if importlib.util.find_spec("maskwright.cli") is None:
        pytest.skip("the server is not importable")


@pytest.fixture(scope="session")
def open_lab() -> Iterator[Callable[[str], Lab]]:
    """``open_lab("krita")``: a new lab for that editor; skips where the editor cannot be run. Closed at the end."""
    labs: list[Lab] = []

    def opened(editor: str) -> Lab:
        if reason := unusable(editor):
            pytest.skip(reason)
        labs.append(Lab(editor))
        return labs[-1]

    yield opened
    for lab in reversed(labs):
        lab.close()


@pytest.fixture(scope="session")
def serve(server_or_skip: None) -> Iterator[Callable[[Lab], Server]]:
    """``serve(lab)``: the real server, found by plugins that run in that lab. Stopped at the end."""
    servers: list[Server] = []

    def started(lab: Lab) -> Server:
        server = Server(lab.path("runtime"), lab.path("out", "server.log"))
        server.start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.stop()
