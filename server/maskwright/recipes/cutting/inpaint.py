"""A selection made ready for an inpainting tool: grown, feathered, and with the rectangle that the tool should see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskwright.masks.boxes import AnyMask, PixelBox
from maskwright.masks.trimap import object_radius
from maskwright.recipes.job import prompts
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect, PostProcess

CONTEXT = 0.5  # of the selection's size, on each side
LEAST_MARGIN = 64  # pixels on each side
LEAST_SIDE = 512  # what the tools' models were trained on at least
MULTIPLE = 8  # their sides' granularity
MAX_CONTEXT = 16.0


def check_context(share: float) -> float:
    """Raises ``BadInput`` outside 0..16."""
    if not 0 <= prompts.check_number(share, "share of context") <= MAX_CONTEXT:
        raise BadInput(tr("The context lies outside 0 to {0:g} times the selection's size.", MAX_CONTEXT))
    return share


def suitable(post: PostProcess, mask: AnyMask) -> PostProcess:
    """``post`` with ``grow`` and ``feather`` chosen where they are 0.

    Grown by a twelfth of the radius of a disk as large as the selection, so that no rim of the old content stays;
    feathered by half of that.
    """
    area = float(mask.sum(dtype=np.float64)) / (1.0 if mask.dtype.kind == "f" else np.iinfo(mask.dtype).max)
    grow = post.grow or min(32.0, max(4.0, object_radius(area) / 12))
    return replace(post, grow=grow, feather=post.feather or max(1.0, abs(grow) / 2))


def context_box(mask: PixelRect, canvas: PixelBox, share: float = 0.0) -> PixelBox:
    """The part of the picture around the mask's box that an inpainting tool should look at.

    ``share`` of the box's sides (0: a half), at least 64 pixels, more on each side; at least 512 pixels long and a
    multiple of 8 where the picture is large enough, and never outside of it.
    """
    share = share or CONTEXT
    x, width = _side(mask.x, mask.width, share, canvas.x, canvas.width)
    y, height = _side(mask.y, mask.height, share, canvas.y, canvas.height)
    return PixelBox(x, y, width, height)


def _side(start: int, length: int, share: float, low: int, whole: int) -> tuple[int, int]:
    margin = max(LEAST_MARGIN, round(length * share))
    wanted = max(LEAST_SIDE, length + 2 * margin)
    wanted = min(-(-wanted // MULTIPLE) * MULTIPLE, whole)
    first = start + (length - wanted) // 2
    return min(max(first, low), low + whole - wanted), wanted
