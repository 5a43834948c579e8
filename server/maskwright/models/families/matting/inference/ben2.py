"""BEN2: the subject of a picture with its hair, from the authors' ONNX export. MattingModel.

Meyer and Spruyt, "BEN: Using Confidence-Guided Matting for Dichotomous Image Segmentation" (2025),
https://github.com/PramaLLC/BEN2, MIT. Input as in upstream's ``onnx_run.py``: the picture squeezed into 1024 x 1024,
numbers 0..1 as they are; the output is an opacity, in half precision. Unlike there it is never stretched to its own
minimum and maximum: a picture without a subject gives an empty mask, not a full one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import enlarged, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr


class BEN2:
    """``MattingModel``."""

    needs_trimap = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1, with edges that follow the image's colours. A trimap settles its sure places.

        Raises ``ModelBroken`` where the network gives no numbers.
        """
        small = Image.fromarray(image).resize((self._side, self._side), Image.Resampling.LANCZOS)
        pixels = np.asarray(small, np.float32) * np.float32(1 / 255)
        feeds = {self._session.inputs[0]: np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])}
        (answer,) = self._session.run(self._session.outputs[:1], feeds, [(1, 1, self._side, self._side)])
        alpha: FloatMap = answer[0, 0].astype(np.float32)
        if not np.isfinite(alpha).all():
            text = tr("The model {0} gave no numbers.", self.model_id)
            hint = tr("Its weights may be damaged, or the device computes wrongly in half precision.")
            raise ModelBroken(text, hint, model=self.model_id)
        return settled(enlarged(np.clip(alpha, 0, 1), image), trimap)
