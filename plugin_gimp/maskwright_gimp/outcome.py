"""What comes of a call: the image is changed, and how that was done is told."""

from dataclasses import asdict
from typing import Any, Dict, List, Tuple

from gi.repository import Gimp

from maskwright_client import offers
from maskwright_client.results import nothing_found
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import ModelsRequest

from . import image_source, results
from .settings import PLACE

Outcome = Tuple[int, Dict[str, Any]]  # how many objects were found, and the report


def finish(call: Any, target: image_source.Target, answer: Any, chosen: Dict[str, Any], name: str) -> Outcome:
    """Apply an answer and say how it was made."""
    count = results.apply(target, answer, chosen, name)
    call.watch.lap("apply")
    hide = count and chosen.get("hide-original") and chosen["result"] in ("layer", "layers")
    if hide and not target.originals:
        target.notes.append("The layers below the new one still show.")
    return count, told(call, target, answer, count)


def told(call: Any, target: image_source.Target, answer: Any, count: int) -> Dict[str, Any]:
    """Say what a person at the screen should know; the report.

    What was not found, or not understood, opens a window; what was done in another way than usual is a line in the
    status bar; how it was done is in the report.
    """
    Gimp.progress_end()
    sentence = "" if count else nothing_found(answer)
    if call.watched and call.entry.verb != "click_to_select":
        suggestion = _suggestion(call, answer.report)
        if not count or suggestion:
            said = answer.report.notes if count else [answer.message or "Nothing was found.", answer.hint]
            Gimp.message("\n".join([*said, *suggestion, ""]))  # GIMP shows a single line in the status bar
        elif target.notes:
            Gimp.message(target.notes[0])
    answer.report.notes[:0] = target.notes
    return report(call, answer, sentence)


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
        {
            "label": one.label,
            "score": one.score,
            "confidence": one.confidence,
            "doubtful": one.doubtful,
            "box": [one.box.x, one.box.y, one.box.width, one.box.height],
        }
        for one in getattr(answer, "instances", [])
    ]
    return told
