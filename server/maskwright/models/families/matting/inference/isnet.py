"""IS-Net for drawings: the characters of anime and manga pictures. MattingModel.

Qin et al., "Highly Accurate Dichotomous Image Segmentation" (2022), trained on drawings by
https://github.com/SkyTNT/anime-segmentation, Apache-2.0. Input as there: RGB 0..1 without a mean, the long side brought
to the network's, in the middle of a black square. The sigmoid is in the graph, and its answer is not stretched: a
picture without a character gives an empty mask.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import enlarged, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup


class ISNet:
    """``MattingModel``."""

    needs_trimap = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, ("img",), setup.device, setup.threads)

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1; edges follow the image. A trimap settles its sure places."""
        side, longest = self._side, max(image.shape[:2])
        height, width = (max(1, length * side // longest) for length in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        top, left = (side - height) // 2, (side - width) // 2
        place = slice(top, top + height), slice(left, left + width)
        square = np.zeros((side, side, 3), np.float32)
        square[place] = small * np.float32(1 / 255)
        feeds = {"img": np.ascontiguousarray(square.transpose(2, 0, 1)[None])}
        (answer,) = self._session.run(self._session.outputs[:1], feeds, [(1, 1, side, side)])
        alpha = np.clip(answer[0, 0][place].astype(np.float32), 0.0, 1.0)
        return settled(enlarged(np.ascontiguousarray(alpha), image), trimap)
