"""RepViT, EdgeTAM's image encoder: an image -> features at four resolutions.

Wang et al., "RepViT: Revisiting Mobile CNN From ViT Perspective" (2023), https://github.com/THU-MIG/RepViT, Apache-2.0.
Layers have the names of timm's ``repvit_m1`` with ``features_only``, in which EdgeTAM was trained.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from transformers.modeling_outputs import BaseModelOutput

from .conv_norm import ConvNorm

WIDTHS = (48, 96, 192, 384)
DEPTHS = (2, 2, 14, 2)


class _Stem(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, width // 2, 3, 2)
        self.conv2 = ConvNorm(width // 2, width, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, 3, H, W)`` -> ``(N, width, H / 4, W / 4)``."""
        return self.conv2(F.gelu(self.conv1(x)))


class _TokenMixer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = ConvNorm(width, width, 3, groups=width)
        self.conv1 = ConvNorm(width, width, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, width, h, w)`` -> the same."""
        return self.conv(x) + self.conv1(x) + x


class _SqueezeExcite(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        middle = _divisible(width / 4)
        self.fc1 = nn.Conv2d(width, middle, 1)
        self.fc2 = nn.Conv2d(middle, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, width, h, w)`` -> the same, each channel weighed."""
        return x * self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()


class _ChannelMixer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, 2 * width)
        self.conv2 = ConvNorm(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, width, h, w)`` -> the same, added to what was given."""
        return x + self.conv2(F.gelu(self.conv1(x)))


class _Block(nn.Module):
    def __init__(self, width: int, excite: bool) -> None:
        super().__init__()
        self.token_mixer = _TokenMixer(width)
        self.se = _SqueezeExcite(width) if excite else nn.Identity()
        self.channel_mixer = _ChannelMixer(width)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, width, h, w)`` -> the same."""
        return self.channel_mixer(self.se(self.token_mixer(x)))


class _Downsample(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.pre_block = _Block(inside, excite=False)
        self.spatial_downsample = ConvNorm(inside, inside, 3, 2, inside)
        self.channel_downsample = ConvNorm(inside, outside)
        self.ffn = _ChannelMixer(outside)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inside, h, w)`` -> ``(N, outside, h / 2, w / 2)``."""
        return self.ffn(self.channel_downsample(self.spatial_downsample(self.pre_block(x))))


class _Stage(nn.Module):
    def __init__(self, inside: int | None, width: int, depth: int) -> None:
        super().__init__()
        self.downsample = nn.Identity() if inside is None else _Downsample(inside, width)
        self.blocks = nn.Sequential(*(_Block(width, excite=i % 2 == 0) for i in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inside, h, w)`` -> ``(N, width, h / 2, w / 2)``; the first stage keeps ``h`` and ``w``."""
        return self.blocks(self.downsample(x))


class RepViT(nn.Module):
    """``widths``, ``depths``: channels and blocks of its stages."""

    def __init__(self, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS) -> None:
        super().__init__()
        self.stem = _Stem(widths[0])
        for stage, (inside, width, depth) in enumerate(zip((None, *widths), widths, depths, strict=False)):
            self.add_module(f"stages_{stage}", _Stage(inside, width, depth))

    def forward(self, x: Tensor, **_: object) -> BaseModelOutput:
        """``(N, 3, H, W)`` -> ``last_hidden_state``: a list of ``(N, widths[i], H / (4 << i), W / (4 << i))``."""
        x, seen = self.stem(x), []
        for name, stage in self.named_children():
            if name != "stem":
                x = stage(x)
                seen.append(x)
        return BaseModelOutput(last_hidden_state=seen)  # pyright: ignore[reportArgumentType]


def _divisible(channels: float) -> int:
    """The nearest multiple of 8 that is not a tenth smaller."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8
