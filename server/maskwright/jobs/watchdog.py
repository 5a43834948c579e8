"""Notices a worker that stopped, hangs in a job or does not end. It is told what happens, and asked now and then."""

from __future__ import annotations

from collections.abc import Callable

from maskwright_protocol.language import tr

TAKE_S = 10.0  # within which a worker takes a job: a thread of its own does nothing else
STILL_S = 30.0  # without a sign of the job, without processor time and without reading
CANCEL_GRACE_S = 10.0  # how long a cancelled job may hold up others
END_GRACE_S = 10.0  # how long an idle worker may take to end
LOOK_S = 1.0  # between looks at the process; a job that gives signs is not looked at

Activity = tuple[float, int]  # seconds of the processor, bytes read and written


def activity_of(pid: int) -> Activity | None:
    """What a process has done until now; None where the system does not tell."""
    import psutil  # not before a job takes long

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        counters = process.io_counters() if hasattr(process, "io_counters") else None  # macOS does not count
        return times.user + times.system, counters.read_bytes + counters.write_bytes if counters else 0
    except (psutil.Error, OSError):
        return None


class Watchdog:
    """Watches one job at a time. Times are in the clock's seconds.

    A sign comes from the job's own thread, so that a process which still runs, with a job that hangs, is noticed. Long
    computations give none, but they take processor time; ``stall_s`` is how long that is accepted.
    """

    def __init__(self, stall_s: float, activity: Callable[[int], Activity | None] = activity_of) -> None:
        self._stall_s = stall_s
        self._activity = activity
        self.started_at = 0.0  # when the job was given
        self._sign_at = 0.0
        self._taken = True
        self._abandoned_at: float | None = None
        self._ending_at: float | None = None
        self._looked_at = 0.0
        self._last: Activity | None = None
        self._active_at = 0.0

    def given(self, now: float) -> None:
        """A job was sent to the worker."""
        self.started_at = self._sign_at = self._looked_at = self._active_at = now
        self._taken, self._abandoned_at, self._ending_at, self._last = False, None, None, None

    def sign(self, now: float) -> None:
        """The worker took the job, or the job came on."""
        self._taken, self._sign_at = True, now

    def cancelled(self, now: float) -> None:
        self._abandoned_at = now

    def ending(self, now: float) -> None:
        """The worker was told to end."""
        self._ending_at = now

    def done(self) -> None:
        """The job was answered, or the process is gone."""
        self._taken, self._abandoned_at, self._ending_at = True, None, None

    @property
    def taken(self) -> bool:
        """Whether the worker has the job. One that was not taken can be given to another worker."""
        return self._taken

    def overdue(self, now: float) -> str:
        """Why a worker without a job has to be ended; empty while all is well."""
        late = self._ending_at is not None and now - self._ending_at > END_GRACE_S
        return tr("it was told to end and does not") if late else ""

    def hung(self, now: float, pid: int) -> str:
        """Why the worker with its job has to be ended; empty while all is well."""
        if self._abandoned_at is not None and now - self._abandoned_at > CANCEL_GRACE_S:
            return tr("a cancelled job does not end")
        if not self._taken:
            return tr("it does not take its job") if now - self.started_at > TAKE_S else ""
        silent = now - self._sign_at
        if silent > self._stall_s:
            return tr("its job gave no sign for {0:.0f} s", silent)
        if silent > LOOK_S and now - self._looked_at >= LOOK_S:
            self._look(now, pid)
        still = now - max(self._active_at, self._sign_at)
        return tr("its job has done nothing for {0:.0f} s", still) if self._last is not None and still > STILL_S else ""

    def _look(self, now: float, pid: int) -> None:
        """One percent of one core, or any reading, is activity: the process's other threads take less."""
        passed, self._looked_at = now - self._looked_at, now
        last, found = self._last, self._activity(pid)
        self._last = found
        if last is None or found is None or found[0] - last[0] > passed / 100 or found[1] != last[1]:
            self._active_at = now
