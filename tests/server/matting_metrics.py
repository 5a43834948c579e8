"""The four errors of the alpha-matting benchmark: Rhemann et al., "A Perceptually Motivated Online Benchmark for Image
Matting" (CVPR 2009), with the constants that the field uses. Lower is better; alphas are ``(H, W)`` 0..1.

``where`` limits the sums to a region (the benchmark takes the trimap's unknown part); None takes the whole picture.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from maskwright.masks.opencv import cv2

_SIGMA = 1.4
_STEP, _THETA = 0.1, 0.15


def errors(alpha: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> dict[str, float]:
    """SAD, gradient and connectivity in thousands, MSE in thousandths."""
    alpha, truth = np.asarray(alpha, np.float64), np.asarray(truth, np.float64)
    region = np.ones(truth.shape, bool) if where is None else where
    return {
        "sad": float(np.abs(alpha - truth)[region].sum()) / 1000,
        "mse": float(((alpha - truth)[region] ** 2).mean()) * 1000,
        "gradient": gradient_error(alpha, truth, region),
        "connectivity": connectivity_error(alpha, truth, region),
    }


def gradient_error(alpha: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """Sum of squared differences of the gradients' lengths, by derivatives of a Gaussian of 1.4 pixels."""
    return float(((_gradient(alpha) - _gradient(truth))[region] ** 2).sum()) / 1000


def _gradient(alpha: np.ndarray) -> np.ndarray:
    half = int(np.ceil(_SIGMA * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * _SIGMA * 0.01))))
    x = np.arange(-half, half + 1)
    bell = np.exp(-(x**2) / (2 * _SIGMA**2)) / (_SIGMA * np.sqrt(2 * np.pi))
    slope = -x * bell / _SIGMA**2
    kernel = np.outer(bell, slope)
    kernel /= np.sqrt((kernel**2).sum())
    spans = alpha.max() - alpha.min()
    scaled = (alpha - alpha.min()) / spans if spans > 0 else alpha
    gx = cv2.filter2D(scaled, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.filter2D(scaled, -1, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(gx, gy)


def connectivity_error(alpha: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """How differently pixels hang together with the largest region that both hold for opaque."""
    last = np.full(alpha.shape, -1.0)
    steps = np.arange(0, 1 + _STEP, _STEP)
    for before, level in pairwise(steps):
        both = ((alpha >= level) & (truth >= level)).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=4)
        if count < 2:
            largest = np.zeros(alpha.shape, bool)
        else:
            largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        last[(last == -1) & ~largest] = before
    last[last == -1] = 1
    parts = []
    for plane in (alpha, truth):
        distance = plane - last
        parts.append(1 - distance * (distance >= _THETA))
    return float(np.abs(parts[0] - parts[1])[region].sum()) / 1000


def fringe_error(colours: np.ndarray, true_colours: np.ndarray, alpha: np.ndarray) -> float:
    """Root mean square error of the colours, in 255ths, over half transparent pixels, by how much they show."""
    soft = (alpha > 0.02) & (alpha < 0.98)
    weight = (alpha * soft)[..., None]
    squares = (weight * (np.asarray(colours, np.float64) - true_colours) ** 2).sum()
    return float(255 * np.sqrt(squares / (3 * weight.sum())))
