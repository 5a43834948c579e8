"""Selections: reading, combining, and putting one into the document as a single undo step with visible ants.

Krita 5.3 and later make ``setSelection`` an undo step of its own. Krita 5.2 makes none: there an undoable action goes
first ("select_all" or "deselect") and the swap follows in a later event, so that one undo brings the old selection
back. What redo would then bring ("all" or "none") is set right by ``RedoGuard``.
"""

import time
from typing import Any, Dict, Generator, List, Optional, Tuple

from krita import Document, Selection

from maskwright_client.coordinates import intersection
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect

from . import app
from .planes import Plane, crop
from .qt import QByteArray, QTimer
from .step_names import history_view, step_names

_keep: List[Any] = []


def _unsettled() -> Selection:
    """A selection without values whose outline counts as out of date; added to another one it makes Krita trace that
    one's outline (a fresh selection's outline counts as traced and empty: it would show no marching ants)."""
    if not _keep:
        side = 64
        document = app.krita().createDocument(side, side, "outline", "GRAYA", "U8", "", 72.0)
        full = Selection()
        full.setPixelData(QByteArray(b"\x80" * (side * side)), 0, 0, side, side)
        document.setSelection(full)
        document.waitForDone()
        document.crop(0, 0, side, side)
        document.waitForDone()
        found = document.selection()
        assert found is not None
        found.setPixelData(QByteArray(bytes(side * side)), 0, 0, side, side)
        _keep.append(found)
        document.close()
    return _keep[0]


def prepare() -> None:
    """Make ready what the first selection would otherwise have to wait for."""
    _unsettled()


def from_plane(plane: Plane) -> Selection:
    selection = Selection()
    box = plane.box
    if box.width and box.height:
        selection.setPixelData(QByteArray(plane.data), box.x, box.y, box.width, box.height)
    selection.add(_unsettled())
    return selection


def current(document: Document) -> Optional[Selection]:
    return document.selection()


def to_plane(document: Document, selection: Selection) -> Plane:
    """A selection's values inside the canvas, cropped to where it is."""
    canvas = PixelRect(0, 0, document.width(), document.height())
    extent = PixelRect(selection.x(), selection.y(), selection.width(), selection.height())
    box = intersection(extent, canvas)
    if not box.width:
        return Plane(box, b"")
    return Plane(box, selection.pixelData(box.x, box.y, box.width, box.height).data())


def is_empty(selection: Optional[Selection]) -> bool:
    return selection is None or selection.width() < 1 or selection.height() < 1


def combined(document: Document, plane: Plane, mode: str, base: Optional[Selection]) -> Optional[Selection]:
    """What the document's selection becomes; None for no selection. ``base`` is the selection to combine with, by
    Krita's own rules. Raises ``Problem`` when the mode needs one and there is none."""
    plane = crop(plane, PixelRect(0, 0, document.width(), document.height()))
    new = from_plane(plane)
    if mode in ("subtract", "intersect") and is_empty(base):
        raise app.Problem(
            tr("There is no selection to combine with."), tr('Choose "Replace", or select something first.')
        )
    if mode != "replace" and base is not None and not is_empty(base):
        joined = base.duplicate()
        operation = {
            "add": joined.add,
            "subtract": joined.subtract,
            "intersect": joined.intersect,
            "difference": joined.symmetricdifference,
        }[mode]
        operation(new)
        joined.add(_unsettled())
        new = joined
    return None if is_empty(new) else new


def apply(document: Document, selection: Optional[Selection], name: str = "") -> Generator[Any, None, None]:
    """Steps that make it the document's selection in one undo step, called ``name`` where Krita shows its history."""
    old = document.selection()
    if selection is None and old is None:
        return
    if selection is not None and app.version() >= (5, 3):
        before = step_names.place()
        document.setSelection(selection)
        yield from step_names.add(document, name, before)
        return
    # From here on an undoable action is needed, and those work on the image in front.
    other = app.active_document()
    if other is not None and not app.is_active(document):
        while app.is_open(other) and (app.hand_is_busy() or not _is_settled(other)):
            yield 20
        yield from _bring_to_front(document)
        yield from _apply_to_front(document, selection, old, name)
        if app.is_open(other):
            app.activate(other)
        return
    yield from _apply_to_front(document, selection, old, name)


def _bring_to_front(document: Document) -> Generator[Any, None, None]:
    app.activate(document)
    for _ in range(40):
        yield 25
        if app.is_active(document):
            return
    raise app.Problem(tr("Another image is in front now."), tr("Bring this one to the front and try again."))


def _apply_to_front(
    document: Document, selection: Optional[Selection], old: Optional[Selection], name: str
) -> Generator[Any, None, None]:
    before = step_names.place()
    if selection is None:
        app.action("deselect").trigger()
        yield None
        return
    while not _is_settled(document):  # a stroke is still being drawn
        yield 10
    guard.begin()
    app.action("deselect" if old is not None else "select_all").trigger()
    yield None
    while not _is_settled(document):
        yield 5
    if not app.is_open(document):
        return
    made = document.selection()
    document.setSelection(selection)
    for _ in range(200):  # the step reaches the history by a queued signal
        if guard.is_told() or not app.is_active(document):
            break
        yield 5
    if app.is_active(document):
        guard.remember(Step(document, made, old, selection, guard.row()))
        yield from step_names.add(document, name, before)


def _is_settled(document: Document) -> bool:
    """No stroke, undo or redo is under way in the document."""
    if not document.tryBarrierLock():
        return False
    document.unlock()
    return True


class Step:
    """One of our undo steps in Krita 5.2: what its action alone leaves behind, and what belongs there."""

    def __init__(
        self, document: Document, made: Optional[Selection], old: Optional[Selection], ours: Selection, row: int
    ) -> None:
        self.document = document
        self.made = made  # the selection object that "select_all" made: nothing but redoing this step brings it back
        self.old = old  # the selection object before: undoing brings it back
        self.ours = ours
        self.row = row  # of the history, right after the step
        self.undone = False


class RedoGuard:
    """Krita 5.2: where redoing one of our steps leaves "all" or "none", puts our selection.

    Looks only when the document is at rest. After "select_all" the step is known by the very selection object that its
    action made. After "deselect" there is no object to know it by: there it is the selection object before, the row in
    the history, and that nothing was done since it was undone (which would have dropped it from the history).
    """

    def __init__(self) -> None:
        self._steps: List[Step] = []
        self._places: Dict[str, Tuple[int, int]] = {}  # row and count of each document's history when last told
        self._before: Optional[Selection] = None  # the selection when last at rest
        self._forward = False  # moved forward since
        self._redo = False  # "redo" was asked for since
        self._view: Any = None
        self._waiting = False

    def begin(self) -> None:
        """Before a step."""
        view = history_view() if self._view is None else None
        if view is not None:
            self._view = view
            view.destroyed.connect(self._forget_view)
            app.action("edit_redo").triggered.connect(self._on_redo)
            view.clicked.connect(self._on_redo)
            view.selectionModel().currentChanged.connect(self._on_move)
            self._note_place()

    def _forget_view(self, *_: Any) -> None:
        self._view = None

    def row(self) -> int:
        """The history's current row, as the docker was last told."""
        return self._view.currentIndex().row() if self._view is not None else -1

    def _count(self) -> int:
        """The history's rows, as they are now."""
        return self._view.model().rowCount() if self._view is not None else 0

    def is_told(self) -> bool:
        """Right after a step: the docker's row is the step's. (The rows are there before the row is told.)"""
        return self.row() == self._count() - 1

    def remember(self, step: Step) -> None:
        self._steps = [known for known in self._steps if app.is_open(known.document)]
        self._steps.append(step)
        del self._steps[:-20]
        self._before = step.ours

    def _of(self, document: Document) -> List[Step]:
        return [step for step in self._steps if step.document == document]

    def _note_place(self) -> Tuple[Optional[Tuple[int, int]], Tuple[int, int]]:
        """Where the active document's history was, and where it is."""
        document = app.active_document()
        place = (self.row(), self._count())
        key = document.rootNode().uniqueId().toString() if document is not None else ""
        last = self._places.get(key)
        self._places[key] = place
        return last, place

    def _on_move(self, *_: Any) -> None:
        document = app.active_document()
        last, place = self._note_place()
        if document is None or not self._steps:
            return
        if last is not None and last != place:
            if place[1] != last[1]:
                self._pushed(document)
            elif place[0] < last[0]:
                self._redo = False
            else:
                self._forward = True  # a redo, or a new step in place of an undone one
        self._look_soon()

    def _pushed(self, document: Document) -> None:
        """A new step: what was undone cannot be redone any more."""
        self._steps = [step for step in self._steps if not (step.undone and step.document == document)]
        self._redo = self._forward = False
        step_names.forget(document, self.row())

    def _on_redo(self, *_: Any) -> None:
        """Krita has told its history to redo. It does so in another thread; that is as good as immediate."""
        self._redo = True
        document = app.active_document()
        if document is None or not self._of(document):
            return
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            if _is_settled(document):
                self._look(document)
                return
            time.sleep(0.001)
        self._look_soon()

    def _look_soon(self, delay: int = 0) -> None:
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(delay, self._look_later)

    def _look_later(self) -> None:
        self._waiting = False
        document = app.active_document()
        if document is None or not self._of(document):
            return
        if _is_settled(document):
            self._look(document)
        else:
            self._look_soon(5)

    def _look(self, document: Document) -> None:
        if self._forward and not self._redo:
            self._pushed(document)
        redone = self._forward and self._redo
        if redone:
            self._redo = self._forward = False
        found = document.selection()
        before, self._before = self._before, found
        for step in self._of(document):
            if found is not None:
                step.undone = step.undone or (step.old is not None and step.old == found)
                misplaced = step.made is not None and step.made == found
            else:
                known = step.undone and before is not None and before == step.old
                misplaced = redone and known and step.row == self.row()
            if misplaced:
                step.undone = False
                document.setSelection(step.ours)
                self._before = step.ours
                return


guard = RedoGuard()
