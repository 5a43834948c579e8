"""What comes of a call: the image is changed, and how that was done is told."""

from dataclasses import asdict
from typing import Any, Dict, List, Tuple

from gi.repository import Gimp

from maskwright_client import offers
from maskwright_client.results import nothing_found
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import ModelsRequest

from . import image_source, results

PLACE = "Filters > Maskwright > Server and Models"
Outcome = Tuple[int, Dict[str, Any]]  # how many objects were found, and the report


def finish(call: Any, target: image_source.Target, answer: Any, chosen: Dict[str, Any], name: str) -> Outcome:
    """Apply an answer and say how it was made."""
    count = results.apply(target, answer, chosen, name)
    call.watch.lap("apply")
    if not count:
        sentence = nothing_found(answer)
        if call.interactive:
            Gimp.message(sentence)
    else:
        sentence = ""
        Gimp.progress_end()
        if call.interactive and answer.report.notes and call.entry.verb != "click_to_select":
            Gimp.message(" ".join([*answer.report.notes, *_suggestion(call, answer.report)]))
    return count, report(call, answer, sentence)


def _suggestion(call: Any, report: Any) -> List[str]:
    """Which model would have understood more of the words, and where to get it."""
    if not report.offer:
        return []
    try:
        model = offers.suggested(report, call.asker.request(ModelsRequest("")).models)
    except MaskwrightError:
        return []
    return [] if model is None else [offers.understands(model), f"Download it in {PLACE}."]


def report(call: Any, answer: Any, sentence: str) -> Dict[str, Any]:
    """How an answer was made, for scripts. ``sentence`` says why there is nothing."""
    told = asdict(answer.report)
    told["message"] = sentence or getattr(answer, "message", "")
    told["agreement"] = getattr(answer, "agreement", None)
    told["stages_ms"] = {stage: round(value, 2) for stage, value in call.watch.stages.items()}
    told["pixel_bytes"] = call.client.pixel_bytes
    told["instances"] = [
        {"label": one.label, "score": one.score, "box": [one.box.x, one.box.y, one.box.width, one.box.height]}
        for one in getattr(answer, "instances", [])
    ]
    return told
