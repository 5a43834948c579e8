"""HQ-SAM: points, boxes and masks -> soft masks with finer edges than SAM's. Segmenter.

Ke et al., "Segment Anything in High Quality" (2023), https://github.com/SysCV/sam-hq, Apache-2.0. The network is
transformers' ``SamHQModel``; the authors' own checkpoints, converted to safetensors, serve as well. Light HQ-SAM has
the same decoder on MobileSAM's encoder, ``TinyViT``. The library's decoder (5.23) draws its masks on the features as
they were before its transformer, rows and columns swapped; here they are drawn on the transformer's result, as in the
authors' code.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import SamHQConfig, SamHQMaskDecoderConfig, SamHQModel, SamHQPromptEncoderConfig, SamHQVisionConfig

from maskwright.models.catalogue.entries import Entry
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import Weights, pretrained

from . import checkpoints, tiny_vit
from .base import FLOAT32, SamLike, attend, enlarge, mask_weights, weigh


class _Network(SamHQModel):
    _keep_in_fp32_modules_strict = FLOAT32


class SamHq(SamLike):
    """Keeps ``(1, 256, 64, 64)`` and the fused fine features ``(1, 32, 256, 256)`` of an image.

    Of the encoder's intermediate features (50 MB for ViT-B) only the first is used, and only for the latter.
    """

    clicks_need = ("image", "fine")

    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """``pixels`` ``(1, 3, 1024, 1024)`` -> ``image`` ``(1, 256, 64, 64)`` and ``fine`` ``(1, 32, 256, 256)``."""
        head = self.decoder
        image, early = (seen.float() for seen in self.see(pixels))
        fine = head.encoder_conv2(head.activation(head.encoder_norm(head.encoder_conv1(image))))
        fine = fine + head.compress_vit_conv2(head.activation(head.compress_vit_norm(head.compress_vit_conv1(early))))
        return {"image": image.to(pixels.dtype), "fine": fine.to(pixels.dtype)}

    def see(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's result ``(1, 256, 64, 64)`` and its first intermediate features ``(1, C, 64, 64)``."""
        seen = self.encoder(pixels)
        return seen.last_hidden_state, seen.intermediate_embeddings[0].permute(0, 3, 1, 2)

    def decode(self, features: dict[str, Tensor], sparse: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        """As ``SamLike.decode``. To the logits of each of SAM's masks those of the high-quality token are added."""
        head = self.decoder
        tokens, attended = attend(head, features["image"], self.positions, sparse, dense)
        plain = enlarge(head, attended)
        fine = head.mask_conv2(head.activation(head.mask_norm(head.mask_conv1(plain)))) + features["fine"]
        masks = weigh(mask_weights(head, tokens[:, 1:-1]), plain)
        finer = weigh(head.hq_mask_mlp(tokens[:, -1:]), fine)
        return masks + finer, head.iou_prediction_head(tokens[:, 0])


class LightHq(SamHq):
    """On a ``TinyViT``."""

    def see(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.encoder(pixels)


def _light(weights: Weights, entry: Entry, setup: Setup) -> LightHq:
    def build() -> _Network:
        network = _Network(SamHQConfig(mask_decoder_config=SamHQMaskDecoderConfig(vit_dim=tiny_vit.EARLY)))
        network.vision_encoder = tiny_vit.TinyViT()  # type: ignore[assignment]
        return network

    named = checkpoints.prompts_and_decoder(tiny_vit.renamed(weights))
    return LightHq(entry, setup, checkpoints.load(build, named, entry, setup))


def load(entry: Entry, folder: Path, setup: Setup) -> SamHq:
    """Raises ``ModelBroken``."""
    if (folder / "config.json").is_file():
        return SamHq(entry, setup, pretrained(_Network, entry, folder, setup))
    stored = torch_runtime.weights(entry, folder)
    if tiny_vit.is_of(stored):
        return _light(stored, entry, setup)
    weights = checkpoints.sam(stored)
    shape = checkpoints.vit(weights, entry)
    config = SamHQConfig(
        vision_config=SamHQVisionConfig(**shape),
        prompt_encoder_config=SamHQPromptEncoderConfig(image_size=shape["image_size"], patch_size=shape["patch_size"]),
        mask_decoder_config=SamHQMaskDecoderConfig(vit_dim=shape["hidden_size"]),
    )
    return SamHq(entry, setup, checkpoints.load(lambda: _Network(config), weights, entry, setup))
