"""Sapiens2: parts of the body (28 labels) and the opacity of people. Parser and MattingModel.

Khirodkar et al., "Sapiens2", 2026, https://github.com/facebookresearch/sapiens2, under a licence of its own; the
networks are transformers' own. A picture is brought to 768 x 1024 as upstream's ``SegResize`` does it: aspect not
kept, averaged where it shrinks, bicubic where it grows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskwright.masks.opencv import cv2
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import enlarged, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_SIZE = {"width": 768, "height": 1024}
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _Sapiens2:
    """A network and the way from a picture to its input. Raises ``ModelBroken``."""

    kind = ""  # of transformers' classes

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        import transformers

        self.model_id = entry.id
        self.device = setup.device
        self._dtype = torch_runtime.dtype(setup.precision)
        self._network: Any = torch_runtime.pretrained(getattr(transformers, self.kind), entry, folder, setup)
        self.nbytes = torch_runtime.nbytes(self._network)
        path = folder / "preprocessor_config.json"
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            size = given.get("size") or _SIZE
            self._size = int(size["width"]), int(size["height"])
            self._mean = np.array(given.get("image_mean") or _MEAN, np.float32).reshape(3)
            self._deviation = np.array(given.get("image_std") or _DEVIATION, np.float32).reshape(3)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            text = tr("The file {0} of the model {1} cannot be read.", path.name, entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error

    def planes(self, image: RGB) -> torch.Tensor:
        """``(1, 3, h, w)`` on the network's device, normalised."""
        shrinks = self._size[0] < image.shape[1]
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        pixels = (small.astype(np.float32) * np.float32(1 / 255) - self._mean) / self._deviation
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        return torch.from_numpy(planes).to(self.device, self._dtype)


class Sapiens2Parser(_Sapiens2):
    """``Parser``."""

    kind = "Sapiens2ForSemanticSegmentation"

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        super().__init__(entry, folder, setup)
        names = self._network.config.id2label
        self.table = labels.of_checkpoint(entry, [str(names[number]) for number in range(len(names))])

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(29, h, w)`` float32 0..1 that add up to 1; the cells tile the image."""
        with torch_runtime.running(self.model_id):
            return self._network(pixel_values=self.planes(image)).logits[0].float().softmax(0).cpu().numpy()


class Sapiens2Matting(_Sapiens2):
    """``MattingModel``."""

    kind = "Sapiens2ForImageMatting"
    needs_trimap = False

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1 of the people in ``image`` ``(H, W, 3)`` uint8, with edges that follow its
        colours. Where a trimap is 0 or 1 alpha is the same. Raises ``ModelBroken`` where the network gives no numbers.
        """
        with torch_runtime.running(self.model_id):
            alpha = self._network(pixel_values=self.planes(image)).alphas[0, 0].float().cpu().numpy()
        if not np.isfinite(alpha).all():
            text = tr("The model {0} gave no numbers.", self.model_id)
            hint = tr("Its weights may be damaged, or the device computes wrongly in half precision.")
            raise ModelBroken(text, hint, model=self.model_id)
        return settled(enlarged(np.clip(alpha, 0, 1), image), trimap)
