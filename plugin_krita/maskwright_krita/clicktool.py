"""The click tool: clicks, strokes, loops and boxes on the canvas -> a preview -> one undoable result.

``CanvasEvents`` brings them. As Krita's own tools the tool is on for all images and views until another one is chosen:
it goes to the view that comes to front, and what was clicked in an image is there again when that comes back.
"""

import time
from dataclasses import replace
from typing import Any, Hashable, List, Optional, Tuple

from maskwright_client.ask import Steps
from maskwright_client.click_session import ClickSession
from maskwright_client.gestures import Gesture, Meaning, Mode, perform
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr
from maskwright_protocol.messages import MappedObject, Point, Selection

from .canvas_events import CanvasEvents
from .controller import Controller, Failure
from .editor import app, canvas
from .editor.qt import QObject, QPointF, QTimer, pyqtSignal
from .editor.tasks import NamedTasks
from .editor.tools import ToolWatch
from .line_art import keep_gap
from .overlay import Overlay
from .pictures import Picture
from .pointing import Pointing
from .tool_questions import ToolQuestions, as_example, as_result, whole_of
from .tool_view import ToolView


class ClickTool(QObject, ToolQuestions):
    """Signals: ``active_changed``; ``failed`` with a ``Failure`` or None; ``stepped`` when the preview changed."""

    active_changed = pyqtSignal(bool)
    failed = pyqtSignal(object)
    stepped = pyqtSignal()

    MODES: Tuple[Tuple[Mode, str, str, Tuple[str, ...]], ...] = (
        (Mode.BOX, tr("Click to Select"), tr("Click a thing, or drag a box around it"), ("tool_contiguous_selection",)),
        (Mode.SCRIBBLE, tr("Scribble"), tr("Draw over the thing"), ("krita_tool_freehand", "tool_freehand")),
        (Mode.LASSO, tr("Lasso"), tr("Draw a loop around the thing"), ("tool_outline_selection",)),
        (Mode.EXAMPLE, tr("By Examples"), tr("Drag boxes around things to select all that is like them"), ("similar",)),
    )

    def __init__(self, controller: Controller, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        ToolQuestions.__init__(self)
        self.controller = controller
        self.active = False
        self.meaning = Meaning.THIS  # of a click without keys; the bar's buttons change it
        self._mode = Mode.BOX
        self._shown_in: Optional[ToolView] = None
        self._kept: List[Tuple[Any, ClickSession, Picture]] = []  # what was clicked in images that are not in front
        self._tasks = NamedTasks(self, self._task_failed)
        self._events: Optional[CanvasEvents] = None
        self._watch: Optional[ToolWatch] = None
        self.pointing: Optional[Pointing] = None  # while the tool is on and the user wants it
        self._guard = QTimer(self)
        self._guard.timeout.connect(self._check_alive)

    # ------------------------------------------------------------ on and off

    @property
    def mode(self) -> Mode:
        """What a drag draws."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._stepped()

    def toggle_mode(self, mode: Mode) -> None:
        """That way to draw, or clicks and boxes again."""
        self.mode = Mode.BOX if self._mode is mode else mode

    def toggle_line_art(self) -> None:
        """Select what lies inside the lines of a drawing, or leave the tool where it does that already."""
        again = self.line_art
        self.stop()
        if not again:
            self.line_art = True
            self.start()

    def set_gap(self, gap: float) -> None:
        """How wide the gaps in lines are that are closed; negative: what suits the picture."""
        keep_gap(self.controller, gap)
        if self.active and self._picture is not None:
            self.session.settings = (self.session.settings, gap)
            self._find_all(self._picture)
            self.ask_next()

    def start(self) -> None:
        """Switch on. Emits ``failed`` when there is nothing to click on."""
        if self.active:
            return
        self.failed.emit(None)
        self.active, self.meaning = True, Meaning.THIS
        if not self._take_up(app.active_view(), canvas.active_widget()):
            return
        self._watch = ToolWatch(self)
        self._watch.chosen.connect(self.stop)
        self._guard.start(200)
        self.active_changed.emit(True)

    def _take_up(self, view: Any, widget: Any) -> bool:
        """Begin on the image that is in front, or go on there. The tool ends where there is nothing to click on."""
        try:
            reader = self.controller.reader(self.controller.options.kind)
        except app.Problem as problem:
            self.stop()
            self.failed.emit(Failure.of(problem))
            return False
        if widget is None:
            self.stop()
            return False
        self._reader, self._picture = reader, Picture(reader)
        self.session = ClickSession(live_examples=True)
        for kept in self._kept:
            if kept[0] == reader.document:
                _, self.session, self._picture = kept
                self._kept.remove(kept)
                break
        self._show_in(view, widget)
        self._tasks.spawn("prefetch", self._prefetch(self._picture))
        if len(self.session):  # it was here before: see what has changed meanwhile
            self._tasks.spawn("look", self._look_again())
        return True

    def _look_again(self) -> Steps:
        assert self._reader is not None
        picture = Picture(self._reader)
        yield from picture.prepare()
        self.rested(picture)
        self.ask_next()

    def _show_in(self, view: Any, widget: Any) -> None:
        """From now on this view of the image is the one that is meant."""
        self._leave_view()
        self._shown_in = shown = ToolView(self, view, widget, self.session)
        known, self.pointing = self.pointing, None
        if self.controller.options.hover:
            self.pointing = Pointing(self.controller, shown.overlay, self._place, self._spawn_once)
            if known is not None:
                self.pointing.hover = known.hover
        if self._events is None:
            self._events = CanvasEvents(self, view, widget)
        else:
            self._events.look_at(view, widget)
        self.point(self.meaning)
        self._show()

    def _leave_view(self) -> None:
        left, self._shown_in = self._shown_in, None
        if left is not None:
            left.leave()

    @property
    def _overlay(self) -> Optional[Overlay]:
        return self._shown_in.overlay if self._shown_in is not None else None

    @property
    def _canvas(self) -> Any:
        return self._shown_in.canvas if self._shown_in is not None else None

    def follow(self, widget: Any) -> bool:
        """Go to another canvas, which was pressed on; whether the tool is there now."""
        canvas.activate(widget)
        return self._check_alive() and self._canvas is widget

    def _check_alive(self) -> bool:
        """Go to the view that is in front; the tool ends when there is none. Whether it is still on."""
        view, widget = app.active_view(), canvas.active_widget()
        if not self.active or view is None or widget is None:
            self.stop()
            return False
        if widget is self._canvas:
            return True
        reader, picture = self._reader, self._picture
        if reader is not None and app.is_open(reader.document):
            if app.is_active(reader.document):
                self._show_in(view, widget)
                return True
            if picture is not None and len(self.session):
                self._kept.append((reader.document, self.session, picture))
        self._kept = [kept for kept in self._kept if app.is_open(kept[0])]
        self._drop_tasks()
        self.pointing = None
        return self._take_up(view, widget)

    def _drop_tasks(self) -> None:
        self.give_up()
        self._tasks.cancel()

    def stop(self) -> None:
        """Switch off and forget the clicks; the documents stay as they are."""
        if not self.active:
            return
        self.active = self.line_art = False
        for part in (self._events, self._watch):
            if part is not None:
                part.let_go()
        self._guard.stop()
        self._drop_tasks()
        self._leave_view()
        self._events = self._watch = self.pointing = None
        self._kept = []
        self.session = ClickSession(live_examples=True)
        self.active_changed.emit(False)

    def commit(self) -> None:
        """Put the preview, or before the first click the object under the pointer, into the document and switch off.
        Without any, only switch off."""
        found, pointed = [shown for _, shown in self.session.result()], self._pointed()
        if self.asked is not None:
            return  # the answer is on its way; Enter again when it is seen
        steps, options, kept = None, self.controller.options, None
        if pointed is not None:
            middle = Point(pointed.box.x + pointed.box.width / 2, pointed.box.y + pointed.box.height / 2)
            kept = self.options.select_points([middle], [], self._region(), seed=pointed.id)
            steps = as_result(self._reader, self._about(kept, alone=True).answer())
        elif found or self.session.answered(self.session.current):
            kept = self.question(self.session.current).job
            steps = as_result(self._reader, whole_of(found))
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
        steps = as_example(self._reader, self._picture, shown)
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

    # ------------------------------------------------------------ what the canvas tells

    def can_climb(self) -> bool:
        """There is an object under the pointer, or one that was clicked, which others may hold."""
        return self.session.shown is not None or self._pointed() is not None

    def hover(self, at: QPointF, meaning: Meaning) -> None:
        """Show what is under the pointer, unless there is something better to do."""
        self.point(meaning)
        wanted = self.session.fresh or meaning in (Meaning.ANOTHER, Meaning.ANEW)
        if self.pointing is None or self.asked is not None or self._mode is Mode.EXAMPLE:
            return
        if not wanted:
            self.pointing.leave()
        elif self.pointing.hover.ready or "prefetch" not in self._tasks:
            self.pointing.move(at)

    def point(self, meaning: Meaning) -> None:
        """The pointer says what a click means."""
        if self._shown_in is not None:
            self._shown_in.point(self._mode, meaning)

    def hide_outline(self) -> None:
        """Krita shows its brush's outline when the pointer comes."""
        if self._shown_in is not None:
            canvas.hide_brush_outline(self._shown_in.canvas)

    def left(self) -> None:
        """The pointer is not over the canvas any more."""
        if self.pointing is not None:
            self.pointing.leave()

    def drag(self, gesture: Optional[Gesture]) -> None:
        """A gesture that is being made."""
        if self._shown_in is not None:
            self._shown_in.drag(gesture)

    def perform(self, gesture: Gesture) -> None:
        """A click, a stroke, a loop or a box. The first click on an object takes what is shown under the pointer."""
        taken = perform(self.session, gesture, self.pointing.hover if self.pointing is not None else None)
        if taken is not None:
            self._taken(taken)
        else:
            self._prompted()

    def _taken(self, one: MappedObject) -> None:
        """An object of the map was clicked; what the map knows of it is shown until the server has drawn it."""
        if self.pointing is not None and self._shown_in is not None:
            self._shown_in.show([*self.others(), self.pointing.hover.preview(one)])
        self._prompted()

    # ------------------------------------------------------------ telling and showing

    def _prompted(self) -> None:
        """There is a click, a stroke or a box more."""
        self.timings = {"click": time.perf_counter()}
        if self.pointing is not None:
            self.pointing.leave()
        if self._overlay is not None:
            self._overlay.update()
        self.ask_next()
        if not self.busy:  # it is known
            self._show()

    def _spawn_once(self, name: str, steps: Steps) -> None:
        """Run steps, unless a task of that name runs."""
        if name in self._tasks:
            steps.close()
        else:
            self._tasks.spawn(name, steps)

    def _task_failed(self, name: str, error: Exception) -> None:
        quiet = name in ("hover", "map") or isinstance(error, JobCancelled)
        if not quiet and self.active:
            self.failed.emit(Failure.of(error))

    def _prefetch(self, picture: Picture) -> Steps:
        yield from self.controller.connection.ask(self.options.prefetch(), picture)
        self._find_all(picture)

    def _find_all(self, picture: Picture) -> None:
        if self.active and self.pointing is not None:
            self._tasks.spawn("map", self.pointing.find_all(picture, self.options.everything()))

    def told(self, answer: Selection) -> None:
        super().told(answer)
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

    def _show(self) -> None:
        if self._shown_in is not None:
            self._shown_in.show([*self.others(), self.preview()])
        self._stepped()

    def _stepped(self) -> None:
        if self._shown_in is not None:
            self._shown_in.show_state()
        self.stepped.emit()
