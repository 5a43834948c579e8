"""Asks the server from a dialog that stays live: answers come back through GLib's main loop."""

from typing import Any, Callable, Optional

from gi.repository import GLib

from maskwright_client import ask
from maskwright_client.ask import Steps
from maskwright_client.client import Client
from maskwright_client.steps import Loop, Runner
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import Job, Progress, Request

Done = Callable[[Any, Optional[Exception]], None]


class GLibLoop(Loop):
    """The main loop of GTK."""

    def post(self, function: Callable[[], None]) -> None:
        self.later(function, 0)

    def later(self, function: Callable[[], None], milliseconds: int) -> None:
        def once() -> bool:
            function()
            return False  # GLib: do not call again

        if milliseconds:
            GLib.timeout_add(milliseconds, once)
        else:
            GLib.idle_add(once)


LOOP = GLibLoop()


def run(steps: Steps, done: Done) -> Runner:
    """Drive steps; ``done(value, error)`` is called once, in the main thread, unless they are dropped."""
    return Runner(steps, LOOP, done)


def asking(client: Client, job: Job, source: ask.PictureSource, progress: Callable[[Progress], None]) -> Steps:
    """Steps that end with the job's answer. ``progress`` is called in the main thread, also a little after the end."""
    return ask.answer(client, job, source, lambda said: LOOP.post(lambda: progress(said)), hopeful=True)


def request(client: Client, message: Request, done: Done) -> Runner:
    """Ask something that needs no picture."""

    def steps() -> Steps:
        return (yield client.submit(message))

    return run(steps(), done)


def was_cancelled(error: Optional[Exception]) -> bool:
    return isinstance(error, JobCancelled)
