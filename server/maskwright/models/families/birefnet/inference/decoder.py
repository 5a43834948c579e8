"""BiRefNet's decoder: from features at four scales to one map, the picture itself shown again at each of them.

Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation" (2024),
https://github.com/ZhengPeng7/BiRefNet, MIT. Batch normalisation is folded into the convolutions after loading; what
is linear is put together where that saves memory: nothing here is as large as the picture times its channels.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .deform import DeformableConv, tap_matrix

PatchOrder = Literal["c_hg_wg", "wg_hg_c"]
_INNER = 64  # channels inside every block
_BRANCH = 256
STRIPE = {"cpu": 16 << 20}  # bytes of the finest map at a time
_STRIPE_DEVICE = 512 << 20


def resize(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """To ``(height, width)``, corners on corners."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=True)


def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Put the normalisation after ``conv`` into its weights."""
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )


def patches(image: Tensor, size: tuple[int, int], order: PatchOrder) -> Tensor:
    """``(B, 3, H, W)`` cut into a grid of crops of ``size``, stacked as channels.

    ``order``, slowest first, of a crop's colour (``c``), row (``hg``) and column (``wg``) in the grid: what the weights
    were trained with.
    """
    batch, colours, height, width = image.shape
    h, w = size
    grid = image.view(batch, colours, height // h, h, width // w, w)
    grid = grid.permute(0, 1, 2, 4, 3, 5) if order == "c_hg_wg" else grid.permute(0, 4, 2, 1, 3, 5)
    return grid.reshape(batch, -1, h, w)


class Branch(nn.Module):
    """A deformable convolution with normalisation and ReLU."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.atrous_conv = DeformableConv(_INNER, _BRANCH, kernel)
        self.bn = nn.BatchNorm2d(_BRANCH)

    def fold(self) -> None:
        fold(self.atrous_conv.regular_conv, self.bn)
        del self.bn

    def add_to(self, out: Tensor, x: Tensor, mix: Tensor) -> None:
        """Add this branch's part of the block's answer to ``out`` ``(B, H, W, 64)``; ``mix`` is ``(256, 64)``."""
        conv = self.atrous_conv.regular_conv
        matrix, bias = tap_matrix(conv.weight), cast(Tensor, conv.bias)
        for place, rows, columns in self.atrous_conv.samples(x):
            part = out[place, rows]
            part += (torch.addmm(bias, columns, matrix).relu_() @ mix).view(part.shape)


class DeformableAspp(nn.Module):
    """Looks at the map through kernels of several sizes, and at its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.aspp1 = Branch(1)
        self.aspp_deforms = nn.ModuleList(Branch(kernel) for kernel in (1, 3, 7))
        mean = (nn.AdaptiveAvgPool2d(1), nn.Conv2d(_INNER, _BRANCH, 1, bias=False), nn.BatchNorm2d(_BRANCH))
        self.global_avg_pool = nn.Sequential(*mean)
        self.conv1 = nn.Conv2d(5 * _BRANCH, _INNER, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(_INNER)

    def fold(self) -> None:
        pool = self.global_avg_pool
        fold(cast(nn.Conv2d, pool[1]), cast(nn.BatchNorm2d, pool[2]))
        pool[2] = nn.ReLU()
        fold(self.conv1, self.bn1)
        del self.bn1

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 64, H, W)`` -> the same."""
        *mixes, of_mean = self.conv1.weight.flatten(1).t().split(_BRANCH)
        mean = self.global_avg_pool(x).flatten(1)
        out = torch.addmm(cast(Tensor, self.conv1.bias), mean, of_mean)[:, None, None]
        out = out.expand(-1, *x.shape[2:], -1).contiguous()
        for branch, mix in zip((self.aspp1, *self.aspp_deforms), mixes, strict=True):
            cast(Branch, branch).add_to(out, x, mix)
        return out.relu_().permute(0, 3, 1, 2)


class DecoderBlock(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(channels, _INNER, 3, padding=1)
        self.dec_att = DeformableAspp()
        self.conv_out = nn.Conv2d(_INNER, out, 3, padding=1)
        self.bn_in = nn.BatchNorm2d(_INNER)
        self.bn_out = nn.BatchNorm2d(out)

    def fold(self) -> None:
        fold(self.conv_in, self.bn_in)
        fold(self.conv_out, self.bn_out)
        del self.bn_in, self.bn_out

    def forward(self, *inputs: Tensor) -> Tensor:
        """Maps ``(B, C_i, H, W)`` whose channels add up to ``channels`` -> ``(B, out, H, W)``.

        They count as concatenated along the channels, without being copied together.
        """
        weights = self.conv_in.weight.split([x.shape[1] for x in inputs], 1)
        y = F.conv2d(inputs[0], weights[0], self.conv_in.bias, padding=1)
        for x, weight in zip(inputs[1:], weights[1:], strict=True):
            y += F.conv2d(x, weight, padding=1)
        return self.conv_out(self.dec_att(y.relu_()))


class InputBlock(nn.Module):
    """The picture's patches as features."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, _INNER, 3, padding=1)
        self.conv_out = nn.Conv2d(_INNER, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W)`` -> ``(B, out, H, W)``."""
        return self.conv_out(self.conv1(x))


class Lateral(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` -> the same."""
        return self.conv(x)


class Decoder(nn.Module):
    """``embed``: the backbone's first width, C. ``order``: see ``patches``."""

    def __init__(self, embed: int, order: PatchOrder) -> None:
        super().__init__()
        self.order: PatchOrder = order
        c = embed
        ipt = {5: (3072, 2 * c), 4: (768, 2 * c), 3: (192, c), 2: (48, c // 2), 1: (3, c // 4)}
        for n, (channels, out) in ipt.items():
            self.add_module(f"ipt_blk{n}", InputBlock(channels, out))
        widths = {4: (16 * c, 8 * c), 3: (8 * c, 4 * c), 2: (4 * c, 2 * c), 1: (2 * c, c)}
        for n, (channels, out) in widths.items():
            self.add_module(f"decoder_block{n}", DecoderBlock(channels + ipt[n + 1][1], out))
        self.conv_out1 = nn.Sequential(nn.Conv2d(c + c // 4, 1, 1))
        for n in (4, 3, 2):
            out = widths[n][1]
            self.add_module(f"lateral_block{n}", Lateral(out))
            self.add_module(
                f"gdt_convs_{n}", nn.Sequential(nn.Conv2d(out, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
            )
            self.add_module(f"gdt_convs_attn_{n}", nn.Sequential(nn.Conv2d(16, 1, 1)))
            # For training only; published with the rest.
            self.add_module(f"conv_ms_spvn_{n}", nn.Conv2d(out, 1, 1))
            self.add_module(f"gdt_convs_pred_{n}", nn.Sequential(nn.Conv2d(16, 1, 1)))

    def fold(self) -> None:
        """Once, after the weights were loaded."""
        for n in (4, 3, 2):
            gate = cast(nn.Sequential, self.get_submodule(f"gdt_convs_{n}"))
            fold(cast(nn.Conv2d, gate[0]), cast(nn.BatchNorm2d, gate[1]))
            gate[1] = nn.Identity()
            delattr(self, f"conv_ms_spvn_{n}")
            delattr(self, f"gdt_convs_pred_{n}")

    def forward(self, image: Tensor, skips: tuple[Tensor, Tensor, Tensor], z: Tensor) -> Tensor:
        """``image`` ``(B, 3, H, W)``, ``skips`` at 1/4, 1/8 and 1/16, ``z`` at 1/32 -> logits ``(B, 1, H, W)``."""
        for n in (4, 3, 2):
            p = self._block(n, z, image)
            gate = self.get_submodule(f"gdt_convs_attn_{n}")(self.get_submodule(f"gdt_convs_{n}")(p))
            p *= gate.float().sigmoid().to(p.dtype)
            skip = skips[n - 2]
            z = self.get_submodule(f"lateral_block{n}")(skip)
            z += resize(p, skip.shape[2:])
        return self._finish(self._block(1, z, image), image)

    def _block(self, n: int, z: Tensor, image: Tensor) -> Tensor:
        size = (z.shape[2], z.shape[3])
        shown = self.get_submodule(f"ipt_blk{n + 1}")(patches(image, size, self.order))
        return self.get_submodule(f"decoder_block{n}")(z, shown)

    def _finish(self, z: Tensor, image: Tensor) -> Tensor:
        """``conv_out1`` over ``z`` at the picture's size and the picture's own features.

        A 1 x 1 convolution may as well come before the resizing and be part of the convolution before it.
        """
        last = cast(nn.Conv2d, self.conv_out1[0])
        block = cast(InputBlock, self.ipt_blk1)
        of_z, of_image = last.weight.split([z.shape[1], last.in_channels - z.shape[1]], 1)
        weight = torch.einsum("oc,cikl->oikl", of_image[:, :, 0, 0].float(), block.conv_out.weight.float())
        bias = (
            cast(Tensor, last.bias).float() + of_image[:, :, 0, 0].float() @ cast(Tensor, block.conv_out.bias).float()
        )
        out = resize(F.conv2d(z, of_z).float(), image.shape[2:])
        height, width = image.shape[2:]
        padded = F.pad(image, (0, 0, 1, 1))
        budget = STRIPE.get(image.device.type, _STRIPE_DEVICE)
        step = max(1, budget // (_INNER * width * image.element_size()))
        for start in range(0, height, step):
            end = min(start + step, height)
            top, bottom = max(0, start - 1), min(height, end + 1)
            inner = F.conv2d(padded[:, :, top : bottom + 2], block.conv1.weight, block.conv1.bias, padding=(0, 1))
            inner = F.pad(inner, (0, 0, int(start == 0), int(end == height)))
            out[:, :, start:end] += F.conv2d(inner, weight.to(inner.dtype), bias.to(inner.dtype), padding=(0, 1))
        return out
