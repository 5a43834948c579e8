"""``python -m tests.benchmarks.line_art``: how many regions of made-up line art come out right, and how fast.

A region is right where its IoU with the true one is above 0.9 after a click into its middle. Prints Markdown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from maskwright.masks import line_art
from maskwright.masks.opencv import cv2
from tests.server.masks.line_drawings import draw
from tests.server.masks.test_line_art import LINES, overlaps

SEEDS = range(12)
KINDS: Mapping[str, Mapping[str, Any]] = {
    "closed lines": {},
    "gaps of 3 pixels": {"gap": 3, "gaps": 10},
    "gaps of 6 pixels": {"gap": 6, "gaps": 10},
    "gaps of 10 pixels": {"gap": 10, "gaps": 8},
    "lines of 1 pixel, gaps of 4": {"gap": 4, "gaps": 10, "thickness": 1.0},
    "lines of 9 pixels, gaps of 4": {"gap": 4, "gaps": 8, "thickness": 9.0},
    "many small regions, gaps of 4": {"gap": 4, "gaps": 15, "cells": 30},
    "no antialiasing, gaps of 4": {"gap": 4, "gaps": 10, "smooth": False},
    "a third of the regions hatched, gaps of 4": {"gap": 4, "gaps": 8, "hatched": 3},
}


def main() -> None:
    print("| drawing | regions | right | mean IoU |\n|---|---|---|---|")
    for name, made in KINDS.items():
        gap = made.get("gap", 3)
        _row(name, [overlaps(one, line_art.regions(LINES["black on white"](one), gap + 1)) for one in _drawings(made)])
    for name, lines in LINES.items():
        made = {"gap": 4, "gaps": 8}
        _row(f"{name}, gaps of 4", [overlaps(one, line_art.regions(lines(one), 5)) for one in _drawings(made)])
    drawing = draw(3, 1000, 750, cells=60, thickness=1.3, gap=2, gaps=30, hatched=8)
    paper = 255 - (drawing.ink * 255).astype(np.uint8)
    page = cv2.merge([cv2.resize(paper, (4000, 3000), interpolation=cv2.INTER_CUBIC)] * 3)
    cv2.setNumThreads(2)
    best = min(_seconds(page) for _ in range(5))
    print(f"\n4000x3000, gaps of 8 pixels: {best:.2f} s on two cores.")


def _drawings(made: Mapping[str, Any]) -> Any:
    return (draw(seed, **made) for seed in SEEDS)


def _row(name: str, found: list[np.ndarray]) -> None:
    values = np.concatenate(found)
    print(f"| {name} | {len(values)} | {(values > 0.9).mean() * 100:.1f} % | {values.mean():.3f} |")


def _seconds(page: np.ndarray) -> float:
    begin = time.perf_counter()
    line_art.regions(line_art.lines(page), 8)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
