"""Many pictures: several at a time, one outcome each, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from maskwright_protocol.errors import MaskwrightError

from .outcome import FAILED, Item, Outcome
from .processing import Processing

AHEAD = 4  # outcomes that may wait for a slower picture before them, times the pictures at a time
SAME = 3  # so many pictures in the beginning that are refused for the same reason: it is the settings
_SETTINGS = ("bad_input", "empty_prompt", "unknown_word", "model_missing", "needs_package", "licence_needed",
             "version_mismatch", "model_broken")  # fmt: skip
POLL_S = 0.1


def run(processing: Processing, items: Iterable[Item | None], jobs: int) -> Generator[Outcome, None, None]:
    """The outcomes of all items, in their order; ``jobs`` pictures are held in memory at a time, each read, computed or
    written while others are.

    An item may be None when there is none just now. Raises ``ServerAbsent`` where no server can be had, the error of
    settings that suit no picture, and ``KeyboardInterrupt``; the pictures under way are given up then, and those that
    were done stay done.
    """
    refused = _Refusals()
    pending: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(jobs, "picture") as pool:
        try:
            for item in items:
                if item is not None:
                    pending.append(pool.submit(processing.in_batch, item))
                while pending and (pending[0].done() or len(pending) >= AHEAD * jobs):
                    yield refused.passed(_ended(pending))
            while pending:
                yield refused.passed(_ended(pending))
        except BaseException:
            processing.connection.stop()
            for future in pending:
                future.cancel()
            raise


def _ended(pending: deque[Future[Outcome]]) -> Outcome:
    """The first outcome. A wait with a limit can be interrupted on every system."""
    while not pending[0].done():
        try:
            pending[0].exception(POLL_S)
        except TimeoutError:
            pass
    return pending.popleft().result()


class _Refusals:
    """Notices when the first pictures are all refused for the same reason."""

    def __init__(self) -> None:
        self._errors: list[MaskwrightError] | None = []

    def passed(self, outcome: Outcome) -> Outcome:
        """The outcome; raises its error when nothing can come of the others either."""
        if self._errors is None:
            return outcome
        error = outcome.error
        if outcome.status == FAILED and error is not None and error.code in _SETTINGS:
            self._errors.append(error)
            same = all((one.code, one.message) == (error.code, error.message) for one in self._errors)
            if same and len(self._errors) >= SAME:
                raise error
        elif outcome.status != FAILED:
            self._errors = None
        return outcome
