"""How detectors find things, as people write it in one line: ``task=ocr; classes=0,2; min_score=0.3``."""

import math
from typing import Any, Dict, Iterable

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr


def named(pairs: Iterable[str]) -> Dict[str, str]:
    """``["iou=0.5"]`` -> ``{"iou": "0.5"}``; the server knows the names. Raises ``BadInput``."""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals):
            raise BadInput(tr("{0!r} is not an option.", pair.strip()), tr("Write NAME=VALUE, for instance iou=0.5."))
        options[name.strip()] = value.strip()
    return options


def read(text: str) -> Dict[str, Any]:
    """The fields of ``Select`` and ``Detect`` that a line means: ``detector_options`` and ``min_score``.

    Semicolons or new lines separate. Raises ``BadInput``.
    """
    options = named(part for part in text.replace("\n", ";").split(";") if part.strip())
    score = options.pop("min_score", None)
    if score is None:
        return {"detector_options": options, "min_score": None}
    try:
        least = float(score)
    except ValueError:
        least = math.nan
    if not math.isfinite(least):
        raise BadInput(tr("The least score {0!r} is not a number.", score), tr("Write for instance min_score=0.3."))
    return {"detector_options": options, "min_score": least}
