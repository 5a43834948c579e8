"""What a live panel for edges knows and asks: a selection or a cut-out, sliders, strokes of the edge brush with undo,
and what is seen of the picture. One preview is asked for at a time, and then the newest: however quickly a slider
moves, what is shown keeps up with it.
"""

import math
from dataclasses import replace
from typing import Any, Callable, Hashable, List, Optional, Tuple

from maskwright_protocol import masks
from maskwright_protocol.errors import EmptyPrompt, JobCancelled
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Cutout, EdgeStroke, Mask, PixelRect, PostProcess, Rect, Refine, Viewport

from .ask import PictureSource, RasterData, Steps, raster_data
from .coordinates import intersection
from .edge_settings import EdgeSettings
from .jobs import Cut, JobOptions
from .preview_picture import Preview
from .steps import Loop, Runner, background

TOOL = "edge"  # what previews ask as: a newer one takes the place of an older
MOST_SEEN = 1_100_000  # pixels of a preview; a larger view is shown at a lower resolution
_LONGEST = 4000  # numbers in a stroke's path
_STEP = 1 / 8  # of a brush's width: what is nearer to the last place of a stroke adds nothing


class EdgeSession:
    """``ask(job, picture)``: how the editor asks, steps that end with the answer. An editor overrides the hooks."""

    loop: Loop

    def __init__(self, options: JobOptions, ask: Callable[[Any, PictureSource], Steps]) -> None:
        self.options = options
        self.settings = EdgeSettings()
        self.clean_up = PostProcess()  # what is done beside the sliders
        self.preview: Optional[Preview] = None
        self.drawn: Optional[EdgeStroke] = None  # the stroke that is being painted
        self._ask = ask
        self._strokes: List[EdgeStroke] = []
        self._undone: List[EdgeStroke] = []
        self._source: Optional[_Source] = None
        self._keep = False
        self._looked: Optional[Tuple[Rect, float]] = None  # what is seen, and how large
        self._view: Optional[Viewport] = None
        self._shown: Hashable = None  # what the preview shows
        self._failed: Hashable = None  # what had no answer: not asked again before something changes
        self._runner: Optional[Runner] = None

    # ------------------------------------------------------------ the editor's part

    def previewed(self) -> None:
        """There is another ``preview``."""

    def stroked(self) -> None:
        """There is a stroke more or less, or the one that is being painted has grown."""

    def failed_with(self, error: Exception) -> None:
        """There is no preview."""
        raise NotImplementedError

    # ------------------------------------------------------------ what is worked on

    @property
    def ready(self) -> bool:
        """There is a selection or a cut-out to work on."""
        return self._source is not None

    @property
    def busy(self) -> bool:
        """A preview is asked for."""
        return self._runner is not None

    @property
    def idle(self) -> bool:
        """The preview shows what is set, or nothing can be shown."""
        return self._runner is None and self._wanted() in (None, self._shown, self._failed)

    def take_selection(self, picture: PictureSource, mask: Mask) -> None:
        """Work on a selection whose edge is to be found. Earlier strokes go."""
        self._take(picture, mask, keep=False)

    def take_cut_out(self, picture: PictureSource, alpha: Mask) -> None:
        """Work on a cut-out: its edge stays unless sliders or strokes say otherwise. Earlier strokes go."""
        self._take(picture, alpha, keep=True)

    def find(self, cut: Cut, picture: PictureSource) -> Steps:
        """Steps that look for what is to be cut out and take it; they end with the ``cutout.result``."""
        job = replace(self.options.cut_out(cut, ""), post=PostProcess())
        answer = yield from self._ask(job, picture)
        if answer.alpha is not None and not answer.reason:
            self.take_cut_out(picture, answer.alpha)
        return answer

    def _take(self, picture: PictureSource, mask: Mask, keep: bool) -> None:
        self.stop()
        self._source, self._keep = _Source(picture, mask), keep
        self._strokes, self._undone, self.drawn = [], [], None
        self.preview = self._shown = self._failed = None
        self._view = self._seen()
        self.stroked()
        self._ask_next()

    def stop(self) -> None:
        """Ask for nothing any more; a selection that is taken anew, or another change, begins again."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.drop()

    def close(self) -> None:
        """The end of the work."""
        self.stop()
        self._source = self.preview = None

    # ------------------------------------------------------------ sliders, brush, view

    def set(self, **values: Any) -> None:
        """Other values of ``settings``, by their names."""
        self.settings = replace(self.settings, **values)
        self._ask_next()

    @property
    def strokes(self) -> List[EdgeStroke]:
        """All of them, with the one that is being painted."""
        return [*self._strokes, *([self.drawn] if self.drawn is not None else [])]

    def begin(self, kind: str, width: float, x: float, y: float) -> None:
        """The brush comes down at a place of the document; ``kind`` as in ``BRUSHES``, ``width`` in its pixels."""
        self.end()
        self.drawn = EdgeStroke([round(x, 1), round(y, 1)], kind, round(max(1.0, width), 1))
        self.stroked()  # a dot is asked about when it moves or is lifted

    def extend(self, x: float, y: float) -> None:
        """The brush has moved there."""
        stroke = self.drawn
        if stroke is None or math.hypot(x - stroke.path[-2], y - stroke.path[-1]) < max(1.0, _STEP * stroke.width):
            return
        path = [*stroke.path, round(x, 1), round(y, 1)]
        self.drawn = replace(stroke, path=path if len(path) <= _LONGEST else _thinned(path))
        self._changed()

    def end(self) -> None:
        """The brush is lifted: the stroke is a step that can be undone."""
        if self.drawn is not None:
            self._strokes.append(self.drawn)
            self._undone.clear()
            self.drawn = None
            self._changed()

    def drop_stroke(self) -> None:
        """What is being painted is not meant."""
        if self.drawn is not None:
            self.drawn = None
            self._changed()

    def can_undo(self) -> bool:
        return bool(self._strokes)

    def can_redo(self) -> bool:
        return bool(self._undone)

    def undo(self) -> bool:
        """Take the last stroke back; False when there is none."""
        return self._move(self._strokes, self._undone)

    def redo(self) -> bool:
        """Paint again what was taken back last."""
        return self._move(self._undone, self._strokes)

    def _move(self, source: List[EdgeStroke], target: List[EdgeStroke]) -> bool:
        if not source:
            return False
        self.drawn = None
        target.append(source.pop())
        self._changed()
        return True

    def _changed(self) -> None:
        self.stroked()
        self._ask_next()

    def look_at(self, visible: Rect, scale: float) -> None:
        """``visible`` is the part of the document that is seen, ``scale`` how many of the screen's pixels one of its
        pixels has. Nothing of the picture in sight: no preview."""
        self._looked = visible, scale
        self._view = self._seen()
        self._ask_next()

    def _seen(self) -> Optional[Viewport]:
        if self._looked is None or self._source is None:
            return None
        visible, scale = self._looked
        left, top = math.floor(visible.x), math.floor(visible.y)
        right, bottom = math.ceil(visible.x + visible.width), math.ceil(visible.y + visible.height)
        box = intersection(PixelRect(left, top, right - left, bottom - top), self._source.box)
        if box.width < 1 or box.height < 1:
            return None
        scale = min(1.0, scale, math.sqrt(MOST_SEEN / (box.width * box.height)))
        return Viewport(box, max(1, round(box.width * scale)), max(1, round(box.height * scale)))

    # ------------------------------------------------------------ asking

    def _wanted(self) -> Hashable:
        """What a preview would show now; None when there is nothing to show."""
        if self._source is None or self._view is None:
            return None
        strokes = tuple((stroke.kind, stroke.width, tuple(stroke.path)) for stroke in self.strokes)
        return self.settings, strokes, repr(self._view)

    def job(self) -> Refine:
        """The work as a job in the document's pixels."""
        assert self._source is not None
        settings = self.settings
        job = self.options.refine(self._source.mask, settings.edge(), clean_up=False)
        keep = self._keep and not settings.edge_width and not settings.hair
        post = settings.post(self.clean_up)
        return replace(job, edge_strokes=self.strokes, keep=keep, post=post)

    def _ask_next(self) -> None:
        wanted = self._wanted()
        if self._runner is not None or wanted is None or wanted in (self._shown, self._failed):
            return
        self._failed = None
        self._runner = Runner(self._asking(), self.loop, lambda value, error: self._done(wanted, value, error))

    def _asking(self) -> Steps:
        source, view = self._source, self._view
        assert source is not None
        assert view is not None
        yield from source.name_mask()
        job = replace(self.job(), tool=TOOL, mask=None, mask_key=source.key, mask_depth=8, view=view)
        answer = yield from self._ask(job, source)
        return _preview(answer.instances[0].mask if answer.instances else None, view)

    def _done(self, wanted: Hashable, value: Any, error: Optional[Exception]) -> None:
        self._runner = None
        if error is None:
            self.preview, self._shown = value, wanted
            self.previewed()
        else:
            self._failed = wanted
            if not isinstance(error, JobCancelled):
                self.failed_with(error)
        if self._wanted() != wanted:
            self._ask_next()

    def ask_again(self) -> None:
        """Once more what had no answer, as when the server is there again."""
        self._failed = None
        self._ask_next()

    # ------------------------------------------------------------ the result

    def finish(self) -> Steps:
        """Steps that end with the ``selection`` at full size. Raises ``EmptyPrompt`` when nothing is worked on."""
        source = self._source
        if source is None:
            raise EmptyPrompt(tr("There is nothing to work on yet."), tr("Select something, or say what to cut out."))
        self.end()
        self.stop()
        yield from source.name_mask()
        job = replace(self.job(), mask=None, mask_key=source.key)
        return (yield from self._ask(job, source))

    def cut_by(self, alpha: Mask, cut: Cut, colours: str) -> Steps:
        """Steps that end with the ``cutout.result`` of what ``finish`` gave, in ``colours``, a pixel format, with what
        ``cut`` adds around it."""
        assert self._source is not None
        bare = Cut(mask=alpha, outline=cut.outline, outline_colour=cut.outline_colour, background=cut.background,
                   shadow=cut.shadow, clean=cut.clean)  # fmt: skip
        job: Cutout = self.options.cut_out(bare, colours)
        return (yield from self._ask(replace(job, edges="given", post=PostProcess()), self._source))


class _Source(PictureSource):
    """The editor's picture with the selection beside it as a raster, so that both are sent once and named after."""

    def __init__(self, picture: PictureSource, mask: Mask) -> None:
        self._picture = picture
        self.mask = mask
        self.box = picture.box
        self._raster: Optional[RasterData] = None
        self._near: Optional[RasterData] = None  # of the picture at full resolution, as far as it was asked for last

    def name_mask(self) -> Steps:
        """Steps after which the mask has its ``key``."""
        if self._raster is None:
            self._raster = yield background(lambda: _raster_of(self.mask))

    @property
    def key(self) -> str:
        assert self._raster is not None
        return self._raster.raster.key

    def overview_size(self) -> Tuple[int, int]:
        return self._picture.overview_size()

    def prepare(self) -> Steps:
        return (yield from self._picture.prepare())

    def prepare_detail(self, box: PixelRect) -> Steps:
        return (yield from self._picture.prepare_detail(box))

    def overview(self) -> RasterData:
        return self._picture.overview()

    def detail(self, box: PixelRect) -> RasterData:
        self._near = self._picture.detail(box)
        return self._near

    def companions(self) -> List[RasterData]:
        return [one for one in (self._raster, self._near) if one is not None]


def _raster_of(mask: Mask) -> RasterData:
    """The mask as a raster of 8 bits."""
    data = masks.unpack(mask)
    data = bytes(data)[1::2] if mask.depth == 16 else data
    return raster_data(data, mask.box.width, mask.box.height, "GRAY8", mask.box)


def _preview(mask: Optional[Mask], view: Viewport) -> Preview:
    """All of the view; 0 where the mask, which is in the view's pixels, has nothing."""
    size = view.width * view.height
    data = bytes(masks.place(mask, view.width, view.height)) if mask is not None else bytes(size)
    box = view.box
    return Preview(PixelRect(0, 0, view.width, view.height), data, Rect(box.x, box.y, box.width, box.height))


def _thinned(path: List[float]) -> List[float]:
    """Every second place of a path, with its last one."""
    places = list(zip(path[::2], path[1::2]))
    kept = places[:-1:2] + places[-1:]
    return [value for place in kept for value in place]
