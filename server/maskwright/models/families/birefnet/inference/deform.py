"""Deformable convolution in bounded memory, without a native extension.

Zhu et al., "Deformable ConvNets v2" (2019): every tap of the kernel is read at a place of its own and weighted by a
modulator. Places are computed in float32 whatever the picture's type is: half precision knows no finer steps than a
quarter of a pixel beyond column 256.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Bytes of samples at a time. A CPU is quickest while they stay in its cache, a GPU with few and large steps.
CHUNK = {"cpu": 12 << 20}
_CHUNK_DEVICE = 256 << 20


def tap_matrix(weight: Tensor) -> Tensor:
    """``(O, C, k, k)`` -> ``(k k C, O)``, for the columns that ``sampled`` gives."""
    return weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0])


def sampled(x: Tensor, offset: Tensor, mask: Tensor, kernel: int) -> Iterator[tuple[int, slice, Tensor]]:
    """What the kernel sees, at stride 1 and with padding ``k // 2``, of ``x`` ``(B, C, H, W)``.

    ``(picture, rows, columns)`` with ``columns`` ``(rows * W, k k C)`` of ``x``'s type.

    ``offset`` ``(B, 2 k k, H, W)``: per tap, row by row, its shift ``(dy, dx)`` in pixels; ``mask`` ``(B, k k, H, W)``:
    its factor. Each of a sample's four neighbours counts 0 where it lies outside.
    """
    batch, channels, height, width = x.shape
    taps = kernel * kernel
    budget = CHUNK.get(x.device.type, _CHUNK_DEVICE)
    step = max(1, budget // (width * taps * channels * x.element_size()))
    reach = torch.arange(kernel, device=x.device, dtype=torch.float32) - kernel // 2
    down, right = reach.repeat_interleave(kernel), reach.repeat(kernel)
    line = torch.arange(max(height, width), device=x.device, dtype=torch.float32)
    for place in range(batch):
        table = x[place].permute(1, 2, 0).reshape(height * width, channels).contiguous()
        shift = offset[place].permute(1, 2, 0).reshape(height, width, taps, 2).float()
        factor = mask[place].permute(1, 2, 0).float()
        for start in range(0, height, step):
            rows = slice(start, min(start + step, height))
            y = shift[rows, :, :, 0] + (line[rows, None, None] + down)
            x_ = shift[rows, :, :, 1] + (line[:width, None] + right)
            index, share = _corners(y, x_, factor[rows], height, width)
            yield place, rows, _weighted_rows(table, index, share.to(x.dtype)).view(-1, taps * channels)


def _corners(y: Tensor, x: Tensor, factor: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The four cells around each place, ``(n, 4)``, and what each contributes."""
    top, left = y.floor(), x.floor()
    low, near = y - top, x - left
    above = (1 - low) * factor * ((top >= 0) & (top < height))
    below = low * factor * ((top >= -1) & (top < height - 1))
    before = (1 - near) * ((left >= 0) & (left < width))
    after = near * ((left >= -1) & (left < width - 1))
    share = torch.stack((above * before, above * after, below * before, below * after), -1)
    # Clamped before they become whole numbers: a wild offset has no place in 32 bits.
    first, second = (edge.clamp(0, height - 1).int() * width for edge in (top, top + 1))
    third, fourth = (edge.clamp(0, width - 1).int() for edge in (left, left + 1))
    index = torch.stack((first + third, first + fourth, second + third, second + fourth), -1)
    return index.view(-1, 4), share.view(-1, 4)


def _weighted_rows(table: Tensor, index: Tensor, share: Tensor) -> Tensor:
    """Sums of four weighted rows of ``table``: ``(n, 4)`` -> ``(n, C)``."""
    if table.device.type in ("cpu", "cuda"):
        return F.embedding_bag(index, table, per_sample_weights=share, mode="sum")
    return torch.stack([table[index[:, i]] * share[:, i, None] for i in range(4)]).sum(0)


class DeformableConv(nn.Module):
    """A deformable convolution that finds its own offsets and factors; both in float32 whatever ``x`` is."""

    def __init__(self, channels: int, out: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        pad = kernel // 2
        self.offset_conv = nn.Conv2d(channels, 2 * kernel * kernel, kernel, padding=pad)
        self.modulator_conv = nn.Conv2d(channels, kernel * kernel, kernel, padding=pad)
        self.regular_conv = nn.Conv2d(channels, out, kernel, padding=pad, bias=False)

    def steering(self) -> list[nn.Parameter]:
        """What is kept in float32."""
        return [*self.offset_conv.parameters(), *self.modulator_conv.parameters()]

    def steer(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets ``(B, 2 k k, H, W)`` in cells and factors ``(B, k k, H, W)`` 0..2 for ``x`` ``(B, C, H, W)``."""
        convs = (self.offset_conv, self.modulator_conv)
        weight, bias = (torch.cat([getattr(conv, name) for conv in convs]) for name in ("weight", "bias"))
        both = F.conv2d(x.to(weight.dtype), weight, bias, padding=self.kernel // 2).float()
        taps = self.kernel * self.kernel
        return both[:, : 2 * taps], 2 * both[:, 2 * taps :].sigmoid()

    def samples(self, x: Tensor) -> Iterator[tuple[int, slice, Tensor]]:
        """As ``sampled``, with the offsets and factors that ``x`` ``(B, C, H, W)`` leads to."""
        offset, factor = self.steer(x)
        yield from sampled(x, offset, factor, self.kernel)
