"""The click tool: clicks and boxes on the canvas -> a preview -> one undoable result.

Krita has no tools in Python. While this one is on it sees the application's events first and takes those of the
canvas that mean a click; zooming, panning (middle button, space) and everything else goes on to Krita.
"""

import time
from typing import Any, Dict, Generator, Optional

from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import Point

from .controller import Controller, Failure, mask_of
from .editor import app, canvas
from .editor.pixels import Reader
from .marks import DRAG_PIXELS, Mark, Marks, box_between
from .overlay import Overlay
from .pictures import Picture
from .planes import Plane
from .qt import QApplication, QEvent, QObject, QPointF, Qt, QTimer, pyqtSignal
from .results import Result, plane_of
from .tasks import Task
from .texts import tr

Steps = Generator[Any, Any, Any]
LOOK_AGAIN_MS = 400  # after an answer, when the hand rests: did the picture change under us?

_PRESS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_MOVE = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_RELEASE = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class ClickTool(QObject):
    """Signals: ``active_changed``; ``failed`` with a ``Failure`` or None; ``stepped`` when the preview changed."""

    active_changed = pyqtSignal(bool)
    failed = pyqtSignal(object)
    stepped = pyqtSignal()

    def __init__(self, controller: Controller, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.marks = Marks()
        self.active = False
        self.timings: Dict[str, float] = {}
        self._reader: Optional[Reader] = None
        self._picture: Optional[Picture] = None
        self._view: Any = None
        self._canvas: Any = None
        self._overlay: Optional[Overlay] = None
        self._tasks: Dict[str, Task] = {}
        self._pressed: Any = None  # (widget position, is it an exclusion)
        self._space = False
        self._hover_at: Any = None
        self._look_again = QTimer(self)
        self._look_again.setSingleShot(True)
        self._look_again.timeout.connect(self._check_picture)
        self._guard = QTimer(self)
        self._guard.timeout.connect(self._check_alive)

    # ------------------------------------------------------------ on and off

    def start(self) -> None:
        """Switch on for the active view. Emits ``failed`` when there is nothing to click on."""
        if self.active:
            return
        try:
            self._reader = self.controller.reader(self.controller.options.kind)
        except app.Problem as problem:
            self.failed.emit(Failure.of(problem))
            self.active_changed.emit(False)
            return
        self._view, self._canvas = app.active_view(), canvas.active_widget()
        if self._canvas is None:
            self.active_changed.emit(False)
            return
        self.failed.emit(None)
        self.active = True
        self.marks.clear()
        self._picture = Picture(self._reader)
        view = self._view
        self._overlay = Overlay(self._canvas, self.marks, lambda: canvas.image_to_widget(view))
        self._space = False
        canvas.hide_brush_outline(self._canvas)
        QApplication.instance().installEventFilter(self)
        self._canvas.setFocus()
        self._guard.start(200)
        self._spawn("prefetch", self._prefetch(self._picture))
        self.active_changed.emit(True)

    def stop(self) -> None:
        """Switch off and forget the marks; the document stays as it is."""
        if not self.active:
            return
        self.active = False
        QApplication.instance().removeEventFilter(self)
        self._guard.stop()
        self._look_again.stop()
        for task in list(self._tasks.values()):
            task.cancel()
        if self._overlay is not None:
            try:
                self._overlay.hide()
                self._overlay.deleteLater()
            except RuntimeError:  # it went with its canvas
                pass
        self._overlay = self._canvas = self._view = None
        self._hover_at = self._pressed = None
        self.marks.clear()
        self.active_changed.emit(False)

    def commit(self) -> None:
        """Put the preview into the document and switch off. Without one, only switch off."""
        result = self.marks.answer
        waiting = self.marks.pending is not None and "query" in self._tasks
        if waiting:
            return  # the answer is on its way; Enter again when it is seen
        self.stop()
        if result is not None:
            options = self.controller.options
            self.controller.commit(result, options.kind, options.mode)

    def undo(self) -> None:
        """Take the last click back."""
        if not self.marks.undo():
            return
        query = self._tasks.get("query")
        if query is not None:
            query.cancel()
        if self.marks.pending is not None and self.marks.answerable():
            self._ask()
        self._show()

    def _check_alive(self) -> None:
        """The tool ends when its view goes away or another one comes to front."""
        reader = self._reader
        if reader is None or not app.is_open(reader.document) or not app.is_active(reader.document):
            self.stop()

    # ------------------------------------------------------------ events

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        kind = event.type()
        if not self.active:
            return False
        if kind in _KEYS or kind == QEvent.Type.KeyRelease:
            return self._key(kind, event)
        if watched is not self._canvas:
            return False
        if kind in _PRESS:
            return self._press(event)
        if kind in _MOVE:
            return self._move(event)
        if kind in _RELEASE:
            return self._release(event)
        if kind == QEvent.Type.Leave:
            self._hover_at = None
            if self._overlay is not None:
                self._overlay.show_hover(None)
        return False

    def _key(self, kind: Any, event: Any) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Space:
            self._space = kind != QEvent.Type.KeyRelease
            return False
        focus = QApplication.focusWidget()
        typing = focus is not None and focus is not self._canvas and focus.inherits("QLineEdit")
        if kind == QEvent.Type.KeyRelease or typing or QApplication.activeModalWidget() is not None:
            return False
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        enter = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        undo = control and key == Qt.Key.Key_Z and len(self.marks) > 0
        if not (enter or undo or key == Qt.Key.Key_Escape):
            return False
        event.accept()
        if kind == QEvent.Type.ShortcutOverride:  # so that Krita's shortcuts do not fire
            return True
        if undo:
            self.undo()
        elif enter:
            self.commit()
        else:
            self.stop()
        return True

    def _press(self, event: Any) -> bool:
        button = event.button()
        if self._space or button not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return False
        held = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        exclude = button == Qt.MouseButton.RightButton or bool(held)
        self._pressed = (_position(event), exclude)
        event.accept()
        return True

    def _move(self, event: Any) -> bool:
        position = _position(event)
        if self._pressed is None:
            if event.buttons() == Qt.MouseButton.NoButton:
                self._hover(position)
            return False
        start, exclude = self._pressed
        if self._overlay is not None and not exclude and _far(start, position):
            self._overlay.drag = self._box(start, position)
            self._overlay.update()
        event.accept()
        return True

    def _release(self, event: Any) -> bool:
        if self._pressed is None:
            return False
        start, exclude = self._pressed
        self._pressed = None
        position = _position(event)
        event.accept()
        if self._overlay is not None:
            self._overlay.drag = None
        if _far(start, position) and not exclude:
            self.add(self._box(start, position))
        else:
            at = self._to_image(start)
            self.add(Point(at.x(), at.y(), include=not exclude))
        return True

    def _to_image(self, position: QPointF) -> QPointF:
        inverse, _ = canvas.image_to_widget(self._view).inverted()
        return inverse.map(position)

    def _box(self, start: QPointF, end: QPointF) -> Any:
        first, second = self._to_image(start), self._to_image(end)
        return box_between(first.x(), first.y(), second.x(), second.y())

    # ------------------------------------------------------------ asking

    def add(self, mark: Mark) -> None:
        """A click or a box in document coordinates."""
        self.timings = {"click": time.perf_counter()}
        self.marks.add(mark)
        self._hover_at = None
        if self._overlay is not None:
            self._overlay.show_hover(None)
            self._overlay.update()
        if self.marks.answerable():
            self._ask()

    def _spawn(self, name: str, steps: Steps) -> None:
        """Run steps; a running task of the same name is given up."""
        old = self._tasks.pop(name, None)
        if old is not None:
            old.cancel()
        task = Task(steps, self)
        self._tasks[name] = task
        task.finished.connect(lambda _: self._ended(name, task, None))
        task.failed.connect(lambda error: self._ended(name, task, error))

    def _ended(self, name: str, task: Task, error: Optional[Exception]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
            if error is not None and not isinstance(error, JobCancelled) and name != "hover" and self.active:
                self.failed.emit(Failure.of(error))
                if name == "query" and self.marks.pending is not None:
                    self.marks.undo()  # a click that got no answer does not stay
                    self._show()
        task.deleteLater()

    def _prefetch(self, picture: Picture) -> Steps:
        yield from self.controller.connection.ask(self.controller.options.prefetch(), picture)

    def _ask(self) -> None:
        step = self.marks.steps[-1]
        self._spawn("query", self._query(step))

    def _query(self, step: Any) -> Steps:
        reader, picture = self._reader, self._picture
        assert reader is not None and picture is not None
        region = mask_of(self.controller.region(reader))
        job = self.controller.options.select_points(self.marks.points, self.marks.boxes, region)
        self.timings["asked"] = time.perf_counter()
        answer = yield from self.controller.connection.ask(job, picture)
        self.timings["answered"] = time.perf_counter()
        result = Result(reader, tr("Selection"))
        result.take(answer)
        step.answer = result
        self.failed.emit(None)
        if result.nothing is not None:
            self.failed.emit(Failure(result.nothing.message, result.nothing.hint, "nothing"))
        self._show()
        self.timings["shown"] = time.perf_counter()
        self.timings["server"] = sum(answer.report.timings.values())
        self._look_again.start(LOOK_AGAIN_MS)

    def preview(self) -> Optional[Plane]:
        result = self.marks.answer
        return result.plane() if result is not None and result.parts else None

    def _show(self) -> None:
        if self._overlay is not None:
            self._overlay.show_preview(self.preview())
            self._overlay.repaint()
        self.stepped.emit()

    def _hover(self, position: QPointF) -> None:
        """Remember where the pointer is; one question at a time, always about the newest place."""
        options = self.controller.options
        if not options.hover or len(self.marks) or "query" in self._tasks or "prefetch" in self._tasks:
            return
        self._hover_at = self._to_image(position)
        if "hover" not in self._tasks:
            self._spawn("hover", self._hovering())

    def _hovering(self) -> Steps:
        reader, picture = self._reader, self._picture
        assert reader is not None and picture is not None
        while self._hover_at is not None and self._overlay is not None:
            at, self._hover_at = self._hover_at, None
            box = reader.box
            if not (box.x <= at.x() < box.x + box.width and box.y <= at.y() < box.y + box.height):
                self._overlay.show_hover(None)
                continue
            job = self.controller.options.select_points([Point(at.x(), at.y())], [], preview=True)
            answer = yield from self.controller.connection.ask(job, picture)
            if self._overlay is not None and not len(self.marks):
                planes = [plane_of(i.mask) for i in answer.instances if i.mask is not None]
                self._overlay.show_hover(planes[0] if planes else None)

    # ------------------------------------------------------------ a picture that changes

    def _check_picture(self) -> None:
        if self.active and "query" not in self._tasks and self._reader is not None:
            self._spawn("look", self._look(Picture(self._reader)))

    def _look(self, fresh: Picture) -> Steps:
        """Read the source again; when it changed since the tool was switched on, ask again."""
        yield from fresh.prepare()
        old = self._picture
        if old is None or fresh.key == old.key or not self.active:
            return
        self._picture = fresh
        if self.marks.answerable() and len(self.marks):
            self._ask()


def _position(event: Any) -> QPointF:
    """Where a mouse or tablet event was, in its widget, in Qt 5 and 6."""
    if hasattr(event, "position"):
        return QPointF(event.position())
    if hasattr(event, "localPos"):
        return QPointF(event.localPos())
    return QPointF(event.posF())


def _far(start: QPointF, end: QPointF) -> bool:
    return max(abs(start.x() - end.x()), abs(start.y() - end.y())) >= DRAG_PIXELS
