"""Fixtures for the gateway's tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .support import DirectClient

settings.register_profile("the same each time", derandomize=True, deadline=None)
settings.load_profile("the same each time")


@pytest.fixture
def new_client() -> Iterator[type[DirectClient]]:
    made: list[DirectClient] = []

    class Kept(DirectClient):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    yield Kept
    for one in made:
        one.store.clear()


@pytest.fixture
def client(new_client: type[DirectClient], caplog: pytest.LogCaptureFixture) -> Iterator[DirectClient]:
    """A client that was welcomed. Nothing may reach the place where defects are logged."""
    caplog.set_level(logging.ERROR, "maskwright")
    made = new_client()
    made.greet()
    made.take()
    yield made
    assert [record.getMessage() for record in caplog.records] == []
