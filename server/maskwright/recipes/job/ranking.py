"""Which of the found things words mean: "the largest dog", "the second from the left"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from maskwright.masks.boxes import PixelBox
from maskwright.models.roles import Box

from .prompt_language import Choice

T = TypeVar("T")


@dataclass(frozen=True)
class Measures(Generic[T]):
    """How to measure things of one kind: their ``box`` and ``area`` in document pixels, their ``score``."""

    box: Callable[[T], Box]
    area: Callable[[T], float]
    score: Callable[[T], float]


def choose(choice: Choice, items: Sequence[T], whole: PixelBox, measures: Measures[T]) -> list[T]:
    """Those of ``items`` that are meant, in the order of ``choice``. ``whole``: the picture in the document."""
    centre = (whole.x + whole.width / 2, whole.y + whole.height / 2)

    def place(item: T) -> float:
        return rank(choice, measures.box(item), measures.area(item), measures.score(item), centre)

    return sorted(items, key=place)[choice.first - 1 : choice.first - 1 + choice.count]


def rank(choice: Choice, box: Box, area: float, score: float, centre: tuple[float, float]) -> float:
    """A number that is smallest for what is chosen first. ``centre`` of the picture, in the box's coordinates."""
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    ranks = {
        "score": -score, "area": -area, "small": area, "tall": -box.height, "short": box.height, "wide": -box.width,
        "narrow": box.width, "left": x, "right": -x, "top": y, "bottom": -y,
        "middle": (x - centre[0]) ** 2 + (y - centre[1]) ** 2, "top left": x + y, "top right": y - x,
        "bottom left": x - y, "bottom right": -x - y,
    }  # fmt: skip
    return ranks[choice.order]


def without(chosen: list[T], left_out: Sequence[Choice], whole: PixelBox, measures: Measures[T]) -> list[T]:
    """``chosen`` less those that further choices name: "all dogs but the smallest"."""
    for choice in left_out:
        out = choose(choice, chosen, whole, measures)
        chosen = [item for item in chosen if not any(item is one for one in out)]
    return chosen
