"""SAM3-LiteText: text -> every such object, as box and mask. Detector.

Zeng et al., "SAM3-LiteText: An Anatomical Study of the SAM3 Text Encoder for Efficient Vision-Language Segmentation"
(2026), https://github.com/SimonZeng7108/efficientsam3: SAM 3's network for concepts with a text encoder of an eighth of
the size, and without SAM 3's decoder for clicks. The network is transformers' ``Sam3LiteTextModel``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Sam3LiteTextModel
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Detection
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.language import tr

from . import sam3_concepts as concepts_of
from .base import Frame, planes

_HALF = (0.5, 0.5, 0.5)  # mean and deviation of pixels
_PADDING = "<|endoftext|>"


class _Network(Sam3LiteTextModel):
    _keep_in_fp32_modules_strict = concepts_of.FLOAT32


class Sam3LiteText:
    """Remembers, in main memory, the features of the image that it saw last: 112 MB in float32."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self._network = pretrained(_Network, entry, folder, setup)
        concepts_of.mend(self._network)
        self._tokenizer = concepts_of.tokenizer(entry, folder)
        # Its text encoder looks at the padding too: phrases are as long as where it was trained.
        number = self._tokenizer.token_to_id(_PADDING)
        if number is None:
            raise concepts_of.unreadable(entry, ValueError(f"there is no {_PADDING} among the tokens"))
        self._tokenizer.enable_padding(length=concepts_of.TOKENS, pad_id=number, pad_token=_PADDING)
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = nbytes(self._network)
        self._setup = setup
        self._options = entry.facts.options
        self._min_score = float(entry.options.get("min_score", 0.5))
        self._side = int(self._network.config.vision_config.image_size)
        self._seen: tuple[Any, list[Tensor]] | None = None

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes and masks of everything in ``image`` ``(H, W, 3)`` uint8 that the phrases name, best score first.

        Phrases are separated by ``;`` or ``,`` and may be any words. Raises ``EmptyPrompt``, ``BadInput`` and
        ``OutOfMemory``.
        """
        checked(self._options, options)
        phrases = split(text)
        if not phrases:
            raise EmptyPrompt(tr("There is nothing to look for."), hint=tr("Type what to look for."))
        limit = self._min_score if min_score is None else min_score
        frame = Frame.squashed(image.shape[:2], self._side)
        found: list[Detection] = []
        with running(self.model_id):
            vision, (box, label) = self._vision(image, frame), concepts_of.no_example(self.device)
            for phrase in phrases:
                features, mask = self._text(phrase)
                answer = self._network(
                    vision_embeds=vision, text_embeds=features, attention_mask=mask,
                    input_boxes=box, input_boxes_labels=label,
                )  # fmt: skip
                for match in concepts_of.matches(answer, frame, phrase, limit):
                    told = match.detection
                    found.append(Detection(told.box, told.label, told.score, match.hypothesis.logits))
        return sorted(found, key=lambda one: -one.score)

    def _vision(self, image: RGB, frame: Frame) -> Sam3VisionEncoderOutput:
        key = image.shape, hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        if self._seen is None or self._seen[0] != key:
            output = self._network.vision_encoder(planes(image, frame, _HALF, _HALF, self._setup))
            self._seen = key, [level.cpu() for level in output.fpn_hidden_states[:3]]
        levels = [level.to(self.device, torch.float32) for level in self._seen[1]]
        return concepts_of.seen(self._network, levels)

    def _text(self, phrase: str) -> tuple[BaseModelOutputWithPooling, Tensor]:
        """Features of a phrase, and which of them count ``(1, TOKENS)``."""
        encoded = self._tokenizer.encode(phrase)
        ids, mask = (torch.tensor([part], device=self.device) for part in (encoded.ids, encoded.attention_mask))
        features: Any = self._network.get_text_features(input_ids=ids, attention_mask=mask)
        return BaseModelOutputWithPooling(pooler_output=features.pooler_output.float()), mask
