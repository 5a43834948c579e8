"""SAM 3: text and example boxes -> every such object; points, boxes and masks -> one. Detector, Segmenter.

Carion et al., "SAM 3: Segment Anything with Concepts" (2025), https://github.com/facebookresearch/sam3, SAM License.
The networks are transformers' ``Sam3Model`` (concepts) and ``Sam3TrackerModel`` (clicks), which share an image encoder:
an image is looked at once, whatever is asked about it, and the encoder's weights are held once. The authors' own
checkpoints of SAM 3 and SAM 3.1, converted to safetensors, serve as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import Sam3Model, Sam3TrackerModel, Sam3VideoConfig
from transformers.modeling_outputs import BaseModelOutputWithPooling

from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection, Embedding, Match
from maskwright.models.runtime import torch_runtime
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import EmptyPrompt, ModelBroken
from maskwright_protocol.language import tr

from . import checkpoints, checkpoints_sam3
from . import sam3_concepts as concepts_of
from .base import Frame, SamLike

_FILE = "model.safetensors"
_SCALES = [4.0, 2.0, 1.0, 0.5]  # of the necks' levels; the last, which nothing reads, is absent from SAM 3.1
_BY_EXAMPLE = "visual"  # the phrase that stands for examples without any text
_LEVELS = ("fine", "middle", "coarse")  # of the concept head's features: 4, 2 and 1 cells to a patch's side
_VIDEO_ONLY = Sam3TrackerModel._keys_to_ignore_on_load_unexpected or []


class _Concepts(Sam3Model):
    _keep_in_fp32_modules_strict = concepts_of.FLOAT32


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
        concepts_of.mend(concepts)

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
            raise EmptyPrompt(
                tr("There is nothing to look for."), hint=tr("Type what to look for, or show an example of it.")
            )
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
                matches += concepts_of.matches(answer, frame, phrase if phrases else "", limit)
        return sorted(matches, key=lambda match: -match.detection.score)

    def _vision(self, embedding: Embedding) -> Any:
        levels = [embedding.data[f"concepts.{name}"].to(self.device, torch.float32) for name in _LEVELS]
        return concepts_of.seen(self.concepts, levels)

    def _text(self, phrase: str) -> Any:
        """Features of a phrase. It is not padded, since the model would be told to ignore the padding."""
        ids: Any = torch.tensor([self._tokenizer.encode(phrase).ids], device=self.device)
        features: Any = self.concepts.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids))
        return BaseModelOutputWithPooling(pooler_output=features.pooler_output.float())

    def _examples(self, examples: Sequence[tuple[Box, bool]], frame: Frame) -> tuple[Tensor, Tensor]:
        """Boxes as shares of the image ``(1, N, 4)`` (middle, size) and whether they are wanted ``(1, N)``."""
        if not examples:
            return concepts_of.no_example(self.device)
        edges = np.array([box for box, _ in examples], np.float32)
        edges = np.clip(edges / np.array([frame.width, frame.height] * 2, np.float32), 0, 1)
        shares = np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)
        return self._tensor(shares)[None], self._tensor([int(include) for _, include in examples]).long()[None]


def load(entry: Entry, folder: Path, setup: Setup) -> Sam3:
    """Raises ``ModelBroken``."""
    if checkpoints_sam3.named_by_authors(folder / torch_runtime.weights_file(entry)):
        return from_authors(entry, torch_runtime.weights(entry, folder), concepts_of.tokenizer(entry, folder), setup)
    concepts = pretrained(_Concepts, entry, folder, setup)
    try:
        config = Sam3VideoConfig.from_pretrained(folder)
    except Exception as error:
        raise concepts_of.unreadable(entry, error) from error
    clicks = _clicks(config, _click_weights(entry, folder), entry, setup)
    return Sam3(entry, setup, concepts, clicks, concepts_of.tokenizer(entry, folder))


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
        text = tr("The file model.safetensors of the model {0} cannot be read.", entry.id)
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
    return weights
