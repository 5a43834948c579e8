"""The order of many pictures: outcomes as the pictures came, few at a time, and when a batch ends early."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from maskwright.batch import runner
from maskwright.batch.connection import Connection
from maskwright.batch.outcome import DONE, Item, Outcome, of_error
from maskwright.batch.processing import Processing
from maskwright_client.client import Client
from maskwright_protocol.errors import (
    BadImage,
    BadInput,
    Busy,
    ConnectionLost,
    JobCancelled,
    MaskwrightError,
    ServerAbsent,
    WorkerDied,
)
from maskwright_protocol.messages import Select

ITEMS = [Item(Path(f"{number}.png")) for number in range(40)]


class Work:
    """Stands in for what is done with a picture; counts how many are under way."""

    def __init__(self, do: Callable[[int], Outcome | None] = lambda number: None) -> None:
        self.connection = Connection(cast(Client, None), lambda: None)
        self._do = do
        self._lock = threading.Lock()
        self.most = self._now = self.begun = 0

    def in_batch(self, item: Item) -> Outcome:
        with self._lock:
            self.begun += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            number = int(item.name.split(".")[0])
            return self._do(number) or Outcome(item, DONE, {})
        finally:
            with self._lock:
                self._now -= 1


def run(work: Work, items: Any = ITEMS, jobs: int = 3) -> list[Outcome]:
    return list(runner.run(cast(Processing, work), items, jobs))


def failing(error: MaskwrightError) -> Callable[[int], Outcome]:
    return lambda number: of_error(ITEMS[number], error)


def test_outcomes_come_in_the_order_of_the_pictures() -> None:
    work = Work(lambda number: time.sleep(0.03 if number % 5 == 0 else 0.001))
    assert [one.item for one in run(work)] == ITEMS
    assert work.most == 3


def test_few_are_read_ahead_of_one_that_takes_long() -> None:
    """Else a folder would be held in memory."""
    going_on = threading.Event()

    def wait(number: int) -> None:
        if number == 0:
            going_on.wait(10)

    work = Work(wait)
    outcomes = runner.run(cast(Processing, work), iter(ITEMS), 2)
    taker = threading.Thread(target=lambda: next(outcomes))
    taker.start()
    time.sleep(0.2)
    assert work.begun <= runner.AHEAD * 2
    going_on.set()
    taker.join()
    assert len(list(outcomes)) == len(ITEMS) - 1


def test_nothing_new_gives_what_is_ready() -> None:
    done = threading.Event()

    def coming() -> Any:
        yield ITEMS[0]
        while not done.is_set():
            yield None
            time.sleep(0.01)

    with closing(runner.run(cast(Processing, Work()), coming(), 2)) as outcomes:
        assert next(outcomes).item == ITEMS[0]
        done.set()
        assert list(outcomes) == []


def test_settings_that_suit_no_picture_end_it() -> None:
    work = Work(failing(BadInput("There is no recipe magic.")))
    with pytest.raises(BadInput, match="magic"):
        run(work)
    assert work.begun < len(ITEMS)
    assert work.connection.stopped


def test_odd_pictures_in_the_beginning_do_not() -> None:
    for error in (BadImage("It is text."), WorkerDied("The process crashed.")):
        assert len(run(Work(failing(error)))) == len(ITEMS)
    named = Work(lambda number: of_error(ITEMS[number], BadInput(f"There is no mask for {number}.")))
    assert len(run(named)) == len(ITEMS)
    later = Work(lambda number: of_error(ITEMS[number], BadInput("The same.")) if number > 2 else None)
    assert len(run(later)) == len(ITEMS)
    fewer = Work(failing(BadInput("The same.")))
    assert len(run(fewer, ITEMS[:2])) == 2


@pytest.mark.parametrize("error", [ServerAbsent("No server."), JobCancelled("Cancelled.")])
def test_what_concerns_all_ends_it(error: MaskwrightError) -> None:
    def fail(number: int) -> None:
        if number == 5:
            raise error

    work = Work(fail)
    with pytest.raises(type(error)):
        run(work)
    assert work.begun < len(ITEMS)


class Server(Connection):
    """The real connection with made-up answers of the server: errors to raise, then an answer."""

    def __init__(self, *errors: MaskwrightError) -> None:
        self.revived = self.asked = 0
        super().__init__(cast(Client, None), self._count)
        self.errors = list(errors)
        self.waits: list[float | None] = []
        self._stopped.wait = lambda timeout=None: bool(self.waits.append(timeout))  # type: ignore[method-assign]

    def _count(self) -> None:
        self.revived += 1

    def _once(self, job: Any, source: Any, on_progress: Any) -> Any:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_what_no_picture_is_to_blame_for_is_tried_again() -> None:
    lost = Server(ConnectionLost("Lost."), ServerAbsent("Gone."), WorkerDied("Dead."), Busy("Busy."))
    assert lost.ask(Select(""), cast(Any, None)) == "answer"
    assert (lost.asked, lost.revived) == (5, 2)
    for error, most in ((WorkerDied("x"), 2), (Busy("x"), 4), (ServerAbsent("x"), 4), (BadInput("x"), 1)):
        server = Server(*[error] * 9)
        with pytest.raises(type(error)):
            server.ask(Select(""), cast(Any, None))
        assert server.asked == most
    stopped = Server()
    stopped.stop()
    with pytest.raises(JobCancelled):
        stopped.ask(Select(""), cast(Any, None))
