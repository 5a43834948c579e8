"""``everything`` and ``similar``: all objects of a picture as a map, and what is like a selection."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from maskwright.files.reading import FileSource, read_mask
from maskwright.files.writing import write_png, write_whole
from maskwright_client.jobs import JobOptions
from maskwright_protocol import masks
from maskwright_protocol.messages import Everything, MappedObject, ObjectMap

from . import console
from .jobs import ask_for_selection, default_out, finish

_GOLDEN = 0.618034  # steps of hue that keep neighbours' numbers apart
_LISTED = 20


def run_everything(image: Path, job: Everything, out: Path | None, labels: Path | None, as_json: bool) -> None:
    """Writes the map in colours, the table as JSON beside it, and ``labels``, the numbers as a 16-bit PNG, if asked."""
    with console.explained(as_json):
        source = FileSource(image)
        with console.connected() as client:
            answer = console.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, ObjectMap)
        summary: dict[str, Any] = {
            "objects": [_described(one) for one in answer.objects],
            "reason": answer.reason,
            "message": answer.message,
            **console.report_summary(answer.report),
        }
        written: list[Path] = []
        if answer.labels is not None:
            box = answer.labels.box
            numbers = np.frombuffer(masks.unpack(answer.labels), "<u2").reshape(box.height, box.width)
            target = out or default_out(image, "objects")
            write_png(target, _colourful(source, numbers))
            table = target.with_suffix(".json")
            write_whole(table, json.dumps(summary, indent=2).encode())
            written = [target, table]
            if labels is not None:
                write_png(labels, numbers)
                written.append(labels)
        if not as_json:
            _print_objects(answer)
        console.tell(answer, summary, written, as_json)


def run_similar(
    image: Path, mask: Path, options: JobOptions, pick: str, min_score: float | None, out: Path | None,
    folder: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with console.explained(as_json):
        source = FileSource(image)
        job = options.similar("", read_mask(mask, source.width, source.height))
        job = replace(job, pick=pick, min_score=min_score)
        finish(ask_for_selection(job, source, as_json), source, out or default_out(image, "similar"), folder, as_json)


def _described(one: MappedObject) -> dict[str, Any]:
    box = one.box
    return {
        "number": one.number,
        "id": one.id,
        "score": round(one.score, 4),
        "area": round(one.area, 1),
        "box": [round(v, 2) for v in (box.x, box.y, box.width, box.height)],
        "parent": one.parent,
        "name": one.name,
    }


def _colourful(source: FileSource, numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` at the picture's size: each object in a colour of its own over the picture in grey."""
    count = int(numbers.max()) + 1
    hues = (np.arange(count) * _GOLDEN) % 1.0 * 180
    hsv = np.stack([hues, np.full(count, 190), np.full(count, 240)], axis=-1).astype(np.uint8)
    palette = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32)
    size = (source.width, source.height)
    large = cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST)
    pixels = source.pixels[..., :3].mean(axis=-1, keepdims=True, dtype=np.float32)
    grey = pixels * np.float32(255 / np.iinfo(source.pixels.dtype).max)
    mixed = np.where((large > 0)[..., None], 0.45 * grey + 0.55 * palette[large], 0.5 * grey)
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def _print_objects(answer: ObjectMap) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "score", "area", "x", "y", "width", "height", "part of"):
        table.add_column(column, justify="right")
    table.add_column("name")
    for one in answer.objects[:_LISTED]:
        box = [f"{v:.0f}" for v in (one.area, one.box.x, one.box.y, one.box.width, one.box.height)]
        table.add_row(str(one.number), f"{one.score:.2f}", *box, str(one.parent or ""), one.name)
    console.errors.print(table)
    if len(answer.objects) > _LISTED:
        console.errors.print(f"[dim]and {len(answer.objects) - _LISTED} smaller ones[/]")
