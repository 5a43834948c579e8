"""RT-DETR, RT-DETRv2, D-FINE and RF-DETR: boxes of a checkpoint's own classes, with masks from RF-DETR's. Detector.

Zhao et al., "DETRs Beat YOLOs on Real-time Object Detection", 2023; Lv et al., "RT-DETRv2", 2024; Peng et al.,
"D-FINE", 2024; Robinson et al., "RF-DETR: Neural Architecture Search for Real-Time Detection Transformers", 2025. All
Apache-2.0 (RF-DETR's largest are not). The networks are transformers' own: the alternative where YOLO's licence is in
the way. They are trained to give one box for each object, so nothing is suppressed unless asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskwright.masks.instances import nms
from maskwright.masks.logits import LogitMap
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import classes
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_MIN_SCORE = 0.4
_IOU_AGNOSTIC = 0.7
_APART = 1e5  # boxes of each class are shifted by this times its index, so that one pass suppresses within classes
_KINDS = (
    "RTDetrForObjectDetection",
    "RTDetrV2ForObjectDetection",
    "DFineForObjectDetection",
    "RfDetrForObjectDetection",
    "RfDetrForInstanceSegmentation",
)


class RtDetr:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        import transformers
        from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

        try:
            told = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("architectures") or [""]
            # All of them describe their input in the same way; this class reads it without torchvision.
            self._images = RTDetrImageProcessorPil.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            text = tr("The files of the model {0} cannot be read.", entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error
        if told[0] not in _KINDS:
            text = tr("The model {0} is none that this family knows.", entry.id)
            raise ModelBroken(text, model=entry.id, kind=str(told[0])[:80], known=list(_KINDS))
        self._network = pretrained(getattr(transformers, told[0]), entry, folder, setup)
        names: dict[int, str] = {int(number): str(name) for number, name in self._network.config.id2label.items()}
        self.labels = tuple(names.get(number, f"class {number}") for number in range(max(names) + 1))
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = nbytes(self._network)
        self._min_score = float(entry.options.get("min_score", _MIN_SCORE))

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes, and masks from models that segment, of what is in ``image`` ``(H, W, 3)`` uint8, best first.

        The words of ``text`` and the option ``classes`` choose among the checkpoint's names; without both, all count.

        Raises ``UnknownWord``, ``BadInput``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        names = classes(text, chosen["classes"], self.labels)
        scores, labels, centres, masks = self._run(image)
        limit = self._min_score if min_score is None else min_score
        good = np.flatnonzero((scores > limit) & np.isin(labels, list(names)))
        height, width = image.shape[:2]
        sides = np.array([width, height, width, height], np.float32)
        centre, half = centres[good, :2], centres[good, 2:] / 2
        edges = np.clip(np.concatenate([centre - half, centre + half], axis=1) * sides, 0, sides)
        iou = chosen["iou"] if chosen["iou"] is not None else _IOU_AGNOSTIC if chosen["agnostic"] else 1.0
        apart = 0 if chosen["agnostic"] else labels[good, None] * _APART
        kept = nms(edges.astype(np.float64) + apart, scores[good], iou, chosen["max_det"])
        found = []
        for i in kept:
            number = int(good[i])
            logits = None
            if masks is not None and bool((masks[number] > 0).any()):
                logits = LogitMap(masks[number].cpu().numpy(), 0.0, 0.0, float(width), float(height))
            found.append(Detection(Box(*edges[i].tolist()), names[int(labels[number])], float(scores[number]), logits))
        return found

    def _run(self, image: RGB) -> tuple[np.ndarray, np.ndarray, np.ndarray, torch.Tensor | None]:
        """The N best pairs of query and class, N being the number of queries, best first.

        Scores ``(N,)`` float32 0..1, classes ``(N,)`` int64, boxes ``(N, 4)`` float32 as centre and size in shares of
        the image, and from models that segment mask logits ``(N, h, w)`` float32 over the whole image.
        """
        pictures = self._images(images=image, return_tensors="pt", input_data_format="channels_last")
        pixels = pictures["pixel_values"].to(self.device, next(self._network.parameters()).dtype)
        with running(self.model_id):
            output = self._network(pixel_values=pixels)
            logits = output.logits[0].float()
            scores, places = logits.sigmoid().flatten().topk(len(logits))
            queries, labels = places // logits.shape[1], places % logits.shape[1]
            masks = getattr(output, "pred_masks", None)
            masks = None if masks is None else masks[0].float()[queries]
            boxes = output.pred_boxes[0].float()[queries]
        return scores.cpu().numpy(), labels.cpu().numpy(), boxes.cpu().numpy(), masks
