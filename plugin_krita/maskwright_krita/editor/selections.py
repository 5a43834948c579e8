"""Selections: reading, combining, and putting one into the document as a single undo step with visible ants.

Krita 5.3 and later make ``setSelection`` an undo step of its own. Krita 5.2 makes none: there an undoable action goes
first ("select_all" or "deselect") and the swap follows in a later event, so that one undo brings the old selection
back. What redo would then bring ("all" or "none") is set right by ``RedoGuard``.
"""

from typing import Any, Generator, List, Optional

from krita import Document, Selection

from maskwright_protocol.messages import PixelRect

from ..planes import Plane, crop, intersection
from ..qt import QByteArray, QListView, QTimer
from ..texts import tr
from . import app

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


def apply(document: Document, selection: Optional[Selection]) -> Generator[Any, None, None]:
    """Steps that make it the document's selection in one undo step."""
    old = document.selection()
    if selection is None and old is None:
        return
    if not app.is_active(document):  # the undoable action works on the active document
        app.activate(document)
        yield None
    if selection is None:
        app.action("deselect").trigger()
        return
    if app.version() >= (5, 3):
        document.setSelection(selection)
        return
    while not document.tryBarrierLock():  # a stroke is still being drawn
        yield 10
    document.unlock()
    app.action("deselect" if old is not None else "select_all").trigger()
    yield None
    while not document.tryBarrierLock():
        yield 5
    document.unlock()
    if not app.is_open(document):
        return
    document.setSelection(selection)
    guard.remember(document, selection.duplicate())


class RedoGuard:
    """Krita 5.2: after "redo" of one of our steps, puts our selection where Krita puts "all" or "none".

    A step is known by its place in the undo history, which the History docker's list tells.
    """

    def __init__(self) -> None:
        self._steps: List[Any] = []  # (document, row, selection)
        self._redone = False
        self._connected = False

    def _view(self) -> Any:
        for docker in app.krita().dockers():
            if docker.objectName() == "History":
                found = docker.findChildren(QListView)
                return found[0] if found else None
        return None

    def _row(self) -> int:
        view = self._view()
        return view.currentIndex().row() if view is not None else -1

    def connect(self) -> None:
        redo, view = app.action("edit_redo"), self._view()
        if self._connected or redo is None or view is None or app.version() >= (5, 3):
            return
        redo.triggered.connect(self._on_redo)
        view.model().modelReset.connect(lambda: QTimer.singleShot(0, self._on_change))
        self._connected = True

    def remember(self, document: Document, selection: Selection) -> None:
        self.connect()
        QTimer.singleShot(0, lambda: self._remember(document, selection))

    def _remember(self, document: Document, selection: Selection) -> None:
        row = self._row()
        if row > 0 and app.is_active(document):
            self._drop(document, row)
            self._steps.append((document, row, selection))
            del self._steps[:-20]

    def _drop(self, document: Document, from_row: int) -> None:
        self._steps = [s for s in self._steps if app.is_open(s[0]) and not (s[0] == document and s[1] >= from_row)]

    def _on_redo(self) -> None:
        self._redone = True
        document, row = app.active_document(), self._row()
        for known, known_row, selection in self._steps:
            if document is not None and known == document and known_row == row:
                document.setSelection(selection.duplicate())

    def _on_change(self) -> None:
        """A step was pushed, undone or redone. A push over an undone step of ours makes that one history."""
        redone, self._redone = self._redone, False
        document, view = app.active_document(), self._view()
        if redone or document is None or view is None:
            return
        count = view.model().rowCount()
        if self._row() == count - 1:  # nothing to redo: whatever was beyond is gone
            self._drop(document, count)


guard = RedoGuard()
