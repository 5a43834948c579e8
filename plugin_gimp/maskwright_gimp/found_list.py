"""The list of what was found in a dialog: numbered and coloured as in the picture, to tick."""

from typing import Any, Callable, Optional

from gi.repository import Gdk, Gtk

from maskwright_client.findings import Finding, Findings
from maskwright_protocol.language import tr

TICKED, NUMBER, COLOUR, TITLE, DETAIL, TIP = range(6)


class FoundList(Gtk.Box):
    """``ticked()`` is called after the user has ticked here, ``pointed(finding)`` when the pointer or the keyboard is
    on another row, None for on none. ``button`` makes the buttons."""

    def __init__(
        self, ticked: Callable[[], None], pointed: Callable[[Optional[Finding]], None], button: Callable[..., Any]
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._ticked, self._pointed = ticked, pointed
        self._findings: Optional[Findings] = None
        self._store = Gtk.ListStore(bool, str, str, str, str, str)
        self._view = Gtk.TreeView(model=self._store, headers_visible=False, tooltip_column=TIP, enable_search=False)
        toggle = Gtk.CellRendererToggle()
        toggle.connect("toggled", lambda cell, path: self._toggle(int(path)))
        self._view.append_column(Gtk.TreeViewColumn("", toggle, active=TICKED))
        number = Gtk.CellRendererText(foreground="#ffffff", weight=700, xalign=0.5, xpad=6)
        self._view.append_column(Gtk.TreeViewColumn("", number, text=NUMBER, background=COLOUR))
        title = Gtk.TreeViewColumn("", Gtk.CellRendererText(ellipsize=3), text=TITLE)
        title.set_expand(True)
        self._view.append_column(title)
        self._view.append_column(Gtk.TreeViewColumn("", Gtk.CellRendererText(), text=DETAIL))
        self._view.connect("key-press-event", self._key)
        self._view.connect("cursor-changed", lambda view: self._point_at_cursor())
        self._view.connect("motion-notify-event", self._moved)
        self._view.connect("leave-notify-event", lambda *_: self._pointed(None))
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_size_request(-1, 130)
        scrolled.add(self._view)
        self.pack_start(scrolled, True, True, 0)
        self._row = Gtk.Box(spacing=6, homogeneous=True)
        for text, tip, on in (
            (tr("_All"), tr("Tick everything"), True),
            (tr("Non_e"), tr("Tick nothing"), False),
        ):
            self._row.pack_start(button(text, tip, lambda on=on: self._tick_all(on)), True, True, 0)
        self.pack_start(self._row, False, False, 0)
        self.show_all()
        self._row.set_sensitive(False)

    def show_findings(self, findings: Optional[Findings]) -> None:
        self._findings = findings
        self._store.clear()
        things = findings.things if findings is not None else []
        for one in things:
            colour = "#%02x%02x%02x" % one.colour
            self._store.append([one.ticked, str(one.group), colour, one.title, one.rating, one.tip or one.title])
        self._row.set_sensitive(len(things) > 1)

    def refresh(self) -> None:
        """The ticks, as they are now."""
        for row, one in zip(self._store, self._findings.things if self._findings is not None else ()):
            row[TICKED] = one.ticked

    def point_at(self, finding: Optional[Finding]) -> None:
        """Show which row is meant by what is pointed at in the picture."""
        selection = self._view.get_selection()
        selection.unselect_all()
        if finding is not None and self._findings is not None:
            path = Gtk.TreePath.new_from_indices([self._findings.things.index(finding)])
            selection.select_path(path)
            self._view.scroll_to_cell(path, None, False, 0.0, 0.0)

    def _toggle(self, row: int) -> None:
        assert self._findings is not None
        one = self._findings.things[row]
        one.ticked = not one.ticked
        self._changed()

    def _tick_all(self, on: bool) -> None:
        if self._findings is not None:
            self._findings.tick_all(on)
            self._changed()

    def _changed(self) -> None:
        self.refresh()
        self._ticked()

    def _key(self, view: Any, event: Any) -> bool:
        """Space ticks; Return is the dialog's."""
        if event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter):
            self.get_toplevel().activate_default()
            return True
        path, _ = self._view.get_cursor()
        if event.keyval == Gdk.KEY_space and path is not None:
            self._toggle(path.get_indices()[0])
            return True
        return False

    def _at(self, path: Optional[Any]) -> Optional[Finding]:
        things = self._findings.things if self._findings is not None else []
        row = path.get_indices()[0] if path is not None else -1
        return things[row] if 0 <= row < len(things) else None

    def _point_at_cursor(self) -> None:
        if self._view.has_focus():
            self._pointed(self._at(self._view.get_cursor()[0]))

    def _moved(self, view: Any, event: Any) -> bool:
        found = self._view.get_path_at_pos(int(event.x), int(event.y))
        self._pointed(self._at(found[0]) if found else None)
        return False
