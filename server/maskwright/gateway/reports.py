"""The answers to ``status`` and ``models``. They read the catalogue, without numpy or any library that runs models."""

from __future__ import annotations

import asyncio
import logging
import os
import time

import psutil

from maskwright.config import Settings, model_folders
from maskwright.images import segments
from maskwright.jobs.scheduler import Scheduler
from maskwright_protocol import __version__
from maskwright_protocol.errors import InternalError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Failed, Message, Models, Status
from maskwright_protocol.parts import ClientInfo

from .downloads import Deliver
from .session import Services

log = logging.getLogger(__name__)


def status(identity: str, started: float, services: Services, sessions: int) -> Status:
    """How the server is. ``started``: when, by ``time.monotonic``; ``sessions``: how many clients are connected."""
    store, scheduler = services.store, services.scheduler
    problem = segments.trouble(store.budget - store.used)
    workers = scheduler.workers()
    for worker in workers:
        if worker.pid is not None:
            try:
                worker.memory_bytes = psutil.Process(worker.pid).memory_info().rss
            except psutil.NoSuchProcess:
                pass
    return Status(
        id=identity,
        server_version=__version__,
        pid=os.getpid(),
        uptime_s=time.monotonic() - started,
        sessions=sessions,
        queued=len(scheduler.queue.waiting()),
        running=len(scheduler.queue.running),
        image_bytes=store.used,
        image_budget=store.budget,
        memory_bytes=psutil.Process().memory_info().rss,
        workers=workers,
        downloads=services.downloads.underway(),
        problems=[problem] if problem else [],
        clients=[ClientInfo(one.client, one.token) for one in services.sessions.values() if one.greeted],
    )


class ModelReports:
    """Answers ``models``. The folders are scanned in a thread; who asks meanwhile shares the scan."""

    def __init__(self, settings: Settings, scheduler: Scheduler) -> None:
        self._settings = settings
        self._scheduler = scheduler
        self._asking: list[tuple[str, Deliver]] = []
        self._scan: asyncio.Task[None] | None = None

    def ask(self, identity: str, deliver: Deliver) -> None:
        """Have the report of that id delivered later."""
        self._asking.append((identity, deliver))
        if self._scan is None:
            self._scan = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        resident = [name for worker in self._scheduler.workers() for name in worker.models]
        try:
            report = await asyncio.to_thread(models, self._settings, resident)
        except Exception:
            log.exception("the models could not be listed")
            report = None
        self._scan, asking, self._asking = None, self._asking, []
        for identity, deliver in asking:
            deliver(_report(identity, report))


def _report(identity: str, report: Models | None) -> Message:
    if report is None:
        return Failed.from_error(identity, InternalError(tr("Something went wrong inside Maskwright.")))
    return Models(identity, report.models, report.recipes, report.detector_options)


def models(settings: Settings, resident: list[str]) -> Models:
    """The catalogue with what is installed, the recipes, and the settings of detectors. ``resident``: loaded models.

    Takes seconds where there are thousands of folders.
    """
    from maskwright.models import families  # not before somebody asks, and in the thread
    from maskwright.models.install import scan
    from maskwright.recipes.job.presets import available

    found = scan.scan(model_folders(settings))
    options = {name: list(family.options) for name, family in families.known().items() if family.options}
    return Models("", scan.model_infos(found, resident, settings.device), available(found), detector_options=options)
