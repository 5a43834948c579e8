"""The worker process: maps rasters, runs recipes one after the other, reports. Owns one device and its models."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from maskwright.images import segments
from maskwright.memory import give_freed_blocks_back, keep_all_freed_blocks, keep_freed_blocks
from maskwright_protocol.errors import InternalError, JobCancelled, MaskwrightError, OutOfMemory, UnknownImage
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PRIORITIES, Message

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
    put_bulk,
)

if TYPE_CHECKING:  # imported when the process runs: the gateway imports this module to start it
    from maskwright.models.runtime.pool import ModelPool
    from maskwright.recipes.job.cache import EmbeddingCache

log = logging.getLogger(__name__)

ALIVE_S = 1.0  # between signs of a job that comes on
REST_S = 1.0  # without a job, after which memory for the next one of a batch goes back
KEPT = {"longest": 32, "total": 128}  # MiB of freed memory for the next job


class MappedRasters(Mapping[str, memoryview]):
    """The bytes of one job's rasters by key; their shared memory stays mapped for the next job."""

    def __init__(self) -> None:
        self._mapped: dict[str, memoryview] = {}  # by the segment's name
        self._current: dict[str, memoryview] = {}

    def use(self, rasters: dict[str, tuple[str, int]]) -> None:
        """Raises ``UnknownImage`` for rasters that the server dropped, ``OutOfMemory`` when there is no room."""
        self._current = {}
        for key, (name, size) in rasters.items():
            if name not in self._mapped:
                try:
                    self._mapped[name] = segments.attach(name, size)
                except FileNotFoundError:
                    raise UnknownImage(tr("The server does not hold this image."), keys=[key]) from None
                except OSError as error:
                    raise OutOfMemory(tr("There was not enough memory for this.")) from error
            self._current[key] = self._mapped[name]

    def release(self) -> None:
        self._current = {}

    def forget(self, names: list[str]) -> None:
        for name in names:
            self._mapped.pop(name, None)

    def __getitem__(self, key: str) -> memoryview:
        return self._current[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current)

    def __len__(self) -> int:
        return len(self._current)


def main(connection: Connection, options: WorkerOptions, window: tuple[str, int] | None) -> None:
    """Entry point of the process; returns when told to exit or when the gateway is gone.

    ``window``: name and size of the segment through which the bytes of answers go; without one the pipe takes them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal goes to the gateway, which tells us
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    keep_freed_blocks(**KEPT)
    _Worker(connection, options, segments.attach(*window, writable=True) if window else memoryview(b"")).run()


class _Worker:
    def __init__(self, connection: Connection, options: WorkerOptions, window: memoryview) -> None:
        self._connection = connection
        self._window = window
        self._options = options
        self._inbox: queue.SimpleQueue[RunJob | ForgetRasters | Exit] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._rasters = MappedRasters()
        self._sending = threading.Lock()
        self._alive_at = 0.0  # when the job told so, by ``time.monotonic``
        self._in_batch = False

    def run(self) -> None:
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()
        from maskwright.models.runtime.pool import ModelPool
        from maskwright.recipes.job.cache import EmbeddingCache

        options = self._options
        embeddings = EmbeddingCache(options.embedding_budget)
        pool = ModelPool(
            options.folders, options.device, options.threads,
            learn=True, precision=options.precision, on_replaced=embeddings.clear,
        )  # fmt: skip
        self._send(Ready(pool.device, pool.device_reason))
        while not isinstance(command := self._next(), Exit):
            if isinstance(command, ForgetRasters):
                self._rasters.forget(command.names)
            else:
                self._send(self._do(command, pool, embeddings))
                self._cancelled.discard(command.number)

    def _next(self) -> RunJob | ForgetRasters | Exit:
        """The next command. Memory that jobs of a batch leave to each other goes back when none follows."""
        if self._in_batch:
            try:
                return self._inbox.get(timeout=REST_S)
            except queue.Empty:
                self._in_batch = False
                keep_freed_blocks(**KEPT)
                give_freed_blocks_back()
        return self._inbox.get()

    def _do(self, command: RunJob, pool: ModelPool, embeddings: EmbeddingCache) -> JobAnswer | JobFailure:
        from maskwright.models.runtime.broken_models import without_broken
        from maskwright.models.runtime.out_of_memory import with_fallback
        from maskwright.recipes.job.context import JobContext
        from maskwright.recipes.run import run

        number, request = command.number, command.request
        if request.priority == PRIORITIES[1] and not self._in_batch:
            self._in_batch = True
            keep_all_freed_blocks()
        named = frozenset(request.models.values())

        def attempt(notes: list[str]) -> Message:
            context = JobContext(
                pool,
                embeddings,
                emit=lambda stage, fraction, text: self._send(JobProgress(number, stage, fraction, text)),
                cancelled=lambda: self._is_cancelled(number),
                notes=notes,
            )
            return run(request, self._rasters, context)

        def robust(notes: list[str]) -> Message:
            return without_broken(lambda more: attempt([*notes, *more]), pool, named)

        def failure(error: MaskwrightError) -> JobFailure:
            # No variable may hold the error longer: its traceback holds the frames with their variables, and arrays.
            place = pool.device, pool.device_reason
            return JobFailure(number, error.code, error.message, error.hint, error.details, pool.resident(), place)

        try:
            if number in self._cancelled:
                raise JobCancelled(tr("Cancelled."))
            self._rasters.use(command.rasters)
            message = with_fallback(robust, pool, embeddings.free, named)
            return JobAnswer(number, message, pool.resident(), (pool.device, pool.device_reason))
        except MaskwrightError as error:
            return failure(error)
        except Exception:
            log.exception("job failed")
            return failure(InternalError(tr("Something went wrong inside Maskwright.")))
        finally:
            self._rasters.release()

    def _is_cancelled(self, number: int) -> bool:
        """Asked by the job between its steps, which is a sign that it comes on."""
        if (now := time.monotonic()) - self._alive_at > ALIVE_S:
            self._alive_at = now
            self._send(JobAlive(number))
        return number in self._cancelled

    def _listen(self) -> None:
        while True:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the gateway is gone: nobody waits for what is being computed
            if isinstance(command, CancelJob):
                self._cancelled.add(command.number)
            else:
                if isinstance(command, RunJob):
                    self._alive_at = time.monotonic()
                    self._send(JobAlive(command.number))
                self._inbox.put(command)

    def _send(self, event: object) -> None:
        if isinstance(event, JobAnswer):
            put_bulk(event, self._window)
        with self._sending:
            try:
                self._connection.send(event)
            except OSError:
                os._exit(0)
