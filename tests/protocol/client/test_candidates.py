"""Answers to clicks: previews, further hypotheses, and masks at full size when they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from maskwright_client import ask
from maskwright_client.ask import PictureSource, RasterData, Steps, raster_data
from maskwright_client.candidates import OTHERS, Candidates, Question, ask_candidates, known_candidates
from maskwright_client.client import Client
from maskwright_protocol import masks
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.messages import (
    Alternative,
    Example,
    Instance,
    Job,
    Mask,
    Message,
    PixelRect,
    Point,
    Rect,
    Report,
    Select,
    Selection,
)
from tests.protocol.support import Gateway

Start = Callable[..., Gateway]
Connect = Callable[..., Client]


class Photo(PictureSource):
    def __init__(self, width: int, height: int) -> None:
        self.box = PixelRect(0, 0, width, height)
        self.prepared = 0

    def prepare(self) -> Steps:
        self.prepared += 1
        yield None

    def overview(self) -> RasterData:
        assert self.prepared, "read before it was prepared"
        width, height = self.overview_size()
        return raster_data(bytes(width * height), width, height, "GRAY8", self.box)


def draw(job: Job, rasters: dict[str, bytes]) -> Message:
    """One instance whose mask says where it was clicked, with as many alternatives as were asked for."""
    assert isinstance(job, Select)
    if not (job.points or job.boxes or job.examples or job.continue_from == "known"):
        raise EmptyPrompt("That is forgotten.")

    def mask(value: int) -> Mask:
        at = job.points[0] if job.points else Point(0, 0)
        return masks.pack(PixelRect(int(at.x), int(at.y), 1, 1), bytes([value]))

    others = [Alternative(0.5, f"other-{n}", mask=mask(n)) for n in range(1, 1 + job.alternatives)]
    found = Instance(job.continue_from or "new", "thing", 0.9, Rect(0, 0, 1, 1), "m", others, mask=mask(100))
    if job.points and job.points[0].x < 0:
        return Selection(job.id, 0, Report("auto", ["m"], "cpu"), "nothing_found", "Nothing is there.")
    return Selection(job.id, 0, Report("auto", ["m"], "cpu"), instances=[found], merged=mask(7) if job.merge else None)


@pytest.fixture
def question(gateway: Start, connect: Connect) -> Callable[..., tuple[Question, list[Select]]]:
    """``question(width, height, job)``, and the list of what the server was asked."""
    server = gateway(draw)
    client = connect(server.endpoint)

    def make(width: int, height: int, job: Select, alone: bool = False) -> tuple[Question, list[Select]]:
        seen: list[Select] = []

        def asking(job: Job, source: PictureSource) -> Steps:
            assert isinstance(job, Select)
            seen.append(job)
            return ask.answer(client, job, source)

        return Question(asking, Photo(width, height), job, alone), seen

    return make


def run(steps: Steps) -> Any:
    return ask.run(steps, lambda ticket: ticket.wait(10))


def values(found: Candidates) -> list[int]:
    return [one.preview.data[0] for one in found.hypotheses]


CLICK = Select("", points=[Point(40.0, 80.0)], pick="best", precise="auto")


def test_a_small_picture_is_answered_whole_at_once(question: Any) -> None:
    asked, seen = question(200, 100, CLICK)
    found = run(ask_candidates(asked))
    assert (values(found), found.has_others, len(seen)) == ([100], True, 1)
    assert found.hypotheses[0].whole is found.answer
    assert run(found.hypotheses[0].find_whole()) is found.answer
    assert run(found.find_others()) == 1 + OTHERS
    assert values(found) == [100, 1, 2]
    assert [job.alternatives for job in seen] == [0, OTHERS]
    assert run(found.find_others()) == 1 + OTHERS
    whole = run(found.hypotheses[2].find_whole())
    assert ([one.id for one in whole.instances], len(seen)) == (["other-2"], 2)
    assert bytes(masks.unpack(whole.instances[0].mask)) == b"\x02"


def test_a_large_picture_is_previewed_in_the_overviews_pixels(question: Any) -> None:
    asked, seen = question(4096, 2048, CLICK)
    found = run(ask_candidates(asked))
    assert (seen[0].points, seen[0].precise) == ([Point(10.0, 20.0)], "off")
    assert found.hypotheses[0].preview.place == Rect(40.0, 80.0, 4.0, 4.0)
    assert found.hypotheses[0].whole is None
    run(found.find_others())
    assert (seen[1].points, seen[1].alternatives) == ([Point(10.0, 20.0)], OTHERS)
    whole = run(found.hypotheses[1].find_whole())
    assert (seen[2].points, seen[2].alternatives, seen[2].precise) == ([Point(40.0, 80.0)], OTHERS, "auto")
    assert whole.instances[0].mask.box == PixelRect(40, 80, 1, 1)
    assert bytes(masks.unpack(whole.instances[0].mask)) == b"\x01"
    run(found.hypotheses[0].find_whole())
    assert seen[3].alternatives == 0
    run(found.hypotheses[0].find_whole())
    assert len(seen) == 4


def test_an_object_alone_is_asked_for_by_its_place_once_it_is_forgotten(question: Any) -> None:
    known, seen = question(200, 100, replace(CLICK, continue_from="known"), alone=True)
    found = run(ask_candidates(known))
    assert ([job.points for job in seen], found.hypotheses[0].instance.id) == ([[]], "known")
    run(found.find_others())
    assert (seen[1].continue_from, seen[1].points) == ("", CLICK.points), "what a click there could mean"
    assert values(found) == [100, 100, 1, 2]
    forgotten, seen = question(200, 100, replace(CLICK, continue_from="forgotten"), alone=True)
    assert run(ask_candidates(forgotten)).hypotheses[0].instance.id == "new"
    assert [(job.continue_from, job.points) for job in seen] == [("forgotten", []), ("", CLICK.points)]


def test_without_a_place_an_empty_prompt_is_an_error(question: Any) -> None:
    asked, _ = question(200, 100, Select(""))
    with pytest.raises(EmptyPrompt):
        run(ask_candidates(asked))


def test_examples_give_one_mask_of_all(question: Any) -> None:
    job = Select("", examples=[Example(0, 0, 4, 4)], merge=True)
    found = run(ask_candidates(question(200, 100, job)[0]))
    assert (values(found), len(found.answer.instances)) == ([7], 1)


def test_nothing_found_says_why(question: Any) -> None:
    found = run(ask_candidates(question(200, 100, Select("", points=[Point(-5.0, 1.0)]))[0]))
    assert (found.hypotheses, found.has_others) == ([], False)
    assert found.answer.message == "Nothing is there."
    assert run(found.find_others()) == 0


def test_what_was_found_otherwise_is_whole_and_has_all_its_alternatives() -> None:
    mask = masks.pack(PixelRect(0, 0, 1, 1), b"\x05")
    one = Instance("a", "cat", 0.9, Rect(0, 0, 1, 1), "m", [Alternative(0.4, "b", mask=mask)], mask=mask)
    found = known_candidates(one, Selection("", 0, Report("auto", [], "cpu"), instances=[one, one]))
    assert (values(found), found.has_others) == ([5, 5], True)
    assert [one.id for one in run(found.hypotheses[1].find_whole()).instances] == ["b"]


def test_inside_of_lines_is_shown_at_full_size(question: Any) -> None:
    asked, jobs = question(4000, 3000, Select("", recipe="line-art", points=[Point(1200, 900)], gap=5.0))
    found = ask.run(ask_candidates(asked))
    assert [(one.x, one.y) for one in jobs[0].points] == [(1200, 900)]
    assert found.hypotheses[0].preview.place == Rect(1200, 900, 1, 1)
    assert found.hypotheses[0].whole is found.answer
