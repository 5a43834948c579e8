"""What comes of a call: the image is changed, and how that was done is told."""

from dataclasses import asdict
from typing import Any, Dict, Sequence, Tuple

from gi.repository import Gimp

from maskwright_client import told
from maskwright_client.results import nothing_found
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelInfo, ModelsRequest

from . import image_source, results
from .settings import PLACE

STATUS_BAR = 64  # letters; GIMP opens a window for a longer message, which is too loud for a note
Outcome = Tuple[int, Dict[str, Any]]  # how many objects were found, and the report


def finish(
    call: Any, target: image_source.Target, answer: Any, chosen: Dict[str, Any], name: str, seen: bool = False
) -> Outcome:
    """Apply an answer and say how it was made. ``seen``: a dialog has shown it already."""
    count = results.apply(target, answer, chosen, name)
    call.watch.lap("apply")
    hide = count and chosen.get("hide-original") and chosen["result"] in ("layer", "layers")
    if hide and not target.originals:
        target.notes.append(tr("The layers below the new one still show."))
    return count, tell(call, target, answer, seen)


def tell(call: Any, target: image_source.Target, answer: Any, seen: bool = False) -> Dict[str, Any]:
    """Say what a person at the screen should know; the report.

    What was not found, or not understood, opens a window; what was done in another way than usual is a line in the
    status bar; how it was done is in the report.
    """
    Gimp.progress_end()
    if call.watched and not seen:
        said = told.of_answer(answer, target.notes, _models(call, answer.report))
        if said is not None and said.loudness == told.NOTICE:
            where = tr("Download it in {0}.", PLACE) if said.model is not None else ""
            lines = filter(None, (said.sentence, said.hint, where))
            Gimp.message("\n".join([*lines, ""]))  # GIMP shows a single line in the status bar
        elif said is not None and len(said.sentence) <= STATUS_BAR:
            Gimp.message(said.sentence)
    answer.report.notes[:0] = target.notes
    return report(call, answer, nothing_found(answer) if told.is_nothing(answer) else "")


def _models(call: Any, report: Any) -> Sequence[ModelInfo]:
    """What there is to download, where an answer offers some of it."""
    try:
        return call.asker.request(ModelsRequest("")).models if report.offer else ()
    except MaskwrightError:
        return ()


def report(call: Any, answer: Any, sentence: str) -> Dict[str, Any]:
    """How an answer was made, for scripts. ``sentence`` says why there is nothing."""
    made = asdict(answer.report)
    made["message"] = sentence or getattr(answer, "message", "")
    made["agreement"] = getattr(answer, "agreement", None)
    made["stages_ms"] = {stage: round(value, 2) for stage, value in call.watch.stages.items()}
    made["pixel_bytes"] = call.client.pixel_bytes
    made["instances"] = [
        {
            "label": one.label,
            "score": one.score,
            "confidence": one.confidence,
            "doubtful": one.doubtful,
            "box": [one.box.x, one.box.y, one.box.width, one.box.height],
        }
        for one in getattr(answer, "instances", [])
    ]
    return made
