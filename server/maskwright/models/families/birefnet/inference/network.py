"""BiRefNet as a torch module that takes the published checkpoints.

Written from the paper and the checkpoints' layout; see ``decoder`` for the source. Nothing is downloaded and no code
comes with the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import FloatMap
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import dtype, load_strictly, nbytes, require_keys, running, safetensors

from .decoder import Decoder, DecoderBlock, PatchOrder, resize
from .deform import DeformableConv
from .matting import BiRefNet, Options, Planes
from .swin import Shape, Swin


class Network(nn.Module):
    """Eval mode only. Sides of the picture are multiples of 32."""

    def __init__(self, shape: Shape, order: PatchOrder = "c_hg_wg") -> None:
        super().__init__()
        self.bb = Swin(shape)
        c = shape.embed
        self.squeeze_module = nn.Sequential(DecoderBlock(30 * c, 16 * c))
        self.decoder = Decoder(c, order)

    def fold(self) -> None:
        """Once, after the weights were loaded: normalisation into the convolutions, training's parts away."""
        for module in list(self.modules()):
            if module is not self and hasattr(module, "fold"):
                cast(Network, module).fold()

    def lower(self, precision: torch.dtype) -> None:
        """Bring all weights to ``precision`` save for those that say where to sample."""
        exact = {id(p) for m in self.modules() if isinstance(m, DeformableConv) for p in m.steering()}
        for parameter in self.parameters():
            if id(parameter) not in exact:
                parameter.data = parameter.data.to(precision)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` normalised, float32 -> logits ``(B, 1, H, W)`` float32."""
        image = image.to(self.bb.patch_embed.proj.weight.dtype)
        half = resize(image, (image.shape[2] // 2, image.shape[3] // 2))
        maps = zip(self.bb(image), self.bb(half), strict=True)
        x1, x2, x3, x4 = (torch.cat((full, resize(small, full.shape[2:])), 1) for full, small in maps)
        context = [resize(x, x4.shape[2:]) for x in (x1, x2, x3)]
        z = self.squeeze_module[0](*context, x4)
        return self.decoder(image, (x1, x2, x3), z)


def build(weights: Mapping[str, Tensor], order: PatchOrder, entry: Entry, setup: Setup) -> Network:
    """The network with these weights, on its device. Raises ``ModelBroken`` naming keys that are missing or strange."""
    torch.set_num_threads(setup.threads)
    try:
        shape = Shape.of(weights)
    except KeyError as error:
        require_keys(entry, missing=error.args)
        raise
    with torch.device("meta"):
        network = Network(shape, order)
    load_strictly(network, weights, entry, Setup("cpu", setup.threads))
    network.fold()
    if setup.precision != "fp32":
        network.lower(dtype(setup.precision))
    network.to(setup.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


class TorchBiRefNet(BiRefNet):
    """A published checkpoint in our own network."""

    def __init__(self, entry: Entry, options: Options, path: Path, setup: Setup) -> None:
        self._network = build(safetensors(path, entry), options.patch_order, entry, setup)
        super().__init__(entry, options, setup.device, nbytes(self._network))

    def opacity(self, planes: Planes) -> FloatMap:
        """Planes ``(1, 3, h, w)`` float32, normalised -> alpha ``(h, w)`` float32 0..1."""
        with running(self.model_id):
            logits = self._network(torch.from_numpy(planes).to(self.device))
            return logits[0, 0].sigmoid().cpu().numpy()
