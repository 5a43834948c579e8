"""Depth Anything V2: how far away all places of a picture are. DepthModel.

Yang et al., "Depth Anything V2" (2024), https://github.com/DepthAnything/Depth-Anything-V2; the small network is
Apache-2.0. Run by transformers' ``DepthAnythingForDepthEstimation`` or, as an ONNX export of that, by ONNX Runtime.
Input: RGB, ImageNet mean and deviation, the short side brought to 518, both sides in multiples of 14. Output: relative
inverse depth, larger where it is nearer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_PATCH = 14
_MOST = 3  # times the short side: a longer strip is squeezed
_FLAT = 1e-6  # of the largest value: what differs less is all equally far


def load(entry: Entry, folder: Path, setup: Setup) -> DepthAnything:
    """Raises ``ModelBroken`` for files that do not fit."""
    kind = ExportedDepthAnything if entry.runtime == "onnx" else TorchDepthAnything
    return kind(entry, folder, setup)


class DepthAnything(ABC):
    """``DepthModel``."""

    nbytes: int

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self._side = entry.input_size

    @abstractmethod
    def _nearness(self, planes: np.ndarray) -> FloatMap:
        """Planes ``(1, 3, h, w)`` float32, normalised -> relative inverse depth ``(h, w)`` float32."""

    def distance(self, image: RGB) -> FloatMap:
        """``(h, w)`` float32 0..1 of ``image`` ``(H, W, 3)`` uint8: 0 its nearest place, 1 its farthest, evenly in
        inverse depth. The cells cover the image. All 0 where all is equally far. Raises ``OutOfMemory``."""
        small = Image.fromarray(image).resize(self.seen_size(image.shape[1], image.shape[0]), Image.Resampling.BICUBIC)
        pixels = (np.asarray(small, np.float32) * np.float32(1 / 255) - _MEAN) / _DEVIATION
        nearness = self._nearness(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32))
        if not np.isfinite(nearness).all():
            raise ModelBroken(tr("The model {0} gave no numbers.", self.model_id), model=self.model_id)
        low, high = float(nearness.min()), float(nearness.max())
        if high - low <= _FLAT * max(abs(low), abs(high)):
            return np.zeros(nearness.shape, np.float32)
        return ((high - nearness) / np.float32(high - low)).astype(np.float32)

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """``(width, height)`` of what the network sees of a picture of that size."""
        scale = self._side / min(width, height)
        w, h = (round(min(length * scale, _MOST * self._side) / _PATCH) * _PATCH for length in (width, height))
        return w, h


class ExportedDepthAnything(DepthAnything):
    """An ONNX export with one input and one output."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        super().__init__(entry, folder, setup)
        self.nbytes = entry.memory
        file = folder / entry.files[0].name
        self._session = OnnxSession(entry, file, ("pixel_values",), setup.device, setup.threads)

    def _nearness(self, planes: np.ndarray) -> FloatMap:
        shape = (1, *planes.shape[2:])
        (answer,) = self._session.run(["predicted_depth"], {"pixel_values": planes}, [shape])
        return answer[0].astype(np.float32)


class TorchDepthAnything(DepthAnything):
    """Weights in the hub's layout."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        from transformers import DepthAnythingForDepthEstimation

        from maskwright.models.runtime import torch_runtime

        super().__init__(entry, folder, setup)
        self._dtype = torch_runtime.dtype(setup.precision)
        self._net: Any = torch_runtime.pretrained(DepthAnythingForDepthEstimation, entry, folder, setup)
        self.nbytes = torch_runtime.nbytes(self._net)

    def _nearness(self, planes: np.ndarray) -> FloatMap:
        import torch

        from maskwright.models.runtime import torch_runtime

        with torch_runtime.running(self.model_id):
            given = torch.from_numpy(planes).to(self.device, self._dtype)
            return self._net(pixel_values=given).predicted_depth[0].float().cpu().numpy()
