"""The server's life: one instance a user, endpoint file, signals, orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from maskwright.config import MIB, Settings, model_folders
from maskwright.images import segments
from maskwright.images.store import ImageStore
from maskwright.jobs.scheduler import Scheduler
from maskwright.memory import keep_freed_blocks
from maskwright.workers.messages import WorkerOptions
from maskwright_protocol.discovery import Endpoint, prepare_runtime_directory, remove_endpoint, write_endpoint
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import PROTOCOL_VERSION

from .downloads import Downloads
from .listener import LOOPBACK, listen
from .session import Services

log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another server of this user holds the lock."""


def run(settings: Settings) -> None:
    """Serve until told to stop. Raises ``AlreadyRunning``, or ``BadInput`` for settings that would be unsafe."""
    tls = _tls(settings)
    lock = FileLock(prepare_runtime_directory() / "server.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise AlreadyRunning from error
    try:
        asyncio.run(_serve(settings, tls))
    finally:
        lock.release()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.host not in LOOPBACK and not (settings.tls_certificate and settings.tls_key and settings.token):
        raise BadInput(
            f"The address {settings.host} can be reached by other computers, so it needs TLS and a token of your own.",
            "Set tls_certificate, tls_key and token, or listen on 127.0.0.1.",
        )
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


async def _serve(settings: Settings, tls: ssl.SSLContext | None) -> None:
    started = time.monotonic()
    keep_freed_blocks(longest=8, total=16)
    stop = asyncio.Event()
    segments.sweep()
    store = ImageStore(settings.image_budget * MIB, settings.max_megapixels * 1_000_000)
    options = WorkerOptions(
        device=settings.device,
        folders=model_folders(settings),
        threads=settings.threads or os.cpu_count() or 1,
        embedding_budget=settings.embedding_budget * MIB,
        precision=settings.precision,
    )
    scheduler = Scheduler(
        store,
        options,
        queue_length=settings.queue_length,
        deadline_s=settings.job_deadline_s,
        idle_s=settings.worker_idle_s,
        start_timeout_s=settings.start_timeout_s,
    )
    services = Services(
        store=store,
        scheduler=scheduler,
        status=lambda identity: _reports().status(identity, started, services, len(policy.sessions)),
        models=lambda identity: _reports().models(identity, settings, scheduler),
        shutdown=stop.set,
        downloads=Downloads(model_folders(settings)),
    )
    token = settings.token or secrets.token_urlsafe(32)
    server, policy = await listen(services, settings.host, settings.port, token, tls)
    port = server.sockets[0].getsockname()[1]
    endpoint = Endpoint(settings.host, port, token, os.getpid(), PROTOCOL_VERSION, tls is not None)
    write_endpoint(endpoint)
    scheduler.start()
    asyncio.get_running_loop().run_in_executor(None, _ask_the_driver)
    _on_signals(stop)
    log.info("listening", extra={"host": settings.host, "port": port, "pid": os.getpid()})
    watch = asyncio.create_task(_end_when_idle(settings.exit_idle_s, lambda: bool(policy.sessions), stop))
    try:
        await stop.wait()
    finally:
        watch.cancel()
        log.info("stopping")
        remove_endpoint(endpoint)
        await scheduler.stop()
        await services.downloads.stop()
        server.close()
        await server.wait_closed()
        store.clear()


async def _end_when_idle(limit_s: float, busy: Callable[[], bool], stop: asyncio.Event) -> None:
    """Set ``stop`` when nobody was connected for ``limit_s``; never for 0. A crashed editor leaves one behind."""
    last = time.monotonic()
    while limit_s > 0 and time.monotonic() - last < limit_s:
        await asyncio.sleep(min(limit_s / 4, 10.0))
        if busy():
            last = time.monotonic()
    if limit_s > 0:
        log.info("nobody is connected any more")
        stop.set()


def _ask_the_driver() -> None:
    """How much memory the graphics card has. It may take seconds to tell, and is remembered for the reports."""
    from maskwright.models.install.recommend import card_memory

    card_memory()


def _reports():
    """Imported when a client asks for one, so that the server listens sooner."""
    from . import reports

    return reports


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
