"""How good an answer is likely to be: an estimate of its IoU with what is meant, and whether it is worth a look.

Models guess the quality of their masks themselves, and guess high: on made-up pictures with known truth they are off by
a tenth for boxes and by three tenths for clicks. Here their guess is one feature among others: how steep the mask's
edge is (the share that stays when the logit's limit is moved, the "stability score" of Kirillov et al., "Segment
Anything", 2023), its size in cells, how far the model's other hypotheses, the box and the closer look agree with it.
A logistic regression of each kind of prompt makes one number of them. ``rating.json`` holds its weights, which
``python -m tests.calibrate`` fits; it also tells how far off they are.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np

from maskwright.masks.instances import box_iou
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.remembered import Rating

from .found import Found

FEATURES = (
    "one", "own", "stable", "size", "fill", "depth", "others", "furthest", "box", "clicks", "close", "close agrees",
    "close stable", "close size", "close depth",
)  # fmt: skip
_MOVED = 2.5  # how far the limit is moved, in logits
_SHARES = [1, 2, 8, 11, 12]  # features that are shares: their log odds are taken ...
_SURE = 0.98  # ... up to this


@cache
def weights(kind: str) -> tuple[np.ndarray, float]:
    """Of ``FEATURES``, float64, and the score below which an answer is doubtful."""
    fitted = json.loads((Path(__file__).parent / "rating.json").read_text())[kind]
    return np.array(fitted["weights"]), float(fitted["doubtful_below"])


def kind_of(one: Found) -> str:
    """``words``, ``box`` or ``click``: how the object was asked for."""
    wanted = one.wanted
    return "words" if wanted.score is not None else "box" if wanted.box is not None else "click"


def rate(found: list[Found], picture: PictureView) -> None:
    """Sets ``rating`` of objects that have none; of what is made of several things the worst one's."""
    for one in found:
        if one.parts:
            rate(one.parts, picture)
            one.rating = min([part.rating for part in one.parts if part.rating is not None])
        elif one.rating is None:
            one.rating = _rated(one, picture)


def _rated(one: Found, picture: PictureView) -> Rating:
    found, limit = weights(kind_of(one))
    score = 1.0 / (1.0 + math.exp(-float(found @ features(one, picture))))
    return Rating(score, score < limit)


def features(one: Found, picture: PictureView) -> np.ndarray:
    """``(len(FEATURES),)`` float64."""
    logits, wanted = one.logits, one.wanted
    values = logits.values
    shown = values > 0
    inside = shown.view(np.uint8)
    cells = max(1, cv2.countNonZero(inside))
    _, _, width, height = cv2.boundingRect(inside)
    shares = [1.0]
    for other in one.others:
        theirs = other.logits.values > 0
        both = cv2.countNonZero((theirs & shown).view(np.uint8))
        shares.append(both / max(1, cv2.countNonZero((theirs | shown).view(np.uint8))))
    agreed = 1.0
    if wanted.box is not None:
        agreed = box_iou(picture.box_to_overview(wanted.box), logits.extent())
    out = [
        1.0, one.score, _stable(values, cells), math.log(cells * 65536 / values.size),
        cells / max(1, width * height), cv2.mean(values, inside)[0], sum(shares) / len(shares), min(shares),
        agreed, math.log1p(len(wanted.points)), 0.0, 0.5, 0.5, 0.0, 0.0,
    ]  # fmt: skip
    if one.close is not None and one.close.low_res is not None:
        out[10:] = _close(one.close.logits, picture.map_to_document(logits))
    found = np.array(out)
    share = np.minimum(np.maximum(found[_SHARES], 1 - _SURE), _SURE)
    found[_SHARES] = np.log(share / (1 - share))
    return found


def _close(near: LogitMap, coarse: LogitMap) -> list[float]:
    values = near.values
    shown = values > 0
    cells = max(1, cv2.countNonZero(shown.view(np.uint8)))
    before = coarse.onto(near) > 0
    both = cv2.countNonZero((before & shown).view(np.uint8))
    agreed = both / max(1, cv2.countNonZero((before | shown).view(np.uint8)))
    depth = cv2.mean(values, shown.view(np.uint8))[0]
    return [1.0, agreed, _stable(values, cells), math.log(cells * 65536 / values.size), depth]


def _stable(values: np.ndarray, cells: int) -> float:
    """IoU of what is shown with a higher and with a lower limit."""
    high = cv2.countNonZero((values > _MOVED).view(np.uint8))
    return high / max(cells, cv2.countNonZero((values > -_MOVED).view(np.uint8)))
