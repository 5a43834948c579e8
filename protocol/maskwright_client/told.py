"""What a user is told, and how loudly: decided once, so that all editors say the same about the same."""

from typing import Any, NamedTuple, Optional, Sequence, Tuple

from maskwright_protocol.errors import BadInput, JobCancelled
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import CutoutResult, ModelInfo

from .offers import may_help, offered, suggested, understands

# How loudly. A note is a line that goes by; a notice (nothing was found, or only a part of the words was understood)
# stays in sight until it was read; an error does, too, and looks like one.
NOTE, NOTICE, ERROR = "note", "notice", "error"
# What a button beside it does: start the server, download ``model``, or ask the same once more.
START, DOWNLOAD, AGAIN = "start", "download", "again"

_STARTABLE = ("server_absent", "connection_lost", "shutting_down")
# What may be gone the next time, without a change of the document or of the question.
_PASSING = ("busy", "worker_died", "deadline", "out_of_memory", "version_mismatch", "forbidden", "internal",
            "download_failed")  # fmt: skip

# About the document: a sentence and a hint.
NO_IMAGE = tr("No image is open."), tr("Open or create an image first.")
NO_LAYER = tr("No layer is selected."), tr("Select a layer first.")
CLOSED = tr("The image was closed meanwhile."), tr("Nothing was changed.")
LAYER_GONE = tr("The layer was removed meanwhile."), tr("Nothing was changed.")
NOTHING_TICKED = tr("Nothing is ticked."), tr("Tick at least one object in the list.")
NOTHING_INSIDE = tr("Nothing was found inside the selection."), tr("Select none, then try again.")


class Told(NamedTuple):
    """``words``: what to type in the place of ``word``, which was not understood. ``model``: whose download helps."""

    loudness: str
    sentence: str
    hint: str = ""
    word: str = ""
    words: Tuple[str, ...] = ()
    model: Optional[ModelInfo] = None
    remedy: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        return joined(self.sentence, self.hint)


def of_failure(error: Any, models: Sequence[ModelInfo] = ()) -> Told:
    """Of whatever was raised. ``models``: what the server has and knows of, as far as that is known."""
    if isinstance(error, JobCancelled):
        return Told(NOTE, tr("Cancelled. Nothing was changed."), code=error.code)
    code = getattr(error, "code", "")
    if not code:
        sentence = tr("Maskwright met an unexpected problem ({0}: {1}).", type(error).__name__, str(error))
        return Told(ERROR, sentence, tr("Nothing was changed. Please report it."), code="internal", remedy=AGAIN)
    details = getattr(error, "details", None) or {}
    near = tuple(word for word in details.get("near") or () if isinstance(word, str))
    model = offered(error, models) if may_help(error) else None
    remedy = START if code in _STARTABLE else DOWNLOAD if model is not None else AGAIN if code in _PASSING else ""
    return Told(ERROR, error.message, error.hint, str(details.get("word") or ""), near, model, remedy, code)


def of_answer(answer: Any, notes: Sequence[str] = (), models: Sequence[ModelInfo] = ()) -> Optional[Told]:
    """Of an answer that came: nothing was found, a model would understand more of the words, or a note; else None.

    ``notes``: the editor's own, about what was looked at.
    """
    model = suggested(answer.report, models)
    remedy = DOWNLOAD if model is not None else ""
    if is_nothing(answer):
        hint = answer.hint or tr("Try other words.")
        if model is not None:
            hint = joined(hint, understands(model))
        return Told(
            NOTICE, answer.message or tr("Nothing was found."), hint, model=model, remedy=remedy, code="nothing"
        )
    if model is not None:
        return Told(NOTICE, joined(*answer.report.notes), understands(model), model=model, remedy=remedy, code="part")
    said = [*notes, *answer.report.notes]
    return Told(NOTE, said[0]) if said else None


def is_nothing(answer: Any) -> bool:
    """Whether nothing was found, or nothing is left of it."""
    if isinstance(answer, CutoutResult):
        return answer.alpha is None or bool(answer.reason)
    return bool(answer.reason) or (not answer.instances and answer.merged is None)


def problem(about: Tuple[str, str]) -> BadInput:
    """One of the sentences about the document, to be raised."""
    return BadInput(*about)
