"""A second click on a known picture runs the decoder and little else: its calls of Python functions are counted."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import numpy as np

from maskwright_protocol.messages import Job, Point, Select
from tests.server.recipes.conftest import Desk
from tests.shared_data import REPOSITORY, needs_models

OURS = tuple(f"{REPOSITORY / folder}/" for folder in ("server", "protocol"))
MOST, MOST_OF_ALL = 350, 420  # calls of our own functions; and with those of libraries


def calls(desk: Desk, request: Job) -> Counter[str]:
    """Calls of Python functions while the request runs, by file."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            found[frame.f_code.co_filename] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        desk.run(request)
    finally:
        sys.setprofile(before)
    return Counter({str(Path(name)): number for name, number in found.items() if Path(name) != Path(__file__)})


@needs_models
def test_a_second_click_makes_few_calls(desk: Desk, lemur: np.ndarray) -> None:
    picture = desk.picture(lemur, "second click")
    height, width = lemur.shape[:2]
    first, second = Point(width / 2, height / 2), Point(width / 3, height / 2)
    shown = desk.run(Select("1", picture, points=[first])).instances[0]
    found = calls(desk, Select("2", picture, points=[first, second], continue_from=shown.id))
    ours = Counter({name: number for name, number in found.items() if name.startswith(OURS)})
    assert 100 < ours.total() <= MOST, ours.most_common(10)
    assert found.total() <= MOST_OF_ALL, found.most_common(10)
