"""``python -m maskwright.models.runtime.trial``: looks into a user's files and uses a model once, before it is added.

A process of its own, as the worker is: what is wrong with a file may end it, and its memory is given back.

- ``look FILE...`` prints ``{"done": ...}`` with what ``Contents`` has of each file.
- ``use FOLDER``: FOLDER holds ``entry.json`` and a folder with the model, called by its id. Prints ``{"text"}`` for
  what it does and at the end ``{"done": {"names": [...], "device": ...}}``.

Both print ``{"error", "message", "hint", "details"}`` where something is wrong, and end when their standard input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.install.wrappers import unwrapped
from maskwright.models.roles import (
    RGB,
    FloatMap,
    SegmentPrompt,
    TextSegmenter,
)
from maskwright_protocol.errors import InternalError, MaskwrightError, ModelBroken

from .out_of_memory import with_fallback
from .pool import ModelPool

SIDE = 512  # pixels of the picture's longer side
Say = Callable[[dict[str, Any]], None]


def main(arguments: list[str]) -> None:
    """See above."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    what, *given = arguments
    try:
        if what == "look":
            _say({"done": {Path(name).name: _look(Path(name)) for name in given}})
        else:
            _say({"done": _use(Path(given[0]))})
    except MaskwrightError as error:
        _say({"error": error.code, "message": error.message, "hint": error.hint, "details": error.details})
    except Exception as error:
        failure = InternalError(f"The model could not be tried: {type(error).__name__}: {str(error)[:300]}.")
        _say({"error": failure.code, "message": failure.message, "hint": failure.hint, "details": {}})
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the standard input would hold the interpreter


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message, default=str), flush=True)


def _look(path: Path) -> dict[str, Any]:
    """Raises ``ModelBroken`` for a file that cannot be read, ``NeedsPackage``."""
    return _graph(path) if path.suffix == ".onnx" else _tensors(path)


def _graph(path: Path) -> dict[str, Any]:
    from .onnx_session import described

    return described(path)


def _tensors(path: Path) -> dict[str, Any]:
    from importlib.util import find_spec

    from maskwright.models.machine import packages

    if find_spec("safetensors") is None:
        raise packages.missing("Reading a safetensors file", "safetensors")
    from safetensors import safe_open

    try:
        with safe_open(path, "np") as file:
            return {"tensors": list(unwrapped(dict.fromkeys(file.keys()))), "told": dict(file.metadata() or {})}
    except Exception as error:  # the Rust library's error has no public base
        text = f"{path.name} is no safetensors file that can be read."
        raise ModelBroken(text, "Get the file again.", reason=str(error)[:300]) from error


def _use(folder: Path) -> dict[str, Any]:
    """Load the model by the way that jobs take, and have it do once what it is for."""
    from maskwright.config import Settings

    settings = Settings()
    entry = Entry.model_validate_json((folder / "entry.json").read_text(encoding="utf-8"))
    pool = ModelPool(
        [folder], settings.device, settings.threads, known=Catalogue(model=(entry,)), precision=settings.precision
    )

    def attempt(notes: list[str]) -> list[str]:
        _say({"text": f"Loading {entry.title}"})
        names: list[str] = []
        for role in entry.roles:
            names += _TRIALS[role](pool, entry) if role in _TRIALS else []
        return names

    names = with_fallback(attempt, pool, lambda: None, frozenset({entry.id}))
    return {"names": names, "device": pool.placement(entry).device}


def picture() -> RGB:
    """A disc on a ground that changes slowly, ``(384, 512, 3)`` uint8."""
    y, x = np.mgrid[: SIDE * 3 // 4, :SIDE].astype(np.float32)
    ground = np.stack([x / SIDE * 255, y / SIDE * 255, 128 + 0 * x], axis=2)
    ground[(x - 230) ** 2 + (y - 190) ** 2 < 120**2] = (220, 60, 40)
    return ground.astype(np.uint8)


def _detect(pool: ModelPool, entry: Entry) -> list[str]:
    """The names that the detector knows; empty where it takes any words."""
    model = pool.detector(entry.id)
    labels = [str(label) for label in getattr(model, "labels", ())]
    vocabulary = entry.facts.vocabulary
    known = labels or (list(vocabulary) if isinstance(vocabulary, tuple) else [])
    _say({"text": f"Trying {entry.title} on a picture"})
    model.detect(picture(), known[0] if known else "person")
    return labels


def _segment(pool: ModelPool, entry: Entry) -> list[str]:
    model = pool.segmenter(entry.id)
    _say({"text": f"Trying {entry.title} on a picture"})
    seen = model.embed(picture())
    for found in model.segment(seen, [SegmentPrompt([(230.0, 190.0, True)])]):
        for guess in found:
            _require_numbers(guess.logits.values, entry)
    if isinstance(model, TextSegmenter):
        model.segment_text(seen, "person")
    return []


def _matte(pool: ModelPool, entry: Entry) -> list[str]:
    model = pool.matting(entry.id)
    _say({"text": f"Trying {entry.title} on a picture"})
    image = picture()
    trimap = np.full(image.shape[:2], 0.5, np.float32)
    trimap[:40], trimap[150:230, 190:270] = 0, 1
    _require_numbers(model.matte(image, trimap if entry.needs_trimap else None), entry)
    return []


def _parse(pool: ModelPool, entry: Entry) -> list[str]:
    model = pool.parser(entry.id)
    _say({"text": f"Trying {entry.title} on a picture"})
    _require_numbers(model.parse(picture()), entry)
    return [*model.table.parts]


def _measure(pool: ModelPool, entry: Entry) -> list[str]:
    model = pool.depth(entry.id)
    _say({"text": f"Trying {entry.title} on a picture"})
    _require_numbers(model.distance(picture()), entry)
    return []


_TRIALS = {"detector": _detect, "segmenter": _segment, "matting": _matte, "parser": _parse, "depth": _measure}


def _require_numbers(values: FloatMap, entry: Entry) -> None:
    if not np.isfinite(values).all():
        raise ModelBroken(f"The model {entry.id} gave no numbers.", "Its weights may be damaged.", model=entry.id)


if __name__ == "__main__":
    main(sys.argv[1:])
