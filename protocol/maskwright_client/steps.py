"""Long work in a user interface's thread without blocking it: generators that give way whenever they have to wait.

Such steps yield a ticket of the client, or a ``background`` function, and are handed its result (its error is raised
in them); ``None`` to let the event loop turn once; or a number to go on after so many milliseconds. ``ask.run`` drives
steps in a thread that may block, a ``Runner`` drives them from an event loop.
"""

import threading
import time
from concurrent.futures import Future
from typing import Any, Callable, Optional

from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr

from .ask import Steps, step


def background(function: Callable[[], Any]) -> "Future[Any]":
    """Run a function, which must not call into the editor, in a thread of its own. A thread cannot be stopped: when the
    steps are cancelled, its result is not looked at any more."""
    future: "Future[Any]" = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, name="maskwright-background", daemon=True).start()
    return future


class Loop:
    """An editor's event loop; functions run in its thread, and never before these methods have returned."""

    def post(self, function: Callable[[], None]) -> None:
        """Run a function; may be called from any thread."""
        raise NotImplementedError

    def later(self, function: Callable[[], None], milliseconds: int) -> None:
        """Run a function after so long, and after what else is waiting; called from the loop's own thread."""
        raise NotImplementedError


class Runner:
    """Drives steps to their end in the loop's thread; then calls ``done(value, error)``, once."""

    slowest_s = 0.0  # the longest turn of any steps: how long the user interface had to wait for them

    def __init__(self, steps: Steps, loop: Loop, done: Callable[[Any, Optional[Exception]], None]) -> None:
        self._steps: Optional[Steps] = steps
        self._loop = loop
        self._done = done
        self.awaited: Any = None  # the ticket or future that the steps wait for
        loop.later(lambda: self._advance(None), 0)

    def running(self) -> bool:
        return self._steps is not None

    def cancel(self) -> None:
        """Stop at once: what is waited for is told, and ``done`` gets ``JobCancelled`` before this returns."""
        awaited, self.awaited = self.awaited, None
        if awaited is not None:
            awaited.cancel()
        steps, self._steps = self._steps, None
        if steps is None:
            return
        error: Exception = JobCancelled(tr("Cancelled."))
        try:
            steps.throw(error)
            steps.close()
        except StopIteration:
            pass
        except Exception as raised:
            error = raised
        self._done(None, error)

    def drop(self) -> None:
        """Stop at once, without a call of ``done``."""
        self._done = lambda value, error: None
        self.cancel()

    def _arrived(self, awaited: Any) -> None:
        if awaited is self.awaited:  # else it was given up meanwhile
            self.awaited = None
            self._advance(awaited)

    def _advance(self, awaited: Any) -> None:
        if self._steps is None:
            return
        began = time.perf_counter()
        try:
            self._wait(step(self._steps, awaited))
        except StopIteration as end:
            self._steps = None
            self._done(end.value, None)
        except Exception as error:
            self._steps = None
            self._done(None, error)
        finally:
            Runner.slowest_s = max(Runner.slowest_s, time.perf_counter() - began)

    def _wait(self, awaited: Any) -> None:
        if awaited is None or isinstance(awaited, (int, float)):
            self._loop.later(lambda: self._advance(None), int(awaited or 0))
        else:
            self.awaited = awaited
            awaited.add_done_callback(lambda done: self._loop.post(lambda: self._arrived(done)))
