"""Robust Video Matting: the people of a picture, with hair. MattingModel.

Lin et al., "Robust High-Resolution Video Matting with Temporal Guidance" (2021),
https://github.com/PeterL1n/RobustVideoMatting, GPL-3.0. Input: RGB 0..1, and the state of the frame before. A picture
is a film's first frame: its states are zeros, and those that the authors' export gives back (``r1o`` to ``r4o``) are
not asked for. It runs without its refiner for film in high resolution (``downsample_ratio`` 1), at the size that its
authors recommend to see whole people: 512 pixels on the longer side.
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

_STATES = ("r1i", "r2i", "r3i", "r4i")
_STEP = 16  # the network halves its input four times


class RVM:
    """``MattingModel`` for people; a picture without any gives an empty mask."""

    needs_trimap = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._side = entry.input_size
        inputs = ("src", *_STATES, "downsample_ratio")
        self._session = OnnxSession(entry, folder / entry.files[0].name, inputs, setup.device, setup.threads)

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1; edges follow the image. A trimap settles its sure places."""
        longest = max(image.shape[:2])
        height, width = (max(_STEP, round(side * self._side / longest / _STEP) * _STEP) for side in image.shape[:2])
        method = cv2.INTER_AREA if longest > self._side else cv2.INTER_LINEAR
        small = cv2.resize(image, (width, height), interpolation=method)
        planes = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        state = np.zeros((1, 1, 1, 1), np.float32)
        feeds = {"src": planes, **dict.fromkeys(_STATES, state), "downsample_ratio": np.ones(1, np.float32)}
        (answer,) = self._session.run(["pha"], feeds, [(1, 1, height, width)])
        alpha = np.clip(answer[0, 0].astype(np.float32), 0.0, 1.0)
        return settled(enlarged(alpha, image), trimap)
