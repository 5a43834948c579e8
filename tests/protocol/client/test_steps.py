"""Steps driven from an event loop: giving way, waiting, cancelling."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from maskwright_client.ask import Steps, run
from maskwright_client.steps import Runner, background
from maskwright_protocol.errors import BadInput, JobCancelled
from tests.protocol.client.event_loop import QueueLoop


@pytest.fixture
def loop() -> QueueLoop:
    return QueueLoop()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds background functions back until it is set."""
    event = threading.Event()
    yield event
    event.set()


class Ending(list[tuple[Any, Any]]):
    def __call__(self, value: Any, error: Exception | None) -> None:
        self.append((value, error))


def test_steps_give_way_pause_and_are_handed_results(loop: QueueLoop) -> None:
    threads = []

    def work() -> int:
        threads.append(threading.current_thread())
        return 7

    def steps() -> Steps:
        yield None
        yield 20
        value = yield background(work)
        return value + 1

    ended = Ending()
    runner = Runner(steps(), loop, ended)
    assert runner.running()
    loop.turn(lambda: ended)
    assert ended == [(8, None)]
    assert loop.pauses == [0, 0, 20]
    assert not runner.running()
    assert threads[0] is not threading.current_thread()


def test_an_error_in_the_background_is_raised_in_the_steps(loop: QueueLoop) -> None:
    def fail() -> None:
        raise BadInput("No.")

    def steps() -> Steps:
        try:
            yield background(fail)
        except BadInput:
            return "caught"

    def careless() -> Steps:
        yield background(fail)

    ended = Ending()
    Runner(steps(), loop, ended)
    loop.turn(lambda: ended)
    Runner(careless(), loop, ended)
    loop.turn(lambda: len(ended) == 2)
    assert ended[0] == ("caught", None)
    assert isinstance(ended[1][1], BadInput)


def test_a_cancel_ends_the_steps_at_once(loop: QueueLoop, gate: threading.Event) -> None:
    closed = []

    def steps() -> Steps:
        try:
            yield background(gate.wait)
        finally:
            closed.append(True)

    ended = Ending()
    runner = Runner(steps(), loop, ended)
    loop.turn(lambda: runner.awaited is not None)
    runner.cancel()
    runner.cancel()
    assert len(ended) == 1
    assert isinstance(ended[0][1], JobCancelled)
    assert closed == [True]
    gate.set()
    time.sleep(0.05)
    while not loop.waiting.empty():
        loop.waiting.get()()
    assert len(ended) == 1, "what arrives too late is no harm"


def test_dropped_steps_are_not_heard_of_again(loop: QueueLoop, gate: threading.Event) -> None:
    ended, closed = Ending(), []

    def steps() -> Steps:
        try:
            yield background(gate.wait)
        finally:
            closed.append(True)

    runner = Runner(steps(), loop, ended)
    loop.turn(lambda: runner.awaited is not None)
    runner.drop()
    assert (closed, ended) == ([True], [])


def test_steps_that_are_cancelled_before_they_began(loop: QueueLoop) -> None:
    def steps() -> Steps:
        yield None
        raise AssertionError("it went on")

    ended = Ending()
    Runner(steps(), loop, ended).cancel()
    loop.turn(loop.waiting.empty)
    assert isinstance(ended[0][1], JobCancelled)


def test_the_same_steps_where_waiting_is_allowed() -> None:
    def steps() -> Steps:
        yield None
        return (yield background(lambda: 5))

    assert run(steps(), lambda awaited: awaited.exception(5)) == 5
