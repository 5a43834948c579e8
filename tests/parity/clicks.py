"""Clicks and boxes against what authors' code answered to the same, as ``vectors`` keep it.

For each prompt of ``prompts``: ``*.masks``, every ``step``-th logit of the mask for clear prompts and of the three
others, ``*.scores``, and where the authors may prefer another than the first, ``*.clear``: which of them they give when
asked for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from maskwright.models.roles import Box, Embedding, Segmenter, SegmentPrompt

Place = tuple[float, float]


def prompts(inside: Place, outside: Place, box: Box, grid: int) -> dict[str, SegmentPrompt]:
    """``grid``: cells a side of the model's masks."""
    one, two = (*inside, True), (*outside, False)
    raw = np.random.Philox(key=8).random_raw(grid * grid).reshape(grid, grid)
    before = ((raw >> np.uint64(11)) * 2.0**-53 * 12 - 6).astype(np.float32)
    return {
        "point": SegmentPrompt([one]), "points": SegmentPrompt([one, two]), "box": SegmentPrompt(box=box),
        "box_and_point": SegmentPrompt([one], box), "again": SegmentPrompt([one], logits=before),
    }  # fmt: skip


def differences(
    model: Segmenter, embedding: Embedding, asked: Mapping[str, SegmentPrompt], vectors: Any, step: int = 1
) -> dict[str, float]:
    """The largest of masks and scores by prompt. The order of the answers must be the authors' too."""
    found = {}
    for case, prompt in asked.items():
        masks, scores = vectors[f"{case}.masks"], vectors[f"{case}.scores"]
        clear = int(vectors[f"{case}.clear"][0]) if f"{case}.clear" in vectors else 0
        (answer,) = model.segment(embedding, [prompt])
        shown = [one.low_res[: step * masks.shape[1] : step, ::step] for one in answer if one.low_res is not None]
        off = [[float(np.abs(mask - one).max()) for mask in masks] for one in shown]
        nearest = np.argmin(off, axis=1)
        assert sorted(nearest) == [0, 1, 2, 3], case
        assert nearest[0] == (1 + int(np.argmax(scores[1:])) if case == "point" else clear), case
        apart = np.abs(scores[nearest].clip(0, 1) - [one.score for one in answer]).max()
        found[case] = max(float(np.min(off, axis=1).max()), float(apart))
    return found
