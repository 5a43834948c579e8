"""What can be seen in the files of a checkpoint without loading it. Light: no array library here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Contents:
    """``config`` and ``preprocessor``: of config.json and preprocessor_config.json. ``tensors``: the names of the
    weights in safetensors files. ``inputs`` and ``outputs`` of ONNX graphs: names with shapes, as "images 1x3x640x640",
    where ``?`` is a free size. ``told``: what the files tell of themselves in their metadata.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    preprocessor: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def model_type(self) -> str:
        """What a configuration in the hub's layout calls its kind of model."""
        return str(self.config.get("model_type", ""))

    @property
    def lines(self) -> list[str]:
        """``told`` as "key=value"."""
        return [f"{key}={value}" for key, value in self.told.items()]
