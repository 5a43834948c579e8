"""SAM 3: text and example boxes -> every such object; points, boxes and masks -> one. Detector, Segmenter.

Carion et al., "SAM 3: Segment Anything with Concepts" (2025), https://github.com/facebookresearch/sam3, SAM License.
The networks are transformers' ``Sam3Model`` (concepts) and ``Sam3TrackerModel`` (clicks), which share an image encoder:
an image is looked at once, whatever is asked about it, and the encoder's weights are held once. The authors' own
checkpoints of SAM 3 and SAM 3.1, converted to safetensors, serve as well.

Two things are as the authors' code has them and the library (5.24) has not: what sums up the examples is part of every
prompt, also of one without examples, and the image encoder's norms add 1e-5 to the variance, not 1e-6.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import Sam3Model, Sam3TrackerModel, Sam3VideoConfig
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection, Embedding, Hypothesis, Match
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import EmptyPrompt, ModelBroken

from . import checkpoints, checkpoints_sam3
from .base import NORM, Frame, SamLike, norms_add
from .roi_align import pooled

_FILE = "model.safetensors"
_TOKENS = 32  # that a phrase may have
_SCALES = [4.0, 2.0, 1.0, 0.5]  # of the necks' levels; the last, which nothing reads, is absent from SAM 3.1
_BY_EXAMPLE = "visual"  # the phrase that stands for examples without any text
_NO_EXAMPLE = -10  # the library's label of a box that is none
_LEVELS = ("fine", "middle", "coarse")  # of the concept head's features: 4, 2 and 1 cells to a patch's side
_VIDEO_ONLY = Sam3TrackerModel._keys_to_ignore_on_load_unexpected or []


class _Concepts(Sam3Model):
    # Boxes in half precision would be off by pixels; only the encoders of images and text are worth halving.
    _keep_in_fp32_modules_strict = [
        "geometry_encoder", "detr_encoder", "detr_decoder", "mask_decoder", "dot_product_scoring",
    ]  # fmt: skip


class Sam3(SamLike):
    """Keeps three levels of features of an image for concepts and three for clicks: 130 MB in float32."""

    squash = True
    mean_std = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    def __init__(
        self, entry: Entry, setup: Setup, concepts: Sam3Model, clicks: Sam3TrackerModel, tokenizer: Tokenizer
    ) -> None:
        super().__init__(entry, setup, clicks)
        self.nbytes += nbytes(concepts)
        self._options = entry.facts.options
        self.min_score = float(entry.options.get("min_score", 0.5))
        self.concepts = concepts
        self._no_memory = clicks.no_memory_embedding
        self._tokenizer = tokenizer
        self._seen: tuple[bytes, Embedding] | None = None  # so that detecting and then clicking encodes once
        concepts.geometry_encoder._encode_boxes = MethodType(_encode_boxes, concepts.geometry_encoder)
        norms_add(NORM, concepts.vision_encoder.backbone)

    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """``pixels`` ``(1, 3, 1008, 1008)`` -> features for clicks and, on grids of the same sizes, for concepts.

        For clicks ``image`` ``(1, 256, 72, 72)``, ``half`` ``(1, 64, 144, 144)``, ``quarter`` ``(1, 32, 288, 288)``.
        """
        vision = self.concepts.vision_encoder
        patches = vision.backbone(pixels).last_hidden_state
        side = self.grid // 4
        patches = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)
        levels = vision.neck(patches)[0]
        quarter, half, image = self.encoder.neck(patches)[0][:3]
        kept = {
            "image": image + self._no_memory.reshape(1, -1, 1, 1),
            "half": self.decoder.conv_s1(half.float()),
            "quarter": self.decoder.conv_s0(quarter.float()),
            **{f"concepts.{name}": level for name, level in zip(_LEVELS, levels, strict=False)},
        }
        return {name: tensor.to(pixels.dtype) for name, tensor in kept.items()}

    def embed(self, image: RGB) -> Embedding:
        """As ``SamLike.embed``; the image of the last call is not encoded again."""
        key = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        if self._seen is None or self._seen[0] != key or self._seen[1].image_size != image.shape[:2]:
            self._seen = key, super().embed(image)
        return self._seen[1]

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes of everything in ``image`` ``(H, W, 3)`` uint8 that the phrases name, best score first.

        Phrases are separated by ``;`` or ``,`` and may be any words. Raises ``EmptyPrompt`` and ``OutOfMemory``.
        """
        checked(self._options, options)
        return [match.detection for match in self.segment_text(self.embed(image), text, min_score=min_score)]

    def segment_text(
        self,
        embedding: Embedding,
        text: str = "",
        *,
        examples: Sequence[tuple[Box, bool]] = (),
        min_score: float | None = None,
    ) -> list[Match]:
        """As ``roles.TextSegmenter``. A score is the object's times the score for the concept being in the image."""
        phrases = split(text)
        if not phrases and not any(include for _, include in examples):
            raise EmptyPrompt("There is nothing to look for.", hint="Type what to look for, or show an example of it.")
        limit = self.min_score if min_score is None else min_score
        frame = self.frame(embedding.image_size)
        matches: list[Match] = []
        with running(self.model_id):
            seen = self._vision(embedding)
            boxes, labels = self._examples(examples, frame)
            for phrase in phrases or [_BY_EXAMPLE]:
                answer = self.concepts(
                    vision_embeds=seen, text_embeds=self._text(phrase), input_boxes=boxes, input_boxes_labels=labels
                )
                scores = answer.pred_logits[0].sigmoid() * answer.presence_logits[0].sigmoid()
                kept = (scores > limit).nonzero()[:, 0]
                found = (scores[kept], answer.pred_boxes[0, kept], answer.pred_masks[0, kept])
                label = phrase if phrases else ""
                matches += _matches(frame, label, *(part.float().cpu().numpy() for part in found))
        return sorted(matches, key=lambda match: -match.detection.score)

    def _vision(self, embedding: Embedding) -> Any:
        levels = [embedding.data[f"concepts.{name}"].to(self.device, torch.float32) for name in _LEVELS]
        place = self.concepts.vision_encoder.neck.position_encoding(levels[-1].shape, self.device, torch.float32)
        # The library drops the last level; of the places it reads the coarsest level's only.
        shown: Any = (*levels, None)
        places: Any = (None, None, place, None)
        return Sam3VisionEncoderOutput(fpn_hidden_states=shown, fpn_position_encoding=places)

    def _text(self, phrase: str) -> Any:
        """Features of a phrase. It is not padded, since the model would be told to ignore the padding."""
        ids: Any = torch.tensor([self._tokenizer.encode(phrase).ids], device=self.device)
        features: Any = self.concepts.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids))
        return BaseModelOutputWithPooling(pooler_output=features.pooler_output.float())

    def _examples(self, examples: Sequence[tuple[Box, bool]], frame: Frame) -> tuple[Tensor, Tensor]:
        """Boxes as shares of the image ``(1, N, 4)`` (middle, size) and whether they are wanted ``(1, N)``.

        Without examples one that is none, or the library would leave out what sums them up.
        """
        if not examples:
            nothing = torch.zeros(1, 1, 4, device=self.device)
            return nothing, torch.full((1, 1), _NO_EXAMPLE, device=self.device)
        edges = np.array([box for box, _ in examples], np.float32)
        edges = np.clip(edges / np.array([frame.width, frame.height] * 2, np.float32), 0, 1)
        shares = np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)
        return self._tensor(shares)[None], self._tensor([int(include) for _, include in examples]).long()[None]


def _matches(frame: Frame, label: str, scores: Any, boxes: Any, masks: Any) -> list[Match]:
    size = (frame.width, frame.height, frame.width, frame.height)
    matches = []
    for score, edges, mask in zip(scores.tolist(), boxes.tolist(), masks, strict=True):
        x0, y0, x1, y1 = (min(max(edge, 0.0), 1.0) * whole for edge, whole in zip(edges, size, strict=True))
        box = Box(x0, y0, max(x0, x1), max(y0, y1))
        matches.append(Match(Detection(box, label, score), Hypothesis(frame.drawn(mask), score, mask)))
    return matches


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


def load(entry: Entry, folder: Path, setup: Setup) -> Sam3:
    """Raises ``ModelBroken``."""
    if checkpoints_sam3.named_by_authors(folder / torch_runtime.weights_file(entry)):
        return from_authors(entry, torch_runtime.weights(entry, folder), _tokenizer(entry, folder), setup)
    concepts = pretrained(_Concepts, entry, folder, setup)
    try:
        config = Sam3VideoConfig.from_pretrained(folder)
    except Exception as error:
        raise _unreadable(entry, error) from error
    clicks = _clicks(config, _click_weights(entry, folder), entry, setup)
    return Sam3(entry, setup, concepts, clicks, _tokenizer(entry, folder))


def from_authors(
    entry: Entry,
    weights: torch_runtime.Weights,
    tokenizer: Tokenizer,
    setup: Setup,
    config: Sam3VideoConfig | None = None,
) -> Sam3:
    """A model from weights under the authors' names. ``config``: where its size is not the published one. Raises
    ``ModelBroken``."""
    config = config or Sam3VideoConfig()
    scales = _SCALES[: checkpoints_sam3.levels(weights, entry)]
    parts: Any = (config.detector_config, config.tracker_config)
    for part in parts:
        part.vision_config.scale_factors = scales
    own = checkpoints_sam3.concepts(weights)
    concepts = pretrained(_Concepts, entry, None, setup, config=config.detector_config, state_dict=own)
    return Sam3(entry, setup, concepts, _clicks(config, checkpoints_sam3.clicks(weights), entry, setup), tokenizer)


def _tokenizer(entry: Entry, folder: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the Rust library's error has no public base
        raise _unreadable(entry, error) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(_TOKENS)
    return tokenizer


def _unreadable(entry: Entry, error: Exception) -> ModelBroken:
    text = f"The files of the model {entry.id} cannot be read."
    return ModelBroken(text, model=entry.id, reason=str(error)[:500])


def _clicks(config: Sam3VideoConfig, weights: torch_runtime.Weights, entry: Entry, setup: Setup) -> Sam3TrackerModel:
    def build() -> Sam3TrackerModel:
        network = Sam3TrackerModel(config)  # pyright: ignore[reportArgumentType]
        network.vision_encoder.backbone = nn.Identity()  # the concepts' one serves both
        return network

    return checkpoints.load(build, weights, entry, setup)


def _click_weights(entry: Entry, folder: Path) -> torch_runtime.Weights:
    """The tracker's part of the file, without what only films need."""
    weights = {}
    try:
        with safe_open(folder / _FILE, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - it cannot be iterated
                part, _, name = key.partition(".")
                if part == "tracker_neck":
                    weights[f"vision_encoder.neck.{name}"] = file.get_tensor(key)
                elif part == "tracker_model" and not any(re.search(pattern, name) for pattern in _VIDEO_ONLY):
                    weights[name] = file.get_tensor(key)
    except Exception as error:  # as above
        text = f"The file model.safetensors of the model {entry.id} cannot be read."
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
    return weights
