"""From a picture to BiRefNet's input and from its output to alpha, whichever runtime computes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from maskwright.models.catalogue.entries import Entry
from maskwright.models.matting_common import enlarged, settled
from maskwright.models.roles import RGB, FloatMap
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GRID = 32
CPU_PIXELS = 1280 * 1280  # a CPU gets no more of a picture in its own size: it would take minutes and many GB

Planes = NDArray[np.float32]


class Options(BaseModel):
    """Of an entry, all optional; without ``size`` and ``native`` the network sees a square of the ``input_size``.

    ``size``: ``(width, height)`` of what it sees; a picture that stands upright is given the turned shape.
    ``native``: ``(least, most)``: the picture's own size, its sides in multiples of 32 between these; aspect kept.
    ``patch_order``: as the weights were trained, see ``decoder.patches``.
    ``input``, ``alpha``: of an ONNX export, its input's name and whether it gives opacities instead of logits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: tuple[int, int] | None = None
    native: tuple[int, int] | None = None
    patch_order: Literal["c_hg_wg", "wg_hg_c"] = "c_hg_wg"
    input: str = "input_image"
    alpha: bool = False


class BiRefNet(ABC):
    """``MattingModel``."""

    needs_trimap = False

    def __init__(self, entry: Entry, options: Options, device: str, nbytes: int) -> None:
        self.model_id = entry.id
        self.device = device
        self.nbytes = nbytes
        self._side = entry.input_size
        self.options = options

    @abstractmethod
    def opacity(self, planes: Planes) -> FloatMap:
        """Planes ``(1, 3, h, w)`` float32, normalised -> alpha ``(h, w)`` float32 0..1."""

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1 of ``image`` ``(H, W, 3)`` uint8, with edges that follow its colours.

        Where a trimap is 0 or 1 alpha is the same.

        Raises ``ModelBroken`` where the network gives no numbers.
        """
        height, width = image.shape[:2]
        seen = Image.fromarray(image).resize(self.seen_size(width, height), Image.Resampling.BILINEAR)
        pixels = np.asarray(seen, np.float32) / np.float32(255)
        planes = np.ascontiguousarray(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1)[None])
        alpha = self.opacity(planes)
        if not np.isfinite(alpha).all():
            text = tr("The model {0} gave no numbers.", self.model_id)
            hint = tr("Its weights may be damaged, or the device computes wrongly in half precision.")
            raise ModelBroken(text, hint, model=self.model_id)
        return settled(enlarged(alpha, image), trimap)

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """``(width, height)`` of what the network sees of a picture of that size."""
        if self.options.native is not None:
            most = CPU_PIXELS if self.device == "cpu" else None
            return native_size(width, height, *self.options.native, most)
        if self.options.size is not None:
            lying = tuple(sorted(self.options.size, reverse=True))
            return (lying[0], lying[1]) if width >= height else (lying[1], lying[0])
        return self._side, self._side


def native_size(width: int, height: int, least: int, most: int, pixels: int | None = None) -> tuple[int, int]:
    """The nearest size whose sides are multiples of 32 between ``least`` and ``most``, of at most ``pixels``.

    Aspect is kept, as far as a side of ``least`` allows.
    """
    scale = min(1.0, most / max(width, height))
    scale = max(scale, min(least / min(width, height), most / max(width, height)))
    if pixels is not None:
        scale = min(scale, (pixels / (width * height)) ** 0.5)
    snapped = (round(side * scale / _GRID) * _GRID for side in (width, height))
    w, h = (min(max(side, least), most) for side in snapped)
    return w, h


def options(entry: Entry) -> Options:
    """Raises ``ModelBroken``."""
    try:
        return Options.model_validate(entry.options)
    except ValidationError as error:
        text = tr("The options of the model {0} are not BiRefNet's.", entry.id)
        hint = tr("Correct them in models.toml, or take them out there.")
        raise ModelBroken(text, hint, model=entry.id, reason=str(error)[:500]) from error
