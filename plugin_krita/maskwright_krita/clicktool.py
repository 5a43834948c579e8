"""The click tool: clicks and boxes on the canvas -> a preview -> one undoable result.

Krita has no tools in Python. While this one is on it sees the application's events first and takes those of the
canvas that mean a click; zooming, panning (middle button, space) and everything else goes on to Krita.
"""

import time
from dataclasses import replace
from typing import Any, Dict, Generator, List, Optional

from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import Point, Rect

from .controller import Controller, Failure
from .editor import app, canvas
from .editor.pixels import Reader
from .guesses import Guess, Preview, Question, ask
from .marks import DRAG_PIXELS, Mark, Marks, box_between
from .overlay import Overlay
from .pictures import Picture
from .qt import QApplication, QEvent, QObject, QPointF, Qt, QTimer, pyqtSignal
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
        guess = self.marks.answer
        waiting = self.marks.pending is not None and "query" in self._tasks
        if waiting:
            return  # the answer is on its way; Enter again when it is seen
        self.stop()
        if guess is not None:
            options = self.controller.options
            self.controller.commit(guess.whole(self.controller.connection), options.kind, options.mode)

    def other(self) -> None:
        """Show another hypothesis for the same clicks: a part, the whole, and round again."""
        if self.marks.answer is not None and self.marks.pending is None and "query" not in self._tasks:
            self._stop_looking()
            self._spawn("other", self._other(self.marks.answer))

    def _other(self, guess: Guess) -> Steps:
        changed = yield from guess.next(self.controller.connection)
        if changed:
            self._show()
            self._look_again.start(LOOK_AGAIN_MS)
        else:
            self.controller.told.emit(tr("There is no other guess for these clicks."))

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
        other = key == Qt.Key.Key_Tab and len(self.marks) > 0
        if not (enter or undo or other or key == Qt.Key.Key_Escape):
            return False
        event.accept()
        if kind == QEvent.Type.ShortcutOverride:  # so that Krita's shortcuts do not fire
            return True
        if undo:
            self.undo()
        elif other:
            self.other()
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
            quiet = name in ("hover", "look") or isinstance(error, JobCancelled)
            if error is not None and not quiet and self.active:
                again = None
                if name == "query" and self.marks.pending is not None:
                    mark = self.marks.steps[-1].mark
                    self.marks.undo()  # a click that got no answer does not stay
                    again = lambda: self.add(mark) if self.active else None  # noqa: E731
                    self._show()
                self.failed.emit(Failure.of(error, again))
        task.deleteLater()

    def _prefetch(self, picture: Picture) -> Steps:
        yield from self.controller.connection.ask(self.controller.options.prefetch(), picture)

    def _ask(self) -> None:
        self._stop_looking()
        self._spawn("query", self._query(self.marks.steps[-1]))

    def _stop_looking(self) -> None:
        """What was begun in the pause between two clicks must not keep the next one waiting."""
        self._look_again.stop()
        for name in ("look", "other"):
            task = self._tasks.pop(name, None)
            if task is not None:
                task.cancel()

    def _question(self, points: List[Point], boxes: List[Rect], hover: bool = False) -> Question:
        reader, picture = self._reader, self._picture
        assert reader is not None and picture is not None
        region = None if hover else self.controller.region(reader)
        return Question(reader, picture, replace(self.controller.options), points, boxes, region, hover)

    def _query(self, step: Any) -> Steps:
        question = self._question(self.marks.points, self.marks.boxes)
        self.timings["asked"] = time.perf_counter()
        guess = yield from ask(self.controller.connection, question)
        self.timings["answered"] = time.perf_counter()
        step.answer = guess
        self.failed.emit(None)
        if guess.nothing is not None:
            self.failed.emit(Failure(guess.nothing.message, guess.nothing.hint, "nothing"))
        self._show()
        self.timings["shown"] = time.perf_counter()
        self.timings["server"] = sum(guess.report.timings.values())
        self.timings["model"] = sum(guess.report.timings.get(stage, 0.0) for stage in ("embed", "segment"))
        self._look_again.start(LOOK_AGAIN_MS)

    def preview(self) -> Optional[Preview]:
        guess = self.marks.answer
        return guess.preview if guess is not None else None

    def _show(self) -> None:
        if self._overlay is not None:
            self._overlay.show_preview(self.preview())
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
        reader = self._reader
        assert reader is not None
        while self._hover_at is not None and self._overlay is not None:
            at, self._hover_at = self._hover_at, None
            box = reader.box
            if not (box.x <= at.x() < box.x + box.width and box.y <= at.y() < box.y + box.height):
                self._overlay.show_hover(None)
                continue
            guess = yield from ask(self.controller.connection, self._question([Point(at.x(), at.y())], [], True))
            if self._overlay is not None and not len(self.marks):
                self._overlay.show_hover(guess.preview)

    # ------------------------------------------------------------ a picture that changes

    def _check_picture(self) -> None:
        if self.active and "query" not in self._tasks and self._reader is not None:
            self._spawn("look", self._look(Picture(self._reader)))

    def _look(self, fresh: Picture) -> Steps:
        """Get the mask ready that Enter will want. Then read the source again; when it changed since the tool was
        switched on, ask again."""
        guess = self.marks.answer
        if guess is not None and not guess.is_whole:
            yield from guess.whole(self.controller.connection)
        yield from fresh.prepare()
        old = self._picture
        if old is None or fresh.key == old.key or not self.active:
            return
        self._picture = fresh
        self._tasks.pop("look", None)  # which asking would cancel
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
