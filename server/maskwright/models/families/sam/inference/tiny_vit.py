"""TinyViT, the image encoder of MobileSAM and Light HQ-SAM.

Wu et al., "TinyViT: Fast Pretraining Distillation for Small Vision Transformers" (2022),
https://github.com/wkcn/TinyViT, MIT; the sizes are those of MobileSAM, 5 million parameters.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.models.sam.modeling_sam import SamLayerNorm

from maskwright.models.runtime.torch_runtime import Weights

from .conv_norm import ConvNorm

_WIDTHS = (64, 128, 160, 320)
EARLY = _WIDTHS[2]  # channels after two stages
_DEPTHS = (2, 2, 6, 2)
_HEADS = (2, 4, 5, 10)
_WINDOWS = (7, 7, 14, 7)
_HEAD_WIDTH = 32
_UNUSED = ("image_encoder.norm_head.", "image_encoder.head.")  # for classification, where it was trained


class _Expanding(nn.Module):
    """An inverted bottleneck."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, 4 * width)
        self.conv2 = ConvNorm(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = ConvNorm(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(1, C, h, w)`` -> the same."""
        return F.gelu(x + self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x))))))


class _Merging(nn.Module):
    """Between stages: half the resolution, but the last one keeps it."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(inside, outside)
        self.conv2 = ConvNorm(outside, outside, 3, 1 if outside == _WIDTHS[-1] else 2, outside)
        self.conv3 = ConvNorm(outside, outside)

    def forward(self, x: Tensor) -> Tensor:
        """``(1, inside, h, w)`` -> ``(1, outside, h / 2, w / 2)``; the last one keeps ``h`` and ``w``."""
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


@lru_cache(maxsize=8)
def _distances(window: int, device: torch.device) -> Tensor:
    """For each pair of the window's ``n`` cells the index of their distance, ``(n, n)`` int64."""
    rows = torch.arange(window, device=device).repeat_interleave(window)
    columns = torch.arange(window, device=device).repeat(window)
    return (rows[:, None] - rows).abs() * window + (columns[:, None] - columns).abs()


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        """Windows ``(N, window * window, C)`` -> the same."""
        heads = self.qkv(self.norm(x)).unflatten(2, (self.heads, 3 * _HEAD_WIDTH)).transpose(1, 2)
        query, key, value = heads.chunk(3, -1)
        bias = self.attention_biases[:, _distances(self.window, x.device)]
        mixed = F.scaled_dot_product_attention(query, key, value, bias[None].to(query.dtype))
        return self.proj(mixed.transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, tokens, C)`` -> the same."""
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = _Attention(width, heads, window)
        self.local_conv = ConvNorm(width, width, 3, groups=width)
        self.mlp = _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """``(1, C, h, w)`` -> the same.

        Windows may reach beyond the image; as in training, the zeros there are attended to.
        """
        _, channels, rows, columns = x.shape
        side = self.window
        padded = F.pad(x, (0, -columns % side, 0, -rows % side))
        down, across = padded.shape[2] // side, padded.shape[3] // side
        windows = (
            padded.reshape(channels, down, side, across, side).permute(1, 3, 2, 4, 0).reshape(-1, side * side, channels)
        )
        mixed = self.attn(windows).reshape(down, across, side, side, channels).permute(4, 0, 2, 1, 3)
        x = x + mixed.reshape(1, channels, down * side, across * side)[..., :rows, :columns]
        x = self.local_conv(x)
        return x + self.mlp(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (rows, columns))


class _Stage(nn.Module):
    def __init__(self, stage: int) -> None:
        super().__init__()
        width = _WIDTHS[stage]
        blocks = (
            _Block(width, _HEADS[stage], _WINDOWS[stage]) if stage else _Expanding(width) for _ in range(_DEPTHS[stage])
        )
        self.blocks = nn.Sequential(*blocks)
        if stage < 3:
            self.downsample = _Merging(width, _WIDTHS[stage + 1])

    def forward(self, x: Tensor) -> Tensor:
        """``(1, C, h, w)`` -> as ``_Merging``; the last stage gives the shape it was given."""
        x = self.blocks(x)
        return self.downsample(x) if hasattr(self, "downsample") else x


class _Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first, second = ConvNorm(3, _WIDTHS[0] // 2, 3, 2), ConvNorm(_WIDTHS[0] // 2, _WIDTHS[0], 3, 2)
        self.seq = nn.Sequential(first, nn.GELU(), second)

    def forward(self, x: Tensor) -> Tensor:
        """``(1, 3, H, W)`` -> ``(1, C, H / 4, W / 4)``."""
        return self.seq(x)


class TinyViT(nn.Module):
    """The encoder with SAM's neck."""

    def __init__(self, channels: int = 256) -> None:
        super().__init__()
        self.patch_embed = _Patches()
        self.layers = nn.Sequential(*(_Stage(stage) for stage in range(4)))
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], channels, 1, bias=False),
            SamLayerNorm(channels, data_format="channels_first"),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            SamLayerNorm(channels, data_format="channels_first"),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``(1, 3, 1024, 1024)`` -> ``(1, 256, 64, 64)``, and ``(1, 160, 64, 64)`` as it is after two stages."""
        early = self.layers[:2](self.patch_embed(x))
        return self.neck(self.layers[2:](early)), early


def is_of(weights: Weights) -> bool:
    """Whether authors' weights have this encoder."""
    return "image_encoder.patch_embed.seq.0.c.weight" in weights


def renamed(weights: Weights) -> Weights:
    """Authors' weights with the encoder's under the names that SAM's networks here have for it, without those for
    classification, as which it was trained first."""
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith(_UNUSED)}
    return {name.replace("image_encoder.", "vision_encoder.", 1): tensor for name, tensor in kept.items()}
