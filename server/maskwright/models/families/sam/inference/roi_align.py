"""Features within boxes, as He et al., "Mask R-CNN" (2017), section 3, pool them (RoIAlign), without torchvision."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def pooled(features: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """``features`` ``(C, H, W)`` and ``boxes`` ``(N, 4)`` (x0, y0, x1, y1 in cells) -> ``(N, C, bins, bins)``.

    Each bin is the mean of bilinear samples, as many a side as it is cells long, rounded up. A cell's value lies at its
    number, not half a cell further, and a box is at least one cell wide and high: what torchvision calls unaligned.
    """
    rows, columns = features.shape[1:]
    out = []
    for x0, y0, x1, y1 in boxes.tolist():
        down = _weights(y0, max(y1 - y0, 1.0), rows, bins, features)
        across = _weights(x0, max(x1 - x0, 1.0), columns, bins, features)
        out.append(torch.einsum("ir,crk,jk->cij", down, features, across))
    return torch.stack(out)


def _weights(start: float, length: float, cells: int, bins: int, like: Tensor) -> Tensor:
    """How much of each cell goes into each bin along one axis, ``(bins, cells)``."""
    samples = math.ceil(length / bins)
    places = start + (torch.arange(bins * samples, device=like.device) + 0.5) * (length / (bins * samples))
    inside = (places >= -1) & (places <= cells)
    places = places.clamp(0, cells - 1)
    low = places.floor().long()
    share = places - low
    weights = torch.zeros((len(places), cells), device=like.device)
    weights.scatter_add_(1, low[:, None], (1 - share)[:, None])
    weights.scatter_add_(1, (low + 1).clamp(max=cells - 1)[:, None], share[:, None])
    return (weights * inside[:, None]).reshape(bins, samples, cells).mean(1).to(like.dtype)
