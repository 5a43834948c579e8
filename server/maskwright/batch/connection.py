"""One connection that a batch keeps: it outlives the worker and the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from maskwright_client import ask
from maskwright_client.client import Client, Ticket
from maskwright_protocol.errors import (
    Busy,
    ConnectionLost,
    Forbidden,
    JobCancelled,
    MaskwrightError,
    ServerAbsent,
    ShuttingDown,
    WorkerDied,
)
from maskwright_protocol.messages import Job, Models, ModelsRequest, Progress

MODELS_S = 120.0  # the server looks through all model folders
POLL_S = 0.1
# After which failures to ask again, and how many seconds later. ``Forbidden``: the old server's token, to the new one.
_LOST = (ConnectionLost, ServerAbsent, ShuttingDown, Forbidden)
_PAUSES: dict[tuple[type[MaskwrightError], ...], tuple[float, ...]] = {
    (WorkerDied,): (0.0,),
    (Busy,): (1.0, 2.0, 4.0),
    _LOST: (0.0, 1.0, 2.0),
}


class Connection:
    """Asks for jobs from several threads. ``revive`` sees to it that a server runs; it raises ``ServerAbsent``."""

    def __init__(self, client: Client, revive: Callable[[], object]) -> None:
        self.client = client
        self._revive = revive
        self._reviving = threading.Lock()
        self._turn = threading.Lock()
        self._stopped = threading.Event()

    def ask(self, job: Job, source: ask.PictureSource, on_progress: Callable[[Progress], None] | None = None) -> Any:
        """The answer. What a picture is not to blame for is tried again. Raises ``MaskwrightError``."""
        tried = dict.fromkeys(_PAUSES, 0)
        while True:
            if self._stopped.is_set():
                raise JobCancelled("Cancelled.")
            try:
                return self._once(job, source, on_progress)
            except MaskwrightError as error:
                kind = next((kinds for kinds in _PAUSES if isinstance(error, kinds)), None)
                if kind is None or tried[kind] >= len(_PAUSES[kind]):
                    raise
                self._stopped.wait(_PAUSES[kind][tried[kind]])
                tried[kind] += 1
                if kind is _LOST:
                    with self._reviving:
                        self._revive()

    def models(self) -> Models:
        """What is installed at the server."""
        answer = self.client.request(ModelsRequest(""), MODELS_S)
        assert isinstance(answer, Models)
        return answer

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Every job under way, and every later one, ends with ``JobCancelled``."""
        self._stopped.set()

    def _once(self, job: Job, source: ask.PictureSource, on_progress: Callable[[Progress], None] | None) -> Any:
        with self._turn:
            return ask.run(ask.answer(self.client, job, source, on_progress, keep=False), self._wait)

    def _wait(self, ticket: Ticket) -> None:
        """The turn is only needed while pixels travel, since a client has one upload at a time: a job that computes
        leaves it to the next picture."""
        computing = isinstance(ticket.message, Job)
        if computing:
            self._turn.release()
        try:
            while not ticket.wait(POLL_S):
                if self._stopped.is_set():
                    ticket.cancel()
                    ticket.wait(5.0)
                    break
        except KeyboardInterrupt:
            ticket.cancel()
            ticket.wait(5.0)
            raise
        finally:
            if computing:
                self._turn.acquire()
