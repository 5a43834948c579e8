"""Swin Transformer, version 1: the backbone.

Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), laid out as in the
published BiRefNet checkpoints. Attention runs over a few rows of windows at a time and the feed-forward part over a
few rows of tokens, so that memory does not grow with what they widen to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHUNK = {"cpu": 16 << 20}  # bytes of widened tokens at a time
_CHUNK_DEVICE = 512 << 20


@dataclass(frozen=True)
class Shape:
    """What differs between Swin-T and Swin-L."""

    embed: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Shape:
        """The shape of the network that these weights are of. Raises ``KeyError`` with the key that they lack."""
        depths, heads, window = [], [], 0
        for stage in range(4):
            prefix = f"bb.layers.{stage}.blocks."
            depths.append(
                1 + max((int(k[len(prefix) :].split(".")[0]) for k in weights if k.startswith(prefix)), default=0)
            )
            cells, count = weights[f"{prefix}0.attn.relative_position_bias_table"].shape
            heads.append(count)
            window = (round(cells**0.5) + 1) // 2
        return cls(weights["bb.patch_embed.proj.weight"].shape[0], tuple(depths), tuple(heads), window)


def _rows_at_a_time(x: Tensor, bytes_per_row: int) -> int:
    return max(1, CHUNK.get(x.device.type, _CHUNK_DEVICE) // max(1, bytes_per_row))


class Attention(nn.Module):
    """Self-attention within windows, with a bias by relative place."""

    relative_position_index: Tensor

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        place = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        apart = place[:, :, None] - place[:, None, :] + window - 1  # query minus key
        self.register_buffer("relative_position_index", apart[0] * (2 * window - 1) + apart[1])
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def biases(self, shift: int) -> dict[tuple[bool, bool], Tensor]:
        """``(1, heads, n, n)`` by whether a window is in the last row and in the last column.

        A shifted map's last windows join what lies at opposite borders, and that must not see each other.
        """
        cells = self.window * self.window
        by_pair = self.relative_position_bias_table[self.relative_position_index.view(-1)].view(
            cells, cells, self.heads
        )
        bias = by_pair.permute(2, 0, 1)[None].contiguous()
        if not shift:
            return {(False, False): bias}
        wrapped = torch.arange(self.window, device=bias.device) >= self.window - shift
        row, column = wrapped.repeat_interleave(self.window), wrapped.repeat(self.window)
        apart, beside = row[:, None] != row, column[:, None] != column
        hidden = ((r, c, (apart & r) | (beside & c)) for r in (False, True) for c in (False, True))
        return {(r, c): bias.masked_fill(mask, -torch.inf) for r, c, mask in hidden}

    def forward(self, windows: Tensor, bias: Tensor) -> Tensor:
        """``(n, tokens, C)`` -> the same."""
        count, tokens, channels = windows.shape
        qkv = self.qkv(windows).view(count, tokens, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.proj(mixed.transpose(1, 2).reshape(count, tokens, channels))


class Mlp(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(..., C)`` -> the same."""
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Changes its input in place."""

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(channels)
        self.attn = Attention(channels, heads, window)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, H, W, C)`` -> the same."""
        self._attend(x)
        tokens = x.view(-1, x.shape[-1])
        step = _rows_at_a_time(x, 4 * x.shape[-1] * x.element_size())
        for start in range(0, len(tokens), step):
            part = tokens[start : start + step]
            part += self.mlp(self.norm2(part))
        return x

    def _attend(self, x: Tensor) -> None:
        batch, height, width, channels = x.shape
        w = self.window
        y = F.pad(self.norm1(x), (0, 0, 0, -width % w, 0, -height % w))
        if self.shift:
            y = y.roll((-self.shift, -self.shift), (1, 2))
        down, across = y.shape[1] // w, y.shape[2] // w
        y = y.view(batch * down, w, across, w, channels)
        biases = self.attn.biases(self.shift)
        step = _rows_at_a_time(x, 3 * w * w * across * channels * x.element_size())
        last_row = down - 1 if self.shift else down
        # Rows of windows in runs that share a bias; the last of each picture has its own.
        for row in range(0, batch * down, down):
            starts = [*range(0, last_row, step), *([last_row] if self.shift else [])]
            for start, end in zip(starts, [*starts[1:], down], strict=True):
                self._attend_rows(y[row + start : row + end], biases, self.shift > 0 and start == last_row)
        y = y.view(batch, down * w, across * w, channels)
        if self.shift:
            y = y.roll((self.shift, self.shift), (1, 2))
        x += y[:, :height, :width]

    def _attend_rows(self, rows: Tensor, biases: Mapping[tuple[bool, bool], Tensor], last: bool) -> None:
        """``(n, window, across, window, C)``, changed in place."""
        across, w, channels = rows.shape[2], self.window, rows.shape[-1]
        border = across - 1 if self.shift else across
        for columns, key in ((slice(0, border), (last, False)), (slice(border, across), (last, True))):
            part = rows[:, :, columns].transpose(1, 2)
            if part.shape[1]:
                answer = self.attn(part.reshape(-1, w * w, channels), biases[key])
                part.copy_(answer.view(part.shape))


class PatchMerging(nn.Module):
    """Half the size, twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, H, W, C)`` -> ``(B, H / 2, W / 2, 2 C)``, odd sides rounded up."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        parts = [x[:, row::2, column::2] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return self.reduction(self.norm(torch.cat(parts, -1)))


class Stage(nn.Module):
    def __init__(self, channels: int, depth: int, heads: int, window: int, merge: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, heads, window, i % 2 * (window // 2)) for i in range(depth))
        self.downsample = PatchMerging(channels) if merge else None


class PatchEmbed(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, 4, stride=4)
        self.norm = nn.LayerNorm(channels)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` -> ``(B, H / 4, W / 4, C)``, sides rounded up."""
        image = F.pad(image, (0, -image.shape[3] % 4, 0, -image.shape[2] % 4))
        return self.norm(self.proj(image).permute(0, 2, 3, 1).contiguous())


class Swin(nn.Module):
    """The picture at four scales, 1/4 to 1/32."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(shape.embed)
        widths = [shape.embed << i for i in range(4)]
        stages = zip(widths, shape.depths, shape.heads, strict=True)
        self.layers = nn.ModuleList(Stage(c, d, h, shape.window, i < 3) for i, (c, d, h) in enumerate(stages))
        for i, channels in enumerate(widths):
            self.add_module(f"norm{i}", nn.LayerNorm(channels))

    def forward(self, image: Tensor) -> list[Tensor]:
        """``(B, 3, H, W)`` -> four maps ``(B, C, h, w)`` with C, 2C, 4C, 8C channels."""
        x = self.patch_embed(image)
        features = []
        for i, stage in enumerate(self.layers):
            for block in stage.blocks:  # type: ignore[union-attr]
                x = block(x)
            features.append(self.get_submodule(f"norm{i}")(x).permute(0, 3, 1, 2))
            if i < 3:
                x = stage.downsample(x)  # type: ignore[operator]
        return features
