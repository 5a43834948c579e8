"""MODNet: the people of a portrait, with hair. MattingModel.

Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition" (2022),
https://github.com/ZHKKKe/MODNet, Apache-2.0. Input as in the authors' ``inference_onnx.py``: RGB -1..1, the short side
brought to 512 where the picture is larger or smaller than that, both sides cut to multiples of 32.
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

_STEP = 32
_MOST = 4.0  # times the short side: a longer strip is squeezed


class MODNet:
    """``MattingModel`` for people."""

    needs_trimap = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, ("input",), setup.device, setup.threads)

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1; edges follow the image. A trimap settles its sure places."""
        width, height = seen_size(image.shape[1], image.shape[0], self._side)
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        planes = small.transpose(2, 0, 1)[None].astype(np.float32) * np.float32(2 / 255) - np.float32(1)
        feeds = {"input": np.ascontiguousarray(planes)}
        (answer,) = self._session.run(self._session.outputs[:1], feeds, [(1, 1, height, width)])
        alpha = np.clip(answer[0, 0].astype(np.float32), 0.0, 1.0)
        return settled(enlarged(alpha, image), trimap)


def seen_size(width: int, height: int, side: int) -> tuple[int, int]:
    """``(width, height)`` of what the network sees of a picture of that size, in multiples of 32."""
    short, long = sorted((width, height))
    if long < side or short > side:
        width, height = int(width / short * side), int(height / short * side)
    most = int(_MOST * side)
    width, height = (max(_STEP, min(length, most) // _STEP * _STEP) for length in (width, height))
    return width, height
