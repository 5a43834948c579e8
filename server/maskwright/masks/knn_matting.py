"""KNN matting: pixels that look alike and lie near get like alpha, also across gaps.

Chen, Li and Tang, "KNN Matting" (TPAMI 2013), written from the paper, with colours in RGB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .trimap import unknown

# Neighbours, and how much a place counts beside a colour: many that look alike anywhere, some that lie near.
_LOOKS = ((10, 0.1), (20, 2.0))
_TRUST = 1e-6  # weight of 0.5, which keeps the equations solvable
_STEPS = 1000
_EXACT = 1e-4


def solve(image: NDArray[np.uint8], trimap: Plane) -> Plane:
    """Alpha ``(H, W)`` float32 0..1 of an RGB image ``(H, W, 3)``; as the trimap ``(H, W)`` where that is 0 or 1."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import cg
    from scipy.spatial import KDTree

    open_ = unknown(trimap).ravel()
    alpha = np.clip(trimap, 0, 1).astype(np.float32)
    if not open_.any():
        return alpha
    height, width = trimap.shape
    rows, columns = np.divmod(np.arange(height * width), width)
    places = np.stack([rows, columns], axis=1) / max(height, width)
    colours = image.reshape(-1, 3) * (1 / 255)
    first, second, weights = [], [], []
    for count, nearness in _LOOKS:
        features = np.hstack([colours, nearness * places]).astype(np.float32)
        nearest = min(count + 1, len(features))
        distances, others = map(np.atleast_2d, KDTree(features).query(features[open_], nearest, workers=-1))
        furthest = np.sqrt(3 + 2 * nearness**2)
        first.append(np.repeat(np.flatnonzero(open_), nearest))
        second.append(others.ravel())
        weights.append(1 - distances.ravel() / furthest)
    one, other, weight = np.concatenate(first), np.concatenate(second), np.concatenate(weights)
    size = height * width
    likeness = coo_matrix((weight, (one, other)), (size, size)).tocsr()
    likeness = (likeness + likeness.T).tocsr()[open_]
    total = np.asarray(likeness.sum(axis=1)).ravel() + _TRUST
    known = likeness[:, ~open_] @ alpha.ravel()[~open_].astype(np.float64) + 0.5 * _TRUST
    matrix = diags(total) - likeness[:, open_]
    start = known / total
    answer, _ = cg(matrix, known, x0=start, rtol=_EXACT, maxiter=_STEPS, M=diags(1 / total))
    alpha.ravel()[open_] = np.clip(answer, 0, 1)
    return alpha
