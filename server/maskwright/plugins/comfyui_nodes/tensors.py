"""ComfyUI's types. IMAGE is ``(B, H, W, C)`` float32 0..1, MASK is ``(B, H, W)`` float32 0..1 with 1 what is selected,
BBOX is a list of ``[left, top, right, bottom]``, SEGS is the Impact Pack's ``((H, W), [SEG, ...])``."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from maskwright_client.scripting import Instance

# As the Impact Pack declares it: crop_region and bbox are (left, top, right, bottom), cropped_mask shows crop_region.
SEG = namedtuple(
    "SEG",
    ["cropped_image", "cropped_mask", "confidence", "crop_region", "bbox", "label", "control_net_wrapper"],
    defaults=[None],
)
Box = tuple[int, int, int, int]


def pictures(images: torch.Tensor) -> list[np.ndarray]:
    """Each picture of an IMAGE as ``(H, W, C)`` uint8; they travel so, and ComfyUI reads files no finer."""
    batch = images if images.ndim == 4 else images[None]
    return list((batch.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())


def planes(mask: torch.Tensor | None, shown: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    """For each picture its plane of a MASK, ``(H, W)`` float32 of the picture's size, or the only plane that there is;
    None where that shows nothing: what LoadImage gives for pictures without transparency."""
    if mask is None:
        return [None] * len(shown)
    batch = (mask if mask.ndim == 3 else mask[None]).detach().float().cpu()
    found: list[np.ndarray | None] = []
    for number, picture in enumerate(shown):
        plane = batch[min(number, len(batch) - 1)]
        if plane.shape != picture.shape[:2]:
            plane = torch.nn.functional.interpolate(plane[None, None], size=picture.shape[:2], mode="bilinear")[0, 0]
        found.append(plane.clamp(0, 1).numpy() if bool((plane > 0).any()) else None)
    return found


def image(arrays: Sequence[np.ndarray]) -> torch.Tensor:
    """Pictures of one size, uint8, as an IMAGE."""
    return torch.from_numpy(np.stack(arrays)).to(torch.float32) / 255


def mask(arrays: Sequence[np.ndarray]) -> torch.Tensor:
    """Masks of one size, of 8 or 16 bits, as a MASK."""
    scaled = [array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max) for array in arrays]
    return torch.from_numpy(np.stack(scaled))


def bboxes(instances: Sequence[Instance]) -> list[list[int]]:
    return [list(_corners(one)) for one in instances]


def segs(shape: tuple[int, int], instances: Sequence[Instance], crop_factor: float, boxes_only: bool = False) -> Any:
    """``crop_factor``: how many times its box an instance's surroundings are. Boxes alone become full masks."""
    found = []
    for one in instances:
        box = _corners(one)
        plane = np.zeros(shape, np.float32)
        if boxes_only:
            plane[box[1] : box[3], box[0] : box[2]] = 1
        else:
            whole = one.mask
            plane = whole.astype(np.float32) / np.float32(np.iinfo(whole.dtype).max)
        left, top, right, bottom = region = _around(box, crop_factor, shape)
        found.append(SEG(None, plane[top:bottom, left:right], one.score, region, box, one.label or "object"))
    return shape, found


def _corners(one: Instance) -> Box:
    x, y, width, height = one.box
    left, top = round(x), round(y)
    return left, top, max(left + 1, round(x + width)), max(top + 1, round(y + height))


def _around(box: Box, factor: float, shape: tuple[int, int]) -> Box:
    """The box, so many times as large about its middle, within the picture: moved rather than cut where it can be."""

    def span(low: int, high: int, end: int) -> tuple[int, int]:
        length = min(end, max(1, round((high - low) * factor)))
        start = min(max(0, round((low + high - length) / 2)), end - length)
        return start, start + length

    (left, right), (top, bottom) = span(box[0], box[2], shape[1]), span(box[1], box[3], shape[0])
    return left, top, right, bottom
