"""The gateway's side of one worker process: starts it on demand, passes jobs, notices its end."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from maskwright.images import segments
from maskwright_protocol.bulk import bulk_fields
from maskwright_protocol.messages import Job, WorkerInfo

from . import main as worker_main
from .messages import (
    CancelJob,
    Exit,
    ForgetRasters,
    JobAlive,
    JobAnswer,
    JobFailure,
    JobProgress,
    Ready,
    RunJob,
    WorkerOptions,
    get_bulk,
)

log = logging.getLogger(__name__)

SHORT = 16 * 1024  # bytes of a command's masks; a pipe takes several times as much
WINDOW_BYTES = 32 * 1024 * 1024

Event = Ready | JobAlive | JobProgress | JobAnswer | JobFailure


class WorkerProcess:
    """Use from the event loop's thread only. ``on_event`` gets the worker's events; ``on_exit`` its exit code.

    A new process is spawned (not forked), so that it starts without the gateway's sockets and threads.
    """

    def __init__(
        self, options: WorkerOptions, on_event: Callable[[Event], None], on_exit: Callable[[int | None], None]
    ) -> None:
        self.info = WorkerInfo(device=options.device, state="stopped")
        self.idle_since = 0.0
        self.started_at = 0.0
        self._options = options
        self._on_event = on_event
        self._on_exit = on_exit
        self._process: Any = None
        self._connection: Connection | None = None
        self._commands: queue.Queue[object] = queue.Queue()
        self._window: segments.Segment | None = None
        self._number = 0
        self._stopping = False

    @property
    def alive(self) -> bool:
        return self._process is not None

    @property
    def current(self) -> int:
        """Number of the job it was last given."""
        return self._number

    def start(self) -> None:
        """Start the process if it does not run; it reports ``Ready`` when it can take jobs."""
        if self._process is not None:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        try:
            self._window = segments.create(WINDOW_BYTES)
        except OSError as error:
            log.warning("no shared memory for answers, so they go through the pipe: %s", error)
        self._process = context.Process(
            target=worker_main.main,
            args=(theirs, self._options, self._window and (self._window.name, WINDOW_BYTES)),
            name="maskwright-worker",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._connection = ours
        self._commands = queue.Queue()
        self._stopping = False
        self.started_at = time.monotonic()
        self.info.state = "starting"
        self.info.pid = self._process.pid
        loop = asyncio.get_running_loop()
        window = self._window.buf if self._window else memoryview(b"")
        threading.Thread(
            target=self._listen, args=(loop, ours, self._process, window), name="worker-events", daemon=True
        ).start()
        threading.Thread(target=_write, args=(ours, self._commands), name="worker-commands", daemon=True).start()

    def run(self, request: Job, rasters: dict[str, tuple[str, int]], evicted: list[str]) -> int:
        """Give it a job (it must be idle); returns the job's number."""
        self._number += 1
        self.info.state = "busy"
        if evicted:
            self._send(ForgetRasters(evicted))
        self._send(RunJob(self._number, request, rasters))
        return self._number

    def cancel(self) -> None:
        self._send(CancelJob(self._number))

    def stop(self) -> None:
        """Ask it to end after its current job."""
        self._stopping = True
        self._send(Exit())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def end(self, timeout: float) -> None:
        """Stop it for good: give it ``timeout`` seconds, then enforce it."""
        self.stop()
        process = self._process
        if process is not None:
            await asyncio.to_thread(process.join, timeout)
            process.kill()
            await asyncio.to_thread(process.join)
        self._release()

    def _send(self, command: object) -> None:
        """Short commands go at once, which is quicker, unless longer ones wait in the thread."""
        if self._connection is None:
            return
        if self._commands.unfinished_tasks or not _is_short(command):
            self._commands.put(command)
        else:
            _put(self._connection, command)

    def _listen(
        self, loop: asyncio.AbstractEventLoop, connection: Connection, process: Any, window: memoryview
    ) -> None:
        try:
            while True:
                event = connection.recv()
                if isinstance(event, JobAnswer):
                    get_bulk(event, window)
                loop.call_soon_threadsafe(self._event, event)
                del event  # an answer may be large, and the next one late
        except (EOFError, OSError):
            process.join()
        try:
            loop.call_soon_threadsafe(self._exited, process)
        except RuntimeError:
            pass  # the loop has ended, and the server with it

    def _event(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.info.device, self.info.device_reason = event.device, event.device_reason
        if isinstance(event, (JobAnswer, JobFailure)):
            self.info.models = event.resident
            self.info.device, self.info.device_reason = event.place
        if isinstance(event, (Ready, JobAnswer, JobFailure)):
            self.info.state = "idle"
            self.idle_since = time.monotonic()
        self._on_event(event)

    def _release(self) -> None:
        self._commands.put(None)
        if self._window is not None:
            self._window.unlink()
        self._process, self._connection, self._window = None, None, None

    def _exited(self, process: Any) -> None:
        if process is not self._process:
            return
        self._release()
        self.info.state, self.info.pid, self.info.models = "stopped", None, []
        if not self._stopping:
            self.info.restarts += 1
        self._on_exit(process.exitcode)


def _write(connection: Connection, commands: queue.Queue[object]) -> None:
    """Send commands until there is None. A process that is stopped blocks this thread, and not the event loop."""
    while (command := commands.get()) is not None:
        _put(connection, command)
        del command  # a job may be large
        commands.task_done()
    connection.close()


def _put(connection: Connection, command: object) -> None:
    try:
        connection.send(command)
    except OSError:
        pass  # its death is noticed by the listening thread


def _is_short(command: object) -> bool:
    """Whether it takes a few kilobytes. Few are ever unread: a worker that takes none is ended."""
    if isinstance(command, RunJob):
        return sum(len(item.data or b"") for item in bulk_fields(command.request)) < SHORT
    return not isinstance(command, ForgetRasters) or len(command.names) < SHORT // 100
