"""DeepLabV3+ (ResNet-50) for parts of the body, 20 labels of the CIHP data. Parser.

Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation" (2018); the Keras
example "Multiclass semantic segmentation using DeepLabV3+", exported to ONNX
(https://huggingface.co/Metal3d/deeplabv3p-resnet50-human). Input: RGB rows last, x / 127.5 - 1, 512 x 512.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken

from .letterbox import letterbox


class DeepLabHuman:
    """``Parser``."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self.table = labels.of_entry(entry)
        self._side = entry.input_size
        # Exporters name the one input as they like.
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(20, h, w)`` float32 0..1 that add up to 1; the cells tile the image, aspect kept."""
        canvas, (width, height) = letterbox(image, self._side)
        feed = (canvas.astype(np.float32) / np.float32(127.5) - np.float32(1))[None]
        (answer,) = self._session.run(self._session.outputs[:1], {self._session.inputs[0]: feed})
        if answer.ndim != 4 or answer.shape[-1] != len(self.table.labels):
            shape = "x".join(str(side) for side in answer.shape)
            text = f"The model {self.model_id} answers {shape} instead of {len(self.table.labels)} labels."
            raise ModelBroken(text, model=self.model_id)
        rows, columns = answer.shape[1:3]
        cells_y, cells_x = max(1, round(height * rows / self._side)), max(1, round(width * columns / self._side))
        values = np.ascontiguousarray(answer[0, :cells_y, :cells_x].transpose(2, 0, 1), np.float32)
        sums = values.sum(axis=0)
        if values.min() >= 0 and np.abs(sums - 1).max() < 1e-2:  # exported with its softmax
            return values
        values = np.exp(values - values.max(axis=0))
        return values / values.sum(axis=0)
