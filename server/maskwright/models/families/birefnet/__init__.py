"""BiRefNet and what was trained from it: the subject of a picture with its fine structures. Matter.

Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation" (2024),
https://github.com/ZhengPeng7/BiRefNet, MIT; also ToonOut, Lucida and RMBG-2.0, whose weights have their own licences.
An entry's file decides what runs it: ``.safetensors`` our own torch module, ``.onnx`` ONNX Runtime.

Options of an entry, all optional:

- ``size``: ``[width, height]`` of what the network sees; a picture that stands upright is given the turned shape.
- ``native``: ``[least, most]``: the picture's own size, its sides in multiples of 32 between these; aspect kept.
- ``patch_order``: "c_hg_wg" or "wg_hg_c", as the weights were trained.
- ``input``, ``alpha``: of an ONNX export, its input's name and whether it gives opacities instead of logits.

Without ``size`` and ``native`` the picture is squeezed into a square of the entry's ``input_size``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from maskwright.models.catalogue import Entry
from maskwright.models.matting import enlarged, settled
from maskwright.models.pool import Setup
from maskwright.models.roles import RGB, FloatMap
from maskwright_protocol.errors import ModelBroken

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GRID = 32
_CPU_PIXELS = 1280 * 1280  # a picture's own size goes no further on a CPU: minutes and many GB

Planes = NDArray[np.float32]
Network = Callable[[Planes], FloatMap]


class Options(BaseModel):
    """See the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: tuple[int, int] | None = None
    native: tuple[int, int] | None = None
    patch_order: Literal["c_hg_wg", "wg_hg_c"] = "c_hg_wg"
    input: str = "input_image"
    alpha: bool = False


class BiRefNet:
    """``Matter``."""

    needs_trimap = False

    def __init__(self, entry: Entry, options: Options, network: Network, setup: Setup, nbytes: int) -> None:
        """``network``: planes ``(1, 3, h, w)`` normalised -> alpha ``(h, w)`` float32."""
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = nbytes
        self._side = entry.input_size
        self._options = options
        self._network = network

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1; edges follow the image. A trimap settles its sure places.

        Raises ``ModelBroken`` where the network gives no numbers.
        """
        height, width = image.shape[:2]
        seen = Image.fromarray(image).resize(self.seen_size(width, height), Image.Resampling.BILINEAR)
        pixels = np.asarray(seen, np.float32) / np.float32(255)
        planes = np.ascontiguousarray(((pixels - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None])
        alpha = self._network(planes)
        if not np.isfinite(alpha).all():
            raise ModelBroken(
                f"The model {self.model_id} gave no numbers.",
                hint="Its weights may be damaged, or the device computes wrongly in half precision.",
                model=self.model_id,
            )
        return settled(enlarged(alpha, image), trimap)

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """``(width, height)`` of what the network sees of a picture of that size."""
        if self._options.native is not None:
            most = _CPU_PIXELS if self.device == "cpu" else None
            return native_size(width, height, *self._options.native, most)
        if self._options.size is not None:
            lying = tuple(sorted(self._options.size, reverse=True))
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


def load(entry: Entry, folder: Path, setup: Setup) -> BiRefNet:
    """Raises ``ModelBroken``, naming keys that are missing or do not belong there."""
    try:
        options = Options.model_validate(entry.options)
    except ValidationError as error:
        text = f"The options of the model {entry.id} are not BiRefNet's."
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
    weights = next((f.name for f in entry.files if f.name.endswith((".safetensors", ".onnx"))), None)
    if weights is None:
        raise ModelBroken(f"The model {entry.id} has no .safetensors and no .onnx file.", model=entry.id)
    if weights.endswith(".onnx"):
        return BiRefNet(entry, options, _exported(entry, folder / weights, options, setup), setup, entry.memory)
    from maskwright.models.torch_runtime import nbytes, running, safetensors

    from .network import build, opacity

    network = build(safetensors(folder / weights, entry), options.patch_order, entry, setup)

    def run(planes: Planes) -> FloatMap:
        with running(entry.id):
            return opacity(network, planes, setup.device)

    return BiRefNet(entry, options, run, setup, nbytes(network))


def _exported(entry: Entry, path: Path, options: Options, setup: Setup) -> Network:
    from maskwright.models.runtime import Session

    session = Session(entry, path, (options.input,), setup.device, setup.threads)

    def run(planes: Planes) -> FloatMap:
        # An export for training's sake gives maps of all scales, the finest last.
        (answer,) = session.run(session.outputs[-1:], {options.input: planes})
        values: FloatMap = answer.reshape(planes.shape[2:]).astype(np.float32)
        return np.clip(values, 0, 1) if options.alpha else _sigmoid(values)

    return run


def _sigmoid(logits: FloatMap) -> FloatMap:
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
