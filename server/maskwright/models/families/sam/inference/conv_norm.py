"""What the small image encoders, RepViT and TinyViT, are made of. Names of parts are those of their checkpoints."""

from __future__ import annotations

from torch import Tensor, nn


class ConvNorm(nn.Module):
    """A convolution without bias and a batch norm."""

    def __init__(self, inside: int, outside: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inside, h, w)`` -> ``(N, outside, h / stride, w / stride)``."""
        return self.bn(self.c(x))
