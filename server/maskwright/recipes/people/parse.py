"""Parts of people as soft masks: people or faces are found, each is parsed closely, and the answers put together."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from maskwright.masks import instances as ops
from maskwright.masks.boxes import PixelBox, Plane, around_all, recrop, tight_box
from maskwright.masks.guided import upsample
from maskwright.masks.opencv import cv2
from maskwright.masks.tiles import HALO
from maskwright.masks.trimap import REACH
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.labels import Part
from maskwright.models.install import recommend
from maskwright.models.roles import RGB, Box, FloatMap
from maskwright.models.roles import Parser as ParserModel
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import HAIR_ROUNDS, ByTrimap, Guided, edge_width, find_edge
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_mask
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import BadInput, MorePixelsNeeded, UnknownWord
from maskwright_protocol.language import tr, trn
from maskwright_protocol.messages import Instance, Mask, Parse, Selection

from . import heads, people
from .people import Person

MAX_PARTS = 64
_MARGINS = (0.25,)  # of a view around a person, in sizes of the person
_FADE = 0.1  # share of a closer view's side over which it takes over from the wider one
_WIDEST_EDGE = 60  # what ``edge_width`` chooses at most
_GUIDE_RADIUS, _GUIDE_EPSILON = 3, 1e-3


@dataclass
class Asked:
    """Parts that one parser tells."""

    model_id: str
    parts: list[Part]


@dataclass
class Piece:
    """A part of one person: ``mask`` float32 0..1 covers ``box`` of the document."""

    part: Part
    person: int
    mask: Plane
    box: PixelBox
    of: str = "person"


def parse(request: Parse, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``UnknownWord``, ``ModelMissing``, ``MorePixelsNeeded`` (unless a draft is asked for)."""
    if len(request.parts) > MAX_PARTS:
        raise BadInput(tr("More than {0} parts are asked for.", MAX_PARTS))
    choice = ModelChoice(request, "parse", context)
    return parse_as(request, choose(request.parts, choice, context), choice, picture, context)


def parse_as(
    request: Parse,
    asked: list[Asked],
    choice: ModelChoice,
    picture: PictureView,
    context: JobContext,
    keep: Callable[[list[Piece]], list[Piece]] | None = None,
) -> Selection:
    """The answer to ``request`` with these parts instead of those that it names; ``keep`` chooses among the pieces."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    min_score = prompts.check_min_score(request.min_score)
    if request.person < 0:
        raise BadInput(tr("People are counted from 1."))
    region = read_mask(request.region) if request.region is not None else None
    answer = Selection(request.id, request.generation, context.report(choice.preset.name))
    work = _Parsing(request, picture, choice, min_score, context)
    _explain_sides(request, asked, context)
    found = [piece for one in asked for piece in work.pieces(one)]
    drawn: list[tuple[Plane, PixelBox]] = []
    for piece in found if keep is None else keep(found):
        mask, box = finish(piece.mask, piece.box, picture.box, post, region)
        packed = pack(mask, box, depth)
        if packed is not None:
            answer.instances.append(_instance(piece, packed, mask, "+".join(context.used)))
            if request.merge:
                drawn.append((mask, box))
    if drawn:
        # All but the one and all but the other together is what is outside of both.
        whole = reduce(lambda one, other: ops.limit(*one, *other), drawn) if post.invert else ops.merge(drawn)
        answer.merged = pack(*whole, depth)
    answer.report = context.report(choice.preset.name)
    if not answer.instances:
        _nothing(answer, request, max((part.person for one in asked for part in one.parts), default=0), work)
    return answer


def choose(words: Sequence[str], choice: ModelChoice, context: JobContext) -> list[Asked]:
    """Which installed parser tells which part; one for all if there is one. Raises ``UnknownWord``, ``ModelMissing``.

    Without words: all labels of the best parser.
    """
    tables = choice.label_tables()
    if not words:
        model_id, table = next(iter(tables.items()))
        return [Asked(model_id, labels.every_part(table))]
    found = {model_id: [labels.find(table, word) for word in words] for model_id, table in tables.items()}
    for number, word in enumerate(words):
        if not any(parts[number] for parts in found.values()):
            raise _unknown(word, tables, context)
    order = sorted(found, key=lambda model_id: sum(part is None for part in found[model_id]))
    asked: dict[str, list[Part]] = {}
    for number in range(len(words)):
        model_id = next(m for m in order if found[m][number] is not None)
        part = found[model_id][number]
        if part is not None and part not in asked.setdefault(model_id, []):
            asked[model_id].append(part)
    return [Asked(model_id, parts) for model_id, parts in asked.items()]


def _unknown(word: str, tables: dict[str, labels.LabelTable], context: JobContext) -> UnknownWord:
    known = sorted({labels.key(name) for t in tables.values() for name in (*t.parts, *t.groups)})
    others = [
        entry
        for entry in context.models.known.with_role("parser")
        if entry.id not in tables and (table := labels.installed_table(entry, None)) and labels.find(table, word)
    ]
    hint, offered = tr("It knows: {0}.", ", ".join(known)), []
    if others:
        best = recommend.best(others, context.models.known)
        hint, offered = recommend.advice(best, tr("{0} knows it.")), [best.id]
    return UnknownWord(
        tr("No installed parser knows {0!r}.", word), hint=hint, word=word, near=known[:3], models=offered
    )


def _explain_sides(request: Parse, asked: list[Asked], context: JobContext) -> None:
    """Tell which left is meant where words name a side; all parts at once need no explanation."""
    sides = {"left", "right"}
    named = [part.name for one in asked for part in one.parts if not part.seen and sides & set(part.name.split())]
    if request.parts and named:
        bare = " ".join(word for word in named[0].split() if word not in sides)
        context.note(
            tr(
                "Left and right are the person's own, as worn, so far as the model learned it; say '{0} on "
                "the left' for the side of the picture.",
                bare,
            )
        )


class _Parsing:
    """The people of one job and what was read of them."""

    def __init__(
        self, request: Parse, picture: PictureView, choice: ModelChoice, min_score: float | None, context: JobContext
    ) -> None:
        self._request, self._picture, self._choice = request, picture, choice
        self._min_score, self._context = min_score, context
        self.count = 0
        self.of = "person"
        self._faces: list[Box] = []

    def pieces(self, asked: Asked) -> list[Piece]:
        """Soft masks at document resolution of the parts, person by person or all people's together."""
        parser = self._choice.parser(asked.model_id)
        people_found = self._people(parser)
        wanted = {self._whose(part) for part in asked.parts}
        chosen = [s for s in people_found if 0 in wanted or s.number in wanted]
        self._need(chosen)
        found: list[Piece] = []
        hairy = parser.table.of == "person" and any(_hair(parser, part.classes) for part in asked.parts)
        self._faces = heads.faces(self._choice, self._picture, self._context) if hairy else []
        for person in chosen:
            own = [part for part in asked.parts if self._whose(part) in (0, person.number)]
            found += self._parts_of(parser, own, person, people_found)
        apart = self._request.per_person and people_found[0].number > 0
        if not apart:
            seen = dict.fromkeys(piece.part for piece in found)
            found = [_together([p for p in found if p.part == part]) for part in seen]
        with self._context.stage("post", tr("Drawing the masks")):
            found = [piece for piece in found if (piece.mask >= 0.5).any()]
        return [self._refined(piece) for piece in found] if self._request.refine else found

    def _whose(self, part: Part) -> int:
        """The number of the person whose part is meant, 0 for everybody's."""
        return part.person or self._request.person

    def _people(self, parser: ParserModel) -> list[Person]:
        self.of = parser.table.of
        if not self._request.find_people:
            return [people.everybody(self._picture)]
        given = self._context.models.known.get(parser.model_id).options.get("margins", _MARGINS)
        margins = tuple(float(margin) for margin in given)
        found = people.find(self._choice, parser.table.of, margins, self._picture, self._min_score, self._context)
        self.count = len(found)
        return found or [people.everybody(self._picture)]

    def _need(self, chosen: list[Person]) -> None:
        """Raises ``MorePixelsNeeded`` for all that will be looked at, so that it is asked for once."""
        if self._request.draft:
            return
        box = around_all(person.views[0] for person in chosen)
        if self._request.refine and not box.empty:
            margin = math.ceil((REACH + HAIR_ROUNDS) * _WIDEST_EDGE) + 2 + HALO
            box = box.padded(margin).intersect(self._picture.box)
        if not box.empty:
            self._picture.need_detail(box)

    def _parts_of(self, parser: ParserModel, parts: list[Part], person: Person, others: list[Person]) -> list[Piece]:
        view = person.views[0]
        share = people.shares(person, others)
        looks = [(v, self._pixels(v), self._probabilities(parser, v)) for v in person.views if not v.empty]
        found = []
        with self._context.stage("parse", tr("Drawing the parts")):
            for part in parts:
                classes = of_side(part, looks[0][2]) if looks else ()
                mask = _drawn(classes, looks, view)
                if (
                    mask is not None
                    and self._faces
                    and (hair := _drawn(_hair(parser, classes), looks, view)) is not None
                ):
                    stray = hair - heads.hair_of(hair, view, person.box, self._faces)
                    mask = np.maximum(mask - stray, 0)
                if mask is not None:
                    found.append(Piece(part, person.number, mask if share is None else mask * share, view, self.of))
        return found

    def _pixels(self, view: PixelBox) -> RGB:
        if self._picture.has_detail(view):
            return np.ascontiguousarray(self._picture.detail_rgb(view))
        if not self._request.draft:
            self._picture.need_detail(view)
        height, width = self._picture.size
        box = self._picture.box_to_overview(Box(*view.edges))
        x0, y0 = max(0, math.floor(box.x0)), max(0, math.floor(box.y0))
        x1, y1 = min(width, max(math.ceil(box.x1), x0 + 1)), min(height, max(math.ceil(box.y1), y0 + 1))
        return np.ascontiguousarray(self._picture.overview[y0:y1, x0:x1])

    def _probabilities(self, parser: ParserModel, view: PixelBox) -> FloatMap:
        """What the parser tells of a view, from memory if it was looked at before."""
        close = self._picture.has_detail(view)
        key = ("parts", parser.model_id, self._picture.key, view, close)
        known: FloatMap | None = self._context.embeddings.get(key)
        if known is None:
            with self._context.stage("parse", tr("Looking for the parts")):
                known = parser.parse(self._pixels(view))
            self._context.embeddings.put(key, known, known.nbytes)
        return known

    def _refined(self, piece: Piece) -> Piece:
        """The piece with its edge found again; a draft's stays as it is."""
        refiner = self._choice.refiner()
        solver = Guided(self._picture) if refiner is None else ByTrimap(self._picture, refiner)
        try:
            done = find_edge(
                piece.mask,
                piece.box,
                self._picture,
                solver,
                self._context,
                width=edge_width(piece.mask),
                hair="hair" in piece.part.name,
            )
        except MorePixelsNeeded:
            if not self._request.draft:
                raise
            return piece
        return Piece(piece.part, piece.person, done.alpha, done.box, piece.of)


def _hair(parser: ParserModel, classes: Sequence[int]) -> tuple[int, ...]:
    """Those of the classes that are hair."""
    return tuple(number for number in classes if "hair" in parser.table.labels[number].lower())


def of_side(part: Part, probabilities: FloatMap) -> tuple[int, ...]:
    """The classes of a part; where a side of the picture is meant, the one of the pair that lies further to it.

    ``probabilities`` ``(classes, h, w)`` float32 0..1.
    """
    if not part.seen:
        return part.classes
    places = []
    for number in part.classes:
        weight = probabilities[number] * (probabilities[number] >= 0.5)
        total = float(weight.sum())
        columns = np.arange(weight.shape[1], dtype=np.float32)
        places.append(float((weight.sum(axis=0) * columns).sum() / total) if total else math.nan)
    if any(math.isnan(place) for place in places):
        return ()
    first = places[0] <= places[1]
    return (part.classes[0 if first == (part.seen == "left") else 1],)


def _drawn(classes: tuple[int, ...], looks: list[tuple[PixelBox, RGB, FloatMap]], whole: PixelBox) -> Plane | None:
    """The summed probability of classes in ``whole``, ``(whole.height, whole.width)`` float32 0..1.

    ``looks``: views in the document, their pixels ``(h, w, 3)`` uint8, the classes' probabilities ``(classes, h, w)``
    float32 0..1. Where views overlap their answers are averaged. None where no look is sure of anything.
    """
    sums = [np.clip(p[list(classes)].sum(axis=0), 0.0, 1.0) for _, _, p in looks]
    if not classes or all(plane.max() < 0.5 for plane in sums):
        return None
    out = np.zeros((whole.height, whole.width), np.float32)
    weights = np.zeros_like(out) if len(looks) > 1 else None
    for number, ((view, pixels, _), plane) in enumerate(zip(looks, sums, strict=True)):
        guide = pixels.astype(np.float32) * np.float32(1 / 255)
        mask = upsample(np.ascontiguousarray(plane), guide, _GUIDE_RADIUS, _GUIDE_EPSILON)
        if mask.shape != (view.height, view.width):
            mask = cv2.resize(mask, (view.width, view.height), interpolation=cv2.INTER_LINEAR)
        place = view.moved(-whole.x, -whole.y).slices()
        if weights is None:
            out[place] = mask
            continue
        weight = _fading(view.height)[:, None] * _fading(view.width) if number else np.float32(1)
        out[place] += mask * weight
        weights[place] += weight
    if weights is not None:
        out /= weights  # the widest view covers everything
    return out


def _fading(length: int) -> NDArray[np.float32]:
    """Weights ``(length,)`` float32 that rise from 0 at both ends to 1."""
    places = np.arange(length, dtype=np.float32) + np.float32(0.5)
    return np.minimum(1, np.minimum(places, length - places) / np.float32(max(1.0, _FADE * length)))


def _together(pieces: list[Piece]) -> Piece:
    """All people's pieces of one part as one: their shares of a pixel add up."""
    if len(pieces) == 1:
        return Piece(pieces[0].part, 0, pieces[0].mask, pieces[0].box, pieces[0].of)
    inner = [(p, tight_box(p.mask).moved(p.box.x, p.box.y)) for p in pieces]
    box = around_all(one for _, one in inner)
    out = np.zeros((box.height, box.width), np.float32)
    for piece, one in inner:
        out[one.moved(-box.x, -box.y).slices()] += recrop(piece.mask, piece.box, one)
    return Piece(pieces[0].part, 0, np.minimum(out, 1.0), box, pieces[0].of)


def _instance(piece: Piece, packed: Mask, mask: Plane, source: str) -> Instance:
    name = piece.part.name
    person = piece.person or piece.part.person
    label = f"{name} of {piece.of} {person}" if person else name
    inside = mask[mask >= 0.5]
    score = float(inside.mean()) if inside.size else float(mask.max())
    return Instance(secrets.token_hex(6), label, score, rect_of(packed), source, part=name, person=person, mask=packed)


def _only(of: str, count: int) -> str:
    """That there are fewer people or faces than were asked for."""
    if of == "person":
        some = trn("Only {0} person was found.", "Only {0} people were found.", count)
        return some if count else tr("No people were found.")
    some = trn("Only {0} face was found.", "Only {0} faces were found.", count)
    return some if count else tr("No faces were found.")


def _nothing(answer: Selection, request: Parse, person: int, work: _Parsing) -> None:
    """``person``: the highest number that a part's own words name."""
    answer.reason = "nothing_found"
    what = " or ".join(request.parts) or tr("part of a person")
    if max(request.person, person) > work.count:
        answer.message = _only(work.of, work.count)
        answer.hint = tr("People are counted from the left.")
    else:
        several = what.endswith("s") and not what.endswith("ss")  # eyes, clothes; a dress
        answer.message = tr("No {0} were found.", what) if several else tr("No {0} was found.", what)
        answer.hint = tr("Look at the picture as a whole, or select it with a click or a box.")
