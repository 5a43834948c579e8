"""The click tool: clicks and boxes on the canvas -> a preview -> one undoable result. ``CanvasEvents`` brings them."""

import time
from dataclasses import replace
from typing import Any, Dict, Hashable, Optional

from maskwright_client.ask import Steps
from maskwright_client.candidates import Hypothesis, Question
from maskwright_client.click_questions import ClickQuestions
from maskwright_client.click_session import ClickedObject, ClickSession, prompts
from maskwright_client.preview_picture import Preview
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import MappedObject, Mask, Point, Rect, Select, Selection

from .canvas_events import CanvasEvents
from .controller import Controller, Failure
from .editor import app, canvas
from .editor.pixels import Reader
from .editor.qt import QObject, QPointF, QTimer, pyqtSignal
from .editor.tasks import QtLoop, Task
from .editor.texts import tr
from .overlay import Overlay
from .pictures import Picture
from .pointing import Pointing
from .results import Result, mask_of


class ClickTool(QObject, ClickQuestions):
    """Signals: ``active_changed``; ``failed`` with a ``Failure`` or None; ``stepped`` when the preview changed."""

    active_changed = pyqtSignal(bool)
    failed = pyqtSignal(object)
    stepped = pyqtSignal()

    def __init__(self, controller: Controller, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        ClickQuestions.__init__(self)
        self.loop = QtLoop.get()
        self.controller = controller
        self.active = False
        self.by_example = False  # whether boxes show what to look for, instead of being around it
        self.timings: Dict[str, float] = {}
        self._reader: Optional[Reader] = None
        self._picture: Optional[Picture] = None
        self._view: Any = None
        self._canvas: Any = None
        self._overlay: Optional[Overlay] = None
        self._tasks: Dict[str, Task] = {}
        self._events: Optional[CanvasEvents] = None
        self.pointing: Optional[Pointing] = None  # while the tool is on and the user wants it
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
        self.session = ClickSession(live_examples=True)
        self._picture = Picture(self._reader)
        view = self._view
        self._overlay = Overlay(self._canvas, self.session, lambda: canvas.image_to_widget(view))
        self.pointing = None
        if self.controller.options.hover:
            self.pointing = Pointing(self.controller, self._overlay, self._place, self._spawn_once)
        canvas.hide_brush_outline(self._canvas)
        self._events = CanvasEvents(self, view, self._canvas)
        self._canvas.setFocus()
        self._guard.start(200)
        self._spawn("prefetch", self._prefetch(self._picture))
        self.active_changed.emit(True)

    def stop(self) -> None:
        """Switch off and forget the clicks; the document stays as it is."""
        if not self.active:
            return
        self.active = False
        if self._events is not None:
            self._events.let_go()
        self._guard.stop()
        self.give_up()
        for task in list(self._tasks.values()):
            task.cancel()
        if self._overlay is not None:
            self._overlay.remove()
        self._overlay = self._canvas = self._view = None
        self._events = self.pointing = None
        self.session = ClickSession(live_examples=True)
        self.active_changed.emit(False)

    def commit(self) -> None:
        """Put the preview, or before the first click the object under the pointer, into the document and switch off.
        Without any, only switch off."""
        answer, pointed = self.session.answer(self.session.current), self._pointed()
        if self.asked is not None:
            return  # the answer is on its way; Enter again when it is seen
        steps, options = None, self.controller.options
        kept = None if answer is None else self.question(self.session.current).job
        if pointed is not None:
            middle = Point(pointed.box.x + pointed.box.width / 2, pointed.box.y + pointed.box.height / 2)
            job = self.controller.options.select_points([middle], [], self._region(), seed=pointed.id)
            steps, kept = _result(self._reader, self._about(job, alone=True).answer()), job
        elif answer is not None:
            steps = _result(self._reader, _whole(self.session.shown))
        box = self._reader.box if self._reader is not None else None
        self.stop()
        if kept is not None and box is not None:  # as a click: other pictures have other objects
            self.controller.connection.asked = replace(kept, continue_from=""), box
        if steps is not None:
            self.controller.commit(steps, options.kind, options.mode)

    def _pointed(self) -> Optional[MappedObject]:
        """Before the first click: the object that is shown under the pointer."""
        return self.pointing.hover.pointed(self.session) if self.pointing is not None else None

    def no_other(self) -> None:
        self.controller.told.emit(tr("There is no other guess for these clicks."))

    def similar(self) -> None:
        """Select what is like the thing that is shown, and switch off."""
        shown = self.session.shown
        if shown is None:
            self.controller.told.emit(tr("Click one of the things first."))
            return
        steps = _example(self._reader, self._picture, shown)
        self.stop()
        self.controller.similar_to(steps)

    def climb(self, by: int) -> None:
        """From the object under the pointer, or the one that was clicked, to what holds it (1) or back (-1)."""
        if self.session.fresh:
            if self.pointing is not None:
                self.pointing.climb(by)
            return
        other = self.climb_clicked(self.pointing.hover if self.pointing is not None else None, by)
        if other is not None:
            self._taken(other)

    def undo(self) -> None:
        """Take the last step back."""
        if self.session.undo():
            self._show()
            self.ask_next()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.session.redo():
            self._show()
            self.ask_next()

    def _check_alive(self) -> None:
        """The tool ends when its view goes away or another one comes to front."""
        reader = self._reader
        if reader is None or not app.is_open(reader.document) or not app.is_active(reader.document):
            self.stop()

    # ------------------------------------------------------------ what the canvas tells

    def can_climb(self) -> bool:
        """There is an object under the pointer, or one that was clicked, which others may hold."""
        return self.session.shown is not None or self._pointed() is not None

    def hover(self, at: QPointF) -> None:
        """Show what is under the pointer, unless there is something better to do."""
        if self.pointing is None or not self.session.fresh or self.asked is not None:
            return
        if self.pointing.hover.ready or "prefetch" not in self._tasks:
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
        pointed = self._pointed()
        if pointed is not None and point.include:
            self.session.take_object(point.x, point.y, pointed.id)
            self._taken(pointed)
        else:
            self.session.add_point(point.x, point.y, point.include)
            self._prompted()

    def _taken(self, one: MappedObject) -> None:
        """An object of the map was clicked; what the map knows of it is shown until the server has drawn it."""
        if self.pointing is not None and self._overlay is not None:
            self._overlay.show_preview(self.pointing.hover.preview(one))
        self._prompted()

    def boxed(self, box: Rect, include: bool) -> None:
        """A box was drawn: around the thing, or as an example of what is wanted or not."""
        if self.by_example:
            self.session.add_example(box, include)
        else:
            self.session.set_box(box)
        self._prompted()

    # ------------------------------------------------------------ asking

    def _prompted(self) -> None:
        """There is a click or a box more."""
        self.timings = {"click": time.perf_counter()}
        if self.pointing is not None:
            self.pointing.leave()
        if self._overlay is not None:
            self._overlay.update()
        self.ask_next()
        if not self.busy:  # it is known
            self._show()

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
            quiet = name in ("hover", "map") or isinstance(error, JobCancelled)
            if error is not None and not quiet and self.active:
                self.failed.emit(Failure.of(error))
        task.deleteLater()

    def _prefetch(self, picture: Picture) -> Steps:
        yield from self.controller.connection.ask(self.controller.options.prefetch(), picture)
        if self.active and self.pointing is not None:
            self._spawn("map", self.pointing.find_all(picture))

    def _place(self, point: Point) -> Question:
        """What is at a place under the pointer."""
        return self._about(self.controller.options.select_points([point], [], preview=True))

    def question(self, one: ClickedObject) -> Question:
        points, boxes, strokes = prompts(one)
        options, examples = self.controller.options, self.session.examples
        job = options.select_points(points, boxes, self._region(), seed=one.base, examples=examples, strokes=strokes)
        return self._about(job, one.alone)

    def _region(self) -> Optional[Mask]:
        assert self._reader is not None
        return mask_of(self.controller.region(self._reader))

    def _about(self, job: Select, alone: bool = False) -> Question:
        assert self._picture is not None
        return Question(self.controller.connection.ask, self._picture, job, alone)

    def begun(self) -> None:
        self.timings["asked"] = time.perf_counter()

    def told(self, answer: Selection) -> None:
        spent = answer.report.timings
        self.timings["answered"] = time.perf_counter()
        self.timings["server"] = sum(spent.values())
        self.timings["model"] = spent.get("embed", 0.0) + spent.get("segment", 0.0)
        nothing = Failure(answer.message, answer.hint, "nothing")
        self.failed.emit(nothing if self.session.shown is None else None)

    def failed_with(self, error: Exception, key: Hashable) -> None:
        if isinstance(error, JobCancelled):
            return
        undone = key is not None and self.session.undo()  # a click that got no answer does not stay
        self.failed.emit(Failure.of(error, self._prompt_again if undone else None))

    def _prompt_again(self) -> None:
        if self.active and self.session.redo():
            self._prompted()

    def changed(self) -> None:
        self._show()
        self.timings["shown"] = time.perf_counter()

    def preview(self) -> Optional[Preview]:
        """What is shown of the clicks' answer."""
        shown = self.session.shown
        return shown.preview if shown is not None else None

    def _show(self) -> None:
        if self._overlay is not None:
            self._overlay.show_preview(self.preview())
        self.stepped.emit()

    # ------------------------------------------------------------ a picture that changes

    def rest(self) -> Steps:
        """Get the mask ready that Enter will want. Then read the source again; end with what it is now."""
        before = self.preview()
        yield from self.whole()
        if self.preview() is not before:
            self._show()
        assert self._reader is not None
        picture = Picture(self._reader)
        yield from picture.prepare()
        return picture

    def rested(self, value: Picture) -> None:
        """Ask again when the picture has changed since the tool was switched on."""
        if self._picture is None or value.key == self._picture.key:
            return
        self._picture = value
        self.session.forget_bases()
        self.session.settings = value.key
        if self.pointing is not None:
            self._spawn("map", self.pointing.find_all(value))
        self.ask_next()


def _whole(shown: Optional[Hypothesis]) -> Steps:
    if shown is None:
        raise app.Problem(tr("Nothing was found there."), tr("Click somewhere else."))
    return (yield from shown.find_whole())


def _result(reader: Optional[Reader], steps: Steps) -> Steps:
    """Steps that end with what others end with, as a ``Result``."""
    assert reader is not None
    answer = yield from steps
    return Result(reader, tr("Selection")).take(answer)


def _example(reader: Optional[Reader], picture: Optional[Picture], shown: Hypothesis) -> Steps:
    """Steps that end with what is shown, as an example for others: its id, its picture, its ``Result``."""
    result = yield from _result(reader, shown.find_whole())
    return shown.instance.id, picture, result
