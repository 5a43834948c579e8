"""Selecting in long and thin pictures: strips, scrolls, pages of a web comic.

The overview of a strip is a few pixels high, in which a segmenter sees nothing. So each object is looked for in a
window around its prompt, at the document's own resolution, as if the window were the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maskwright.masks.boxes import PixelBox, around_all
from maskwright.masks.instances import logit_iou
from maskwright.masks.logits import LogitMap, union
from maskwright.models.roles import Box, FloatMap, Segmenter
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Point

from .detector_masks import on_one_grid
from .found import Found, new_id
from .segment import Segmenting

_STEP = 4  # windows begin at multiples of this part of their length, so that clicks nearby share one
_MARGIN = 0.25  # of a box' length, on each side
_ALL_PIXELS = 16 << 20  # a picture of fewer is asked for whole
_AGREE = 0.5  # IoU within the first window, below which a wider one shows something else
_WIDER = 2  # how often a window is doubled for an object that runs out of it


@dataclass
class WindowSegmenting:
    """What ``Segmenting`` is for other pictures. ``start``: a mask ``(h, w)`` float32 0..1 with its document box."""

    segmenter: Segmenter
    picture: PictureView
    choice: ModelChoice
    context: JobContext
    start: tuple[FloatMap, PixelBox] | None = None
    previous: Remembered | None = None

    def run(self, wanted: list[ObjectPrompt]) -> list[Found]:
        """One ``Found`` for each object of which anything is seen. Raises ``MorePixelsNeeded``."""
        found = []
        self._need(wanted)
        for number, one in enumerate(wanted):
            self.context.progress("segment", number / len(wanted), tr("{0} of {1} objects", number + 1, len(wanted)))
            parts = [part for near in self._near(one) if (part := self._one(near)) is not None]
            if len(parts) > 1:
                self._share(parts)
                shown = union([part.logits for part in parts])
                score = min(part.score for part in parts)
                parts = [Found(new_id(), one.label, score, one, shown, parts[0].low_res, parts=parts)]
            found += parts
        if len(found) > 1:
            self._share(found)
        return found

    def _need(self, wanted: Sequence[ObjectPrompt]) -> None:
        """Raises ``MorePixelsNeeded`` for all that will be looked at: the whole picture, unless that is very large."""
        windows = [self._around(near) for one in wanted for near in self._near(one)]
        if not all(self.picture.has_detail(window) for window in windows):
            box = self.picture.box
            if box.area > _ALL_PIXELS:
                box = around_all(window.padded(max(window[2:])) for window in windows).intersect(box)
            self.picture.need_detail(box)

    def exclude(self, item: Found) -> None:
        """What lies at clicks that exclude is found by itself and taken away."""
        window = item.window or self._around(item.wanted)
        inner, part = self._inside(window, None)
        here = replace(item, logits=part.map_to_overview(self.picture.map_to_document(item.logits)))
        inner.exclude(here)
        item.limit_to(self._outside(part, here.logits))

    def _share(self, found: Sequence[Found]) -> None:
        grids = on_one_grid([one.logits for one in found], self.picture)
        for one, logits in zip(found, grids, strict=True):
            one.logits, one.others = logits, []

    def _near(self, wanted: ObjectPrompt) -> list[ObjectPrompt]:
        """The prompt, or prompts for groups of its clicks that are far from each other."""
        along = self._along
        included = sorted((p for p in wanted.points if p.include), key=along)
        if wanted.box is not None or len(included) < 2:
            return [wanted]
        reach, groups = self._length() / 2, [[included[0]]]
        for point in included[1:]:
            if along(point) - along(groups[-1][-1]) > reach:
                groups.append([])
            groups[-1].append(point)
        if len(groups) == 1:
            return [wanted]
        for point in wanted.points:
            if not point.include:
                min(groups, key=lambda g: min(abs(along(p) - along(point)) for p in g)).append(point)
        return [replace(wanted, points=group) for group in groups]

    def _one(self, wanted: ObjectPrompt) -> Found | None:
        """The object in the window around its prompt; in a wider one where it runs out of that, and shows the same."""
        found = self._look(wanted, self._around(wanted))
        for _ in range(_WIDER if wanted.box is None else 0):
            if found is None or found.window is None:
                break
            extent = self.picture.box_to_document(Box(*found.logits.extent()))
            middle = (extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2
            window = self._window(*middle, 2 * max(found.window[2:]))
            if window == found.window or not _runs_out(extent, found.window, self.picture.box):
                break
            wider = self._look(wanted, window)
            if wider is None or logit_iou(found.logits, wider.logits) < _AGREE:
                break
            found = wider
        return found

    def _look(self, wanted: ObjectPrompt, window: PixelBox) -> Found | None:
        inner, part = self._inside(window, self.previous)
        found = next(iter(inner.run([wanted])), None)
        for one in (found, *found.parts) if found is not None else ():
            one.window, one.logits = window, self._outside(part, one.logits)
            one.others = [replace(h, logits=self._outside(part, h.logits)) for h in one.others]
        return found

    def _inside(self, window: PixelBox, previous: Remembered | None) -> tuple[Segmenting, PictureView]:
        part = self.picture.part(window)
        embedding = vision.embed(self.segmenter, part, self.context)
        saliency = vision.saliency(self.segmenter, self.choice, part, self.context)
        start = part.mask_in_overview(*self.start) if self.start is not None else None
        if previous is not None:
            place = part.map_to_overview(self.picture.map_to_document(previous.map))
            same = abs(place.x0) < 1 and abs(place.y0) < 1 and previous.logits.shape == _cells_of(place, window)
            previous = replace(previous, edges=place.edges, picture_key=part.key) if same else None
        return Segmenting(self.segmenter, embedding, part, self.context, saliency, start, previous), part

    def _outside(self, part: PictureView, logits: LogitMap) -> LogitMap:
        return self.picture.map_to_overview(part.map_to_document(logits))

    def _around(self, wanted: ObjectPrompt) -> PixelBox:
        boxes = [PixelBox.around(p.x, p.y, p.x + 1, p.y + 1) for p in wanted.points if p.include]
        if wanted.box is not None:
            boxes.append(PixelBox.around(*wanted.box))
        elif wanted.logits is not None:
            boxes.append(PixelBox.around(*wanted.logits.extent()))
        elif self.start is not None and not boxes:
            boxes.append(self.start[1])
        whole = around_all(boxes).intersect(self.picture.box)
        length = max(self._length(), round((1 + 2 * _MARGIN) * max(whole.width, whole.height)))
        return self._window(whole.x + whole.width / 2, whole.y + whole.height / 2, length)

    def _window(self, x: float, y: float, length: int) -> PixelBox:
        """A part of that length with the place in its middle, across the whole picture."""
        box, step = self.picture.box, max(1, length // _STEP)
        if box.width > box.height:
            left = box.x + round((x - length / 2 - box.x) / step) * step
            left = max(box.x, min(left, box.right - length))
            return PixelBox(left, box.y, min(length, box.width), box.height)
        top = box.y + round((y - length / 2 - box.y) / step) * step
        top = max(box.y, min(top, box.bottom - length))
        return PixelBox(box.x, top, box.width, min(length, box.height))

    def _length(self) -> int:
        return vision.window_length(self.picture)

    def _along(self, point: Point) -> float:
        return point.x if self.picture.box.width > self.picture.box.height else point.y


def _cells_of(place: LogitMap, window: PixelBox) -> tuple[int, ...] | None:
    """The shape of a map that covers the window; None for one of another size."""
    fits = window.width <= place.x1 < window.width + 2 * place.cell[0] + 1
    fits = fits and window.height <= place.y1 < window.height + 2 * place.cell[1] + 1
    return place.values.shape if fits else None


def _runs_out(extent: Box, window: PixelBox, canvas: PixelBox) -> bool:
    """Whether something reaches a side of the window that is none of the picture."""
    return (
        (extent.x0 <= window.x + 1 and window.x > canvas.x)
        or (extent.y0 <= window.y + 1 and window.y > canvas.y)
        or (extent.x1 >= window.right - 1 and window.right < canvas.right)
        or (extent.y1 >= window.bottom - 1 and window.bottom < canvas.bottom)
    )


Drawer = Segmenting | WindowSegmenting  # draws objects with a segmenter
