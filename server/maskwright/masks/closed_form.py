"""Closed-form matting of the pixels that a trimap leaves open, from coarse to fine.

The equations are those of Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting" (TPAMI 2008),
for the open pixels alone: what is known stands on the right side. They are solved directly where that is quick. Where
many pixels are open, a picture of half the size is solved before; its alpha is enlarged along the picture's colours,
many places are decided by it, and the equations of the others are solved, or brought nearer to their solution.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .guided import fit
from .opencv import cv2
from .trimap import unknown

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

_EPSILON = 1e-7  # variance of colour that counts as flat
_AT_ONCE = 12_000  # open pixels that are solved without a look at a smaller picture
_MOST = 36_000  # open pixels that are solved directly after such a look; of more, steps of conjugate gradients
_STEPS = 120
_DECIDED = 0.01  # how near to 0 or 1 alpha is in a place that a smaller picture decides
_SMALLEST = 24  # pixels of the shorter side of what is still halved
_TRUST = 1e-6  # weight of the guess, which keeps the equations solvable where no colour says anything
_WINDOWS = 1 << 16  # windows of 3x3 pixels at a time: some 60 MB


def solve(image: NDArray[np.uint8], trimap: Plane) -> Plane:
    """Alpha ``(H, W)`` float32 0..1 of an RGB image ``(H, W, 3)``; as the trimap ``(H, W)`` where that is 0 or 1.

    The trimap should have both. Open places that touch neither, not even through other open places, get 0.5.
    """
    open_ = unknown(trimap)
    count = int(np.count_nonzero(open_))
    if count <= _AT_ONCE or min(trimap.shape) < 2 * _SMALLEST:
        return _solve(image, np.clip(trimap, 0, 1), open_, np.full(trimap.shape, np.float32(0.5)))
    height, width = trimap.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # A small pixel is sure only where all of it is.
    found = solve(small, cv2.resize(np.clip(trimap, 0, 1), size, interpolation=cv2.INTER_AREA))
    seen = fit(_unit(small), found, 1).apply(_unit(image))
    alpha = np.where(open_, seen, np.clip(trimap, 0, 1)).astype(np.float32)
    near = np.ones((3, 3), np.uint8)
    decided = (cv2.dilate(alpha, near) <= _DECIDED) | (cv2.erode(alpha, near) >= 1 - _DECIDED)
    rest = open_ & ~decided
    known = np.where(open_ & decided, np.round(alpha), alpha)
    return _solve(image, known, rest, alpha)


def _unit(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return image.astype(np.float32) * np.float32(1 / 255)


def _solve(image: NDArray[np.uint8], alpha: Plane, open_: NDArray[np.bool_], guess: Plane) -> Plane:
    """``alpha`` with the answers of the equations in the open places; the other places are taken as known."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg, splu

    out = np.array(alpha, np.float32)
    if not open_.any():
        return out
    matrix, right = _equations(image, alpha, open_, guess)
    if len(right) <= _MOST:
        factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        answer = factors.solve(right)
    else:
        start = guess[open_].astype(np.float64)
        answer, _ = cg(matrix, right, x0=start, maxiter=_STEPS, M=diags(1 / matrix.diagonal()))
    out[open_] = np.clip(answer, 0, 1)
    return out


def _equations(
    image: NDArray[np.uint8], alpha: Plane, open_: NDArray[np.bool_], guess: Plane
) -> tuple[csc_matrix, NDArray[np.float64]]:
    """The matting Laplacian's rows and columns of the ``n`` open pixels, and the right side, from the known ones."""
    from scipy.sparse import csc_matrix

    height, width = alpha.shape
    places = np.flatnonzero(open_)
    count = len(places)
    number = np.full(height * width, count, np.int64)  # of the equation of a pixel; known pixels share the last
    number[places] = np.arange(count)
    weights = _weights(image, open_, number, count)
    steps = np.array([dy * width + dx for dy in range(-2, 3) for dx in range(-2, 3)])
    neighbours = places + steps[:, None]
    # Beyond the picture there is no window, so the weight is 0.
    np.clip(neighbours, 0, height * width - 1, out=neighbours)
    columns = number[neighbours]
    known = columns == count
    right = -np.where(known, weights * alpha.ravel()[neighbours], 0).sum(axis=0)
    weights[_MIDDLE] += _TRUST
    right += _TRUST * guess[open_]
    used = ~known & (weights != 0)
    # The matrix is its own transpose, so these rows are columns too.
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=0))])
    return csc_matrix((weights.T[used.T], columns.T[used.T], ends), shape=(count, count)), right


_MIDDLE = 12  # of the 25 neighbours within two pixels


def _weights(
    image: NDArray[np.uint8], open_: NDArray[np.bool_], number: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """``(25, count)``: the Laplacian between each open pixel and its neighbours within two pixels, row by row."""
    width = open_.shape[1]
    touched = cv2.dilate(open_.view(np.uint8), np.ones((3, 3), np.uint8))
    touched[[0, -1]] = 0
    touched[:, [0, -1]] = 0  # windows lie within the picture
    centres = np.flatnonzero(touched)
    steps = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    colours = image.reshape(-1, 3)
    out = np.zeros((25, count + 1))
    for start in range(0, len(centres), _WINDOWS):
        pixels = centres[start : start + _WINDOWS] + steps[:, None]  # (9, k)
        differences = colours[pixels].transpose(2, 0, 1) * (1 / 255)  # (3, 9, k)
        differences -= differences.mean(axis=1, keepdims=True)
        whitened = _whitened(differences)
        rows = number[pixels]
        for first in range(9):
            for second in range(first, 9):
                value = np.einsum("ck,ck->k", whitened[:, first], differences[:, second])
                value += 1
                value *= -1 / 9
                if first == second:
                    out[_MIDDLE, rows[first]] += value + 1
                else:
                    step = _step(first, second)
                    out[_MIDDLE + step, rows[first]] += value
                    out[_MIDDLE - step, rows[second]] += value
    return out[:, :count]


@cache
def _step(first: int, second: int) -> int:
    """From one place of a window of 3x3 to another, in places of a window of 5x5."""
    return (second // 3 - first // 3) * 5 + second % 3 - first % 3


def _whitened(differences: NDArray[np.float64]) -> NDArray[Any]:
    """``(3, 9, k)``: differences from the window's mean colour, times the inverse of the window's covariance."""
    red, green, blue = differences
    products = [np.einsum("ik,ik->k", a, b) / 9 for a, b in ((red, red), (green, green), (blue, blue))]
    rr, gg, bb = (product + _EPSILON / 9 for product in products)
    rg, rb, gb = (np.einsum("ik,ik->k", a, b) / 9 for a, b in ((red, green), (red, blue), (green, blue)))
    irr, igg, ibb = gg * bb - gb * gb, rr * bb - rb * rb, rr * gg - rg * rg
    irg, irb, igb = rb * gb - rg * bb, rg * gb - rb * gg, rg * rb - rr * gb
    scale = 1 / (rr * irr + rg * irg + rb * irb)
    return np.stack(
        [
            (irr * red + irg * green + irb * blue) * scale,
            (irg * red + igg * green + igb * blue) * scale,
            (irb * red + igb * green + ibb * blue) * scale,
        ]
    )
