"""What is like an object, for segmenters that take no examples: mean features over the objects of the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskwright.masks.instances import share_of_smaller
from maskwright.masks.logits import LogitMap
from maskwright.models.roles import Featured, FloatMap
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.object_map.automatic_masks import all_objects, known_objects
from maskwright_protocol.language import tr

from .found import Found, recalled

LIKE = 0.7  # likeness from which on an object counts as similar
_PART = 0.5  # share of the smaller one within the other beyond which two are one thing


def by_features(
    segmenter: Featured,
    wanted: Sequence[Found],
    unwanted: Sequence[Found],
    picture: PictureView,
    context: JobContext,
    least: float = LIKE,
) -> list[Found]:
    """The wanted objects, and those of the object map that look like one of them; the likest first.

    Likeness, which becomes their score, is the cosine between mean features: at least ``least``, and more than that to
    any unwanted object.
    """
    masks = known_objects(segmenter, picture, context) or all_objects(segmenter, picture, context)
    features = segmenter.features(vision.embed(segmenter, picture, context))
    with context.stage("similar", tr("Comparing the objects")):
        near, far = ([_signature(features, one, picture) for one in kind] for kind in (wanted, unwanted))
        rated = []
        for one in masks.objects:
            item = recalled(one.id, one.memory)
            if any(share_of_smaller(item.logits, known.logits) > _PART for known in (*wanted, *unwanted)):
                continue  # the thing itself, a part of it, or what it is a part of
            own = _signature(features, item, picture)
            likeness = max(float(other @ own) for other in near)
            if likeness >= least and likeness > max((float(other @ own) for other in far), default=-1.0):
                item.score = float(np.clip(likeness, 0.0, 1.0))
                rated.append(item)
    kept = list(wanted)
    for item in sorted(rated, key=lambda f: -f.score):
        # A thing and its own part may both be like it: the likelier stands for both.
        if all(share_of_smaller(item.logits, other.logits) <= _PART for other in kept):
            kept.append(item)
    return kept


def _signature(features: FloatMap, one: Found, picture: PictureView) -> np.ndarray:
    """The object's mean features less those of the picture, ``(channels,)`` float32 of length 1.

    ``features`` ``(channels, rows, columns)`` float32 cover the overview.
    """
    channels, rows, columns = features.shape
    height, width = picture.size
    grid = LogitMap(np.zeros((rows, columns), np.float32), 0.0, 0.0, float(width), float(height))
    # Four samples a cell and side, so that thin things weigh what they cover.
    fine = grid.like(np.zeros((4 * rows, 4 * columns), np.float32))
    weights = (one.logits.onto(fine) > 0).reshape(rows, 4, columns, 4).mean(axis=(1, 3), dtype=np.float32).ravel()
    flat = features.reshape(channels, -1)
    mean = flat @ weights / max(float(weights.sum()), 1e-6) - flat.mean(axis=1)
    return mean / max(float(np.linalg.norm(mean)), 1e-6)
