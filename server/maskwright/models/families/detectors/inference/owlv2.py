"""OWLv2: boxes of whatever phrases name, without PyTorch. Detector.

Minderer, Gritsenko and Houlsby, "Scaling Open-Vocabulary Object Detection", 2023,
https://github.com/google-research/scenic/tree/main/scenic/projects/owl_vit, Apache-2.0. The network is an export of
transformers' ``Owlv2ForObjectDetection``: ``input_ids`` and ``attention_mask`` ``(Q, T)`` int64, ``pixel_values``
``(1, 3, side, side)`` float32; ``logits`` ``(1, N, Q)`` and ``pred_boxes`` ``(1, N, 4)``, centre and size in shares of
the square.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.instances import nms
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import EmptyPrompt, ModelBroken, TooLarge
from maskwright_protocol.language import tr

_MIN_SCORE = 0.2
_TOKENS = 16  # that the text encoder was trained with
_PROMPT = "a photo of a {}"  # one of the templates that it was trained with
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
_GREY = 0.5  # what the square is filled up with
_APART = 1e5  # boxes of each phrase are shifted by this times its index, so that one pass suppresses within phrases
_INPUTS = ("input_ids", "attention_mask", "pixel_values")


class Owlv2:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokens: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises plain Exceptions
            text = tr("The files of the model {0} cannot be read.", entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error
        self._tokens.no_padding()
        self._tokens.no_truncation()
        path = next(folder / file.name for file in entry.files if file.name.endswith(".onnx"))
        self._session = OnnxSession(entry, path, _INPUTS, setup.device, setup.threads)
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        self._options = entry.facts.options
        self._min_score = float(entry.options.get("min_score", _MIN_SCORE))
        self._side = entry.input_size

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes in ``image`` ``(H, W, 3)`` uint8 of what the phrases name, each with its phrase as label, best first.

        Phrases are separated by ``;``, ``,`` or new lines. Raises ``EmptyPrompt``, ``TooLarge`` (a phrase has more
        words than the model reads), ``BadInput``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        phrases = split(text)
        if not phrases:
            raise EmptyPrompt(tr("There is nothing to look for."))
        scores, boxes = self._run(image, *self._read(phrases))
        labels = scores.argmax(axis=1)
        best = scores.max(axis=1)
        height, width = image.shape[:2]
        centre, half = boxes[:, :2], boxes[:, 2:] / 2
        edges = np.concatenate([centre - half, centre + half], axis=1).astype(np.float64) * max(height, width)
        edges = np.clip(edges, 0, np.array([width, height, width, height]))
        inside = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        good = np.flatnonzero((best > (self._min_score if min_score is None else min_score)) & inside)
        apart = 0 if chosen["agnostic"] else labels[good, None] * _APART
        kept = good[nms(edges[good] + apart, best[good], chosen["iou"], chosen["max_det"])]
        return [Detection(Box(*edges[i].tolist()), phrases[labels[i]], float(best[i])) for i in kept]

    def _read(self, phrases: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The phrases' tokens ``(Q, 16)`` int64, filled up with zeros, and 1 for each that is one."""
        ids = np.zeros((len(phrases), _TOKENS), np.int64)
        mask = np.zeros_like(ids)
        for row, phrase in enumerate(phrases):
            plain = phrase.removeprefix("a ").removeprefix("an ").removeprefix("the ")
            tokens = self._tokens.encode(_PROMPT.format(plain)).ids
            if len(tokens) > _TOKENS:
                text = tr("That is more than {0} can look for at once.", self.model_id)
                raise TooLarge(text, hint=tr("Use fewer or shorter words."))
            ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
        return ids, mask

    def _run(
        self, image: RGB, ids: NDArray[np.int64], mask: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each of N places the phrases' probabilities ``(N, Q)`` and a box ``(N, 4)``, both float32 0..1."""
        feeds = {"input_ids": ids, "attention_mask": mask, "pixel_values": self._square(image)}
        shapes = [(1, None, len(ids)), (1, None, 4)]
        logits, boxes = self._session.run(["logits", "pred_boxes"], feeds, shapes)
        if logits.shape[1] != boxes.shape[1]:
            raise ModelBroken(tr("The model {0} gave boxes without scores.", self.model_id), model=self.model_id)
        return 1 / (1 + np.exp(-np.clip(logits[0], -60, 60))), boxes[0]

    def _square(self, image: RGB) -> NDArray[np.float32]:
        """The picture in the upper left of the model's square, ``(1, 3, side, side)`` float32, normalised."""
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas = np.full((self._side, self._side, 3), _GREY, np.float32)
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method).astype(np.float32) / 255
        return np.ascontiguousarray(((canvas - _MEAN) / _STD).transpose(2, 0, 1)[None])
