from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.run import run
from maskwright_protocol import masks as wire
from maskwright_protocol.messages import Job, Mask, Picture, PixelRect, Raster
from tests.server.conftest import break_installation
from tests.shared_data import EVAL, MODELS


@dataclass
class Desk:
    """Runs requests as a worker does."""

    pool: ModelPool
    cache: EmbeddingCache = field(default_factory=lambda: EmbeddingCache(1 << 28))
    rasters: dict[str, memoryview] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    cancelled: Callable[[], bool] = lambda: False

    def picture(self, pixels: np.ndarray, key: str, small: int | None = None, x: int = 0, y: int = 0) -> Picture:
        """An RGB8 picture at document place ``(x, y)``; with ``small`` only a proxy of that long side."""
        from maskwright.masks.opencv import cv2

        height, width = pixels.shape[:2]
        shown = pixels
        if small:
            size = (round(width * small / max(width, height)), round(height * small / max(width, height)))
            shown = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        self.rasters[key] = memoryview(np.ascontiguousarray(shown).tobytes())
        box = PixelRect(x, y, width, height)
        return Picture(box, [Raster(key, shown.shape[1], shown.shape[0], "RGB8", box)])

    def run(self, request: Job) -> Any:
        """The answer; which message it is follows from the request."""

        def emit(stage: str, fraction: float, text: str) -> None:
            self.stages.append(stage)

        return run(request, self.rasters, JobContext(self.pool, self.cache, emit, self.cancelled))


@pytest.fixture(scope="session")
def pool() -> ModelPool:
    return ModelPool([MODELS], "cpu", 2)


@pytest.fixture(scope="session")
def shared_cache() -> EmbeddingCache:
    return EmbeddingCache(1 << 28)


@pytest.fixture
def desk(pool, shared_cache) -> Desk:
    return Desk(pool, shared_cache)


@pytest.fixture
def basic(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A broken installation: of the built-in models' files only U²-Netp's are left."""
    break_installation(monkeypatch, tmp_path_factory.mktemp("embedded"), "u2netp")
    return Desk(ModelPool([], "cpu", 2))


def plane(mask: Mask | None, like: np.ndarray, x: int = 0, y: int = 0) -> np.ndarray:
    assert mask is not None
    height, width = like.shape[:2]
    data = wire.place(mask, width, height, x, y)
    kind = np.dtype(np.uint8) if mask.depth == 8 else np.dtype("<u2")
    return np.frombuffer(data, kind).reshape(height, width) / np.iinfo(kind).max


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    a, b = mask >= 0.5, truth >= 0.5
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def photo(name: str) -> np.ndarray:
    return np.array(Image.open(EVAL / name).convert("RGB"))


@pytest.fixture(scope="module")
def lemur() -> np.ndarray:
    return photo("matting/lemur.png")


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.array(Image.open(EVAL / "matting/lemur_alpha.png")) / 255
