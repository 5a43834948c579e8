"""Words that name parts of people, typed where any words may be: a parser answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from maskwright.masks.boxes import tight_box
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.labels import LabelTable, Part
from maskwright.models.roles import Box
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompt_language import Choice, Query
from maskwright.recipes.job.prompts import picked
from maskwright.recipes.job.ranking import Measures, choose, without
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Parse, Select, Selection

from .parse import Asked, Piece, parse_as


@dataclass
class _Wanted:
    """The parts that words name, which of what is found of each is meant, and which of these is not."""

    parts: list[Part] = field(default_factory=list)
    choices: dict[Part, Choice] = field(default_factory=dict)
    without: dict[Part, tuple[Choice, ...]] = field(default_factory=dict)


def parts_by_words(
    request: Select,
    words: Query,
    unwanted: Sequence[str],
    model_id: str,
    picture: PictureView,
    models: ModelChoice,
    context: JobContext,
) -> Selection:
    """A parser's answer to a selection by words. What is to be left out is taken from the parts' classes."""
    table = models.parser(model_id).table
    wanted = _wanted(words, unwanted, table, models, context, context.models.known.get(model_id).title)
    parse = Parse(
        request.id,
        request.picture,
        generation=request.generation,
        models={**request.models, "parser": model_id},
        mask_depth=request.mask_depth,
        parts=[part.name for part in wanted.parts],
        per_person=bool(wanted.choices or wanted.without) or request.pick != "all",
        post=replace(request.post, invert=request.post.invert != words.inverse),
        merge=request.merge,
        region=request.region,
    )

    def keep(pieces: list[Piece]) -> list[Piece]:
        kept: list[Piece] = []
        for part in wanted.parts:
            some = [piece for piece in pieces if piece.part == part]
            if part in wanted.choices:
                some = choose(wanted.choices[part], some, picture.box, _MEASURES)
            kept += without(some, wanted.without.get(part, ()), picture.box, _MEASURES)
        return picked(kept, request.pick)

    answer = parse_as(parse, [Asked(model_id, wanted.parts)], models, picture, context, keep)
    answer.report = context.report("parts")
    return answer


def _wanted(
    words: Query, unwanted: Sequence[str], table: LabelTable, models: ModelChoice, context: JobContext, title: str
) -> _Wanted:
    """The parts that the words name, without the classes that are left out.

    Notes tell which words the parser, called ``title``, does not know.
    """
    if models.free("parser"):
        names = " and ".join(words.phrases)
        told = tr(
            "{0}: told by {1}, a parser of people's parts, since no installed model finds it by its name.",
            names[:1].upper() + names[1:],
            title,
        )
        context.note(told)
    wanted = _Wanted()
    for concept in words.concepts:
        part = labels.find(table, concept.phrase)
        if part is None:
            context.note(tr("{0} does not know {1!r}.", title, concept.phrase))
            continue
        out = _classes(table, (*concept.minus, *words.minus, *unwanted), context)
        part = replace(part, classes=tuple(c for c in part.classes if c not in out))
        wanted.parts.append(part)
        if concept.choice is not None:
            wanted.choices[part] = concept.choice
        if concept.without:
            wanted.without[part] = concept.without
    if words.inverse and len(wanted.parts) > 1:  # everything but several parts: they become one part
        classes = tuple(dict.fromkeys(c for part in wanted.parts for c in part.classes))
        name = ", ".join(part.name for part in wanted.parts)
        wanted.parts = [replace(wanted.parts[0], name=name, classes=classes)]
    return wanted


def _classes(table: labels.LabelTable, phrases: Sequence[str], context: JobContext) -> set[int]:
    """The classes of what is to be left out."""
    out: set[int] = set()
    for phrase in phrases:
        part = labels.find(table, phrase)
        if part is None:
            context.note(tr("Nothing to leave out: the parser does not know {0!r}.", phrase))
        else:
            out |= set(part.classes)
    return out


def _box(piece: Piece) -> Box:
    return Box(*tight_box(piece.mask, 0.5).moved(piece.box.x, piece.box.y).edges)


def _area(piece: Piece) -> float:
    return float(np.count_nonzero(piece.mask >= 0.5))


def _score(piece: Piece) -> float:
    sure = piece.mask[piece.mask >= 0.5]
    return float(sure.mean()) if sure.size else 0.0


_MEASURES = Measures(_box, _area, _score)
