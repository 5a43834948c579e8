"""The list of objects in Click to Select: which are part of the result, and which one the next click is for."""

from typing import Any, Callable, Tuple

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from .session import Session, Thing  # noqa: E402


class ThingsList(Gtk.ScrolledWindow):
    """Shows the session's objects; ``changed()`` is called after the user changed the session here."""

    def __init__(self, session: Session, changed: Callable[[], None]) -> None:
        super().__init__(shadow_type=Gtk.ShadowType.IN)
        self._session, self._changed, self._filling = session, changed, False
        self._store = Gtk.ListStore(bool, str, str)
        self._list = Gtk.TreeView(model=self._store)
        toggle = Gtk.CellRendererToggle()
        toggle.connect("toggled", self._toggled)
        self._list.append_column(Gtk.TreeViewColumn("Use", toggle, active=0))
        column = Gtk.TreeViewColumn("Object", Gtk.CellRendererText(), text=1)
        column.set_expand(True)
        self._list.append_column(column)
        self._list.append_column(Gtk.TreeViewColumn("Score", Gtk.CellRendererText(), text=2))
        self._list.get_selection().connect("changed", self._chosen)
        self.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        self.set_size_request(-1, 130)
        self.add(self._list)

    def refresh(self) -> None:
        state = self._session.state
        self._filling = True
        self._store.clear()
        for thing in state.things:
            self._store.append([thing.ticked, *self._row(thing)])
        self._list.get_selection().select_path(str(state.current))
        self._filling = False

    def _row(self, thing: Thing) -> Tuple[str, str]:
        name, answer = f"Object {thing.number}", self._session.answer(thing)
        if thing.empty:
            return f"{name}: click on it", ""
        if answer is None:
            stopped = "stopped" if self._session.is_stopped(thing) else "looking..."
            return f"{name}: " + ("nothing found" if self._session.answered(thing) else stopped), ""
        label = answer.label.strip()
        return f"{label} {thing.number}" if label and label != "object" else name, f"{answer.score:.2f}"

    def _toggled(self, cell: Any, path: str) -> None:
        index = int(path)
        self._session.tick(index, not self._session.state.things[index].ticked)
        self._changed()

    def _chosen(self, selection: Any) -> None:
        model, row = selection.get_selected()
        if row is not None and not self._filling:
            index = model.get_path(row).get_indices()[0]
            if index != self._session.state.current:
                self._session.choose(index)
                self._changed()
