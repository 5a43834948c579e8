"""What a cut-out's prompt means: selected objects as masks, those that are wanted and their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, tight_mask
from maskwright.recipes.selecting.select import select
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Cutout, Instance, Select

from .object_matte import Selected


class NothingFound(Exception):
    """An answer, not a failure: there is nothing to cut out."""

    def __init__(self, message: str, hint: str, listed: list[Instance] | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.listed = message, hint, listed or []


@dataclass
class Objects:
    """``chosen`` and ``others`` are tight masks in the document; ``listed`` are all of them, without masks.

    ``score`` and ``doubtful``: the worst of the chosen ones; None for a mask that was given.
    """

    chosen: list[Selected]
    others: list[Selected] = field(default_factory=list)
    listed: list[Instance] = field(default_factory=list)
    score: float | None = None
    doubtful: bool = False


def prompted(request: Cutout) -> bool:
    """Whether the request says what to cut out."""
    drawn = request.points or request.strokes or request.boxes
    return bool(request.text.strip() or drawn or request.mask is not None)


def by_prompt(request: Cutout, choice: ModelChoice, picture: PictureView, context: JobContext) -> Objects:
    """The objects of text, points, boxes or a mask. Raises ``NothingFound`` and the errors of ``select``."""
    if not (request.text.strip() or request.points or request.strokes or request.boxes):
        assert request.mask is not None
        chosen = tight_mask(request.mask, picture)
        if chosen is None:
            raise EmptyPrompt(tr("The selection is empty."), hint=tr("Select something first."))
        return Objects([chosen])
    # All of them, so that what is not picked can be told from what is.
    models = {role: model for role, model in request.models.items() if role in ("segmenter", "detector")}
    for role in ("segmenter", "detector"):
        if not choice.free(role):
            models[role] = choice.model_id(role)
    answer = select(
        Select(
            request.id, request.picture, models=models, text=request.text, exclude_text=request.exclude_text,
            points=request.points, strokes=request.strokes, boxes=request.boxes, min_score=request.min_score,
            start=request.mask,
        ),
        picture,
        context,
    )  # fmt: skip
    listed = [replace(one, mask=None, alternatives=[]) for one in answer.instances]
    if answer.reason:
        raise NothingFound(answer.message, answer.hint)
    chosen = prompts.picked(range(len(listed)), request.pick)
    if not chosen:
        raise NothingFound(tr("Only {0} found.", len(listed)), tr("Pick one of those."), listed)
    masks = [tight_mask(one.mask, picture) if one.mask is not None else None for one in answer.instances]
    return Objects(
        [mask for i, mask in enumerate(masks) if mask is not None and i in chosen],
        [mask for i, mask in enumerate(masks) if mask is not None and i not in chosen],
        listed,
        min(listed[i].score for i in chosen),
        any(listed[i].doubtful for i in chosen),
    )
