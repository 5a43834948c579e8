"""U^2-Net: the salient object of a picture. MattingModel.

Qin et al., "U^2-Net: Going Deeper with Nested U-Structure for Salient Object Detection" (2020),
https://github.com/xuebinqin/U-2-Net, Apache-2.0. Preprocessing as upstream: 320 x 320, divided by the picture's own
maximum, ImageNet mean and deviation. Unlike common wrappers the answer is never stretched to its own minimum and
maximum: a picture without a subject gives an empty mask, not a full one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.masks.guided import upsample
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GUIDE_SIDE = 1280  # the guided edge is fitted at no more than this; callers go on from there


class U2Net:
    """``MattingModel``. ``saliency`` gives the network's own small map, ``matte`` the alpha at the image's size."""

    needs_trimap = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, ("input.1",), setup.device, setup.threads)

    def saliency(self, image: RGB) -> FloatMap:
        """The raw map ``(320, 320)`` float32 0..1, the whole image squeezed into the square."""
        small = Image.fromarray(image).resize((self._side, self._side), Image.Resampling.LANCZOS)
        pixels = np.asarray(small, np.float32)
        pixels = pixels / max(float(pixels.max()), 1e-6)
        planes = ((pixels - _MEAN) / _DEVIATION).astype(np.float32).transpose(2, 0, 1)[None]
        feeds = {"input.1": np.ascontiguousarray(planes)}
        (answer,) = self._session.run(self._session.outputs[:1], feeds, [(1, 1, self._side, self._side)])
        return np.clip(answer[0, 0], 0.0, 1.0)

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1; edges follow the image. A trimap settles its sure places."""
        raw = self.saliency(image)
        height, width = image.shape[:2]
        scale = min(1.0, _GUIDE_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        guide = image if scale >= 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        guide = guide.astype(np.float32) * np.float32(1 / 255)
        # A plain enlargement keeps what the guide knows nothing of; where they agree the guided edge is the sharper.
        alpha = upsample(raw, guide, radius=4, epsilon=1e-3)
        if scale < 1:
            alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
        return settled(alpha, trimap)
