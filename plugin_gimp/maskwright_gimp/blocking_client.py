"""Asks the server for a call: IO in the client's thread, GIMP's main thread only waits and shows progress."""

import time
from typing import Any, Callable, Dict, List, Optional

from maskwright_client import ask
from maskwright_client.ask import PictureSource, Steps
from maskwright_client.client import Client, Ticket
from maskwright_client.launcher import start_if_absent
from maskwright_client.link import BULK
from maskwright_protocol.discovery import Endpoint, find_server
from maskwright_protocol.messages import ImageSlice, Job, Message, Progress, Request

from .settings import PLACE

TICK_S = 0.05


class CountingClient(Client):
    """A client that knows how many bytes of pixels it sent, so that a call can say so."""

    pixel_bytes = 0

    def submit(self, message: Request, on_progress: Optional[Callable[[Progress], None]] = None) -> Ticket:
        picture = getattr(message, "picture", None)
        if picture is not None:
            self.pixel_bytes += sum(len(raster.data) for raster in picture.rasters if raster.data is not None)
        return super().submit(message, on_progress)

    def send(self, message: Message, priority: int = BULK) -> None:
        if isinstance(message, ImageSlice):
            self.pixel_bytes += len(message.data)
        super().send(message, priority)


def open_client(version: str, settings: Dict[str, Any]) -> CountingClient:
    """A client that starts the server when it is needed and the settings allow it. Connects at the first request."""

    def endpoint() -> Endpoint:
        # Called in the client's IO thread, where waiting for a starting server blocks nobody.
        return start_if_absent(settings["command"], place=PLACE) if settings["start_server"] else find_server()

    return CountingClient("gimp", version, endpoint)


class Stopwatch:
    """Milliseconds of each stage of a call, in order."""

    def __init__(self) -> None:
        self.stages: Dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._last) * 1000.0
        self._last = now


class Asker:
    """Asks one question after the other. ``show`` gets the latest progress in the main thread, many times a second."""

    def __init__(self, client: Client, show: Callable[[Optional[Progress]], None]) -> None:
        self.client = client
        self._show = show
        self._latest: List[Progress] = []

    def ask(self, job: Job, source: PictureSource) -> Any:
        """The job's answer, or its typed error. The source is read in this thread."""
        return ask.run(self.steps(job, source), self.wait)

    def steps(self, job: Job, source: PictureSource) -> Steps:
        """The same as steps, for those who ask several questions."""
        self._latest.clear()
        return ask.answer(self.client, job, source, self._latest.append, hopeful=True)

    def request(self, message: Request) -> Any:
        ticket = self.client.submit(message)
        self.wait(ticket)
        return ticket.result(0)

    def wait(self, ticket: Ticket) -> None:
        while not ticket.wait(TICK_S):
            self._show(self._latest[-1] if self._latest else None)
