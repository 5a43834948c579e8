"""How long it still takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

RECENT = 40  # pictures; what computed longest ago says least about what comes


class Pace:
    """Knows of every picture that ended; what was skipped says nothing of the others' time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: deque[float] = deque([clock()], RECENT + 1)

    def ended(self, skipped: bool) -> None:
        now = self._clock()
        if not skipped:
            self._ends.append(now)
        elif len(self._ends) == 1:
            self._ends[0] = now  # the first that computes begins now

    def left(self, pictures: int) -> float | None:
        """Seconds for so many more; None before one was done."""
        count = len(self._ends) - 1
        return None if count == 0 else (self._ends[-1] - self._ends[0]) / count * pictures


def spoken(seconds: float) -> str:
    """A length of time in words, as exact as it is of use."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
