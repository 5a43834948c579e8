"""What SAM 3's networks for concepts share: mended, asked and read as the authors of SAM 3 do.

Two things the library (5.24) has otherwise. What sums up the examples is part of every prompt, also of one without
examples; and the image encoder's norms add 1e-5 to the variance, not 1e-6.
"""

from __future__ import annotations

from pathlib import Path
from types import MethodType
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import Box, Detection, Hypothesis, Match
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

from .base import NORM, Frame, norms_add
from .roi_align import pooled

TOKENS = 32  # that a phrase may have
# Boxes in half precision would be off by pixels; only the encoders of images and text are worth halving.
FLOAT32 = ["geometry_encoder", "detr_encoder", "detr_decoder", "mask_decoder", "dot_product_scoring"]
_NO_EXAMPLE = -10  # the library's label of a box that is none


def mend(network: Any) -> None:
    """Let a network compute as its authors' code does, and without torchvision."""
    network.geometry_encoder._encode_boxes = MethodType(_encode_boxes, network.geometry_encoder)
    norms_add(NORM, network.vision_encoder.backbone)


def no_example(device: str) -> tuple[Tensor, Tensor]:
    """A box ``(1, 1, 4)`` that is none and its label ``(1, 1)``, without which the library would leave out the sum."""
    return torch.zeros(1, 1, 4, device=device), torch.full((1, 1), _NO_EXAMPLE, device=device)


def seen(network: Any, levels: list[Tensor]) -> Sam3VisionEncoderOutput:
    """What a network takes for an image: its levels, fine, middle and coarse, ``(1, C, h, w)`` float32."""
    coarse = levels[-1]
    place = network.vision_encoder.neck.position_encoding(coarse.shape, coarse.device, torch.float32)
    # The library drops the last level; of the places it reads the coarsest level's only.
    shown: Any = (*levels, None)
    places: Any = (None, None, place, None)
    return Sam3VisionEncoderOutput(fpn_hidden_states=shown, fpn_position_encoding=places)


def matches(answer: Any, frame: Frame, label: str, limit: float) -> list[Match]:
    """What a network's ``answer`` to one phrase holds with more than the score ``limit``.

    A score is the object's times the score for the concept being in the image.
    """
    scores = answer.pred_logits[0].sigmoid() * answer.presence_logits[0].sigmoid()
    kept = (scores > limit).nonzero()[:, 0]
    parts = (scores[kept], answer.pred_boxes[0, kept], answer.pred_masks[0, kept])
    certain, boxes, masks = (part.float().cpu().numpy() for part in parts)
    size = (frame.width, frame.height, frame.width, frame.height)
    found = []
    for score, edges, mask in zip(certain.tolist(), boxes.tolist(), masks, strict=True):
        x0, y0, x1, y1 = (min(max(edge, 0.0), 1.0) * whole for edge, whole in zip(edges, size, strict=True))
        box = Box(x0, y0, max(x0, x1), max(y0, y1))
        found.append(Match(Detection(box, label, score), Hypothesis(frame.drawn(mask), score, mask)))
    return found


def tokenizer(entry: Entry, folder: Path) -> Tokenizer:
    """That of a model's folder; it shortens phrases to ``TOKENS`` and does not pad. Raises ``ModelBroken``."""
    try:
        read = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the Rust library's error has no public base
        raise unreadable(entry, error) from error
    read.no_padding()
    read.enable_truncation(TOKENS)
    return read


def unreadable(entry: Entry, error: Exception) -> ModelBroken:
    """What to raise where a model's files cannot be read."""
    text = tr("The files of the model {0} cannot be read.", entry.id)
    return ModelBroken(text, model=entry.id, reason=str(error)[:500])


def _encode_boxes(self: Any, boxes: Tensor, mask: Tensor, labels: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """What ``Sam3GeometryEncoder._encode_boxes`` does, without torchvision.

    The encoding of an example is the sum of those of its label, its coordinates, its position and the features in it.
    """
    middle_x, middle_y, width, height = boxes[0].unbind(-1)
    rows, columns = features.shape[-2:]
    scale = boxes.new_tensor([columns, rows, columns, rows])
    half = boxes[0, :, 2:] / 2
    edges = torch.cat([boxes[0, :, :2] - half, boxes[0, :, :2] + half], dim=1) * scale
    shown = self.boxes_pool_project(pooled(features[0], edges, self.roi_size)).flatten(1)
    place = self._encode_box_coordinates(middle_x, middle_y, width, height)
    encoded = self.boxes_direct_project(boxes[0]) + shown + self.boxes_pos_enc_project(place)
    return (encoded + self.label_embed(labels[0].long()))[None], mask
