"""What words name and examples show, as boxes or as objects with masks, by detectors and by segmenters that read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane, recrop
from maskwright.masks.logits import LogitMap
from maskwright.models.catalogue.words import RELATED, meanings, split
from maskwright.models.coco import COCO
from maskwright.models.roles import Box, Detection, Featured, TextSegmenter
from maskwright.recipes.job import prompt_language, prompts, tiling, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompt_language import Concept, Query, which
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.ranking import Measures, choose, without
from maskwright_protocol.errors import UnknownWord
from maskwright_protocol.language import joined, tr, trn
from maskwright_protocol.messages import Detect, Point, Select

from .by_example import LIKE, by_features
from .detector_masks import DetectorMasks
from .found import Found, distinct, new_id
from .windows import Drawer

# Share of a detected box added on each side. The mask is not clipped to the box anyway, and with padding the masks of
# the measured photos' objects were never better on the whole: mean IoU 0.73, 0.72, 0.71 of twelve objects with 0, 2 and
# 5 %; 0.720, 0.716, 0.721 of eight others.
PADDING = 0.0
_IN_REGION = 0.1  # share of a box that must lie in the region

_DETECTED: Measures[Detection] = Measures(lambda d: d.box, lambda d: d.box.area, lambda d: d.score)

T = TypeVar("T")
Region = tuple[Plane, PixelBox]
Example = tuple[Box, bool]  # in document pixels, and whether such things are wanted


class Search:
    """One job's search by words and examples. ``missing`` is a sentence when a choice meant more than was found.

    ``thorough``: it looks closer also where something was found, in pictures of any size.
    """

    def __init__(
        self,
        request: Select | Detect,
        models: ModelChoice,
        picture: PictureView,
        context: JobContext,
        region: Region | None = None,
        examples: Sequence[Example] = (),
        thorough: bool = False,
    ) -> None:
        self._examples, self._thorough = examples, thorough
        self._options = {**models.preset.options, **request.detector_options}
        self._min_score = prompts.check_min_score(request.min_score)
        self._tiles: tiling.Tiles = tiling.check_tiles(request.tiles)
        self._models, self._picture, self._context, self._region = models, picture, context, region
        self._seen: list[tuple[Concept, list[Detection]]] = []
        self._found: Measures[Found] = Measures(self._box, lambda one: one.logits.area(), lambda one: one.score)
        self.missing = ""

    def look(self, query: Query) -> list[Detection]:
        """Detect what the query names, for ``objects``."""
        self._seen = self._by_concept(query)
        return [one for _, found in self._seen for one in found]

    def boxes(self, query: Query) -> list[Detection]:
        """Boxes of what the query names and chooses, best first. Nothing is left out of them."""
        found: list[Detection] = []
        for concept, detections in self._by_concept(query):
            found += self._chosen(detections, concept, _DETECTED)
        return sorted(found, key=lambda d: -d.score)

    def objects(self, points: list[Point], boxes: list[Box], masks: Drawer | DetectorMasks) -> list[Found]:
        """Objects that ``look`` saw, and those in ``boxes``; ``points`` belong to the objects that they lie on.

        A click that excludes takes a part away from a single object; among several it removes a whole one.
        """
        groups = [(concept, [wanted_of(one) for one in found]) for concept, found in self._seen]
        groups.append((Concept(""), [ObjectPrompt(box=box) for box in boxes]))
        everything = [one for _, wanted in groups for one in wanted]
        unwanted = [p for p in points if not p.include] if len(everything) > 1 else []
        given = prompts.distribute([p for p in points if p not in unwanted], everything)
        for one in everything:
            if one.points and one.box is not None:
                one.points += [p for p in unwanted if prompts.holds(one.box, p)]
        unwanted = [p for p in unwanted if not any(p in one.points for one in everything)]
        groups[-1][1].extend(given[len(everything) :])  # clicks beside all that words name
        shown = {id(one.wanted): one for one in masks.run(given)}
        found: list[tuple[Found, Concept]] = []
        for concept, wanted in groups:
            some = distinct([shown[id(one)] for one in wanted if id(one) in shown])
            some = [one for one in some if not any(self._shows(one, p) for p in unwanted)]
            found += [(one, concept) for one in self._chosen(some, concept, self._found)]
        return self._apart(found)

    def concepts(
        self, query: Query, segmenter: TextSegmenter, points: list[Point], boxes: list[Box], masks: Drawer
    ) -> list[Found]:
        """Objects that the query names and the examples show, and those at clicks and in ``boxes``, by a segmenter that
        finds them itself."""
        seen = [(concept, self._matches(segmenter, concept.phrase, self._examples)) for concept in query.concepts]
        seen = [(concept, distinct([o for o in some if self._in_region(self._box(o))])) for concept, some in seen]
        self._tell_empty(seen)
        excluded = [point for point in points if not point.include]
        single = sum(len(some) for _, some in seen) + len(boxes) == 1
        found: list[tuple[Found, Concept]] = []
        for concept, some in seen:
            if single:
                for one in some:
                    one.wanted.points = excluded
                    masks.exclude(one)
            else:
                some = [one for one in some if not any(self._shows(one, p) for p in excluded)]
            found += [(one, concept) for one in self._chosen(some, concept, self._found)]
        found += [(one, Concept("")) for one in self._beside([one for one, _ in found], points, boxes, masks)]
        return self._apart(found)

    def alike(self, segmenter: Featured, points: list[Point], boxes: list[Box], masks: Drawer) -> list[Found]:
        """Objects that look more like the wanted examples than the unwanted ones, for segmenters that take none."""
        given = [ObjectPrompt(box=box) for box, _ in self._examples]
        shown = {id(one.wanted): one for one in masks.run(given)}
        kinds: dict[bool, list[Found]] = {True: [], False: []}
        for wanted, (_, include) in zip(given, self._examples, strict=True):
            if id(wanted) in shown:
                kinds[include].append(shown[id(wanted)])
        for one in kinds[True]:
            one.score = 1.0  # as like as can be
        least = LIKE if self._min_score is None else self._min_score
        found = by_features(segmenter, kinds[True], kinds[False], self._picture, self._context, least)
        excluded = [point for point in points if not point.include]
        found = [one for one in found if self._in_region(self._box(one))]
        found = [one for one in found if not any(self._shows(one, p) for p in excluded)]
        return distinct([*found, *self._beside(found, points, boxes, masks)])

    def _beside(self, found: list[Found], points: list[Point], boxes: list[Box], masks: Drawer) -> list[Found]:
        """Objects at clicks that lie on none of the found objects, and those in boxes."""
        beside = [p for p in points if p.include and not any(self._shows(one, p) for one in found)]
        return masks.run(prompts.distribute(beside, [ObjectPrompt(box=box) for box in boxes]))

    def less(self, text: str, masks: Drawer | DetectorMasks) -> list[LogitMap]:
        """Logits of what is to be left out, "the largest collar" too; says so when there is none."""
        phrase, choice = which(text)
        if isinstance(masks.segmenter, TextSegmenter) and self._models.free("detector"):
            some = self._matches(masks.segmenter, phrase)
        else:
            some = masks.run([wanted_of(d) for d in self._detect(phrase, None, "off")])
        if choice is not None:
            some = choose(choice, some, self._picture.box, self._found)
        if not some:
            nothing = tr("So there is nothing to leave out.")
            self._context.note(joined(prompt_language.absent(text), nothing))
        return [one.logits for one in some]

    def _matches(self, segmenter: TextSegmenter, phrase: str, examples: Sequence[Example] = ()) -> list[Found]:
        embedding = vision.embed(segmenter, self._picture, self._context)
        given = [(self._picture.box_to_overview(box), include) for box, include in examples]
        looking = tr("Looking for {0}", phrase) if phrase else tr("Looking for what is like the examples")
        with self._context.stage("segment", looking):
            matches = segmenter.segment_text(embedding, phrase, examples=given, min_score=self._min_score)
        found = []
        for match in matches:
            seen, shown = match.detection, match.hypothesis
            wanted = ObjectPrompt([], self._picture.box_to_document(seen.box), seen.label, seen.score)
            logits = self._picture.up_to_border(shown.logits)
            found.append(Found(new_id(), seen.label, seen.score, wanted, logits, shown.low_res))
        return distinct([one for one in found if not one.empty])

    def _by_concept(self, query: Query) -> list[tuple[Concept, list[Detection]]]:
        """One look for all where nothing tells the concepts apart, else one for each."""
        if query.plain or len(query.concepts) == 1:
            whole = query.concepts[0] if len(query.concepts) == 1 else Concept("; ".join(query.phrases))
            found = self._limited(self._detect(whole.phrase, self._min_score, self._tiles))
            if found and len(query.concepts) > 1:
                self._tell_absent(query.phrases, found)
            return [(whole, found)]
        seen = [(c, self._limited(self._detect(c.phrase, self._min_score, self._tiles))) for c in query.concepts]
        self._tell_empty(seen)
        return seen

    def _tell_empty(self, seen: Sequence[tuple[Concept, Sequence[object]]]) -> None:
        """Say which of several things there are none of."""
        for concept, found in seen:
            if not found and any(others for _, others in seen):
                self._context.note(prompt_language.absent(concept.phrase))

    def _tell_absent(self, phrases: Sequence[str], found: Sequence[Detection]) -> None:
        """The same by the labels of what was found together: phrases, names that they mean, or texts they occur in."""
        names = tuple(getattr(self._models.detector(), "labels", ())) or COCO
        labels = {one.label for one in found} | {one.text for one in found}
        for phrase in phrases:
            meant = meanings(phrase, names)
            near = {*meant, *(other for name in meant for other in RELATED.get(name, ()))}
            text = " ".join(split(phrase))
            if not near & labels and not any(text in label.casefold() for label in labels):
                self._context.note(prompt_language.absent(phrase))

    def _limited(self, found: list[Detection]) -> list[Detection]:
        return [one for one in found if self._in_region(one.box)]

    def _detect(self, text: str, min_score: float | None, tiles: tiling.Tiles) -> list[Detection]:
        detector, context, picture = self._models.detector(), self._context, self._picture
        find = partial(detector.detect, text=text, min_score=min_score, options=self._options)
        try:
            found = vision.detect(find, text, picture, context)
        except UnknownWord as error:
            raise self._models.explained(error, detector.model_id) from None
        pool = context.models
        side = pool.known.get(detector.model_id).input_size
        quick = tiles == "on" or not pool.slow(detector.model_id)
        enough = tiles == "auto" and not tiling.worth_it(picture, side, bool(found) and not self._thorough)
        if tiles == "off" or not quick or enough:
            return found
        most = tiling.MOST if tiles == "on" else tiling.most_unasked(side)
        return tiling.detect(find, side, most, picture, context, found)

    def _in_region(self, box: Box) -> bool:
        if self._region is None:
            return True
        plane, where = self._region
        inner = PixelBox.around(*box)
        covered = float(recrop(plane, where, inner.intersect(where)).sum(dtype=np.float64))
        return covered >= _IN_REGION * max(1, inner.area)

    def _box(self, found: Found) -> Box:
        return found.wanted.box or self._picture.box_to_document(Box(*found.logits.extent()))

    def _shows(self, found: Found, point: Point) -> bool:
        """Whether a click lies on the object."""
        return found.logits.shows(*self._picture.to_overview(point.x, point.y))

    def _chosen(self, items: list[T], concept: Concept, measures: Measures[T]) -> list[T]:
        choice, whole = concept.choice, self._picture.box
        chosen = choose(choice, items, whole, measures) if choice is not None else items
        chosen = without(chosen, concept.without, whole, measures)
        if not chosen and items and choice is not None:
            self.missing = trn(
                'Only {0} was found for "{1}", and {2} was asked for.',
                'Only {0} were found for "{1}", and {2} was asked for.',
                len(items),
                concept.phrase,
                choice.text(),
            )
        elif not chosen and items:
            self.missing = trn(
                'Only {0} was found for "{1}", and without {2} none is left.',
                'Only {0} were found for "{1}", and without {2} none is left.',
                len(items),
                concept.phrase,
                concept.without[0].text(),
            )
        return chosen

    def _apart(self, found: list[tuple[Found, Concept]]) -> list[Found]:
        """Without an object that two concepts name, best first; each remembers what is to be left out of it."""
        kept = distinct([one for one, _ in found])
        for one, concept in found:
            one.minus = concept.minus
        return kept


def wanted_of(one: Detection) -> ObjectPrompt:
    return ObjectPrompt([], one.box, one.label, one.score, PADDING, one.logits)
