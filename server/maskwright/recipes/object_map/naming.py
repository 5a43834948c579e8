"""Names for the objects of a map: of a panoptic model's regions, else of a detector's boxes, and of parts of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from maskwright.masks import objectmap
from maskwright.masks.boxes import PixelBox, whole
from maskwright.masks.instances import box_iou
from maskwright.masks.logits import LogitMap, logit
from maskwright.masks.objectmap import Candidate
from maskwright.models.catalogue.labels import BACKGROUND, key
from maskwright.models.roles import RGB, Box, Detection, Finder, Parser, Segmenter, SegmentPrompt
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.language import tr

_SAME = 0.5  # IoU, of masks or boxes, from which on an object is what was found there
_OF_STUFF = 0.85  # share of an object within grass or sky from which on it is grass or sky, too ...
_LARGE = 0.1  # ... if it is that share of it: smaller things lie on the grass
_MOST_ASKED = 40  # boxes without an object for which the segmenter is asked
_MOST_PEOPLE = 6  # whose parts are named, the largest
_LEAST_PERSON = 96  # pixels of the longer side; what is smaller has no parts
_AROUND = 0.2  # of a person, in sizes of the person, is shown to the parser
_SURE = 0.6  # mean probability from which on an object is a part of that name
_OUTSIDE = -8.0  # logit at the rim of a part's map: what lies beyond a map is taken to be as its rim


@dataclass(frozen=True)
class Namer:
    """``look`` finds what has a name in an image ``(H, W, 3)`` uint8; ``parser`` tells parts of people.

    ``model_id`` stands for both.
    """

    model_id: str
    look: Finder
    parser: Parser | None = None

    @classmethod
    def of(cls, choice: ModelChoice) -> Namer | None:
        """The best that is installed: a panoptic model, else a detector; None where there is neither."""
        panoptic, detector = choice.panoptic(), None
        if panoptic is None:
            detector = choice.naming_detector()
        found = panoptic or detector
        if found is None:
            return None
        parser = choice.naming_parser()
        name = "+".join(one.model_id for one in (found, parser) if one is not None)
        if panoptic is not None:
            return cls(name, panoptic.regions, parser)
        assert detector is not None
        return cls(name, lambda image: detector.detect(image, ""), parser)

    def named(
        self,
        kept: Sequence[Candidate],
        canvas: LogitMap,
        segmenter: Segmenter,
        picture: PictureView,
        context: JobContext,
    ) -> list[Candidate]:
        """The objects with names, and what the search has missed of what has one. ``canvas``: on whose cells masks are
        compared. Raises ``JobCancelled``."""
        with context.stage("name", tr("Naming the objects")):
            found = sorted(self.look(picture.overview), key=lambda one: -one.score)
        work = _Naming(kept, canvas)
        unseen = [one for one in found if not work.take(one)]
        boxes = [one for one in unseen if one.logits is None][:_MOST_ASKED]
        if boxes:
            embedding = vision.embed(segmenter, picture, context)
            with context.stage("name", tr("Naming the objects")):
                answers = segmenter.segment(embedding, [SegmentPrompt(box=one.box) for one in boxes])
            for one, hypotheses in zip(boxes, answers, strict=True):
                best = max(hypotheses, key=lambda h: h.score * (0.25 + 0.75 * box_iou(one.box, h.logits.extent())))
                work.add(Candidate(best.logits, best.score, best.low_res, one.label))
        for one in unseen:
            if one.logits is not None:
                work.add(Candidate(one.logits, one.score, None, one.label))
        if self.parser is not None:
            with context.stage("name", tr("Naming the objects")):
                work.name_parts(self.parser, picture.overview)
        return work.objects


class _Naming:
    """Objects and their masks on one canvas, eight cells to a byte."""

    def __init__(self, kept: Sequence[Candidate], canvas: LogitMap) -> None:
        self.objects = list(kept)
        self._canvas = canvas
        self._bits = [objectmap.packed(one.logits, canvas) for one in kept]
        self._boxes = [one.logits.extent() for one in kept]

    def take(self, found: Detection) -> bool:
        """Give its name to the object that it is, and to pieces of the same stuff; False where there is no such."""
        if found.logits is None:
            overlaps = [0.0 if one.name else box_iou(found.box, box) for one, box in self._free()]
            return self._name(overlaps, found.label)
        own = objectmap.packed(found.logits, self._canvas)
        size = int(objectmap.count(own))
        sizes = [int(objectmap.count(bits)) for bits in self._bits]
        common = [int(objectmap.count(bits & own)) for bits in self._bits]
        pairs = list(zip(self.objects, sizes, common, strict=True))
        taken = self._name([0.0 if o.name else c / max(1, s + size - c) for o, s, c in pairs], found.label)
        if found.stuff:
            for place, (one, area, inside) in enumerate(pairs):
                if not self.objects[place].name and inside >= _OF_STUFF * area and area >= _LARGE * size:
                    self.objects[place] = replace(one, name=found.label)
        return taken

    def _free(self) -> list[tuple[Candidate, Box]]:
        return [(one, Box(*box)) for one, box in zip(self.objects, self._boxes, strict=True)]

    def _name(self, overlaps: Sequence[float], name: str) -> bool:
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best < 0 or overlaps[best] < _SAME:
            return False
        self.objects[best] = replace(self.objects[best], name=name)
        return True

    def add(self, one: Candidate) -> None:
        """What the search has missed, unless it is an object of the map after all."""
        own = objectmap.packed(one.logits, self._canvas)
        size = int(objectmap.count(own))
        if not size:
            return
        for place, bits in enumerate(self._bits):
            common = int(objectmap.count(bits & own))
            if common > _SAME * (int(objectmap.count(bits)) + size - common):
                known = self.objects[place]
                self.objects[place] = replace(known, name=known.name or one.name)
                return
        self.objects.append(one)
        self._bits.append(own)
        self._boxes.append(one.logits.extent())

    def name_parts(self, parser: Parser, image: RGB) -> None:
        """Give objects within people the names of parts, and add the parts that are no objects yet."""
        people = [place for place, one in enumerate(self.objects) if one.name == "person"]
        people.sort(key=lambda place: -int(objectmap.count(self._bits[place])))
        for place in people[:_MOST_PEOPLE]:
            x0, y0, x1, y1 = self._boxes[place]
            if max(x1 - x0, y1 - y0) >= _LEAST_PERSON:
                margin = round(_AROUND * max(x1 - x0, y1 - y0))
                crop = PixelBox.around(x0, y0, x1, y1).padded(margin).intersect(whole(image))
                self._parts(parser, np.ascontiguousarray(image[crop.slices()]), crop, place)

    def _parts(self, parser: Parser, pixels: RGB, crop: PixelBox, whose: int) -> None:
        person = self._bits[whose]
        chances = parser.parse(pixels)
        grid = LogitMap(chances[0], *map(float, crop.edges))
        names = [key(label) for label in parser.table.labels]
        inner = []
        for place, one in enumerate(self.objects):
            area = int(objectmap.count(self._bits[place]))
            if not one.name and int(objectmap.count(self._bits[place] & person)) >= _OF_STUFF * area:
                inner.append(place)
        for place in inner:
            within = self.objects[place].logits.onto(grid) > 0
            if not within.any():
                continue
            means = [0.0 if name in BACKGROUND else float(chances[i][within].mean()) for i, name in enumerate(names)]
            best = int(np.argmax(means))
            if means[best] >= _SURE:
                self.objects[place] = replace(self.objects[place], name=names[best])
        for name, chance in zip(names, chances, strict=True):
            sure = chance >= 0.5
            if name not in BACKGROUND and sure.any():
                values = logit(np.ascontiguousarray(chance))
                values = np.minimum(values, self.objects[whose].logits.onto(grid))
                values[[0, -1]] = values[:, [0, -1]] = _OUTSIDE
                self.add(Candidate(grid.like(values), float(chance[sure].mean()), None, name))
