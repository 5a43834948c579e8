"""The answers to ``status`` and ``models``. They read the catalogue, without numpy or any library that runs models."""

from __future__ import annotations

import os
import time

import psutil

from maskwright.config import Settings, model_folders
from maskwright.images import segments
from maskwright.jobs.scheduler import Scheduler
from maskwright.models import families
from maskwright.models.install.scan import model_infos
from maskwright.recipes.job.presets import recipe_infos
from maskwright_protocol import __version__
from maskwright_protocol.messages import Models, Status

from .session import Services


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
    )


def models(identity: str, settings: Settings, scheduler: Scheduler) -> Models:
    """The catalogue with what is installed and in memory, the recipes, and the settings of detectors."""
    resident = [name for worker in scheduler.workers() for name in worker.models]
    folders = model_folders(settings)
    options = {name: list(family.options) for name, family in families.known().items() if family.options}
    return Models(
        identity,
        models=model_infos(folders, resident, settings.device),
        recipes=recipe_infos(folders),
        detector_options=options,
    )
