"""Grounding DINO: boxes of whatever phrases name, several phrases at once. Detector.

Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object Detection", 2023,
https://github.com/IDEA-Research/GroundingDINO, Apache-2.0; MM Grounding DINO: Zhao et al., "An Open and Comprehensive
Pipeline for Unified Object Grounding and Detection", 2024. The network is transformers' own.

The model is given a caption made of the phrases: in lower case, with a full stop after each. A box belongs to the
phrase with the word that it matches best; doubles are suppressed within a phrase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maskwright.masks.instances import nms
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import EmptyPrompt, ModelBroken, TooLarge
from maskwright_protocol.language import tr

_MIN_SCORE = 0.3
_APART = 1e5  # boxes of each phrase are shifted by this times its index, so that one pass suppresses within phrases


class GroundingDino:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        from transformers import AutoTokenizer, GroundingDinoForObjectDetection, MMGroundingDinoForObjectDetection
        from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
            GroundingDinoImageProcessorPil,
        )

        kinds = {
            "grounding-dino": GroundingDinoForObjectDetection,
            "mm-grounding-dino": MMGroundingDinoForObjectDetection,
        }
        try:
            kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
            self._images = GroundingDinoImageProcessorPil.from_pretrained(folder, local_files_only=True)
            self.tokens: Any = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_fast=True
            )
        except (OSError, ValueError, KeyError) as error:
            text = tr("The files of the model {0} cannot be read.", entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error
        if kind not in kinds:
            raise ModelBroken(tr("The model {0} is no Grounding DINO.", entry.id), model=entry.id, kind=kind)
        self._network = pretrained(kinds[kind], entry, folder, setup)
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = nbytes(self._network)
        self._min_score = float(entry.options.get("min_score", _MIN_SCORE))

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes in ``image`` ``(H, W, 3)`` uint8 of what the phrases name, each with its phrase as label, best first.

        Phrases are separated by ``;``, ``,``, ``.`` or new lines.

        Raises ``EmptyPrompt``, ``TooLarge`` (more words than the model reads at once), ``BadInput``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        phrases = split(text.replace(".", ";").replace("?", " "))
        if not phrases:
            raise EmptyPrompt(tr("There is nothing to look for."))
        caption, owners = self.caption(phrases)
        probabilities, centres = self._run(image, caption)
        words = np.where(owners >= 0, probabilities[:, : len(owners)], 0)
        scores = words.max(axis=1)
        limit = max(self._min_score if min_score is None else min_score, chosen["text_threshold"])
        good = np.flatnonzero(scores > limit)
        labels = owners[words[good].argmax(axis=1)]
        height, width = image.shape[:2]
        centre, half = centres[good, :2], centres[good, 2:] / 2
        sides = np.array([width, height, width, height], np.float32)
        edges = np.clip(np.concatenate([centre - half, centre + half], axis=1) * sides, 0, sides)
        apart = 0 if chosen["agnostic"] else labels[:, None] * _APART
        kept = nms(edges.astype(np.float64) + apart, scores[good], chosen["iou"], chosen["max_det"])
        return [Detection(Box(*edges[i].tolist()), phrases[labels[i]], float(scores[good[i]])) for i in kept]

    def caption(self, phrases: list[str]) -> tuple[dict[str, torch.Tensor], NDArray[np.int64]]:
        """The tokens of the caption, and for each the index of its phrase, ``(T,)`` int64, -1 for separators. Raises
        ``TooLarge``."""
        starts, text = [], ""
        for phrase in phrases:
            starts.append(len(text))
            text += f"{phrase}. "
        text = text.rstrip()
        tokens = self.tokens(text, return_tensors="pt", return_offsets_mapping=True, return_token_type_ids=True)
        owners = np.full(tokens["input_ids"].shape[1], -1, np.int64)
        most = self._network.config.max_text_len
        if len(owners) > most:
            raise TooLarge(
                tr("That is more than {0} can look for at once.", self.model_id), hint=tr("Use fewer or shorter words.")
            )
        for index, (start, end) in enumerate(tokens.pop("offset_mapping")[0].tolist()):
            for number, phrase in enumerate(phrases):
                if start < end and starts[number] <= start and end <= starts[number] + len(phrase):
                    owners[index] = number
        return dict(tokens), owners

    def _run(self, image: RGB, caption: dict[str, torch.Tensor]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each of N queries the probabilities of the tokens ``(N, T)`` and its box ``(N, 4)``, both float32 0..1.

        Boxes are centre and size in shares of the image.
        """
        pictures = self._images(images=image, return_tensors="pt", input_data_format="channels_last")
        kind = next(self._network.parameters()).dtype
        with running(self.model_id):
            output = self._network(
                pixel_values=pictures["pixel_values"].to(self.device, kind),
                pixel_mask=pictures["pixel_mask"].to(self.device),
                **{name: value.to(self.device) for name, value in caption.items()},
            )
            probabilities = output.logits[0].float().sigmoid().cpu().numpy()
            return probabilities, output.pred_boxes[0].float().cpu().numpy()
