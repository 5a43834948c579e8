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
from maskwright_protocol.discovery import (
    Endpoint,
    prepare_runtime_directory,
    read_endpoint,
    remove_endpoint,
    write_endpoint,
)
from maskwright_protocol.messages import PROTOCOL_VERSION
from maskwright_protocol.processes import identity

from .access import check_exposure, tls_context, verifiers
from .certificates import fingerprint
from .downloads import Downloads
from .listener import HandshakePolicy, close, listen
from .reports import ModelReports, status
from .session import Services
from .tokens import TokenFile

log = logging.getLogger(__name__)

LOCK_WAIT_S = 15.0
KEEP_S = 2.0


class AlreadyRunning(Exception):
    """Another server of this user holds the lock."""


def run(settings: Settings) -> None:
    """Serve until told to stop. Raises ``AlreadyRunning``, or ``BadInput`` for settings that would be unsafe."""
    tokens = TokenFile()
    check_exposure(settings, tokens)
    tls = tls_context(settings)
    lock = FileLock(prepare_runtime_directory() / "server.lock")
    _take(lock)
    try:
        asyncio.run(_serve(settings, tls, tokens))
    finally:
        lock.release()


def _take(lock: FileLock) -> None:
    """Hold the lock. Who has it without an endpoint file is starting or ending: that is waited for."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            lock.acquire(blocking=False)
            return
        except Timeout as error:
            if read_endpoint() is not None or time.monotonic() > deadline:
                raise AlreadyRunning from error
            time.sleep(0.05)


async def _serve(settings: Settings, tls: ssl.SSLContext | None, tokens: TokenFile) -> None:
    started = time.monotonic()
    keep_freed_blocks(longest=8, total=16)
    stop = asyncio.Event()
    segments.sweep()
    store = ImageStore(settings.image_budget * MIB, settings.max_megapixels * 1_000_000)
    scheduler = _scheduler(settings, store)

    def shut_down() -> None:
        remove_endpoint(endpoint)  # before the answer, so that whoever gets it finds no server and starts one
        stop.set()

    services = Services(
        store=store,
        scheduler=scheduler,
        status=lambda identity: status(identity, started, services, len(policy.sessions)),
        models=ModelReports(settings, scheduler).ask,
        shutdown=shut_down,
        downloads=Downloads(model_folders(settings)),
    )
    token = secrets.token_urlsafe(32)
    server, policy = await listen(
        services, settings.host, settings.port, token, tls, lambda: verifiers(settings, tokens)
    )
    endpoint = _endpoint(settings, server.sockets[0].getsockname(), token)
    write_endpoint(endpoint)
    scheduler.start()
    asyncio.get_running_loop().run_in_executor(None, _ask_the_driver)
    _on_signals(stop)
    log.info("listening", extra={"host": endpoint.host, "port": endpoint.port, "pid": os.getpid()})
    watch = asyncio.create_task(_end_when_idle(settings.exit_idle_s, lambda: bool(policy.sessions), stop))
    keep = asyncio.create_task(_keep(endpoint, policy, stop))
    try:
        await stop.wait()
    finally:
        watch.cancel()
        keep.cancel()
        log.info("stopping")
        remove_endpoint(endpoint)
        await scheduler.stop()
        await services.downloads.stop()
        await close(server, policy)
        store.clear()


def _scheduler(settings: Settings, store: ImageStore) -> Scheduler:
    options = WorkerOptions(
        device=settings.device,
        folders=model_folders(settings),
        threads=settings.threads or os.cpu_count() or 1,
        embedding_budget=settings.embedding_budget * MIB,
        precision=settings.precision,
    )
    return Scheduler(
        store,
        options,
        queue_length=settings.queue_length,
        deadline_s=settings.job_deadline_s,
        idle_s=settings.worker_idle_s,
        start_timeout_s=settings.start_timeout_s,
        stall_s=settings.job_stall_s,
    )


def _endpoint(settings: Settings, address: tuple[str, int], token: str) -> Endpoint:
    """What clients of this user need to know of this server."""
    return Endpoint(
        host=address[0] if settings.host == "localhost" else settings.host,  # a name may lead elsewhere
        port=address[1],
        token=token,
        pid=os.getpid(),
        version=PROTOCOL_VERSION,
        tls=settings.tls_certificate is not None,
        fingerprint=fingerprint(settings.tls_certificate) if settings.tls_certificate else "",
        process=identity(os.getpid()),
    )


async def _keep(endpoint: Endpoint, policy: HandshakePolicy, stop: asyncio.Event) -> None:
    """Write the endpoint file again when it is gone, and end the connections of tokens that were revoked."""
    while True:
        await asyncio.sleep(KEEP_S)
        policy.cut_revoked()
        try:
            if not stop.is_set() and read_endpoint() is None:
                write_endpoint(endpoint)
                log.info("the endpoint file was gone and is written again")
        except OSError as error:
            log.warning("the endpoint file cannot be written", extra={"reason": str(error)})


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


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
