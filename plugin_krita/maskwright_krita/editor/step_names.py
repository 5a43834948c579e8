"""Names for steps of ours in Krita's History docker.

Krita lets nobody name a step from Python: a selection's is called after the action that made it (5.2) or has no name
(5.3 and later). What the docker's list shows of a row is told by a delegate, though; ours tells our names.
"""

from typing import Any, Dict, Generator, Optional, Tuple

from krita import Document

from . import app
from .qt import QListView, QModelIndex, QStyledItemDelegate

_Key = Tuple[str, int]  # a document's own mark, and the row in its history
_Place = Tuple[int, int]
WAIT_MS, WAITS = 5, 60  # for a step to reach the docker, which is told by a queued signal


def history_view() -> Optional[QListView]:
    for docker in app.krita().dockers():
        if docker.objectName() == "History":
            found = docker.findChildren(QListView)
            return found[0] if found else None
    return None


class StepNames(QStyledItemDelegate):
    """``names``: what Krita calls the row's step, and what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Dict[_Key, Tuple[str, str]] = {}

    def add(self, document: Document, name: str, before: _Place) -> Generator[Any, None, None]:
        """Steps that name the newest step of the document, once the docker knows of it; ``before`` is ``place`` as it
        was then. Without a name, or while another document is in front, nothing is done."""
        for _ in range(WAITS):
            view = self._taken()
            if view is None or not name or not app.is_active(document):
                return
            row, count = self.place()
            if row == count - 1 and (row, count) != before:
                break
            yield WAIT_MS
        else:
            return
        self.forget(document, row)
        self.names[_mark(document), row] = (_text(view.model().index(row, 0)), name)
        view.viewport().update()

    def forget(self, document: Document, row: int) -> None:
        """Another step is in that row now, so that none is above it."""
        mark = _mark(document)
        self.names = {key: told for key, told in self.names.items() if key[0] != mark or key[1] < row}

    def place(self) -> _Place:
        """The row that the docker shows as the present one, and how many there are."""
        view = self._taken()
        return (view.currentIndex().row(), view.model().rowCount()) if view is not None else (-1, 0)

    def _taken(self) -> Any:
        view = history_view()
        if view is not None and view.itemDelegate() is not self:
            view.setItemDelegate(self)
        return view

    def initStyleOption(self, option: Any, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        document = app.active_document()
        found = self.names.get((_mark(document), index.row())) if document is not None else None
        if found is not None and found[0] == _text(index):
            option.text = found[1]


def _mark(document: Document) -> str:
    return document.rootNode().uniqueId().toString()


def _text(index: QModelIndex) -> str:
    return str(index.data() or "")


step_names = StepNames()
