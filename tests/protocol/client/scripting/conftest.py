"""A real server with the built-in models alone, so that every computer gives the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maskwright_client import connect
from maskwright_client.scripting import Maskwright
from tests.server.conftest import Server, start_server, stop_server
from tests.shared_data import REPOSITORY

PHOTO = REPOSITORY / "server" / "maskwright" / "cli" / "sample" / "astronaut.jpg"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("server"), MASKWRIGHT_MODELS="")
    yield server
    stop_server(server)


@pytest.fixture(scope="module")
def maskwright(server: Server) -> Iterator[Maskwright]:
    with connect(endpoint=server.endpoint) as client:
        yield client
