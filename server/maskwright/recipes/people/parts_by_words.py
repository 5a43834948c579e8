"""Words that name parts of people, typed where any words may be: a parser answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from maskwright.masks import instances as ops
from maskwright.masks.boxes import tight_box
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.labels import Part
from maskwright.models.roles import Box
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompt_language import Choice, Query
from maskwright.recipes.selecting.by_words import choose
from maskwright_protocol.messages import Parse, Select, Selection

from .parse import Asked, Piece, parse_as


def parts_by_name(
    request: Select,
    words: Query,
    unwanted: Sequence[str],
    model_id: str,
    picture: PictureView,
    models: ModelChoice,
    context: JobContext,
) -> Selection:
    """The answer of a parser to a selection by words. What is left out is left out of the labels."""
    table = models.parser(model_id).table
    title = context.models.known.get(model_id).title
    if models.free("parser"):
        names = " and ".join(words.phrases)
        context.note(f"{names[:1].upper()}{names[1:]}: told by {title}, a parser of people's parts, since no installed "
                     "model finds it by its name.")  # fmt: skip
    parts: list[Part] = []
    choices: dict[Part, Choice] = {}
    without: dict[Part, tuple[Choice, ...]] = {}
    for concept in words.concepts:
        part = labels.find(table, concept.phrase)
        if part is None:
            context.note(f"{title} does not know {concept.phrase!r}.")
            continue
        out = _classes(table, (*concept.minus, *words.minus, *unwanted), context)
        part = replace(part, classes=tuple(c for c in part.classes if c not in out))
        parts.append(part)
        if concept.choice is not None:
            choices[part] = concept.choice
        if concept.without:
            without[part] = concept.without
    if words.inverse and len(parts) > 1:  # all but the several is all but the one that they make
        classes = tuple(dict.fromkeys(c for part in parts for c in part.classes))
        parts = [replace(parts[0], name=", ".join(part.name for part in parts), classes=classes)]
    parse = Parse(
        request.id,
        request.picture,
        generation=request.generation,
        models={**request.models, "parser": model_id},
        mask_depth=request.mask_depth,
        parts=[part.name for part in parts],
        per_person=bool(choices or without) or request.pick != "all",
        post=replace(request.post, invert=request.post.invert != words.inverse),
        merge=request.merge,
        region=request.region,
    )

    def keep(pieces: list[Piece]) -> list[Piece]:
        kept: list[Piece] = []
        for part in parts:
            some = [piece for piece in pieces if piece.part == part]
            some = _chosen(some, choices[part], picture) if part in choices else some
            for less in without.get(part, ()):
                out = _chosen(some, less, picture)
                some = [piece for piece in some if not any(piece is one for one in out)]
            kept += some
        return ops.pick(kept, request.pick)

    answer = parse_as(parse, [Asked(model_id, parts)], models, picture, context, keep)
    answer.report = context.report("parts")
    return answer


def _classes(table: labels.LabelTable, phrases: Sequence[str], context: JobContext) -> set[int]:
    """The classes of what is to be left out."""
    out: set[int] = set()
    for phrase in phrases:
        part = labels.find(table, phrase)
        if part is None:
            context.note(f"Nothing to leave out: the parser does not know {phrase!r}.")
        else:
            out |= set(part.classes)
    return out


def _chosen(pieces: list[Piece], choice: Choice, picture: PictureView) -> list[Piece]:
    def box(piece: Piece) -> Box:
        inner = tight_box(piece.mask, 0.5).moved(piece.box.x, piece.box.y)
        return Box(inner.x, inner.y, inner.right, inner.bottom)

    def sure(piece: Piece) -> NDArray[Any]:
        return piece.mask[piece.mask >= 0.5]

    def score(piece: Piece) -> float:
        return float(sure(piece).mean()) if sure(piece).size else 0.0

    return choose(choice, pieces, picture.box, box, lambda piece: float(sure(piece).size), score)
