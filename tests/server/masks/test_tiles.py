"""Tiles that are worked on side by side."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from maskwright.masks import tiles
from maskwright.masks.boxes import PixelBox

BOX = PixelBox(3, 5, 700, 500)


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_each_tile_comes_once_in_order_with_its_own_result(threads: int) -> None:
    cover = list(tiles.cover(BOX, core=90))
    found = list(tiles.side_by_side(lambda tile: tile.write.x * 10_000 + tile.write.y, cover, threads))
    assert [tile for tile, _ in found] == cover
    assert [result for _, result in found] == [tile.write.x * 10_000 + tile.write.y for tile in cover]


def test_two_are_worked_on_at_a_time_and_no_more() -> None:
    both, now, most = threading.Barrier(2, timeout=20), [0], [0]
    lock = threading.Lock()

    def work(tile: tiles.Tile) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        both.wait()  # breaks when the other one does not come
        with lock:
            now[0] -= 1

    cover = list(tiles.cover(PixelBox(0, 0, 400, 400), core=100))
    assert len(cover) % 2 == 0
    list(tiles.side_by_side(work, cover, 2))
    assert most[0] == 2


@pytest.mark.parametrize("threads", [1, 3])
def test_what_one_raises_is_raised_and_ends_the_others(threads: int) -> None:
    cover, seen = list(tiles.cover(BOX, core=60)), []

    def work(tile: tiles.Tile) -> int:
        seen.append(tile)
        if tile is cover[4]:
            raise ValueError("the fifth")
        return 0

    with pytest.raises(ValueError, match="the fifth"):
        list(tiles.side_by_side(work, cover, threads))
    assert len(seen) < len(cover)
    assert not [one for one in threading.enumerate() if one.name.startswith("tile")]


def test_a_consumer_that_stops_leaves_no_thread() -> None:
    cover = list(tiles.cover(BOX, core=60))
    for number, _ in enumerate(tiles.side_by_side(lambda tile: np.ones(9).sum(), cover, 2)):
        if number == 2:
            break
    assert not [one for one in threading.enumerate() if one.name.startswith("tile")]
