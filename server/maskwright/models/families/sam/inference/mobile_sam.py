"""MobileSAM: points, boxes and masks -> soft masks. Segmenter.

Zhang et al., "Faster Segment Anything: Towards Lightweight SAM for Mobile Applications" (2023),
https://github.com/ChaoningZhang/MobileSAM, Apache-2.0; prompts and masks as in Kirillov et al., "Segment Anything"
(2023). The decoder file answers with four masks: the one for clear prompts, then part, object and whole.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskwright.masks.logits import LogitMap, logit
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, Embedding, FloatMap, Hypothesis, SegmentPrompt
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

SIDE = 1024
GRID = 256
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_SCALE = np.float32(1) / np.array([58.395, 57.12, 57.375], np.float32)
_OUTSIDE, _INSIDE, _CORNER_1, _CORNER_2, _PADDING = 0.0, 1.0, 2.0, 3.0, -1.0
_INPUTS = ("image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size")


class MobileSam:
    knows_objects = True
    uses_saliency = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = entry.memory
        names = [file.name for file in entry.files]
        encoder = next(name for name in names if "encoder" in name)
        decoder = next(name for name in names if "decoder" in name)
        self._encoder = OnnxSession(entry, folder / encoder, ("input",), setup.device, setup.threads)
        self._decoder = OnnxSession(entry, folder / decoder, _INPUTS, setup.device, setup.threads)

    def embed(self, image: RGB) -> Embedding:
        """Features ``(1, 256, 64, 64)`` float32 of the image, its long side brought to 1024."""
        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        size = (max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = image if size == (width, height) else cv2.resize(image, size, interpolation=method)
        planes = np.zeros((1, 3, SIDE, SIDE), np.float32)
        planes[0, :, : size[1], : size[0]] = ((small - _MEAN) * _SCALE).transpose(2, 0, 1)
        (features,) = self._encoder.run(self._encoder.outputs[:1], {"input": planes}, [(1, 256, 64, 64)])
        return Embedding(self.model_id, (height, width), features, features.nbytes)

    def features(self, embedding: Embedding) -> FloatMap:
        """``(256, h, w)`` float32, the long side 64."""
        height, width = embedding.image_size
        rows, columns = (max(1, round(side * 64 / max(height, width))) for side in (height, width))
        return embedding.data[0, :, :rows, :columns]

    def segment(self, embedding: Embedding, prompts: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """For each prompt its hypotheses, the best first. The decoder takes one prompt per run."""
        return [self._one(embedding, prompt) for prompt in prompts]

    def _one(self, embedding: Embedding, prompt: SegmentPrompt) -> list[Hypothesis]:
        height, width = embedding.image_size
        scale = SIDE / max(height, width)
        places = [(x * scale, y * scale) for x, y, _ in prompt.points]
        labels = [_INSIDE if include else _OUTSIDE for _, _, include in prompt.points]
        if prompt.box is not None:
            box = prompt.box
            places += [(box.x0 * scale, box.y0 * scale), (box.x1 * scale, box.y1 * scale)]
            labels += [_CORNER_1, _CORNER_2]
        else:
            places.append((0.0, 0.0))
            labels.append(_PADDING)
        seed = self._seed(prompt, height, width)
        feeds = {
            "image_embeddings": embedding.data,
            "point_coords": np.array([places], np.float32),
            "point_labels": np.array([labels], np.float32),
            "mask_input": np.zeros((1, 1, GRID, GRID), np.float32) if seed is None else seed[None, None],
            "has_mask_input": np.array([seed is not None], np.float32),
            # The masks of the original size are not asked for; small ones cost the graph least.
            "orig_im_size": np.array([16, 16], np.float32),
        }
        shapes = (1, 4), (1, 4, GRID, GRID)
        scores, maps = self._decoder.run(("iou_predictions", "low_res_masks"), feeds, shapes)
        clear = prompt.box is not None or len(prompt.points) > 1 or seed is not None
        order = sorted(range(1, maps.shape[1]), key=lambda i: -float(scores[0, i]))
        order = [0, *order] if clear else [*order, 0]
        return [self._hypothesis(maps[0, i], float(scores[0, i]), height, width) for i in order]

    @staticmethod
    def _seed(prompt: SegmentPrompt, height: int, width: int) -> FloatMap | None:
        """The mask input ``(256, 256)``: earlier logits, or those of a mask to start from, over the padded square."""
        if prompt.logits is not None:
            return np.ascontiguousarray(prompt.logits, np.float32)
        if prompt.mask is None:
            return None
        unit = GRID / max(height, width)
        size = (max(1, round(width * unit)), max(1, round(height * unit)))
        seed = np.full((GRID, GRID), -8.0, np.float32)
        seed[: size[1], : size[0]] = logit(cv2.resize(prompt.mask, size, interpolation=cv2.INTER_AREA))
        return seed

    @staticmethod
    def _hypothesis(values: FloatMap, score: float, height: int, width: int) -> Hypothesis:
        cells = GRID / max(height, width)
        rows, columns = min(GRID, int(np.ceil(height * cells))), min(GRID, int(np.ceil(width * cells)))
        inside = np.ascontiguousarray(values[:rows, :columns])
        drawn = LogitMap(inside, 0.0, 0.0, columns / cells, rows / cells)
        return Hypothesis(drawn, min(1.0, max(0.0, score)), values)
