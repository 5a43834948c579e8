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
    """An export of one input; of several outputs the last, which is the finest, counts."""

    def __init__(self, entry: Entry, options: Options, path: Path, setup: Setup) -> None:
        super().__init__(entry, options, setup.device, entry.memory)
        self._session = OnnxSession(entry, path, (options.input,), setup.device, setup.threads)

    def opacity(self, planes: Planes) -> FloatMap:
        (answer,) = self._session.run(self._session.outputs[-1:], {self._options.input: planes})
        values: FloatMap = answer.reshape(planes.shape[2:]).astype(np.float32)
        if self._options.alpha:
            return np.clip(values, 0, 1)
        return (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
