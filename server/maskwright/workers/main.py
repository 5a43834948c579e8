"""The worker process: maps rasters, runs recipes one after the other, reports. Owns one device and its models."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Iterator, Mapping
from multiprocessing import shared_memory
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from maskwright.memory import keep_freed_blocks
from maskwright_protocol.errors import InternalError, JobCancelled, MaskwrightError
from maskwright_protocol.messages import Message

from .messages import (
    CancelJob,
    Exit,
    ForgetRasters,
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


class MappedRasters(Mapping[str, memoryview]):
    """The bytes of one job's rasters by key; their shared memory stays mapped for the next job."""

    def __init__(self) -> None:
        self._segments: dict[str, shared_memory.SharedMemory] = {}
        self._current: dict[str, memoryview] = {}

    def use(self, rasters: dict[str, tuple[str, int]]) -> None:
        self._current = {}
        for key, (name, size) in rasters.items():
            if name not in self._segments:
                self._segments[name] = shared_memory.SharedMemory(name=name)
            view = self._segments[name].buf
            assert view is not None
            self._current[key] = view[:size]

    def release(self) -> None:
        self._current = {}

    def forget(self, names: list[str]) -> None:
        for name in names:
            segment = self._segments.pop(name, None)
            if segment is not None:
                try:
                    segment.close()
                except BufferError:  # a cached array still uses it; it is unmapped when the process ends
                    log.warning("a forgotten raster is still in use")

    def __getitem__(self, key: str) -> memoryview:
        return self._current[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current)

    def __len__(self) -> int:
        return len(self._current)


def main(connection: Connection, options: WorkerOptions, window: str) -> None:
    """Entry point of the process; returns when told to exit or when the gateway is gone.

    ``window`` names the shared memory through which the bytes of answers go.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal goes to the gateway, which tells us
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    keep_freed_blocks(longest=32, total=128)
    _Worker(connection, options, shared_memory.SharedMemory(name=window)).run()


class _Worker:
    def __init__(self, connection: Connection, options: WorkerOptions, window: shared_memory.SharedMemory) -> None:
        self._connection = connection
        self._window = window
        self._options = options
        self._inbox: queue.SimpleQueue[RunJob | ForgetRasters | Exit] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._rasters = MappedRasters()
        self._sending = threading.Lock()

    def run(self) -> None:
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()
        from maskwright.models.runtime import pymatting_cache
        from maskwright.models.runtime.pool import ModelPool
        from maskwright.recipes.job.cache import EmbeddingCache

        options = self._options
        pool = ModelPool(options.folders, options.device, options.threads, learn=True, precision=options.precision)
        embeddings = EmbeddingCache(options.embedding_budget)
        self._send(Ready(pool.device, pool.device_reason))
        pymatting_cache.start()
        while not isinstance(command := self._inbox.get(), Exit):
            if isinstance(command, ForgetRasters):
                self._rasters.forget(command.names)
            else:
                self._send(self._do(command, pool, embeddings))
                self._cancelled.discard(command.number)

    def _do(self, command: RunJob, pool: ModelPool, embeddings: EmbeddingCache) -> JobAnswer | JobFailure:
        from maskwright.models.runtime.out_of_memory import with_fallback
        from maskwright.recipes.job.context import JobContext
        from maskwright.recipes.run import run

        number, request = command.number, command.request

        def attempt(notes: list[str]) -> Message:
            context = JobContext(
                pool,
                embeddings,
                emit=lambda stage, fraction, text: self._send(JobProgress(number, stage, fraction, text)),
                cancelled=lambda: number in self._cancelled,
                notes=notes,
            )
            return run(request, self._rasters, context)

        try:
            if number in self._cancelled:
                raise JobCancelled("Cancelled.")
            self._rasters.use(command.rasters)
            message = with_fallback(attempt, pool, embeddings.free, frozenset(request.models.values()))
            return JobAnswer(number, message, pool.resident(), (pool.device, pool.device_reason))
        except MaskwrightError as error:
            failure = error
        except Exception:
            log.exception("job failed")
            failure = InternalError("Something went wrong inside Maskwright.")
        finally:
            self._rasters.release()
        state = pool.resident(), (pool.device, pool.device_reason)
        return JobFailure(number, failure.code, failure.message, failure.hint, failure.details, *state)

    def _listen(self) -> None:
        while True:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the gateway is gone: nobody waits for what is being computed
            if isinstance(command, CancelJob):
                self._cancelled.add(command.number)
            else:
                self._inbox.put(command)

    def _send(self, event: object) -> None:
        if isinstance(event, JobAnswer) and self._window.buf is not None:
            put_bulk(event, self._window.buf)
        with self._sending:
            try:
                self._connection.send(event)
            except OSError:
                os._exit(0)
