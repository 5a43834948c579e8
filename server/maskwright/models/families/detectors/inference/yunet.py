"""YuNet: faces. Detector.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (2023),
https://github.com/ShiqiYu/libfacedetection.train. Input: BGR 0..255, padded with 0 at the right and bottom. Output per
cell of the grids of 8, 16 and 32 pixels: class, objectness, box (shift of the centre, logarithms of the sides).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.masks.instances import nms
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import EmptyPrompt, UnknownWord
from maskwright_protocol.language import tr

WORDS = frozenset({"face", "faces", "a face", "the face", "human face", "human faces"})
_STRIDES = (8, 16, 32)
_NMS_IOU = 0.3


class YuNet:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = entry.memory
        self.min_score = float(entry.options.get("min_score", 0.6))
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes of the faces in ``image`` ``(H, W, 3)`` uint8, best first. Raises ``UnknownWord`` for other words."""
        checked(self._options, options)
        words = split(text)
        if not words:
            raise EmptyPrompt(tr("There is nothing to look for."))
        other = next((word for word in words if word not in WORDS), None)
        if other is not None:
            text = tr("{0} does not know {1!r}.", tr("The detector"), other)
            raise UnknownWord(text, hint=tr("It finds faces only."), word=other, near=["face"], models=[])
        limit = self.min_score if min_score is None else min_score
        boxes, scores = self._faces(image)
        good = scores >= limit
        edges, values = boxes[good].tolist(), scores[good].tolist()
        return [Detection(Box(*edges[i]), "face", values[i]) for i in nms(edges, values, _NMS_IOU)]

    def _faces(self, image: RGB) -> tuple[np.ndarray, np.ndarray]:
        """For all N cells the edges of the box ``(N, 4)`` in pixels, within the image, and scores ``(N,)`` 0..1."""
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = np.zeros((self._side, self._side, 3), np.float32)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)[..., ::-1]
        feed = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])
        names = [f"{kind}_{stride}" for stride in _STRIDES for kind in ("cls", "obj", "bbox")]
        shapes = [(1, (self._side // stride) ** 2, size) for stride in _STRIDES for size in (1, 1, 4)]
        answers = self._session.run(names, {self._session.inputs[0]: feed}, shapes)
        all_edges, all_scores = [], []
        for number, stride in enumerate(_STRIDES):
            classes, objects, boxes = (answer[0] for answer in answers[3 * number : 3 * number + 3])
            count = self._side // stride
            y, x = np.mgrid[:count, :count]
            centre = (np.stack([x.ravel(), y.ravel()], axis=1) + boxes[:, :2]) * stride
            half = np.exp(np.clip(boxes[:, 2:4], -20, 8)) * stride / 2
            all_edges.append(np.concatenate([centre - half, centre + half], axis=1))
            all_scores.append(np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1)))
        edges, scores = np.concatenate(all_edges) / scale, np.concatenate(all_scores)
        edges[:, 0::2] = np.clip(edges[:, 0::2], 0, width)
        edges[:, 1::2] = np.clip(edges[:, 1::2], 0, height)
        sound = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        return edges[sound], scores[sound]
