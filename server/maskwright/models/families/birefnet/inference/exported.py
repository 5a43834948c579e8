"""BiRefNet's ONNX exports, for computers without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

from .matting import BiRefNet, Options, Planes


class ExportedBiRefNet(BiRefNet):
    """An export with one input. The last of its outputs is taken, which is the finest."""

    def __init__(self, entry: Entry, options: Options, path: Path, setup: Setup) -> None:
        super().__init__(entry, options, setup.device, entry.memory)
        self._session = OnnxSession(entry, path, (options.input,), setup.device, setup.threads)

    def opacity(self, planes: Planes) -> FloatMap:
        """Planes ``(1, 3, h, w)`` float32, normalised -> alpha ``(h, w)`` float32 0..1."""
        shape = (1, 1, *planes.shape[2:])
        (answer,) = self._session.run(self._session.outputs[-1:], {self.options.input: planes}, [shape])
        values: FloatMap = answer[0, 0].astype(np.float32)
        if self.options.alpha:
            return np.clip(values, 0, 1)
        return (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
