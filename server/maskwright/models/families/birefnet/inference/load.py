"""BiRefNet and what was trained from it: the subject of a picture with its fine structures. MattingModel.

Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation" (2024),
https://github.com/ZhengPeng7/BiRefNet, MIT; also ToonOut, Lucida and RMBG-2.0, whose weights have their own licences.
An entry's file decides what runs it: ``.safetensors`` our own torch module, ``.onnx`` ONNX Runtime. Options of an
entry: ``matting.Options``.
"""

from __future__ import annotations

from pathlib import Path

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

from .matting import BiRefNet, options


def load(entry: Entry, folder: Path, setup: Setup) -> BiRefNet:
    """Raises ``ModelBroken``, naming keys that are missing or do not belong there."""
    known = options(entry)
    for file in entry.files:
        if file.name.endswith(".safetensors"):
            from .network import TorchBiRefNet

            return TorchBiRefNet(entry, known, folder / file.name, setup)
        if file.name.endswith(".onnx"):
            from .exported import ExportedBiRefNet

            return ExportedBiRefNet(entry, known, folder / file.name, setup)
    raise ModelBroken(tr("The model {0} has no .safetensors and no .onnx file.", entry.id), model=entry.id)
