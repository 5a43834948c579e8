"""Matting without a network, from colours alone: closed-form and KNN. MattingModel that needs a trimap.

Levin et al., "A Closed-Form Solution to Natural Image Matting" (2008) and Chen et al., "KNN Matting" (2013), as solved
by PyMatting (https://github.com/pymatting/pymatting, MIT). What it compiles at its first use on a computer
(see ``pymatting_cache``) counts as loading. An entry's option ``method``: "cf" or "knn".
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.models.catalogue.entries import Entry
from maskwright.models.machine import packages
from maskwright.models.matting_common import in_pieces, required, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime import pymatting_cache
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken

CORE, HALO = 448, 48  # a piece's equations take up to two kilobytes a pixel
_MOST = 2000  # iterations; by then even slow pictures hardly change
_METHODS = ("cf", "knn")


class _Enough(Exception):
    """Stops the solver at its latest solution."""


class ClosedForm:
    """``MattingModel``. Runs on the CPU whatever the device."""

    needs_trimap = True
    device = "cpu"

    def __init__(self, entry: Entry, estimate: Callable[..., Any]) -> None:
        self.model_id = entry.id
        self.nbytes = entry.memory
        self._entry = entry
        self._estimate = estimate

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1, the trimap where that is sure. Raises ``BadInput`` without a trimap.

        Where nothing is surely inside, the open places are outside; where nothing is surely outside, they are inside.
        """
        return in_pieces(image, required(trimap, self._entry), self.solve, CORE, HALO)

    def solve(self, image: RGB, trimap: FloatMap) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1 of one piece, from the equations of all its open pixels together."""
        inside, outside = trimap >= 1, trimap <= 0
        if not inside.any() or not outside.any():
            return settled(np.full(trimap.shape, np.float32(inside.any()), np.float32), trimap)
        if (inside | outside).all():
            return inside.astype(np.float32)
        places = np.where(inside, 1.0, np.where(outside, 0.0, 0.5))
        latest: list[Any] = []

        def watch(_system: Any, solution: Any, *_: Any) -> None:
            latest.append(solution)
            if len(latest) >= _MOST:
                raise _Enough

        try:
            alpha = self._estimate(image.astype(np.float64) / 255, places, cg_kwargs={"callback": watch})
        except _Enough:
            alpha = places
            alpha[~(inside | outside)] = latest[-1]
        except ValueError as error:
            text = "The equations of this picture could not be solved."
            raise ModelBroken(text, "Try a narrower edge width.", model=self.model_id, reason=str(error)) from error
        return np.clip(alpha, 0, 1).astype(np.float32)


def load(entry: Entry, folder: Path, setup: Setup) -> ClosedForm:
    """Raises ``NeedsPackage`` where PyMatting is not installed."""
    method = entry.options.get("method", "cf")
    if method not in _METHODS:
        raise ModelBroken(f"The model {entry.id} has no method {method!r}.", f"Methods: {', '.join(_METHODS)}.")
    try:
        pymatting_cache.ensure()
        import pymatting
    except ImportError as error:
        raise packages.missing(entry.title, "pymatting") from error
    return ClosedForm(entry, pymatting.estimate_alpha_cf if method == "cf" else pymatting.estimate_alpha_knn)
