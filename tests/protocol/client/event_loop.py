"""An editor's event loop for tests."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from maskwright_client.steps import Loop


class QueueLoop(Loop):
    """An event loop in the test's own thread."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Callable[[], None]] = queue.Queue()
        self.pauses: list[int] = []

    def post(self, function: Callable[[], None]) -> None:
        self.waiting.put(function)

    def later(self, function: Callable[[], None], milliseconds: int) -> None:
        self.pauses.append(milliseconds)
        self.waiting.put(function)

    def turn(self, until: Callable[[], Any], seconds: float = 5.0) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "it did not happen"
            with suppress(queue.Empty):
                self.waiting.get(timeout=0.05)()
