"""BiRefNet done the straightforward way, on a ``Network`` that was not folded: what ours is compared with.

Whole maps at once, every normalisation and concatenation as it is drawn in the paper, attention and the deformable
convolution by elementary operations.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from maskwright.models.families.birefnet.inference.decoder import patches, resize
from maskwright.models.families.birefnet.inference.network import Network


def forward(network: Network, image: Tensor) -> Tensor:
    """``(1, 3, H, W)`` normalised -> logits ``(1, 1, H, W)``."""
    n: Any = network
    half = resize(image, (image.shape[2] // 2, image.shape[3] // 2))
    pairs = zip(_swin(n.bb, image), _swin(n.bb, half), strict=True)
    x1, x2, x3, x4 = (torch.cat([full, resize(small, full.shape[2:])], 1) for full, small in pairs)
    z = _block(n.squeeze_module[0], torch.cat([*(resize(x, x4.shape[2:]) for x in (x1, x2, x3)), x4], 1))
    d = n.decoder
    for level, skip in ((4, x3), (3, x2), (2, x1)):
        shown = getattr(d, f"ipt_blk{level + 1}")(patches(image, cast(Any, z.shape[2:]), d.order))
        p = _block(getattr(d, f"decoder_block{level}"), torch.cat([z, shown], 1))
        p = p * getattr(d, f"gdt_convs_attn_{level}")(getattr(d, f"gdt_convs_{level}")(p)).sigmoid()
        z = resize(p, skip.shape[2:]) + getattr(d, f"lateral_block{level}")(skip)
    z = _block(d.decoder_block1, torch.cat([z, d.ipt_blk2(patches(image, cast(Any, z.shape[2:]), d.order))], 1))
    return d.conv_out1(torch.cat([resize(z, image.shape[2:]), d.ipt_blk1(image)], 1))


def _block(block: Any, x: Tensor) -> Tensor:
    x = F.relu(block.bn_in(block.conv_in(x)))
    aspp = block.dec_att
    branches = [_branch(branch, x) for branch in (aspp.aspp1, *aspp.aspp_deforms)]
    mean = F.relu(aspp.global_avg_pool(x)).expand(-1, -1, *x.shape[2:])
    x = F.relu(aspp.bn1(aspp.conv1(torch.cat([*branches, mean], 1))))
    return block.bn_out(block.conv_out(x))


def _branch(branch: Any, x: Tensor) -> Tensor:
    offset, mask = branch.atrous_conv.steer(x)
    return F.relu(branch.bn(deform_conv2d(x, offset, mask, branch.atrous_conv.regular_conv.weight)))


def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """By ``grid_sample``, all taps of the whole map at once."""
    batch, channels, height, width = x.shape
    kernel = weight.shape[-1]
    taps = kernel * kernel
    reach = torch.arange(kernel) - kernel // 2
    offset = offset.view(batch, taps, 2, height, width)
    y = offset[:, :, 0] + torch.arange(height).view(-1, 1) + reach.repeat_interleave(kernel).view(-1, 1, 1)
    x_ = offset[:, :, 1] + torch.arange(width) + reach.repeat(kernel).view(-1, 1, 1)
    grid = torch.stack([(2 * x_ + 1) / width - 1, (2 * y + 1) / height - 1], -1).view(batch, taps * height, width, 2)
    seen = F.grid_sample(x, grid, align_corners=False).view(batch, channels, taps, height, width) * mask[:, None]
    return torch.einsum("bckhw,ock->bohw", seen, weight.flatten(2))


def _swin(swin: Any, image: Tensor) -> list[Tensor]:
    x = swin.patch_embed(image)
    features = []
    for i, stage in enumerate(swin.layers):
        for block in stage.blocks:
            x = x + _attention(block, block.norm1(x))
            x = x + block.mlp(block.norm2(x))
        features.append(getattr(swin, f"norm{i}")(x).permute(0, 3, 1, 2))
        if i < 3:
            x = stage.downsample(x)
    return features


def _attention(block: Any, x: Tensor) -> Tensor:
    batch, height, width, channels = x.shape
    w, shift, attn = block.window, block.shift, block.attn
    x = F.pad(x, (0, 0, 0, -width % w, 0, -height % w)).roll((-shift, -shift), (1, 2))
    high, wide = x.shape[1:3]
    region = torch.zeros(1, high, wide, 1)
    bands = (slice(0, -w), slice(-w, -shift or None), slice(-shift, None)) if shift else (slice(None),)
    for number, (rows, columns) in enumerate((r, c) for r in bands for c in bands):
        region[:, rows, columns] = number
    windows, ids = _windows(x, w), _windows(region, w)[..., 0]
    qkv = attn.qkv(windows).view(len(windows), w * w, 3, attn.heads, -1).permute(2, 0, 3, 1, 4)
    scores = qkv[0] @ qkv[1].transpose(-1, -2) * qkv.shape[-1] ** -0.5
    table = attn.relative_position_bias_table[attn.relative_position_index.view(-1)]
    scores = scores + table.view(w * w, w * w, -1).permute(2, 0, 1)
    scores = scores.masked_fill((ids[:, None, :] != ids[:, :, None])[:, None], -100)
    out = attn.proj((scores.softmax(-1) @ qkv[2]).transpose(1, 2).reshape(windows.shape))
    out = out.view(batch, high // w, wide // w, w, w, channels).permute(0, 1, 3, 2, 4, 5)
    return out.reshape(batch, high, wide, channels).roll((shift, shift), (1, 2))[:, :height, :width]


def _windows(x: Tensor, w: int) -> Tensor:
    batch, height, width, channels = x.shape
    x = x.view(batch, height // w, w, width // w, w, channels).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, w * w, channels)
