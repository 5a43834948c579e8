"""The masks of an answer through shared memory: as many as fit, the others within the message."""

from __future__ import annotations

import copy
import pickle

import pytest

from maskwright.workers.messages import JobAnswer, get_bulk, put_bulk
from maskwright_protocol.messages import Alternative, Instance, Mask, PixelRect, Rect, Report, Selection


def mask(size: int, fill: int) -> Mask:
    return Mask(PixelRect(0, 0, size, 1), data=bytes([fill]) * size)


def selection() -> Selection:
    others = [Alternative(0.5, "b", mask(30, 2)), Alternative(0.4, "c")]
    found = Instance("a", "dog", 0.9, Rect(0, 0, 9, 9), "sam", others, mask=mask(20, 1))
    return Selection("j", 0, Report("auto", [], "cpu"), instances=[found], merged=mask(40, 3))


@pytest.mark.parametrize(("room", "moved"), [(0, 0), (20, 1), (49, 1), (50, 2), (89, 2), (90, 3), (1000, 3)])
def test_masks_through_a_window(room: int, moved: int) -> None:
    window = memoryview(bytearray(room))
    answer = JobAnswer(1, selection())
    put_bulk(answer, window)
    assert len(answer.bulk) == moved
    arrived = pickle.loads(pickle.dumps(answer))
    get_bulk(arrived, window)
    assert arrived.message == selection()


def test_what_arrived_does_not_change_with_the_window() -> None:
    window = memoryview(bytearray(100))
    answer = JobAnswer(1, selection())
    put_bulk(answer, window)
    get_bulk(answer, window)
    before = copy.deepcopy(answer.message)
    window[:] = bytes(100)
    assert answer.message == before
