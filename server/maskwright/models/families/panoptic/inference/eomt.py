"""EoMT on DINOv2 or DINOv3: all things and all stuff (sky, grass, walls) of a picture. PanopticModel, Detector.

Kerssies et al., "Your ViT is Secretly an Image Segmentation Model", 2025, https://github.com/tue-mps/eomt, MIT; weights
on DINOv3 have that encoder's licence too. The networks are transformers' own. Queries become regions as upstream's
``to_per_pixel_preds_panoptic`` makes them, but with soft edges.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maskwright.masks.logits import LogitMap
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import classes
from maskwright.models.coco import COCO_PANOPTIC, STUFF
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

_MIN_SCORE = 0.8  # upstream's
_LEAST_KEPT = 0.8  # share of a query's mask that others must leave it
_KINDS = ("EomtForUniversalSegmentation", "EomtDinov3ForUniversalSegmentation")


@dataclass(frozen=True)
class _Region:
    number: int  # of its class
    score: float
    logits: torch.Tensor  # (h, w), at most one region's is positive in any place


class Eomt:
    """``PanopticModel`` and ``Detector``. Raises ``ModelBroken``."""

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        import transformers
        from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil

        try:
            told = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("architectures") or [""]
            self._images = EomtImageProcessorPil.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            text = tr("The files of the model {0} cannot be read.", entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error
        if told[0] not in _KINDS:
            text = tr("The model {0} is none that this family knows.", entry.id)
            raise ModelBroken(text, model=entry.id, kind=str(told[0])[:80], known=list(_KINDS))
        self._network = pretrained(getattr(transformers, told[0]), entry, folder, setup)
        self.labels = entry.names or _names(self._network.config.id2label)
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = nbytes(self._network)
        self._min_score = float(entry.options.get("min_score", _MIN_SCORE))

    def regions(self, image: RGB) -> list[Detection]:
        """Everything that is seen in ``image`` ``(H, W, 3)`` uint8, best first: things one by one, stuff of a kind
        together, with logits that are positive for at most one of them in any place. Raises ``OutOfMemory``."""
        return self._look(image, self._min_score, dict(enumerate(self.labels)))

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Those of the regions that the words of ``text`` and the option ``classes`` name; without both, all.

        Raises ``UnknownWord``, ``BadInput``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        names = classes(text, chosen["classes"], self.labels)
        return self._look(image, self._min_score if min_score is None else min_score, names)[: chosen["max_det"]]

    def _look(self, image: RGB, least: float, names: Mapping[int, str]) -> list[Detection]:
        found = []
        with running(self.model_id):
            scores, numbers, masks, edges = self._run(image, least)
            for one in _apart(scores, numbers, masks, self._is_stuff):
                if one.number in names:
                    logits = LogitMap(one.logits.cpu().numpy(), 0.0, 0.0, *edges)
                    name, stuff = names[one.number], self._is_stuff(one.number)
                    found.append(Detection(self._box(logits, image), name, one.score, logits, stuff=stuff))
        return sorted(found, key=lambda one: -one.score)

    def _is_stuff(self, number: int) -> bool:
        return self.labels[number] in STUFF.values()

    @staticmethod
    def _box(logits: LogitMap, image: RGB) -> Box:
        height, width = image.shape[:2]
        x0, y0, x1, y1 = logits.extent()
        return Box(x0, y0, min(x1, width), min(y1, height))

    def _run(self, image: RGB, least: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, tuple[float, float]]:
        """The queries that see something with a score above ``least``.

        Scores ``(N,)`` float32 0..1, classes ``(N,)`` int64, mask logits ``(N, h, w)`` float32, and how far right and
        down, in the image's pixels, these cells reach from its origin: up to a cell beyond the image.
        """
        from transformers.image_transforms import get_size_with_aspect_ratio

        pictures = self._images(images=image, return_tensors="pt", input_data_format="channels_last")
        pixels = pictures["pixel_values"].to(self.device, next(self._network.parameters()).dtype)
        output = self._network(pixel_values=pixels)
        scores, numbers = output.class_queries_logits[0].float().softmax(-1).max(-1)
        seen = (numbers < len(self.labels)) & (scores > least)
        masks = output.masks_queries_logits[0][seen].float()
        size = self._images.size
        sides = get_size_with_aspect_ratio(image.shape[:2], size["shortest_edge"], size["longest_edge"])
        # The picture lies at the top left of what the network sees; the rest is padding.
        cells = [canvas / count for canvas, count in zip(pixels.shape[-2:], masks.shape[-2:], strict=True)]
        rows, columns = (math.ceil(side / cell) for side, cell in zip(sides, cells, strict=True))
        bottom, right = rows * cells[0] * image.shape[0] / sides[0], columns * cells[1] * image.shape[1] / sides[1]
        return scores[seen], numbers[seen], masks[:, :rows, :columns], (right, bottom)


def _apart(scores: torch.Tensor, numbers: torch.Tensor, masks: torch.Tensor, is_stuff: Any) -> list[_Region]:
    """Queries -> regions that share no place: each place goes to the query with the largest score times probability.

    A query that loses more than a fifth of its mask to others is dropped; queries of one kind of stuff are one region.
    """
    if not len(scores):
        return []
    weights = scores.log()[:, None, None] + torch.nn.functional.logsigmoid(masks)
    winner = weights.argmax(0)
    groups: dict[tuple[int, int], list[int]] = {}
    for query, number in enumerate(numbers.tolist()):
        own = masks[query] >= 0
        won = winner == query
        area = int(own.sum())
        if area and bool((own & won).any()) and int(won.sum()) / area > _LEAST_KEPT:
            groups.setdefault((number, -1 if is_stuff(number) else query), []).append(query)
    found = []
    for (number, _), members in groups.items():
        others = torch.ones(len(scores), dtype=torch.bool, device=masks.device)
        others[members] = False
        logits = masks[members].amax(0)
        if bool(others.any()):
            logits = torch.minimum(logits, weights[members].amax(0) - weights[others].amax(0))
        found.append(_Region(number, float(scores[members].max()), logits))
    return found


def _names(told: Mapping[Any, Any]) -> tuple[str, ...]:
    """A checkpoint's names of its classes, as people say them; COCO's where a library made them up ("LABEL_7")."""
    names = tuple(str(name) for _, name in sorted((int(number), name) for number, name in told.items()))
    if len(names) == len(COCO_PANOPTIC) and all(name.startswith("LABEL_") for name in names):
        return COCO_PANOPTIC
    return tuple(STUFF.get(name, name) for name in names)
