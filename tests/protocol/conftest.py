"""Fixtures for the protocol's tests."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from maskwright_client.client import Client
from maskwright_protocol.discovery import Endpoint

from .support import Gateway, Reply

settings.register_profile("the same each time", derandomize=True, deadline=None)
settings.load_profile("the same each time")


@pytest.fixture
def gateway() -> Iterator[Callable[..., Gateway]]:
    """``gateway(reply)`` starts a gateway; all are stopped at the end."""
    started: list[Gateway] = []

    def start(reply: Reply | None = None, **options: int) -> Gateway:
        started.append(Gateway(reply, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """``connect(endpoint)`` makes a client; all are closed at the end."""
    made: list[Client] = []

    def make(endpoint: Endpoint, on_state: Callable[[str], None] | None = None) -> Client:
        made.append(Client("test", endpoint=lambda: endpoint, on_state=on_state))
        return made[-1]

    yield make
    for client in made:
        client.close()
