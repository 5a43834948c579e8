"""Weights of all tensors of EdgeTAM's published file, computed from their names, so that none has to be stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.parity.birefnet import words

VECTORS = np.load(Path(__file__).parent / "vectors" / "edgetam.npz")
COUNTER = "num_batches_tracked"


def weights() -> dict[str, Tensor]:
    """All weights of the published file, under the authors' names."""
    found = {}
    for line in VECTORS["names"].tobytes().decode().splitlines():
        name, _, lengths = line.partition(" ")
        shape = [int(length) for length in lengths.split(",")]
        raw = words(f"edgetam:{name}", int(np.prod(shape)))
        values = (2 * ((raw >> np.uint64(11)) * 2.0**-53) - 1).reshape(shape)
        if name.endswith("running_var"):
            values = 4 + 2 * values
        elif "positional_encoding_gaussian" in name:
            pass
        elif name.endswith("weight") and len(shape) == 1:
            values = 1 + 0.3 * values
        elif len(shape) > 1:
            values = values * (3 / np.prod(shape[1:])) ** 0.5
        else:
            values = 0.3 * values
        found[name] = torch.from_numpy(values.astype(np.float32))
        if name.endswith("running_var"):
            found[name.replace("running_var", COUNTER)] = torch.zeros((), dtype=torch.int64)
    return found
