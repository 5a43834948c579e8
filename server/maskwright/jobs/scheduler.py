"""Connects queue, image store and worker: decides what runs next and tells each client about its jobs."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from maskwright.images.store import ImageStore
from maskwright.workers.messages import JobAlive, JobAnswer, JobFailure, JobProgress, WorkerOptions
from maskwright.workers.process import Event, WorkerProcess
from maskwright_protocol.bulk import bulk_fields
from maskwright_protocol.errors import (
    DeadlineExceeded,
    InternalError,
    JobCancelled,
    MaskwrightError,
    ShuttingDown,
    WorkerDied,
    from_code,
)
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PRIORITIES, Cancelled, Everything, Failed, Job, Message, WorkerInfo

from .queue import JobQueue, QueuedJob
from .watchdog import Watchdog

log = logging.getLogger(__name__)

TICK_S = 0.1
STOP_GRACE_S = 3.0
HEARTBEAT_S = 0.7  # the wire promises progress at least each second
RESUMABLE = (Everything,)  # jobs that keep what they found when they are interrupted
RESTARTS = 2  # how often a job that no worker took is given to another


class Scheduler:
    """One worker, one queue. Everything runs in the event loop's thread."""

    def __init__(
        self, store: ImageStore, options: WorkerOptions, *, queue_length: int, deadline_s: float, idle_s: float,
        start_timeout_s: float, stall_s: float = 300.0,
    ) -> None:  # fmt: skip
        self.queue = JobQueue(queue_length)
        self._store = store
        self._deadline_s = deadline_s
        self._idle_s = idle_s
        self._start_timeout_s = start_timeout_s
        self._worker = WorkerProcess(options, self._on_event, self._on_exit)
        self._interrupted: QueuedJob | None = None  # the running job, told to stop for a prompt
        self._running: QueuedJob | None = None  # the job in the worker, also while it winds down after a cancel
        self._watchdog = Watchdog(stall_s)
        self._killed = False  # the worker is ending
        self._told_at = 0.0
        self._stopping = False
        self._ticker: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ for sessions

    def submit(self, session: str, request: Job, deliver: Callable[[Message], None]) -> None:
        """Queue a job; its answers go to ``deliver``. Raises typed errors for what cannot be queued."""
        if self._stopping:
            raise ShuttingDown(tr("The server is shutting down."))
        for raster in request.rasters:
            if raster.data is not None:
                self._store.put(raster)
                raster.data = None
        keys = [raster.key for raster in request.rasters]
        self._store.pin(keys)
        self._store.used_by(session, keys)
        limit, now = min(request.deadline_s or self._deadline_s, self._deadline_s), time.monotonic()
        size = sum(len(item.data or b"") for item in bulk_fields(request))
        job = QueuedJob(session, request, deliver, now + limit, keys, size, since=now)
        try:
            superseded = self.queue.submit(job)
        except MaskwrightError:
            self._store.unpin(keys)
            raise
        for other in superseded:
            self._end(other, Cancelled(other.request.id, other.request.generation, superseded=True))
        self._interrupt(request)
        self._advance()

    def _interrupt(self, request: Job) -> None:
        """Stop a background job for a prompt, if it can continue later from where it was."""
        job = self._running
        if job is None or job.answered or job is self._interrupted or not isinstance(job.request, RESUMABLE):
            return
        if job.request.priority == PRIORITIES[-1] and request.priority != PRIORITIES[-1]:
            self._interrupted = job
            self._worker.cancel()

    def cancel(self, session: str, identity: str) -> None:
        """Cancel a job of the session; unknown ids are ignored, since the answer may be on its way."""
        job = self.queue.find(session, identity)
        if job is not None:
            self._end(job, Cancelled(identity, job.request.generation))

    def refuse(self, job: QueuedJob, error: MaskwrightError) -> None:
        """End a job with an error."""
        self._end(job, _failed(job, error))

    def drop_session(self, session: str) -> None:
        """The client is gone: nobody waits for its jobs."""
        for job in self.queue.of_session(session):
            job.deliver = lambda message: None
            self._end(job, Cancelled(job.request.id))

    def workers(self) -> list[WorkerInfo]:
        return [replace(self._worker.info)]

    # ------------------------------------------------------------ life

    def start(self) -> None:
        self._ticker = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Fail what waits and runs, end the worker."""
        self._stopping = True
        if self._ticker is not None:
            self._ticker.cancel()
        error = ShuttingDown(tr("The server is shutting down."))
        for job in [*self.queue.waiting(), *self.queue.running]:
            self.refuse(job, error)
        if self._worker.alive:
            await self._worker.end(STOP_GRACE_S)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._check(time.monotonic())
            except Exception:
                log.exception("a check of the scheduler failed")

    def _check(self, now: float) -> None:
        for job in self.queue.expired(now):
            self.refuse(job, DeadlineExceeded(tr("This took longer than allowed.")))
        if now - self._told_at >= HEARTBEAT_S:
            self._told_at = now
            self._tell(now)
        worker = self._worker
        if worker.alive and not self._killed:
            self._watch(now)
        if worker.info.state == "idle" and self._running is None and now - worker.idle_since > self._idle_s:
            log.info("worker idle, stopping it")
            worker.stop()
            worker.info.state = "stopping"
            self._watchdog.ending(now)
        self._advance()

    def _tell(self, now: float) -> None:
        """Progress for all jobs, whether there is news or not; those that wait are told how long it takes."""
        for job in self.queue.running:
            job.deliver(replace(job.progress))
        for job in self.queue.waiting():
            if job.progress.stage == "queued":
                waited, taken = now - job.since, now - self._watchdog.started_at
                if self._running:
                    job.progress.text = tr(
                        "Waiting for its turn for {0:.0f} s; the job before it has taken {1:.0f} s so far",
                        waited,
                        taken,
                    )
                else:
                    job.progress.text = tr("Waiting for its turn for {0:.0f} s", waited)
            job.deliver(replace(job.progress))

    def _watch(self, now: float) -> None:
        """End a worker that does not start, does not come on or does not end."""
        worker, job = self._worker, self._running
        reason = ""
        if worker.info.state == "starting":
            reason = tr("it does not start") if now - worker.started_at > self._start_timeout_s else ""
        elif job is None:
            reason = self._watchdog.overdue(now)
        elif worker.info.pid is not None:
            reason = self._watchdog.hung(now, worker.info.pid)
        if reason:
            log.error("the worker is ended: %s", reason)
            self._killed = True
            if job is not None and self._watchdog.taken:
                self.refuse(job, WorkerDied(tr("The process that runs the models was ended: {0}.", reason)))
            worker.kill()

    # ------------------------------------------------------------ running

    def _advance(self) -> None:
        """Give the worker the next job, starting it when there is one."""
        if self._running is not None or self._stopping or not self.queue.waiting():
            return
        if not self._worker.alive:
            self._worker.start()
            for job in self.queue.waiting():
                job.progress.stage, job.progress.text = "starting", "Starting the models' process"
                job.deliver(replace(job.progress))
        if self._worker.info.state != "idle":
            return
        job = self.queue.take()
        assert job is not None
        self._running = job
        self._watchdog.given(time.monotonic())
        job.progress.stage, job.progress.text = "running", ""
        rasters = {}
        for key in job.keys:
            stored = self._store.get(key)
            rasters[key] = (stored.memory.name, stored.size)
        evicted, self._store.evicted = self._store.evicted, []
        self._worker.run(job.request, rasters, evicted)

    def _end(self, job: QueuedJob, answer: Message) -> None:
        """Answer a job and forget it. If the worker still runs it, it is told to stop, and is free once it has."""
        if job.answered:
            return
        job.answered = True
        self.queue.withdraw(job)
        self.queue.finish(job)
        if job is self._running:
            self._watchdog.cancelled(time.monotonic())
            self._worker.cancel()
        self._store.unpin(job.keys)
        job.deliver(answer)

    def _on_event(self, event: Event) -> None:
        job = self._running
        if isinstance(event, (JobAlive, JobProgress)) and job is not None and event.number == self._worker.current:
            self._watchdog.sign(time.monotonic())
            if isinstance(event, JobProgress) and job in self.queue.running:
                job.progress.stage, job.progress.fraction, job.progress.text = event.stage, event.fraction, event.text
                job.deliver(replace(job.progress))
        elif isinstance(event, (JobAnswer, JobFailure)):
            interrupted, self._interrupted = self._interrupted, None
            self._running = None
            self._watchdog.done()
            stopped = isinstance(event, JobFailure) and event.code == JobCancelled.code
            if job is not None and job is interrupted and stopped and not job.answered:
                self._put_back(job)
            elif job is not None:
                self._end(job, _answer(job, event))
        self._advance()

    def _on_exit(self, code: int | None) -> None:
        job, self._running, self._interrupted = self._running, None, None
        taken, self._killed = self._watchdog.taken, False
        self._watchdog.done()
        if job is not None and not self._stopping and not taken and not job.answered and job.restarts < RESTARTS:
            job.restarts += 1
            self._put_back(job)
        elif job is not None and not self._stopping:
            self.refuse(job, _death(code))
        elif not self._stopping and code not in (0, None) and self.queue.waiting():
            # It died before it could take a job: do not start it over and over.
            for waiting in self.queue.waiting():
                self.refuse(waiting, _death(code))
        self._advance()

    def _put_back(self, job: QueuedJob) -> None:
        self.queue.put_back(job)
        job.progress.stage, job.progress.text = "queued", tr("Waiting for its turn")


def _answer(job: QueuedJob, event: JobAnswer | JobFailure) -> Message:
    if isinstance(event, JobAnswer):
        return event.message
    if event.code == JobCancelled.code:
        return Cancelled(job.request.id, job.request.generation)
    return _failed(job, from_code(event.code, event.message, event.hint, event.details))


def _failed(job: QueuedJob, error: MaskwrightError) -> Failed:
    return Failed.from_error(job.request.id, error, job.request.generation)


def _death(code: int | None) -> MaskwrightError:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return WorkerDied(
            tr("The process that runs the models was ended from outside; the computer may have run out of memory."),
            exit_code=code,
        )
    if code == 0:
        return InternalError(tr("The process that runs the models stopped."))
    return WorkerDied(tr("The process that runs the models crashed (exit code {0}).", code), exit_code=code)
