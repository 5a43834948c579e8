"""The order of jobs. Pure bookkeeping, no clock and no I/O: time is passed in.

Interactive before batch before background; within a priority the clients take turns, and each client's jobs keep
their order. Clients with few waiting jobs have three of four turns, so that a click is quick while others flood the
queue. A newer generation of the same tool of the same client supersedes the older, queued or running.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from maskwright_protocol.errors import BadInput, Busy
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PRIORITIES, Job, Message, Progress

FEW = 2  # waiting jobs of one priority; who has more is flooding
TURNS = 3  # of clients with few jobs, before one of those that flood


@dataclass(eq=False)
class QueuedJob:
    """``deliver`` hands messages to the client that asked. ``expires`` is in the clock's seconds.

    ``keys``: its pinned rasters. ``nbytes``: of its masks. ``since``: when it was queued. ``restarts``: how often a
    worker was lost before it began.
    """

    session: str
    request: Job
    deliver: Callable[[Message], None]
    expires: float
    keys: list[str] = field(default_factory=list)
    nbytes: int = 0
    since: float = 0.0
    restarts: int = 0
    progress: Progress = field(init=False)
    answered: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(self.request.id, self.request.generation, "queued", 0.0, tr("Waiting for its turn"))


class JobQueue:
    """``length`` bounds the waiting jobs of one session."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._waiting: dict[str, OrderedDict[str, list[QueuedJob]]] = {p: OrderedDict() for p in PRIORITIES}
        self.running: list[QueuedJob] = []
        self._turns = 0  # of clients with few jobs, since one that floods had its turn

    def waiting(self) -> list[QueuedJob]:
        """All waiting jobs, in no particular order of clients."""
        return [job for clients in self._waiting.values() for jobs in clients.values() for job in jobs]

    def submit(self, job: QueuedJob) -> list[QueuedJob]:
        """Add a job; returns the jobs that it supersedes, waiting or running, which the caller ends.

        Raises ``Busy`` when the client has too many waiting, ``BadInput`` for an id that is in use or a generation
        older than what the tool has under way.
        """
        request = job.request
        mine = [other for other in [*self.waiting(), *self.running] if other.session == job.session]
        if any(other.request.id == request.id for other in mine):
            raise BadInput(tr("A request with this id is under way already."))
        same_tool = [other for other in mine if request.tool and other.request.tool == request.tool]
        if any(other.request.generation > request.generation for other in same_tool):
            raise BadInput(tr("A newer request of this tool is under way already."))
        superseded = [other for other in same_tool if other.request.generation < request.generation]
        staying = [other for other in mine if other not in superseded and other not in self.running]
        if len(staying) >= self.length:
            raise Busy(tr("Too many jobs are waiting already."))
        self._waiting[request.priority].setdefault(job.session, []).append(job)
        return superseded

    def waiting_of(self, session: str) -> list[QueuedJob]:
        """One client's waiting jobs, by priority and then in their order."""
        return [job for clients in self._waiting.values() for job in clients.get(session, ())]

    def take(self) -> QueuedJob | None:
        """The next job, now counted as running; its client goes to the end of the line."""
        for clients in self._waiting.values():
            if clients:
                session = self._next_client(clients)
                jobs = clients[session]
                job = jobs.pop(0)
                if jobs:
                    clients.move_to_end(session)
                else:
                    del clients[session]
                self.running.append(job)
                return job
        return None

    def _next_client(self, clients: OrderedDict[str, list[QueuedJob]]) -> str:
        modest = next((session for session, jobs in clients.items() if len(jobs) <= FEW), None)
        flooding = next((session for session, jobs in clients.items() if len(jobs) > FEW), None)
        if modest is None or (flooding is not None and self._turns >= TURNS):
            self._turns = 0
            assert flooding is not None
            return flooding
        self._turns = self._turns + 1 if flooding is not None else 0
        return modest

    def put_back(self, job: QueuedJob) -> None:
        """The running job was interrupted: it is its client's next of its priority."""
        self.finish(job)
        self._waiting[job.request.priority].setdefault(job.session, []).insert(0, job)

    def finish(self, job: QueuedJob) -> None:
        """The running job ended."""
        if job in self.running:
            self.running.remove(job)

    def find(self, session: str, identity: str) -> QueuedJob | None:
        for job in [*self.running, *self.waiting()]:
            if job.session == session and job.request.id == identity:
                return job
        return None

    def withdraw(self, job: QueuedJob) -> bool:
        """Remove a waiting job; False when it is running (or unknown)."""
        clients = self._waiting[job.request.priority]
        jobs = clients.get(job.session, [])
        if job not in jobs:
            return False
        jobs.remove(job)
        if not jobs:
            del clients[job.session]
        return True

    def of_session(self, session: str) -> list[QueuedJob]:
        return [job for job in [*self.running, *self.waiting()] if job.session == session]

    def expired(self, now: float) -> list[QueuedJob]:
        """Jobs whose deadline has passed, running or waiting."""
        return [job for job in [*self.running, *self.waiting()] if now >= job.expires]
