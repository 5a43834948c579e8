"""Click to Select: the dialog. Its logic is in ``session``, its picture in ``view``."""

from typing import Any, Dict, Optional, Tuple

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GimpUi, Gtk  # noqa: E402

from maskwright_protocol.messages import (  # noqa: E402
    Everything,
    Instance,
    Job,
    ModelsRequest,
    Prefetch,
    Report,
    Select,
    Selection,
    Similar,
)

from . import calls, driver, options, procedures, reading, results  # noqa: E402
from .dialogs import ServerLine, ready_text, sentence  # noqa: E402
from .fields import Fields, button  # noqa: E402
from .hover import Hover  # noqa: E402
from .session import Session, Thing, prompts  # noqa: E402
from .view import CURRENT, OTHER, Layer, View, mask_buffer  # noqa: E402

HELP = "Click: this · Shift-click or right-click: not this · Drag: box · Wheel: zoom · Middle button: move"
ASKED_BY = ("recipe", "models", "current-selection", *procedures.POST_NAMES)
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
        self.depth = reading.mask_depth(call.image)
        self.outline = reading.selection(call.image, self.depth)
        self.session = Session(self._settings())
        self.question: Optional[driver.Question] = None
        self.asked: Any = None
        self.buffers: Dict[int, Tuple[Any, Any]] = {}
        self.report: Optional[Report] = None
        self.hover: Optional[Hover] = None
        self.open = True
        self._build()
        self.prefetch = driver.Question(
            call.client,
            Prefetch("", tool="click", recipe=self._options()["recipe"].strip() or "auto"),
            subject.source,
            self._prefetched,
            self._progress,
        )
        driver.request(call.client, ModelsRequest(""), self._models_came)
        self._refresh()

    # ------------------------------------------------------------ widgets

    def _build(self) -> None:
        self.dialog = GimpUi.Dialog(title="Click to Select", role="maskwright-click", use_header_bar=0)
        self.dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        self.ok = self.dialog.add_button("_OK", Gtk.ResponseType.OK)
        self.dialog.set_default_response(Gtk.ResponseType.OK)
        self.dialog.set_default_size(*DIALOG_SIZE)
        GimpUi.window_set_transient(self.dialog)
        self.view = View(self.subject.source.local, self.subject.box, *VIEW_SIZE)
        self.view.on_click, self.view.on_box = self._clicked, self._boxed
        self.line = ServerLine(30)
        columns = Gtk.Box(spacing=12, border_width=12)
        left = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        frame = Gtk.Frame()
        frame.add(self.view)
        left.pack_start(self._tools(), False, False, 0)
        left.pack_start(frame, True, True, 0)
        hint = Gtk.Label(label=HELP, xalign=0.0, wrap=True)
        hint.get_style_context().add_class("dim-label")
        left.pack_start(hint, False, False, 0)
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
        self.undo = button("_Undo", "Take back the last step (Ctrl+Z)", lambda: self._history(self.session.undo))
        bar.pack_end(self.undo, False, False, 0)
        self.stop = button("S_top", "Do not wait for the answer", self._stop)
        bar.pack_end(self.stop, False, False, 0)
        return bar

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(290, -1)
        find = Gtk.Box(spacing=6)
        self.find = Gtk.Entry(placeholder_text="Find by name: dog", width_chars=12)
        self.find.connect("activate", lambda entry: self._find())
        find.pack_start(self.find, True, True, 0)
        find.pack_start(button("F_ind", "Add all objects of this name", self._find), False, False, 0)
        side.pack_start(find, False, False, 0)
        self.store = Gtk.ListStore(bool, str, str)
        self.list = Gtk.TreeView(model=self.store)
        toggle = Gtk.CellRendererToggle()
        toggle.connect("toggled", self._toggled)
        self.list.append_column(Gtk.TreeViewColumn("Use", toggle, active=0))
        column = Gtk.TreeViewColumn("Object", Gtk.CellRendererText(), text=1)
        column.set_expand(True)
        self.list.append_column(column)
        self.list.append_column(Gtk.TreeViewColumn("Score", Gtk.CellRendererText(), text=2))
        self.list.get_selection().connect("changed", self._chosen)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_size_request(-1, 130)
        scrolled.add(self.list)
        side.pack_start(scrolled, True, True, 0)
        row = Gtk.Box(spacing=6, homogeneous=True)
        row.pack_start(button("_New", "Click on another object", self._new), True, True, 0)
        self.other = button("O_ther", "Part, whole or larger: show the next guess", self._other)
        row.pack_start(self.other, True, True, 0)
        self.like = button("Si_milar", "Add what is like this object", self._similar)
        row.pack_start(self.like, True, True, 0)
        row.pack_start(button("_Remove", "Take the object off the list", self._remove), True, True, 0)
        side.pack_start(row, False, False, 0)
        self.fields = Fields(self.call.entry, self.config)
        names = (*APPLIED_BY, "recipe", "models", "current-selection")
        side.pack_start(self.fields.grid(names), False, False, 0)
        expander = self.fields.expander("_Edges and clean-up", procedures.POST_NAMES)
        if expander is not None:
            side.pack_start(expander, False, False, 0)
        side.pack_end(self.line, False, False, 0)
        return side

    # ------------------------------------------------------------ what the user does

    def _clicked(self, x: float, y: float, include: bool) -> None:
        self.session.add_point(x, y, include)
        self._refresh()

    def _boxed(self, x: float, y: float, width: float, height: float) -> None:
        self.session.set_box(x, y, width, height)
        self._refresh()

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
        answer = self.session.answer(self.session.thing)
        if answer is None or self.question is not None:
            return
        chosen = {**self._options(), "prompt": "", "include": "", "exclude": "", "boxes": ""}
        job = Similar("", to=answer.id, mask=answer.mask, **options.common(chosen, self.depth))
        job.tool = "click"
        # The object itself comes first; it is on the list already.
        self._ask(
            None, job, lambda found: self.session.add_found([i for i in found.instances[1:] if i.mask is not None])
        )

    def _remove(self) -> None:
        self.session.remove(self.session.state.current)
        self._refresh()

    def _toggled(self, cell: Any, path: str) -> None:
        index = int(path)
        self.session.tick(index, not self.session.state.things[index].ticked)
        self._refresh()

    def _chosen(self, selection: Any) -> None:
        model, row = selection.get_selected()
        if row is not None and not self._filling:
            index = model.get_path(row).get_indices()[0]
            if index != self.session.state.current:
                self.session.choose(index)
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
        settings = self._settings()
        if settings != self.session.settings:
            self.session.settings = settings
            self._refresh()

    def _stop(self) -> None:
        if self.question is not None:
            self.question.cancel()

    # ------------------------------------------------------------ asking

    def _options(self) -> Dict[str, Any]:
        return self.call.options()

    def _settings(self) -> Any:
        chosen = self._options()
        return tuple(chosen[name] for name in ASKED_BY)

    def _job(self, text: str = "") -> Select:
        chosen = {**self._options(), "prompt": text, "include": "", "exclude": "", "boxes": ""}
        job = Select("", alternatives=2, **options.common(chosen, self.depth))
        job.text, job.tool, job.pick = text, "click", "all" if text else "best"
        if chosen["current-selection"] == "limit":
            job.region = self.outline
        return job

    def _ask_next(self) -> None:
        """Ask about what is not known yet, one at a time; an outdated question is given up."""
        thing = self.session.missing()
        if self.question is not None:
            if self.asked is not None and (thing is None or self.session.key(thing) != self.asked):
                self.question.cancel()
            return
        if thing is None or not self.open:
            return
        key = self.session.key(thing)
        job = self._job()
        job.points, job.boxes = prompts(thing)
        self._ask(key, job, lambda answer: self.session.take(key, _best(answer)))

    def _find(self) -> None:
        text = self.find.get_text().strip()
        if text and self.question is None:
            self._ask(None, self._job(text), self._found)

    def _found(self, answer: Selection) -> None:
        self.session.add_found([instance for instance in answer.instances if instance.mask is not None])
        self.find.set_text("")

    def _ask(self, key: Any, job: Job, take: Any) -> None:
        def done(answer: Any, error: Optional[Exception]) -> None:
            self.question = None
            if not self.open:
                return
            if error is None:
                take(answer)
                self.report = answer.report
                found = bool(answer.instances)
                self.line.say(results.how(answer.report) if found else results.nothing_found(answer))
            elif driver.was_cancelled(error):
                self.line.say("Stopped." if key == self._current_key() else "")
                if key is not None and key == self._current_key():
                    self.session.take(key, None)
            else:
                self.line.say(sentence(error))
                if key is not None:
                    self.session.take(key, None)
            self._refresh()

        self.asked = key
        self.line.busy("Looking...")
        self.question = driver.Question(self.call.client, job, self.subject.source, done, self._progress)
        self.stop.set_sensitive(True)

    def _current_key(self) -> Any:
        return self.session.key(self.session.thing)

    def _progress(self, progress: Any) -> None:
        if self.open and self.question is not None and progress.text:
            self.line.busy(progress.text)

    def _prefetched(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is None:
            chosen = self._options()
            job = Everything("", tool="map", priority="background", models=options.models(chosen["models"]))
            self.hover = Hover(self.call, self.subject, self.view, job)
        elif not driver.was_cancelled(error):
            self.line.say(sentence(error))

    def _models_came(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is not None:
            self.line.say(sentence(error))
            return
        self.fields.fill_from_server(answer, "select")
        if self.question is None:
            self.line.say(ready_text(answer))

    # ------------------------------------------------------------ showing

    _filling = False

    def _refresh(self) -> None:
        """Everything that depends on the session, and the next question."""
        self._ask_next()
        state = self.session.state
        self._filling = True
        self.store.clear()
        for thing in state.things:
            self.store.append([thing.ticked, *self._row(thing)])
        self.list.get_selection().select_path(str(state.current))
        self._filling = False
        self.undo.set_sensitive(self.session.can_undo())
        self.stop.set_sensitive(self.question is not None)
        answer = self.session.answer(self.session.thing)
        self.other.set_sensitive(answer is not None and bool(answer.alternatives))
        self.like.set_sensitive(answer is not None and self.question is None)
        self.ok.set_sensitive(bool(self.session.result()))
        layers = []
        for thing, mask in self.session.result():
            kept = self.buffers.get(thing.number)
            if kept is None or kept[0] is not mask:
                kept = self.buffers[thing.number] = (mask, mask_buffer(mask, self.subject.box))
            layers.append(Layer(kept[1], CURRENT if thing is self.session.thing else OTHER))
        thing = self.session.thing
        self.view.show_masks(layers, thing.points, [thing.box] if thing.box is not None else [])

    def _row(self, thing: Thing) -> Tuple[str, str]:
        name, answer = f"Object {thing.number}", self.session.answer(thing)
        if thing.empty:
            return f"{name}: click on it", ""
        if answer is None:
            return f"{name}: " + ("nothing found" if self.session.answered(thing) else "looking..."), ""
        label = answer.label.strip()
        return f"{label} {thing.number}" if label and label != "object" else name, f"{answer.score:.2f}"

    # ------------------------------------------------------------ the end

    def run(self) -> bool:
        return self.dialog.run() == Gtk.ResponseType.OK

    def answer(self) -> Optional[Selection]:
        """The ticked objects as one answer."""
        found = self.session.result()
        if not found or self.report is None:
            return None
        instances = []
        for thing, mask in found:
            known = self.session.answer(thing)
            assert known is not None
            instances.append(Instance(known.id, known.label, known.score, known.box, known.source, mask=mask))
        return Selection("", 0, self.report, instances=instances)

    def close(self) -> None:
        self.open = False
        self.prefetch.drop()
        if self.hover is not None:
            self.hover.close()
        if self.question is not None:
            self.question.drop()
        self.dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()
        Gimp.displays_flush()


def _best(answer: Selection) -> Optional[Instance]:
    return next((instance for instance in answer.instances if instance.mask is not None), None)
