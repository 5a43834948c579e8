"""DeepLabV3+ (ResNet-50) for parts of the body, 20 labels of the CIHP data. Parser.

Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation" (2018); the Keras
example "Multiclass semantic segmentation using DeepLabV3+", exported to ONNX
(https://huggingface.co/Metal3d/deeplabv3p-resnet50-human). Input: RGB rows last, x / 127.5 - 1, 512 x 512.
"""

from __future__ import annotations

import numpy as np

from maskwright.models.roles import RGB, FloatMap

from .square_parser import SquareParser, letterbox


class DeepLabHuman(SquareParser):
    """``Parser``."""

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(20, h, w)`` float32 0..1 that add up to 1; the cells tile the image, aspect kept."""
        canvas, (width, height) = letterbox(image, self.side)
        feed = (canvas.astype(np.float32) / np.float32(127.5) - np.float32(1))[None]
        answer = self.run(feed, (1, None, None, len(self.table.labels)))
        rows, columns = answer.shape[1:3]
        cells_y, cells_x = max(1, round(height * rows / self.side)), max(1, round(width * columns / self.side))
        values = np.ascontiguousarray(answer[0, :cells_y, :cells_x].transpose(2, 0, 1), np.float32)
        sums = values.sum(axis=0)
        if values.min() >= 0 and np.abs(sums - 1).max() < 1e-2:  # exported with its softmax
            return values
        values = np.exp(values - values.max(axis=0))
        return values / values.sum(axis=0)
