"""A selection's or a cut-out's edge that is worked on in Krita: previews on the canvas, strokes of the edge brush, and
the result in the document. What is set and asked is the client's ``edge_session``; the panel shows it.
"""

from dataclasses import replace
from typing import Any, Optional

from maskwright_client.ask import Steps
from maskwright_client.edge_session import EdgeSession
from maskwright_client.edge_settings import brush_of
from maskwright_client.edge_views import EdgeView, view_named
from maskwright_client.jobs import Cut
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr
from maskwright_protocol.messages import CutoutResult, Mask, Rect

from .controller import Controller, Failure
from .edge_events import EdgeEvents
from .edge_overlay import EdgeOverlay
from .editor import ants, app, canvas, planes
from .editor.pixels import Reader
from .editor.planes import Plane
from .editor.qt import QObject, QPointF, QTimer, pyqtSignal
from .editor.tasks import QtLoop, Task
from .pictures import Picture
from .results import Result, mask_of, plane_of

GUARD_MS = 250
NARROWEST, WIDEST = 1.0, 2000.0  # of the brush, in the image's pixels
ON_SCREEN = 40.0  # pixels of the screen that a brush is wide at first


class EdgeWork(QObject, EdgeSession):
    """Signals: ``changed``: there is something else to show; ``failed`` with a ``Failure`` or None; ``ended``: the
    image was closed."""

    changed = pyqtSignal()
    failed = pyqtSignal(object)
    ended = pyqtSignal()

    def __init__(self, controller: Controller, reader: Reader, parent: Optional[QObject] = None) -> None:
        super().__init__(parent, options=controller.options, ask=controller.connection.ask)  # Qt hands the latter on
        self.loop = QtLoop.get()
        self.controller, self.reader = controller, reader
        self.picture = Picture(reader)
        self.view: EdgeView = view_named("overlay")
        self.brush = "hair"  # a kind of ``BRUSHES``; empty leaves the canvas to Krita
        self.brush_width = 0.0
        self.limit: Optional[Plane] = None  # what lies outside of it stays out
        self.panel: Any = None  # what the keys mean
        self._canvas: Any = None
        self._shown_in: Any = None  # the view
        self._overlay: Optional[EdgeOverlay] = None
        self._events: Optional[EdgeEvents] = None
        self._finding: Optional[Task] = None
        self._guard = QTimer(self)
        self._guard.timeout.connect(self._look_around)

    # ------------------------------------------------------------ on the canvas

    def start(self, panel: Any) -> None:
        """Be there as long as the image is in front; elsewhere wait for it."""
        self.panel = panel
        self._look_around()
        self._guard.start(GUARD_MS)

    @property
    def in_front(self) -> bool:
        """The preview is over the image's canvas."""
        return self._overlay is not None

    def _look_around(self) -> None:
        if not app.is_open(self.reader.document):
            self.leave()
            self.ended.emit()
            return
        front = app.is_active(self.reader.document) and not self.panel.is_waiting()
        widget = canvas.active_widget() if front else None
        if widget is not self._canvas:
            self._let_go()
            if widget is not None:
                self._attach(widget)
            self.changed.emit()

    def _attach(self, widget: Any) -> None:
        view = app.active_view()
        assert view is not None
        self._canvas, self._shown_in = widget, view
        ants.hide(view)
        widget.destroyed.connect(self._canvas_gone)
        self._overlay = EdgeOverlay(widget, lambda: canvas.image_to_widget(view), self._look)
        self.hide_krita_brush()
        self._events = EdgeEvents(self, self.panel, view, widget)
        if not self.brush_width:
            self.brush_width = round(min(WIDEST, ON_SCREEN / self._scale()), 1)
        self._show()
        self._look()

    def _let_go(self) -> None:
        if self._events is not None:
            self._events.let_go()
        if self._overlay is not None:
            self._overlay.remove()
        if self._canvas is not None:
            try:
                self._canvas.destroyed.disconnect(self._canvas_gone)
            except (RuntimeError, TypeError):  # it is gone
                pass
        if self._shown_in is not None:
            ants.show(self._shown_in)
        self._events = self._overlay = self._canvas = self._shown_in = None

    def _canvas_gone(self, *_: Any) -> None:
        self._overlay = self._canvas = None
        if self._events is not None:
            self._events.let_go()
            self._events = None

    def leave(self) -> None:
        """The end: the canvas is as it was."""
        self._guard.stop()
        self._let_go()
        if self._finding is not None:
            self._finding.cancel()
        self.close()

    def _scale(self) -> float:
        """Pixels of the screen for one of the image's."""
        if self._overlay is None:
            return 1.0
        return max(1e-6, abs(self._overlay.way.determinant()) ** 0.5 * self._overlay.devicePixelRatioF())

    def _look(self) -> None:
        if self._overlay is not None:
            part = self._overlay.visible_part()
            self.look_at(Rect(part.x(), part.y(), part.width(), part.height()), self._scale())

    # ------------------------------------------------------------ what the session tells

    def previewed(self) -> None:
        self.failed.emit(None)
        self._show()

    def stroked(self) -> None:
        if self._overlay is not None:
            self._overlay.show_strokes(self.strokes, self.drawn)
        self.changed.emit()

    def failed_with(self, error: Exception) -> None:
        self.failed.emit(Failure.of(error, self.ask_again))

    def _show(self) -> None:
        if self._overlay is not None:
            self._overlay.show_preview(self.view, self.preview)
            self._overlay.show_strokes(self.strokes, self.drawn)
        self.changed.emit()

    def set_view(self, view: EdgeView) -> None:
        self.view = view
        self._show()

    # ------------------------------------------------------------ the brush

    def point_at(self, at: Optional[QPointF]) -> None:
        """Where the pointer is on the canvas; None elsewhere."""
        if self._overlay is not None:
            self._overlay.show_brush(at, self.brush, self.brush_width)

    def hide_krita_brush(self) -> None:
        """Its outline would stay where the pointer was."""
        if self._canvas is not None and self.brush:
            canvas.hide_brush_outline(self._canvas)

    def brush_down(self, x: float, y: float, other: bool) -> None:
        """``other``: the opposite of the chosen brush."""
        kind = brush_of(self.brush).other if other else self.brush
        if self.ready:
            self.begin(kind, self.brush_width, x, y)

    def resize_brush(self, by: float) -> None:
        self.set_brush_width(self.brush_width * by)

    def set_brush_width(self, width: float) -> None:
        self.brush_width = round(min(WIDEST, max(NARROWEST, width)), 1)
        self.changed.emit()

    # ------------------------------------------------------------ what is worked on

    def refine(self, plane: Plane) -> None:
        """Work on a selection."""
        mask = mask_of(plane)
        assert mask is not None
        self.take_selection(self.picture, mask)

    def take_cut_out(self, picture: Any, alpha: Mask) -> None:
        limited = alpha if self.limit is None else mask_of(planes.darker(plane_of(alpha), self.limit))
        assert limited is not None
        super().take_cut_out(picture, limited)

    def look_for(self, cut: Cut) -> Task:
        """Find what is to be cut out; the task ends with the ``cutout.result``."""
        if self._finding is not None:
            self._finding.cancel()
        self.stop()
        self._finding = task = Task(self.find(cut, self.picture), self)
        task.finished.connect(lambda answer: self._found(task, answer))
        task.failed.connect(lambda error: self._not_found(task, cut, error))
        self.changed.emit()
        return task

    @property
    def finding(self) -> bool:
        return self._finding is not None

    def _found(self, task: Task, answer: CutoutResult) -> None:
        if task is self._finding:
            self._finding = None
            nothing = answer.alpha is None or bool(answer.reason)
            self.failed.emit(Failure(answer.message, answer.hint, "nothing") if nothing else None)
            self.changed.emit()

    def _not_found(self, task: Task, cut: Cut, error: Exception) -> None:
        if task is self._finding:
            self._finding = None
            if not isinstance(error, JobCancelled):
                self.failed.emit(Failure.of(error))
            self.changed.emit()

    # ------------------------------------------------------------ the result

    def refined(self) -> Steps:
        """Steps that end with the selection's edge as a ``Result``."""
        answer = yield from self.finish()
        return Result(self.reader, tr("Refined")).take(answer)

    def cut(self, cut: Cut, kind: str) -> Steps:
        """Steps that end with the cut-out as a ``Result`` for something of that kind (see ``options.KINDS``)."""
        answer = yield from self.finish()
        result = Result(self.reader, self.reader.node.name(), cut.text)
        colours = kind == "layer" and (self.reader.direct or cut.painted)
        if answer.instances and (colours or cut.painted):
            alpha = answer.instances[0].mask
            answer = yield from self.cut_by(alpha, cut, "BGRA8" if colours else "")
        result.take(answer)
        if self.limit is not None:
            result.limit(self.limit)
        return result

    def keep_asked(self, cut: Optional[Cut]) -> None:
        """What was done, without the strokes, can be kept as a recipe: other pictures have other edges."""
        job: Any = replace(self.job(), edge_strokes=[])
        if cut is not None:
            options = self.controller.options
            job = replace(options.cut_out(replace(cut, edge=self.settings.edge()), ""), post=job.post)
        self.controller.connection.asked = job, self.reader.box
