"""Which matting models cut a subject out, chosen by what the picture shows, and how two of them share the work.

Where neither the user nor the recipe names a model:

1. A drawing is cut out by the first installed model that suits drawings, if there is one.
2. Else the general model finds the subject: the first one that suits photos or everything.
3. Where a person or a face is detected, a model for people (it suits portraits) looks too, unless it is a smaller
   network than the general one. Each person whom it shows counts, small ones only if the general model shows them too.
4. Where these people are at least half of all that the two models show, the people are taken from the one model, and
   whatever else the general model is sure of (what they hold, who sits beside them) is added. Else the general model's
   answer stays: a bus with passers-by is a bus.

An object that was clicked or named tells by itself which of the two models shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.boxes import PixelBox
from maskwright.masks.instances import mask_iou
from maskwright.masks.subjects import subjects
from maskwright.models.catalogue.abilities import knows
from maskwright.models.machine.packages import lacking
from maskwright.models.roles import RGB, Box, FloatMap, MattingModel
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.language import tr

from .image_kind import DRAWN, drawn_share

PHOTO, PORTRAIT, DRAWING = "photo", "portrait", "drawing"
HALF = 0.5  # share of all that stands out from which on a picture is one of people
BYSTANDER = 0.25  # of the largest person's area: a smaller one counts only if the general model shows it too
NOTABLE = 0.02  # share of the subject from which on something is worth a word
UNSURE, SURE = 0.3, 0.7  # opacity from which on the general model's answer counts beside people, a little and fully


@dataclass(frozen=True)
class Matters:
    """``people`` helps where the picture shows some; ``places`` are the people and faces, boxes in the document."""

    general: MattingModel
    people: MattingModel | None = None
    places: tuple[Box, ...] = ()

    @property
    def first(self) -> MattingModel:
        """The model that counts most."""
        return self.people or self.general

    def near(self, box: PixelBox) -> Matters:
        """The models to show an object that lies in ``box`` of the document."""
        inside = any(_holds(box, place) for place in self.places)
        return self if inside else Matters(self.general)

    def whole(self, picture: PictureView, context: JobContext) -> tuple[FloatMap, Matters]:
        """Alpha ``(h, w)`` float32 0..1 of the overview's subjects, and the models that it is made of; not to be
        written to."""
        general = vision.matte(self.general, picture, context)
        if self.people is not None:
            people = without_bystanders(vision.matte(self.people, picture, context), general)
            share = people_share(people, general)
            if share >= HALF:
                _tell_of_people(self, people, general, context)
                return united(people, general), self
            if share >= NOTABLE:
                title = _title(self.general, context)
                context.note(tr("People are the smaller part of what stands out, so {0} cut it out.", title))
        context.use(self.general.model_id, self.general.device)
        return general, Matters(self.general)

    def crop(self, image: RGB, mask: NDArray[np.bool_], context: JobContext) -> tuple[FloatMap, MattingModel]:
        """Alpha ``(H, W)`` float32 0..1 of the object that ``mask`` shows in ``image`` ``(H, W, 3)`` uint8, and the
        model whose resolution it has."""
        general = self.general.matte(image)
        ways = [(general, [self.general])]
        if self.people is not None:
            people = self.people.matte(image)
            ways += [(people, [self.people]), (united(people, general), [self.people, self.general])]
        alpha, used = max(ways, key=lambda way: mask_iou(way[0] > 0.5, mask))
        for model in used:
            context.use(model.model_id, model.device)
        return alpha, used[0]


def choose(choice: ModelChoice, picture: PictureView, context: JobContext) -> Matters:
    """The matting models of a cut-out. Raises ``ModelMissing`` where none is installed."""
    candidates = context.models.candidates("matting")
    if not choice.free("matting") or len(candidates) < 2:
        return Matters(choice.load_matting(choice.model_id("matting")))
    drawing = drawn_share(picture.overview) >= DRAWN
    general = _suiting(DRAWING if drawing else PHOTO, candidates, context)
    helper = "" if drawing else _for_people(candidates, general, context.models)
    places = _people(picture, context) if helper else ()
    chosen = Matters(choice.load_matting(general))
    return replace(chosen, people=choice.load_matting(helper), places=places) if places else chosen


def _suiting(kind: str, candidates: Sequence[str], context: JobContext) -> str:
    """The first model that was made for that kind of picture, else the first for all kinds; slow ones come last."""
    pool = context.models
    suits = {i: pool.known.get(i).suits for i in candidates}
    quick = [i for i in candidates if not pool.slow(i)] or candidates
    chosen = next((i for i in quick if kind in suits[i]), None) or next((i for i in quick if not suits[i]), quick[0])
    title = pool.known.get(chosen).title
    if kind == DRAWING and kind in suits[chosen]:
        context.note(tr("The picture looks like a drawing, so {0} cut it out.", title))
    passed = next((i for i in candidates if pool.slow(i) and (kind in suits[i] or not suits[i])), None)
    if passed is not None and not pool.slow(chosen):
        slow = pool.known.get(passed).title
        context.note(tr("{0} would be slow without a graphics card, so {1} was taken.", slow, title))
    return chosen


def _for_people(candidates: Sequence[str], general: str, pool: ModelPool) -> str:
    """A model for people that is no smaller network than the general one, one that was installed before one that came
    along; empty without any."""
    entries = [pool.known.get(i) for i in candidates if i != general and not pool.slow(i)]
    least = pool.known.get(general).parameters
    able = [entry for entry in entries if PORTRAIT in entry.suits and entry.parameters >= least]
    return min(able, key=lambda entry: entry.embedded).id if able else ""


def _people(picture: PictureView, context: JobContext) -> tuple[Box, ...]:
    """People, or else faces, boxes in the document, by the smallest installed detectors that surely know them."""
    key = ("people", picture.key)
    found: tuple[Box, ...] | None = context.embeddings.get(key)
    if found is not None:
        return found
    pool, found = context.models, ()
    with context.stage("detect", tr("Looking for people")):
        for word in ("person", "face"):
            entries = [pool.known.get(i) for i in pool.candidates("detector")]
            able = [entry for entry in entries if knows(entry, word) is True and not lacking(entry)]
            if able and not found:
                detector = pool.detector(min(able, key=lambda entry: entry.memory).id)
                seen = detector.detect(picture.overview, word)
                found = tuple(picture.box_to_document(one.box) for one in seen)
    context.embeddings.put(key, found, 256 + 128 * len(found))
    return found


def without_bystanders(people: FloatMap, general: FloatMap) -> FloatMap:
    """A matte of people without the small ones that the general model's matte does not show.

    All are ``(H, W)`` float32 0..1.
    """
    seen = subjects(people)
    if len(seen.found) < 2:
        return people
    # Each pixel is as wide as another, so that a weighted count gives the share that is shown too.
    solid = people >= 0.5
    number = seen.nearest[solid]
    count = np.bincount(number, minlength=len(seen.found))
    shown = np.bincount(number, general[solid] >= 0.5, minlength=len(seen.found))
    kept = (count >= BYSTANDER * count.max()) | (shown >= 0.5 * count)
    return seen.keep(people, np.flatnonzero(kept).tolist())


def people_share(people: FloatMap, general: FloatMap) -> float:
    """How much of what at least one of two mattes ``(H, W)`` shows the first one does, 0..1."""
    solid = people >= 0.5
    together = np.count_nonzero(solid | (general >= 0.5))
    return np.count_nonzero(solid) / together if together else 0.0


def united(people: FloatMap, general: FloatMap) -> FloatMap:
    """People, and what the general model is sure of besides; ``(H, W)`` float32 0..1.

    The general model's haze would lie around the people's hair: it counts the less the less sure it is.
    """
    weight = np.clip((general - UNSURE) / (SURE - UNSURE), 0, 1)
    return np.maximum(people, general * weight)


def _tell_of_people(matters: Matters, people: FloatMap, general: FloatMap, context: JobContext) -> None:
    assert matters.people is not None
    context.use(matters.people.model_id, matters.people.device)
    title = _title(matters.people, context)
    alone = len(matters.places) == 1
    besides = np.count_nonzero((general >= SURE) & (people < 0.5))
    if besides >= NOTABLE * np.count_nonzero(people >= 0.5):
        context.use(matters.general.model_id, matters.general.device)
        other = _title(matters.general, context)
        if alone:
            context.note(tr("A person was found, so {0} cut it out, and {1} what else stands out.", title, other))
        else:
            context.note(tr("People were found, so {0} cut them out, and {1} what else stands out.", title, other))
    elif alone:
        context.note(tr("A person was found, so {0} cut it out.", title))
    else:
        context.note(tr("People were found, so {0} cut them out.", title))


def _title(model: MattingModel, context: JobContext) -> str:
    return context.models.known.get(model.model_id).title


def _holds(box: PixelBox, place: Box) -> bool:
    x, y = (place.x0 + place.x1) / 2, (place.y0 + place.y1) / 2
    return box.x <= x <= box.right and box.y <= y <= box.bottom
