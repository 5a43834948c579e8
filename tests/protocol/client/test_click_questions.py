"""What is asked about clicks, one question at a time; what is given up, and what is got ready while the user rests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import pytest

from maskwright_client import ask
from maskwright_client.ask import PictureSource, RasterData, Steps, raster_data
from maskwright_client.candidates import Question
from maskwright_client.click_questions import REST_MS, ClickQuestions
from maskwright_client.click_session import ClickedObject, prompts
from maskwright_client.client import Client
from maskwright_protocol import masks
from maskwright_protocol.errors import BadInput, MaskwrightError
from maskwright_protocol.messages import (
    Alternative,
    Instance,
    Job,
    Message,
    PixelRect,
    Rect,
    Report,
    Select,
    Selection,
)
from tests.protocol.client.event_loop import QueueLoop
from tests.protocol.support import Gateway


class Photo(PictureSource):
    def __init__(self) -> None:
        self.box = PixelRect(0, 0, 2000, 1000)  # larger than its overview

    def overview(self) -> RasterData:
        width, height = self.overview_size()
        return raster_data(bytes(width * height), width, height, "GRAY8", self.box)


def draw(job: Job, rasters: dict[str, bytes]) -> Message:
    """One instance with the alternatives that were asked for; nothing at 900 and beyond, an error at 0."""
    assert isinstance(job, Select)
    at = job.points[0]
    if at.x == 0:
        raise BadInput("Not there.")
    report = Report("auto", ["m"], "cpu")
    if at.x >= 900:
        return Selection(job.id, 0, report, "nothing_found", "Nothing is there.")
    mask = masks.pack(PixelRect(int(at.x), int(at.y), 1, 1), b"\xff")
    others = [Alternative(0.5, f"other-{n}", mask=mask) for n in range(job.alternatives if at.y else 0)]
    return Selection(
        job.id, 0, report, instances=[Instance("new", "thing", 0.9, Rect(0, 0, 1, 1), "m", others, mask=mask)]
    )


class Asking(ClickQuestions):
    """Notes what it is told."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.loop = self.turns = QueueLoop()
        self.client = client
        self.jobs: list[Select] = []
        self.answers: list[Selection] = []
        self.errors: list[tuple[str, bool]] = []
        self.none_left = self.begins = self.changes = 0

    def question(self, one: ClickedObject) -> Question:
        return Question(self._ask, Photo(), Select("", points=prompts(one)[0]))

    def _ask(self, job: Job, source: PictureSource) -> Steps:
        assert isinstance(job, Select)
        self.jobs.append(job)
        return ask.answer(self.client, job, source)

    def begun(self) -> None:
        self.begins += 1

    def told(self, answer: Selection) -> None:
        self.answers.append(answer)

    def failed_with(self, error: Exception, key: Hashable) -> None:
        assert isinstance(error, MaskwrightError)
        self.errors.append((error.code, key is not None))
        if key is not None:
            self.session.take(key, None)

    def no_other(self) -> None:
        self.none_left += 1

    def changed(self) -> None:
        self.changes += 1

    def click(self, x: float, y: float) -> None:
        self.session.add_point(x, y, True)
        self.ask_next()

    def settle(self) -> None:
        self.turns.turn(lambda: self.idle)


@pytest.fixture
def asking(gateway: Callable[..., Gateway], connect: Callable[..., Client]) -> Iterator[Asking]:
    found = Asking(connect(gateway(draw).endpoint))
    yield found
    found.give_up()


def test_an_answer_comes_into_the_session_and_its_mask_is_got_ready(asking: Asking) -> None:
    asking.click(100, 100)
    assert (asking.busy, asking.idle) == (True, False)
    assert asking.asked == asking.session.key(asking.session.current)
    asking.turns.turn(lambda: asking.answers)
    assert asking.session.shown is not None
    assert asking.session.shown.whole is None, "only when the user rests"
    assert (asking.busy, asking.idle, asking.asked) == (False, False, None)
    asking.settle()
    assert REST_MS in asking.turns.pauses
    assert asking.session.shown.whole is not None
    assert (asking.begins, asking.changes, len(asking.jobs)) == (1, 2, 2)
    assert [job.points[0].x for job in asking.jobs] == [pytest.approx(51.2), 100.0]


def test_the_next_click_takes_the_place_of_an_open_question(asking: Asking) -> None:
    asking.click(100, 100)
    asking.click(200, 200)
    asking.settle()
    assert len(asking.answers) == 1
    assert [len(job.points) for job in asking.jobs if job.points[0].x < 100][-1] == 2
    asking.session.undo()
    asking.ask_next()
    assert asking.busy, "the first click alone was never answered"


def test_undo_gives_up_a_question_that_does_not_matter_any_more(asking: Asking) -> None:
    asking.click(100, 100)
    asking.session.undo()
    asking.ask_next()
    assert asking.idle
    assert (asking.answers, asking.errors, asking.changes) == ([], [], 0)


def test_a_click_ends_the_rest_before_it(asking: Asking) -> None:
    asking.click(100, 100)
    asking.turns.turn(lambda: asking.answers)
    asking.click(200, 200)
    asking.turns.turn(lambda: len(asking.answers) == 2)
    asking.settle()
    whole = [len(job.points) for job in asking.jobs if job.points[0].x == 100.0]
    assert whole == [2], "the mask of the first click alone is not wanted any more"


def test_nothing_found_is_an_answer(asking: Asking) -> None:
    asking.click(1990, 100)
    asking.settle()
    assert [answer.reason for answer in asking.answers] == ["nothing_found"]
    assert asking.session.missing() is None
    assert asking.session.result() == []


def test_an_error_is_told_with_what_was_asked(asking: Asking) -> None:
    asking.click(0, 100)
    asking.settle()
    assert asking.errors == [("bad_input", True)]
    assert (asking.answers, asking.changes) == ([], 1)


def test_another_hypothesis_and_round_again(asking: Asking) -> None:
    asking.click(100, 100)
    asking.turns.turn(lambda: asking.answers)
    for choice in (1, 2, 0):
        asking.other()
        assert (asking.busy, asking.asked) == (True, None)
        asking.other()  # one at a time
        asking.turns.turn(lambda: not asking.busy)
        assert asking.session.current.choice == choice
    assert asking.none_left == 0
    asking.settle()


def test_there_may_be_no_other_hypothesis(asking: Asking) -> None:
    asking.other()
    assert asking.idle, "nothing was clicked"
    asking.click(100, 0)
    asking.settle()
    asking.other()
    asking.settle()
    assert (asking.none_left, asking.session.current.choice) == (1, 0)


def test_a_click_goes_before_other_hypotheses_but_not_before_what_the_user_wants(asking: Asking) -> None:
    asking.click(100, 100)
    asking.settle()
    asking.other()
    asking.click(200, 200)
    assert asking.asked is not None
    asking.settle()
    assert asking.session.current.choice == 0

    def steps() -> Steps:
        return (yield from asking.question(asking.session.current).answer())

    told: list[Any] = []

    def take(answer: Selection) -> Selection:
        told.append(answer)
        return answer

    asking.run(steps(), take)
    asking.click(300, 300)
    assert asking.asked is None
    asking.turns.turn(lambda: told)
    asking.ask_next()
    asking.settle()
    assert asking.answers[-2] is told[0]
    assert len(asking.session.points) == 3
    assert asking.session.shown is not None


def test_the_ticked_objects_at_full_size(asking: Asking) -> None:
    asking.click(100, 100)
    asking.turns.turn(lambda: asking.answers)
    asking.session.new_object()
    asking.click(300, 300)
    asking.turns.turn(lambda: len(asking.answers) == 2)
    found = ask.run(asking.whole(), lambda ticket: ticket.wait(10))
    assert [one.mask.box.x for one in found] == [100, 300]
    asking.session.tick(0, False)
    assert len(ask.run(asking.whole())) == 1


def test_after_giving_up_nothing_comes(asking: Asking) -> None:
    asking.click(100, 100)
    asking.give_up()
    assert asking.idle
    asking.click(100, 100)
    asking.turns.turn(lambda: asking.answers)
    asking.give_up()
    assert asking.idle, "nor is anything got ready"
