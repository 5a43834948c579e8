"""The list of objects in Click to Select: which are part of the result, and which one the next click is for."""

from typing import Any, Callable, Tuple

from gi.repository import Gtk

from maskwright_client.click_session import ClickedObject, ClickSession
from maskwright_client.results import DOUBTFUL, rated
from maskwright_protocol.language import tr


class ObjectsList(Gtk.ScrolledWindow):
    """Shows the session's objects; ``changed()`` is called after the user changed the session here."""

    def __init__(self, session: ClickSession, changed: Callable[[], None]) -> None:
        super().__init__(shadow_type=Gtk.ShadowType.IN)
        self._session, self._changed, self._filling = session, changed, False
        self._store = Gtk.ListStore(bool, str, str, str)
        self._list = Gtk.TreeView(model=self._store, tooltip_column=3)
        toggle = Gtk.CellRendererToggle()
        toggle.connect("toggled", self._toggled)
        self._list.append_column(Gtk.TreeViewColumn(tr("Use"), toggle, active=0))
        column = Gtk.TreeViewColumn(tr("Object"), Gtk.CellRendererText(), text=1)
        column.set_expand(True)
        self._list.append_column(column)
        self._list.append_column(Gtk.TreeViewColumn(tr("Score"), Gtk.CellRendererText(), text=2))
        self._list.get_selection().connect("changed", self._chosen)
        self.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        self.set_size_request(-1, 130)
        self.add(self._list)

    def refresh(self) -> None:
        state = self._session.state
        self._filling = True
        self._store.clear()
        for one in state.objects:
            self._store.append([one.ticked, *self._row(one)])
        self._list.get_selection().select_path(str(state.chosen))
        self._filling = False

    def _row(self, one: ClickedObject) -> Tuple[str, str, str]:
        """What it is called, how good it is likely to be, and a sentence where that is little."""
        name, answer = tr("Object {0}", one.number), self._session.answer(one)
        if one.empty:
            return tr("{0}: click on it", name), "", ""
        if answer is None:
            if self._session.answered(one):
                return tr("{0}: nothing found", name), "", ""
            stopped = self._session.is_stopped(self._session.key(one))
            return tr("{0}: no answer", name) if stopped else tr("{0}: looking...", name), "", ""
        found = self._session.hypothesis(one)
        if found is None:
            return tr("{0}: nothing found", name), "", ""
        seen = found.instance
        label = seen.label.strip()
        called = f"{label} {one.number}" if label and label != "object" else name
        return called, rated(seen.score, seen.doubtful), DOUBTFUL if seen.doubtful else ""

    def _toggled(self, cell: Any, path: str) -> None:
        index = int(path)
        self._session.tick(index, not self._session.state.objects[index].ticked)
        self._changed()

    def _chosen(self, selection: Any) -> None:
        model, row = selection.get_selected()
        if row is not None and not self._filling:
            index = model.get_path(row).get_indices()[0]
            if index != self._session.state.chosen:
                self._session.choose(index)
                self._changed()
