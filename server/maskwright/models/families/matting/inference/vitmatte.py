"""ViTMatte: soft edges from a picture and a trimap. MattingModel that needs a trimap.

Yao et al., "ViTMatte: Boosting Image Matting with Pretrained Plain Vision Transformers" (2023),
https://github.com/hustvl/ViTMatte, MIT; the network is transformers' ``VitMatteForImageMatting``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from transformers import VitMatteForImageMatting
from transformers.models.vitmatte.image_processing_pil_vitmatte import VitMatteImageProcessorPil

from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import in_pieces, required
from maskwright.models.roles import RGB, FloatMap
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

# Every 16 x 16 pixels attend to all others: memory grows with the fourth power of a piece's side.
CORE, HALO = 768, 128


class VitMatte:
    """``MattingModel``."""

    needs_trimap = True

    def __init__(
        self, entry: Entry, setup: Setup, network: VitMatteForImageMatting, prepare: VitMatteImageProcessorPil
    ):
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = nbytes(network)
        self._entry = entry
        self._network = network
        self._prepare = prepare

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1, the trimap where that is sure. Raises ``BadInput`` without a trimap."""
        return in_pieces(image, required(trimap, self._entry), self.solve, CORE, HALO)

    def solve(self, image: RGB, trimap: FloatMap) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1 of one piece in one pass of the network. Raises ``OutOfMemory``."""
        height, width = trimap.shape
        places = np.where(trimap >= 1, 255, np.where(trimap <= 0, 0, 128)).astype(np.uint8)
        pixels = self._prepare.preprocess(image, places, return_tensors="pt")["pixel_values"]
        with running(self.model_id):
            alphas = self._network(pixels.to(self.device, self._network.dtype)).alphas
            alpha: FloatMap = alphas[0, 0, :height, :width].float().cpu().numpy()
        if not np.isfinite(alpha).all():
            raise ModelBroken(tr("The model {0} gave no numbers.", self.model_id), model=self.model_id)
        return np.clip(alpha, 0, 1)


def load(entry: Entry, folder: Path, setup: Setup) -> VitMatte:
    """Raises ``ModelBroken``."""
    network = pretrained(VitMatteForImageMatting, entry, folder, setup)
    try:
        prepare = VitMatteImageProcessorPil.from_pretrained(os.fspath(folder), local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        text = tr("The file preprocessor_config.json of the model {0} cannot be read.", entry.id)
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
    return VitMatte(entry, setup, network, prepare)
