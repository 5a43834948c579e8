"""``everything``: all objects of a picture as a map in colours and a table."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.files import formats
from maskwright.files import result as results
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions, write_png, write_whole
from maskwright_protocol import masks
from maskwright_protocol.messages import Everything, ObjectMap

from . import summaries
from .summaries import Summary
from .task import Targets, Task, told_when_not_written

_GOLDEN = 0.618034  # steps of hue that keep neighbours' numbers apart


@dataclass(kw_only=True)
class EverythingTask(Task):
    """``ask`` has all settings. ``extra`` is a file for the objects' numbers, as a 16-bit PNG."""

    verb: ClassVar[str] = "select"
    extra_suffix: ClassVar[str] = "png"
    ask: Everything

    @property
    def suffix(self) -> str:
        return "objects"

    def job(self, source: FileSource) -> Everything:
        return replace(self.ask)

    def result(self, answer: ObjectMap, source: FileSource) -> Result:
        result = Result(source.width, source.height, picture=source.picture)
        if answer.labels is not None:
            result.cutout = _colourful(source, _numbers(answer))
        return result

    def write(
        self, answer: ObjectMap, result: Result, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        """The map, the table as JSON beside it, and the numbers if asked.

        Layers and outlines are of all objects, a map in colours is one picture.
        """
        name = targets.main.name if isinstance(targets.main, Path) else f".{options.format or 'png'}"
        if not formats.of_name(name).flat:
            result = results.of_map(answer, source.width, source.height, source.picture)
        written = super().write(answer, result, source, targets, options)
        if isinstance(targets.main, Path):
            table = targets.main.with_name(f"{formats.split(targets.main.name)[0]}.json")
            with told_when_not_written(table):
                write_whole(table, json.dumps(self.summary(answer), indent=2).encode())
            written.append(table)
        if targets.extra is not None:
            write_png(targets.extra, _numbers(answer))
            written.append(targets.extra)
        return written

    def summary(self, answer: ObjectMap) -> Summary:
        return summaries.of_map(answer)


def _numbers(answer: ObjectMap) -> NDArray[np.uint16]:
    """``(H, W)`` at the overview's size: of each pixel the number of its object."""
    assert answer.labels is not None
    box = answer.labels.box
    return np.frombuffer(masks.unpack(answer.labels), "<u2").reshape(box.height, box.width)


def _colourful(source: FileSource, numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """``(H, W, 4)`` at the picture's size, opaque: each object in a colour of its own over the picture in grey."""
    count = int(numbers.max()) + 1
    hues = (np.arange(count) * _GOLDEN) % 1.0 * 180
    hsv = np.stack([hues, np.full(count, 190), np.full(count, 240)], axis=-1).astype(np.uint8)
    palette = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32)
    size = (source.width, source.height)
    large = cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST)
    pixels = source.pixels[..., :3].mean(axis=-1, keepdims=True, dtype=np.float32)
    grey = pixels * np.float32(255 / np.iinfo(source.pixels.dtype).max)
    mixed = np.where((large > 0)[..., None], 0.45 * grey + 0.55 * palette[large], 0.5 * grey)
    opaque = np.full((*mixed.shape[:2], 1), 255, np.float32)
    return np.clip(np.concatenate([mixed, opaque], axis=-1) + 0.5, 0, 255).astype(np.uint8)
