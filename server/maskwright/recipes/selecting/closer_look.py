"""The precise pass: a crop around an object, in the document's own pixels, is encoded and segmented again.

A segmenter's mask is 256 or 288 cells wide whatever the picture, and its encoder sees 1024 pixels of it: an object of
30 pixels in a photo of 6000 is five pixels to it. In the crop it is a few hundred.
"""

from __future__ import annotations

import math

from maskwright.masks.boxes import PixelBox
from maskwright.masks.instances import logit_iou
from maskwright.masks.logits import LogitMap, capped
from maskwright.models.roles import RGB, Box, Embedding, Segmenter, SegmentPrompt
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.remembered import Remembered
from maskwright_protocol.errors import BadInput, MorePixelsNeeded
from maskwright_protocol.language import tr

from .found import CloseUp, Found

MODES = ("auto", "on", "off")
_FACTOR = 2.5  # a crop's side in sides of the object: less shows too little of what it stands before
_LEAST = 128  # pixels of a crop's side
_GAIN = {"auto": 3.0, "on": 1.25}  # how much closer a crop has to be than the overview
_AUTO_OBJECTS = 4
_AUTO_PIXELS = 4 << 20  # the most that is asked of a client in the mode "auto"
_AGREE = 0.2  # IoU of the two looks below which the second saw something else


def check_mode(mode: str) -> str:
    """Raises ``BadInput`` for what is no mode."""
    if mode not in MODES:
        raise BadInput(tr("{0!r} is no way to look.", mode), hint=tr("Use one of: {0}.", ", ".join(MODES)))
    return mode


class CloserLook:
    """Looks closely at found objects where that is worth it."""

    def __init__(self, segmenter: Segmenter, picture: PictureView, context: JobContext, mode: str) -> None:
        self._segmenter, self._picture, self._context = segmenter, picture, context
        entry = context.models.known.get(segmenter.model_id)
        patient = mode == "on" or not (entry.prefers_gpu and segmenter.device == "cpu")
        # What separates by colours alone sees no more in a crop.
        self._gain = _GAIN.get(mode, math.inf) if patient and segmenter.knows_objects else math.inf
        self._auto = mode == "auto"

    def run(self, found: list[Found], previous: Remembered | None = None) -> None:
        """Sets ``close`` of those objects. Raises ``MorePixelsNeeded`` for the part of the picture that has them."""
        if self._gain == math.inf or not found:
            return
        found = [part for one in found for part in one.parts or [one]]
        if previous is not None and previous.model_id != self._segmenter.model_id:
            previous = None
        crops = [(one, crop) for one in found if (crop := self._crop(one, previous)) is not None]
        crops = crops[:_AUTO_OBJECTS] if self._auto else crops
        crops = self._need(crops)
        if not self._auto:
            looked = {id(one) for one, _ in crops}
            self._follow([one for one in found if id(one) not in looked], crops)
        for number, (one, crop) in enumerate(crops):
            text = (
                tr("Looking closely, {0} of {1}", number + 1, len(crops)) if len(crops) > 1 else tr("Looking closely")
            )
            colours, embedding = vision.embed_crop(self._segmenter, self._picture, crop, self._context, text)
            with self._context.stage("close", text, number / len(crops)):
                one.close = self._look(one, crop, colours, embedding, previous)

    def _need(self, crops: list[tuple[Found, PixelBox]]) -> list[tuple[Found, PixelBox]]:
        """The crops to look at. Raises ``MorePixelsNeeded`` for those whose pixels are not here.

        In the mode "auto" crops are left out that would need more pixels than are quick to send.
        """
        missing, kept = PixelBox(0, 0, 0, 0), []
        for one, crop in crops:
            if not self._known(crop) and not self._picture.has_detail(crop):
                wider = missing.union(crop)
                if self._auto and wider.area > _AUTO_PIXELS:
                    continue
                missing = wider
            kept.append((one, crop))
        if not missing.empty:
            # With the others' pixels, since the client sends one box.
            for _, crop in kept:
                missing = missing if self._known(crop) else missing.union(crop)
            raise MorePixelsNeeded(tr("This needs a part of the picture at full resolution."), box=list(missing))
        return kept

    def _follow(self, found: list[Found], others: list[tuple[Found, PixelBox]]) -> None:
        """Objects that a crop shows no better keep their logits, but their edges follow the document's colours."""
        places = []
        for one in found:
            tight = self._place(one)
            if not tight.empty:
                margin = 8 + max(tight.width, tight.height) // 10
                places.append((one, tight.padded(margin).intersect(self._picture.box)))
        if not all(self._picture.has_detail(crop) for _, crop in places):
            self._need([*places, *others])
        for one, crop in places:
            one.close = CloseUp(crop, self._picture.detail_rgb(crop), self._picture.map_to_document(one.logits), None)

    def _crop(self, one: Found, previous: Remembered | None) -> PixelBox | None:
        """The part of the document to look at, or None where the overview shows it nearly as well."""
        canvas, tight = self._picture.box, self._place(one)
        if tight.empty:
            return None
        side = math.ceil(max(_LEAST, _FACTOR * max(tight.width, tight.height)))
        if max(canvas.width, canvas.height) < self._gain * side:
            return None
        # A crop that was looked at before will do: another costs an encoding.
        near = tight.padded(math.ceil(0.1 * max(tight.width, tight.height))).intersect(canvas)
        known = [previous.crop] if previous is not None and previous.crop is not None else []
        for crop in [*known, *vision.known_crops(self._segmenter, self._picture, self._context)]:
            if crop.contains(near) and 0.5 * side <= max(crop.width, crop.height) <= 2 * side:
                return crop
        width, height = min(side, canvas.width), min(side, canvas.height)
        x = round(tight.x + tight.width / 2 - width / 2)
        y = round(tight.y + tight.height / 2 - height / 2)
        x = min(max(x, canvas.x), canvas.right - width)
        y = min(max(y, canvas.y), canvas.bottom - height)
        return PixelBox(x, y, width, height)

    def _place(self, one: Found) -> PixelBox:
        """Where the object is, in the document: what was found, and what the user's box says."""
        box = self._picture.box_to_document(Box(*one.logits.extent()))
        named = one.wanted.box or box
        return PixelBox.around(
            min(box.x0, named.x0), min(box.y0, named.y0), max(box.x1, named.x1), max(box.y1, named.y1)
        ).intersect(self._picture.box)

    def _known(self, crop: PixelBox) -> bool:
        return vision.has_crop(self._segmenter, self._picture, crop, self._context)

    def _look(
        self, one: Found, crop: PixelBox, colours: RGB, embedding: Embedding, previous: Remembered | None
    ) -> CloseUp | None:
        coarse = self._picture.map_to_document(one.logits)
        points = [(p.x - crop.x, p.y - crop.y, p.include) for p in one.wanted.points]
        points = [p for p in points if 0 <= p[0] <= crop.width and 0 <= p[1] <= crop.height]
        box = self._box(one, coarse, crop)
        seed = None
        if previous is not None and previous.close is not None and previous.crop == crop:
            seed = previous.close.plane()
        else:
            mask = coarse.draw(crop, coarse.slope())
            (first,) = self._segmenter.segment(embedding, [SegmentPrompt(box=box, mask=mask)])
            seed = next((h.low_res for h in first if h.low_res is not None), None)
        (answers,) = self._segmenter.segment(embedding, [SegmentPrompt(points, box, logits=seed)])
        best = next((h for h in answers if (h.logits.values > 0).any()), None)
        if best is None:
            return None
        logits = best.logits.mapped(1.0, 1.0, crop.x, crop.y)
        if logit_iou(logits, coarse) < _AGREE:
            self._context.note(tr("A closer look showed something else, so the first answer was kept."))
            return None
        if one.wanted.score is None:
            one.score = best.score
        if one.cap is not None:
            logits = capped(logits, self._picture.map_to_document(one.cap))
        return CloseUp(crop, colours, logits, best.low_res)

    def _box(self, one: Found, coarse: LogitMap, crop: PixelBox) -> Box:
        """The prompt's box in the crop: the user's, else around what was found, half a cell wider."""
        if one.wanted.box is not None and one.wanted.padding == 0:
            box, margin = one.wanted.box, 0.0
        else:
            box, margin = Box(*coarse.extent()), 0.5 * max(coarse.cell)
        return Box(
            max(0.0, box.x0 - margin - crop.x),
            max(0.0, box.y0 - margin - crop.y),
            min(float(crop.width), box.x1 + margin - crop.x),
            min(float(crop.height), box.y1 + margin - crop.y),
        )
