"""Asks the server from a dialog that stays live: answers come back through GLib's main loop."""

from typing import Any, Callable, Optional

from gi.repository import GLib

from maskwright_client import ask
from maskwright_client.client import Client, Ticket
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import Job, Progress, Request


class Question:
    """One job under way. ``done(answer, error)`` is called once, in the main thread, unless it was dropped."""

    def __init__(
        self,
        client: Client,
        job: Job,
        source: ask.PictureSource,
        done: Callable[[Any, Optional[Exception]], None],
        progress: Callable[[Progress], None],
    ) -> None:
        self._done = done
        self._ticket: Optional[Ticket] = None
        self._dropped = False
        self._steps = ask.answer(
            client, job, source, lambda message: _later(self._live(progress), message), hopeful=True
        )
        self._advance(lambda: next(self._steps))

    def cancel(self) -> None:
        """Give up: the server is told, and ``done`` gets ``JobCancelled``."""
        if self._ticket is not None and not self._ticket.done():
            self._ticket.cancel()

    def drop(self) -> None:
        """Give up without hearing of it again."""
        self._dropped = True
        self.cancel()

    def _live(self, function: Callable[..., None]) -> Callable[..., None]:
        return lambda *arguments: None if self._dropped else function(*arguments)

    def _advance(self, step: Callable[[], Ticket]) -> None:
        try:
            self._ticket = step()
        except StopIteration as end:
            _later(self._live(self._done), end.value, None)
        except Exception as error:
            _later(self._live(self._done), None, error)  # not before whoever asks holds this object
        else:
            self._ticket.add_done_callback(lambda ticket: _later(self._resume, ticket))

    def _resume(self, ticket: Ticket) -> None:
        if self._dropped:
            self._steps.close()
        else:
            self._advance(lambda: ask.step(self._steps, ticket))


def request(
    client: Client,
    message: Request,
    done: Callable[[Any, Optional[Exception]], None],
    progress: Callable[[Progress], None] = lambda progress: None,
) -> Optional[Ticket]:
    """Ask something that needs no picture; ``done(answer, error)`` in the main thread."""

    def finish(ticket: Ticket) -> None:
        try:
            done(ticket.result(0), None)
        except Exception as error:
            done(None, error)

    try:
        ticket = client.submit(message, lambda said: _later(progress, said))
    except Exception as error:
        done(None, error)
        return None
    ticket.add_done_callback(lambda ended: _later(finish, ended))
    return ticket


def was_cancelled(error: Optional[Exception]) -> bool:
    return isinstance(error, JobCancelled)


def _later(function: Callable[..., None], *arguments: Any) -> None:
    def once() -> bool:
        function(*arguments)
        return False  # GLib: do not call again

    GLib.idle_add(once)
