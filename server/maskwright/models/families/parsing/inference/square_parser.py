"""What parsers in ONNX files share: they look at a square, into which the image is brought with its aspect kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.masks.opencv import cv2
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB
from maskwright.models.runtime.onnx_session import OnnxSession, Shape
from maskwright.models.runtime.setup import Setup


class SquareParser:
    """A network with one input, whatever its exporter called it. Raises ``ModelBroken``."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self.table = labels.of_entry(entry)
        self.side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def run(self, pixels: np.ndarray, shape: Shape) -> np.ndarray:
        """The network's first output, of that shape, for its input."""
        return self._session.run(self._session.outputs[:1], {self._session.inputs[0]: pixels}, [shape])[0]


def letterbox(image: RGB, side: int) -> tuple[RGB, tuple[int, int]]:
    """The image ``(side, side, 3)`` with its long side brought to ``side``, mirrored at the right and bottom, so that
    what runs out of it goes on; and the width and height that it takes there."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(small, 0, side - size[1], 0, side - size[0], cv2.BORDER_REFLECT_101), size
