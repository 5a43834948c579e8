"""A small pyramid attention network for skin, clothes and hair: three masks that may overlap. Parser.

Li et al., "Pyramid Attention Network for Semantic Segmentation" (2018), as an ONNX file with its sigmoid inside.
Input: RGB, ImageNet mean and deviation, 512 x 512.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

from .letterbox import letterbox

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class SkinClothesHair:
    """``Parser``."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self.table = labels.of_entry(entry)
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(3, h, w)`` float32 0..1, each label by itself; the cells tile the image, aspect kept."""
        canvas, (width, height) = letterbox(image, self._side)
        pixels = (canvas.astype(np.float32) * np.float32(1 / 255) - _MEAN) / _DEVIATION
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        (answer,) = self._session.run(self._session.outputs[:1], {self._session.inputs[0]: planes})
        return np.ascontiguousarray(np.clip(answer[0, :, :height, :width], 0.0, 1.0))
