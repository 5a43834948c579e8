"""A small pyramid attention network for skin, clothes and hair: three masks that may overlap. Parser.

Li et al., "Pyramid Attention Network for Semantic Segmentation" (2018), as an ONNX file with its sigmoid inside.
Input: RGB, ImageNet mean and deviation, 512 x 512.
"""

from __future__ import annotations

import numpy as np

from maskwright.models.roles import RGB, FloatMap

from .square_parser import SquareParser, letterbox

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class SkinClothesHair(SquareParser):
    """``Parser``."""

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(3, h, w)`` float32 0..1, each label by itself; the cells tile the image, aspect kept."""
        canvas, (width, height) = letterbox(image, self.side)
        pixels = (canvas.astype(np.float32) * np.float32(1 / 255) - _MEAN) / _DEVIATION
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        answer = self.run(planes, (1, len(self.table.labels), None, None))
        return np.ascontiguousarray(np.clip(answer[0, :, :height, :width], 0.0, 1.0))
