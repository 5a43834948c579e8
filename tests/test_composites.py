"""That composites are what their truth says, and the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.composites import composite, things
from tests.shared_data import needs_eval

pytestmark = needs_eval


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_gives_the_same_picture(seed: int) -> None:
    first, second = (composite(seed, (300, 900)) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert [one.box for one in first.placed] == [one.box for one in second.placed]
    assert max(first.pixels.shape[:2]) in range(300, 901)


@pytest.mark.parametrize("seed", range(6))
def test_truth_is_what_is_seen(seed: int) -> None:
    made = composite(seed, (300, 900))
    height, width = made.pixels.shape[:2]
    total = np.zeros((height, width), np.float32)
    for one in made.placed:
        total[one.box.slices()] += one.alpha
        assert one.mask(height, width).any()
        assert 0 <= one.hidden <= 0.6
    assert total.max() <= 1.001  # what one hides of another belongs to one of them alone


def test_all_kinds_of_things_are_pasted() -> None:
    placed = [one for seed in range(60) for one in composite(seed, (300, 600)).placed]
    assert {one.thing.label for one in placed} == {thing.label for thing in things()}
    assert sum(one.hidden > 0.1 for one in placed) > 20
    assert sum(one.blur > 1 for one in placed) > 20
