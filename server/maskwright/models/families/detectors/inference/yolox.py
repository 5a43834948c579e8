"""YOLOX: boxes of COCO's 80 classes. Detector.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", https://github.com/Megvii-BaseDetection/YOLOX, Apache-2.0.
Input: BGR 0..255, the long side brought to 416, padded with 114 at the right and bottom. Output per cell of the grids
of 8, 16 and 32 pixels: centre, size, objectness, class probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.masks.instances import nms
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import RELATED, classes
from maskwright.models.coco import COCO
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

_STRIDES = (8, 16, 32)
_PAD = 114
_SAME_IOU = 0.85  # boxes of two classes that overlap this much are one object seen as two things


class Yolox:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = entry.memory
        self.min_score = float(entry.options.get("min_score", 0.3))
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, ("images",), setup.device, setup.threads)
        self._offsets, self._cells = _grid(self._side)

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes in ``image`` ``(H, W, 3)`` uint8 of what the text's words (separated by ``;`` or ``,``) and the option
        ``classes`` name, best first; without both, of everything. Raises ``UnknownWord`` and ``BadInput``.

        Where nothing of a name is found, boxes of the classes that it is often confused with are given, with that name
        as label.
        """
        chosen = checked(self._options, options)
        wanted = classes(text, chosen["classes"], COCO)
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        canvas = np.full((self._side, self._side, 3), _PAD, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
        planes = np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        shape = (1, len(self._cells), 5 + len(COCO))
        (answer,) = self._session.run(self._session.outputs[:1], {"images": planes}, [shape])
        rows = answer[0]
        centre = (rows[:, :2] + self._offsets) * self._cells / scale
        half = np.exp(np.clip(rows[:, 2:4], -20, 8)) * self._cells / scale / 2
        edges = np.concatenate([centre - half, centre + half], axis=1)
        edges[:, 0::2] = np.clip(edges[:, 0::2], 0, width)
        edges[:, 1::2] = np.clip(edges[:, 1::2], 0, height)
        sound = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        scores = rows[:, 4:5] * rows[:, 5:]
        found: list[Detection] = []
        limit = self.min_score if min_score is None else min_score
        for label in wanted.values():
            related = [name for name in RELATED.get(label, ()) if name not in wanted.values()]
            for name in (label, *related):
                index = COCO.index(name)
                good = np.flatnonzero(sound & (scores[:, index] >= limit))
                boxes = [Box(*edge) for edge in edges[good].tolist()]
                values = scores[good, index].tolist()
                found += [Detection(boxes[i], name, values[i]) for i in nms(boxes, values, chosen["iou"])]
                if boxes:
                    break
        same = chosen["iou"] if chosen["agnostic"] else _SAME_IOU
        return [found[i] for i in nms([d.box for d in found], [d.score for d in found], same, chosen["max_det"])]


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Cell offsets ``(N, 2)`` and cell sizes ``(N, 1)`` float32 of all grids, in the order of the answer's rows."""
    offsets, cells = [], []
    for stride in _STRIDES:
        count = side // stride
        y, x = np.mgrid[:count, :count]
        offsets.append(np.stack([x.ravel(), y.ravel()], axis=1))
        cells.append(np.full((count * count, 1), stride))
    return np.concatenate(offsets).astype(np.float32), np.concatenate(cells).astype(np.float32)
