"""Converted checkpoints of Ultralytics: safetensors files whose metadata tells how the network is built."""

from __future__ import annotations

import json
from pathlib import Path

from maskwright.models.catalogue.entries import Entry
from maskwright.models.install.whole_models import Module, WholeModel
from maskwright.models.runtime import torch_runtime
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_TOLD = ("kind", "names", "description", "modules")


def load(path: Path, entry: Entry) -> WholeModel:
    """A model from a safetensors file with the metadata of ``whole_models.metadata``. Raises ``ModelBroken``."""
    from safetensors import safe_open

    tensors = torch_runtime.safetensors(path, entry)
    try:
        with safe_open(path, "pt") as file:
            told = {name: json.loads(value) for name, value in (file.metadata() or {}).items() if name in _TOLD}
        modules = {place: Module(str(kind), dict(settings)) for place, (kind, settings) in told["modules"].items()}
        return WholeModel(str(told["kind"]), told["names"], told["description"], tensors, modules)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        text = tr("The file {0} of the model {1} does not tell how the model is built.", path.name, entry.id)
        hint = tr("Convert the .pt file with 'maskwright models convert', or use an ONNX export of the model.")
        raise ModelBroken(text, hint, model=entry.id) from error
