"""SegFormer: labels of clothes, faces and fashion. Parser.

Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers" (2021),
https://github.com/NVlabs/SegFormer; run by transformers. Checkpoints with other labels work too: the names are then
those of their own configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_CELL = 32  # the coarsest cell of the encoder, in pixels of the input


class Segformer:
    """``Parser``. The long side is brought to the input size that the checkpoint's preprocessor names.

    A checkpoint whose own labels are not those of the catalogue's table is refused: ``ModelBroken``.
    """

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        from transformers import SegformerForSemanticSegmentation

        self.model_id = entry.id
        self.device = setup.device
        self._dtype = torch_runtime.dtype(setup.precision)
        self._net: Any = torch_runtime.pretrained(SegformerForSemanticSegmentation, entry, folder, setup)
        self.nbytes = torch_runtime.nbytes(self._net)
        names = self._net.config.id2label
        self.table = labels.of_checkpoint(entry, [str(names[number]) for number in range(len(names))])
        self._side, self._mean, self._deviation = _preprocessing(entry, folder)

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(len(table.labels), h, w)`` float32 0..1 that add up to 1; the cells tile the image.

        The aspect is kept, to the encoder's cells of 32 pixels; a square image is seen as transformers' own
        preprocessor shows it.
        """
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        size = tuple(max(_CELL, round(side * scale / _CELL) * _CELL) for side in (width, height))
        small = Image.fromarray(image).resize((size[0], size[1]), Image.Resampling.BILINEAR)
        pixels = (np.asarray(small, np.float32) * np.float32(1 / 255) - self._mean) / self._deviation
        planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32))
        with torch_runtime.running(self.model_id):
            logits = self._net(pixel_values=planes.to(self.device, self._dtype)).logits
            return logits[0].float().softmax(0).cpu().numpy()


def _preprocessing(entry: Entry, folder: Path) -> tuple[int, np.ndarray, np.ndarray]:
    """Input side, mean and deviation from ``preprocessor_config.json``. Raises ``ModelBroken``."""
    path = folder / "preprocessor_config.json"
    try:
        given = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        size = given.get("size", entry.input_size)
        if isinstance(size, dict):
            size = max(int(side) for side in size.values())
        mean = np.array(given.get("image_mean", (0.485, 0.456, 0.406)), np.float32).reshape(3)
        deviation = np.array(given.get("image_std", (0.229, 0.224, 0.225)), np.float32).reshape(3)
        side = max(_CELL, round(int(size) / _CELL) * _CELL)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        text = tr("The file {0} of the model {1} cannot be read.", path.name, entry.id)
        raise ModelBroken(text, model=entry.id, reason=str(error)) from error
    return side, mean, deviation
