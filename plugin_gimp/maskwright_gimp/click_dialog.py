"""Click to Select: the dialog. Its logic is in ``session``, its picture in ``view``."""

from typing import Any, Dict, Optional, Tuple

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GimpUi, Gtk  # noqa: E402

from maskwright_client.jobs import JobOptions  # noqa: E402
from maskwright_protocol.messages import Instance, ModelsRequest, Selection  # noqa: E402

from . import calls, driver, options, procedures, reading  # noqa: E402
from .fields import Fields, button  # noqa: E402
from .hover import Hover  # noqa: E402
from .questions import ASKED_BY, Questions  # noqa: E402
from .server_line import ServerLine  # noqa: E402
from .things_list import ThingsList  # noqa: E402
from .view import CURRENT, OTHER, Layer, View, mask_buffer  # noqa: E402

HELP = "Click: this · Shift-click or right-click: not this · Drag: box · Wheel: zoom · Middle button: move"
HELP_ON_EXAMPLES = (
    "Drag: all that is like this · Shift or right button: but not like this · then Find, with or without a name"
)
APPLIED_BY = ("mode", "result")
VIEW_SIZE = (780, 560)
DIALOG_SIZE = (1160, 720)


def show(call: Any) -> Optional[Tuple[int, Dict[str, Any]]]:
    """Run the dialog and apply the result; None when it was cancelled."""
    GimpUi.init("maskwright")
    subject = reading.Subject(call.image, call.drawables, call.config.get_property("source"))
    try:
        dialog = ClickDialog(call, subject)
        wanted = dialog.run()
        answer = dialog.answer() if wanted else None
        dialog.close()
        if answer is None:
            return None
        call.watch.lap("dialog")
        chosen = call.options()
        name = subject.layer.get_name() if subject.layer is not None else "Visible"
        return calls.finish(call, subject, answer, chosen, f"{name} cut-out")
    finally:
        subject.close()


class ClickDialog:
    """Builds the widgets and passes events on."""

    def __init__(self, call: Any, subject: reading.Subject) -> None:
        self.call, self.subject, self.config = call, subject, call.config
        self.line = ServerLine(30)
        self.questions = Questions(call, subject, self.line, self._refresh)
        self.session = self.questions.session
        self.buffers: Dict[int, Tuple[Any, Any]] = {}
        self.hover: Optional[Hover] = None
        self.guess: Optional[Tuple[Any, Layer]] = None  # what to show until the answer to that question is there
        self.open = True
        self._build()
        self.prefetch = driver.Question(
            call.client,
            self._job_options().prefetch(),
            subject.source,
            self._prefetched,
            self._progress,
        )
        self._look()
        self._refresh()

    def _job_options(self) -> JobOptions:
        return options.read(self.call.options(), self.call.entry.verb)

    def _look(self) -> None:
        driver.request(self.call.client, ModelsRequest(""), self._models_came)

    # ------------------------------------------------------------ widgets

    def _build(self) -> None:
        self.dialog = GimpUi.Dialog(title="Click to Select", role="maskwright-click", use_header_bar=0)
        self.dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        self.ok = self.dialog.add_button("_OK", Gtk.ResponseType.OK)
        self.dialog.set_default_response(Gtk.ResponseType.OK)
        self.dialog.set_default_size(*DIALOG_SIZE)
        GimpUi.window_set_transient(self.dialog)
        self.view = View(self.subject.source.local, self.subject.box, *VIEW_SIZE)
        self.view.on_click, self.view.on_box, self.view.on_example = self._clicked, self._boxed, self._exemplified
        columns = Gtk.Box(spacing=12, border_width=12)
        left = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        frame = Gtk.Frame()
        frame.add(self.view)
        left.pack_start(self._tools(), False, False, 0)
        left.pack_start(frame, True, True, 0)
        self.hint = Gtk.Label(label=HELP, xalign=0.0, wrap=True)
        self.hint.get_style_context().add_class("dim-label")
        left.pack_start(self.hint, False, False, 0)
        columns.pack_start(left, True, True, 0)
        columns.pack_start(self._side(), False, False, 0)
        columns.show_all()
        self.dialog.get_content_area().pack_start(columns, True, True, 0)
        self.dialog.connect("key-press-event", self._key)
        self.view.grab_focus()
        for name in ASKED_BY:
            self.config.connect(f"notify::{name}", self._settings_changed)

    def _tools(self) -> Any:
        bar = Gtk.Box(spacing=6)
        for label, tip, action in (
            ("Zoom _In", "Or turn the wheel over the picture", lambda: self.view.zoom(2)),
            ("Zoom _Out", "Or turn the wheel over the picture", lambda: self.view.zoom(-2)),
            ("_Fit", "Show everything", self.view.fit),
        ):
            bar.pack_start(button(label, tip, action), False, False, 0)
        examples = Gtk.ToggleButton(label="E_xamples", use_underline=True, tooltip_text="Boxes show what to find")
        examples.set_focus_on_click(False)
        examples.connect("toggled", self._examples_toggled)
        bar.pack_start(examples, False, False, 0)
        self.undo = button("_Undo", "Take back the last step (Ctrl+Z)", lambda: self._history(self.session.undo))
        bar.pack_end(self.undo, False, False, 0)
        self.stop = button("S_top", "Do not wait for the answer", self.questions.stop)
        bar.pack_end(self.stop, False, False, 0)
        return bar

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(290, -1)
        find = Gtk.Box(spacing=6)
        self.find = Gtk.Entry(placeholder_text="Find by name: dog", width_chars=12)
        self.find.connect("activate", lambda entry: self._find())
        find.pack_start(self.find, True, True, 0)
        find.pack_start(
            button("F_ind", "Add all objects of this name, or like the examples", self._find), False, False, 0
        )
        side.pack_start(find, False, False, 0)
        self.list = ThingsList(self.session, self._refresh)
        side.pack_start(self.list, True, True, 0)
        row = Gtk.Box(spacing=6, homogeneous=True)
        row.pack_start(button("_New", "Click on another object", self._new), True, True, 0)
        self.other = button("O_ther", "Part, whole or larger: show the next guess", self._other)
        row.pack_start(self.other, True, True, 0)
        self.like = button("Si_milar", "Add what is like this object", self._similar)
        row.pack_start(self.like, True, True, 0)
        row.pack_start(button("_Remove", "Take the object off the list", self._remove), True, True, 0)
        side.pack_start(row, False, False, 0)
        self.fields = Fields(self.call.entry, self.config)
        names = (*APPLIED_BY, "recipe", "models", "precise", "tiles", "current-selection")
        side.pack_start(self.fields.grid(names), False, False, 0)
        expander = self.fields.expander("_Edges and clean-up", procedures.POST_NAMES)
        if expander is not None:
            side.pack_start(expander, False, False, 0)
        side.pack_end(self.line, False, False, 0)
        return side

    # ------------------------------------------------------------ what the user does

    def _clicked(self, x: float, y: float, include: bool) -> None:
        shape = self.hover.shape(x, y) if include and self.hover is not None and self.session.thing.empty else None
        self.session.add_point(x, y, include)
        self.guess = (self.session.key(self.session.thing), shape) if shape is not None else None
        self._refresh()

    def _boxed(self, x: float, y: float, width: float, height: float) -> None:
        self.session.set_box(x, y, width, height)
        self._refresh()

    def _exemplified(self, x: float, y: float, width: float, height: float, include: bool) -> None:
        self.session.add_example(x, y, width, height, include)
        self._refresh()

    def _examples_toggled(self, toggle: Any) -> None:
        self.view.wants_examples = toggle.get_active()
        self.hint.set_text(HELP_ON_EXAMPLES if self.view.wants_examples else HELP)

    def _history(self, step: Any) -> None:
        step()
        self._refresh()

    def _new(self) -> None:
        self.session.new_thing()
        self._refresh()

    def _other(self) -> None:
        self.session.next_alternative()
        self._refresh()

    def _similar(self) -> None:
        self.questions.similar()
        self._refresh()

    def _remove(self) -> None:
        self.session.remove(self.session.state.current)
        self._refresh()

    def _key(self, widget: Any, event: Any) -> bool:
        if event.keyval in (Gdk.KEY_z, Gdk.KEY_Z, Gdk.KEY_y) and event.state & Gdk.ModifierType.CONTROL_MASK:
            if isinstance(self.dialog.get_focus(), Gtk.Entry):
                return False
            forward = event.keyval == Gdk.KEY_y or event.state & Gdk.ModifierType.SHIFT_MASK
            self._history(self.session.redo if forward else self.session.undo)
            return True
        return False

    def _settings_changed(self, config: Any, parameter: Any) -> None:
        if self.questions.settings_changed():
            self._refresh()

    def _find(self) -> None:
        self.questions.find(self.find.get_text().strip(), lambda: self.find.set_text(""))
        self._refresh()

    # ------------------------------------------------------------ what the server says by itself

    def _progress(self, progress: Any) -> None:
        if self.open and not self.questions.busy and progress.text:
            self.line.busy(progress.text)

    def _prefetched(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is None:
            self.hover = Hover(self.call, self.subject, self.view, self._job_options().everything())
        elif not driver.was_cancelled(error):
            self.line.fail(error, self.call.client, self._refresh)

    def _models_came(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is not None:
            self.line.fail(error, self.call.client, self._look)
            return
        self.fields.fill_from_server(answer, "select")
        if not self.questions.busy:
            self.line.ready(answer, self.call, self._look)

    # ------------------------------------------------------------ showing

    def _refresh(self) -> None:
        """Everything that depends on the session, and the next question."""
        self.questions.ask_next()
        self.list.refresh()
        self.undo.set_sensitive(self.session.can_undo())
        self.stop.set_sensitive(self.questions.busy)
        answer = self.session.answer(self.session.thing)
        self.other.set_sensitive(answer is not None and bool(answer.alternatives))
        self.like.set_sensitive(answer is not None and not self.questions.busy)
        self.ok.set_sensitive(bool(self.session.result()))
        layers = []
        for thing, mask in self.session.result():
            kept = self.buffers.get(thing.number)
            if kept is None or kept[0] is not mask:
                kept = self.buffers[thing.number] = (mask, mask_buffer(mask, self.subject.box))
            layers.append(Layer(kept[1], CURRENT if thing is self.session.thing else OTHER))
        thing = self.session.thing
        if self.guess is not None and self.guess[0] == self.session.key(thing) and self.questions.busy:
            layers.append(self.guess[1])
        self.view.show_masks(
            layers, thing.points, [thing.box] if thing.box is not None else [], self.session.state.examples
        )

    # ------------------------------------------------------------ the end

    def run(self) -> bool:
        return self.dialog.run() == Gtk.ResponseType.OK

    def answer(self) -> Optional[Selection]:
        """The ticked objects as one answer."""
        found = self.session.result()
        if not found or self.questions.report is None:
            return None
        instances = []
        for thing, mask in found:
            known = self.session.answer(thing)
            assert known is not None
            instances.append(Instance(known.id, known.label, known.score, known.box, known.source, mask=mask))
        return Selection("", 0, self.questions.report, instances=instances)

    def close(self) -> None:
        self.open = False
        self.prefetch.drop()
        if self.hover is not None:
            self.hover.close()
        self.questions.close()
        self.dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()
        Gimp.displays_flush()
