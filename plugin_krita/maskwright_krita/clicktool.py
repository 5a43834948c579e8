"""The click tool: clicks and boxes on the canvas -> a preview -> one undoable result. ``Hands`` brings the clicks."""

import time
from dataclasses import replace
from typing import Any, Dict, Generator, List, Optional

from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import Example, Point, Rect

from .controller import Controller, Failure
from .editor import app, canvas
from .editor.pixels import Reader
from .guesses import Guess, Preview, Question, ask, whole
from .hands import Hands
from .marks import Mark, Marks, Touch
from .overlay import Overlay
from .pictures import Picture
from .pointing import Pointing
from .qt import QObject, QPointF, QTimer, pyqtSignal
from .tasks import Task
from .texts import tr

Steps = Generator[Any, Any, Any]
LOOK_AGAIN_MS = 400  # after an answer, when the hand rests: did the picture change under us?


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
        self.by_example = False  # whether boxes show what to look for, instead of being around it
        self.timings: Dict[str, float] = {}
        self._reader: Optional[Reader] = None
        self._picture: Optional[Picture] = None
        self._view: Any = None
        self._canvas: Any = None
        self._overlay: Optional[Overlay] = None
        self._tasks: Dict[str, Task] = {}
        self._hands: Optional[Hands] = None
        self.pointing: Optional[Pointing] = None  # while the tool is on and the user wants it
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
        self.pointing = None
        if self.controller.options.hover:
            self.pointing = Pointing(self.controller, self._overlay, self._about, self._spawn_once)
        canvas.hide_brush_outline(self._canvas)
        self._hands = Hands(self, view, self._canvas)
        self._canvas.setFocus()
        self._guard.start(200)
        self._spawn("prefetch", self._prefetch(self._picture))
        self.active_changed.emit(True)

    def stop(self) -> None:
        """Switch off and forget the marks; the document stays as it is."""
        if not self.active:
            return
        self.active = False
        if self._hands is not None:
            self._hands.let_go()
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
        self._hands = self.pointing = None
        self.marks.clear()
        self.active_changed.emit(False)

    def commit(self) -> None:
        """Put the preview, or before the first click the object under the pointer, into the document and switch off.
        Without any, only switch off."""
        guess = self.marks.answer
        pointed = self.pointing.shown if self.pointing is not None and not len(self.marks) else None
        waiting = self.marks.pending is not None and "query" in self._tasks
        if waiting:
            return  # the answer is on its way; Enter again when it is seen
        connection, options = self.controller.connection, self.controller.options
        steps = guess.whole(connection) if guess is not None else None
        if pointed is not None:
            middle = Point(pointed.box.x + pointed.box.width / 2, pointed.box.y + pointed.box.height / 2)
            steps = whole(connection, self._question([middle], [], seed=pointed.id, alone=True))
        self.stop()
        if steps is not None:
            self.controller.commit(steps, options.kind, options.mode)

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

    def similar(self) -> None:
        """Select what is like the thing that is shown, and switch off."""
        guess = self.marks.answer
        if guess is None or guess.shown is None:
            self.controller.told.emit(tr("Click one of the things first."))
            return
        steps = guess.example(self.controller.connection)
        self.stop()
        self.controller.similar_to(steps)

    def climb(self, by: int) -> None:
        """From the object under the pointer, or the one that was clicked, to what holds it (1) or back (-1)."""
        pointing, touch = self.pointing, self.marks.touch
        if pointing is None or not pointing.ready:
            return
        if touch is None:
            if not len(self.marks):
                pointing.climb(by)
            return
        one, at = pointing.named(touch.id), touch.point
        other = pointing.other(one, at.x, at.y, by) if one is not None else None
        if other is not None:
            self.marks.undo()
            self._take(Touch(at, other.id))

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

    # ------------------------------------------------------------ what the hands do

    def can_climb(self) -> bool:
        """There is an object under the pointer, or one that was clicked, which others may hold."""
        pointing = self.pointing
        if pointing is None or not pointing.ready:
            return False
        return self.marks.touch is not None or (pointing.shown is not None and not len(self.marks))

    def hover(self, at: QPointF) -> None:
        """Show what is under the pointer, unless there is something better to do."""
        if self.pointing is None or len(self.marks) or "query" in self._tasks:
            return
        if self.pointing.ready or "prefetch" not in self._tasks:
            self.pointing.move(at)

    def left(self) -> None:
        """The pointer is not over the canvas any more."""
        if self.pointing is not None:
            self.pointing.leave()

    def drag(self, box: Optional[Rect]) -> None:
        """A box that is being drawn."""
        if self._overlay is not None and (box is not None or self._overlay.drag is not None):
            self._overlay.drag = box
            self._overlay.update()

    def click(self, point: Point) -> None:
        """At first the object that is shown under the pointer; else the place."""
        pointed = self.pointing.shown if self.pointing is not None and not len(self.marks) else None
        if pointed is not None and point.include:
            self._take(Touch(point, pointed.id))
        else:
            self.add(point)

    def _take(self, touch: Touch) -> None:
        """An object of the map; what the map knows of it is shown until the server has drawn it."""
        self.add(touch)
        one = self.pointing.named(touch.id) if self.pointing is not None else None
        if one is not None and self.pointing is not None and self._overlay is not None:
            self._overlay.show_preview(self.pointing.preview(one))

    def boxed(self, box: Rect, include: bool) -> None:
        """A box was drawn: around the thing, or as an example of what is wanted or not."""
        self.add(Example(box.x, box.y, box.width, box.height, include) if self.by_example else box)

    # ------------------------------------------------------------ asking

    def add(self, mark: Mark) -> None:
        """A click or a box in document coordinates."""
        self.timings = {"click": time.perf_counter()}
        guess = self.marks.answer
        self.marks.add(mark, guess.seed if guess is not None and self.marks.pending is None else "")
        if self.pointing is not None:
            self.pointing.leave()
        if self._overlay is not None:
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

    def _spawn_once(self, name: str, steps: Steps) -> None:
        """Run steps, unless a task of that name runs."""
        if name in self._tasks:
            steps.close()
        else:
            self._spawn(name, steps)

    def _ended(self, name: str, task: Task, error: Optional[Exception]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
            quiet = name in ("hover", "look", "map") or isinstance(error, JobCancelled)
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
        if self.active and self.pointing is not None:
            self._spawn("map", self.pointing.find_all(picture))

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

    def _about(self, point: Point) -> Question:
        return self._question([point], [], hover=True)

    def _question(
        self, points: List[Point], boxes: List[Rect], hover: bool = False, seed: str = "", alone: bool = False
    ) -> Question:
        reader, picture = self._reader, self._picture
        assert reader is not None and picture is not None
        region = None if hover else self.controller.region(reader)
        return Question(reader, picture, replace(self.controller.options), points, boxes, region, hover, seed, alone)

    def _query(self, step: Any) -> Steps:
        marks = self.marks
        question = self._question(marks.points, marks.boxes, seed=marks.seed, alone=marks.touch is not None)
        question.examples = marks.examples
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

    # ------------------------------------------------------------ a picture that changes

    def _check_picture(self) -> None:
        if self.active and "query" not in self._tasks and self._reader is not None:
            self._spawn("look", self._look(Picture(self._reader)))

    def _look(self, fresh: Picture) -> Steps:
        """Get the mask ready that Enter will want. Then read the source again; when it changed since the tool was
        switched on, ask again."""
        guess = self.marks.answer
        if guess is not None and not guess.is_whole:
            shown = guess.preview
            yield from guess.whole(self.controller.connection)
            if guess.preview is not shown:
                self._show()
        yield from fresh.prepare()
        old = self._picture
        if old is None or fresh.key == old.key or not self.active:
            return
        self._picture = fresh
        self._tasks.pop("look", None)  # which asking would cancel
        self.marks.forget_seeds()
        if self.pointing is not None:
            self._spawn("map", self.pointing.find_all(fresh))
        if self.marks.answerable() and len(self.marks):
            self._ask()
