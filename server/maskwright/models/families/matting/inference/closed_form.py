"""Matting without a network, from colours alone: closed-form and KNN. MattingModel that needs a trimap.

An entry's option ``method``: "cf" (``masks.closed_form``) or "knn" (``masks.knn_matting``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskwright.masks import closed_form, knn_matting
from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import in_pieces, required, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

CORE, HALO = 1024, 64
_METHODS: dict[str, Callable[[RGB, FloatMap], FloatMap]] = {"cf": closed_form.solve, "knn": knn_matting.solve}


class ColourMatting:
    """``MattingModel``. Runs on the CPU whatever the device."""

    needs_trimap = True
    device = "cpu"

    def __init__(self, entry: Entry, solve: Callable[[RGB, FloatMap], FloatMap]) -> None:
        self.model_id = entry.id
        self.nbytes = entry.memory
        self._entry = entry
        self._solve = solve

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1, the trimap where that is sure. Raises ``BadInput`` without a trimap.

        Where nothing is surely inside, the open places are outside; where nothing is surely outside, they are inside.
        """
        return in_pieces(image, required(trimap, self._entry), self._piece, CORE, HALO)

    def _piece(self, image: RGB, trimap: FloatMap) -> FloatMap:
        inside, outside = (trimap >= 1).any(), (trimap <= 0).any()
        if not inside or not outside:
            return settled(np.full(trimap.shape, np.float32(inside), np.float32), trimap)
        return self._solve(image, trimap)


def load(entry: Entry, folder: Path, setup: Setup) -> ColourMatting:
    """Raises ``ModelBroken`` for an unknown method."""
    method = entry.options.get("method", "cf")
    if method not in _METHODS:
        raise ModelBroken(
            tr("The model {0} has no method {1!r}.", entry.id, method), tr("Methods: {0}.", ", ".join(_METHODS))
        )
    return ColourMatting(entry, _METHODS[method])
