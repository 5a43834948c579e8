"""Click to Select: the dialog. What it asks is in ``questions``, its picture in ``view``."""

from typing import Any, Callable, Dict, Optional, Tuple

from gi.repository import Gdk, Gimp, GimpUi, Gtk

from maskwright_client.ask import Steps, run
from maskwright_client.hover import Hover
from maskwright_client.preview_picture import Preview
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import MappedObject, ModelsRequest, Rect, Selection

from . import async_client, image_source, options, procedures
from .fields import Fields, button
from .mnemonics import Mnemonics
from .objects_list import ObjectsList
from .outcome import finish
from .questions import ASKED_BY, Questions
from .recipes import remember
from .server_dialog import manage
from .server_line import ServerLine
from .view import CURRENT, HOVERED, OTHER, Layer, Paint, View, preview_buffer

HELP = (
    "Click: this · Shift: another object too · Ctrl or right button: not this · Drag: box · Wheel: zoom · "
    "Middle button: move"
)
HELP_ON_EXAMPLES = (
    "Drag: all that is like this · Ctrl or right button: but not like this · then Find, with or without a name"
)
HELP_ON_OTHERS = "Part, whole or larger: show the next guess. What is highlighted changes with Shift and the wheel"
LOOK_ELSEWHERE = 1
APPLIED_BY = ("mode", "result")
HOW = ("recipe", "models", "precise", "tiles")
FOLDS_HEIGHT = 200  # pixels; what does not fit scrolls
SIDE_WIDTH = 384
HINT_HEIGHT = 38  # two lines, of which one may be empty
VIEW_SIZE = (780, 560)
DIALOG_SIZE = (1160, 720)


def show(call: Any) -> Optional[Tuple[int, Dict[str, Any]]]:
    """Run the dialog and apply the result; None when it was cancelled."""
    GimpUi.init("maskwright")
    while True:
        target = image_source.Target(call.image, call.drawables, call.config.get_property("source"))
        try:
            dialog = ClickDialog(call, target)
            wanted = dialog.run()
            dialog.close()
            if wanted == LOOK_ELSEWHERE:
                continue
            answer = dialog.answer() if wanted == Gtk.ResponseType.OK else None
            if answer is None:
                return None
            call.watch.lap("dialog")
            chosen = call.options()
            outcome = finish(call, target, answer, chosen, target.cut_out_name)
            kept = dialog.questions.kept()
            if kept is not None:
                remember(kept, target.box, chosen)
            return outcome
        finally:
            target.close()


class ClickDialog:
    """Builds the widgets and passes events on."""

    def __init__(self, call: Any, target: image_source.Target) -> None:
        self.call, self.target, self.config = call, target, call.config
        self.line = ServerLine(30)
        self.questions = Questions(call, target, self.line, self._refresh)
        self.session = self.questions.session
        self.buffers: Dict[int, Tuple[Preview, Layer]] = {}
        self.hover = Hover()
        self.stand_in: Optional[Preview] = None  # what to show of the current object until its answer is there
        self.models: Optional[Any] = None  # what the server has, once it has told
        self.open = True
        self._build()
        self.preparing = async_client.run(self._prepare(), self._prepared)
        self._look()
        self._refresh()

    def _look(self) -> None:
        async_client.request(self.call.client, ModelsRequest(""), self._models_came)

    # ------------------------------------------------------------ widgets

    def _build(self) -> None:
        self.letters = Mnemonics("co")
        self.dialog = GimpUi.Dialog(title="Click to Select", role="maskwright-click", use_header_bar=0)
        self.dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        self.ok = self.dialog.add_button("_OK", Gtk.ResponseType.OK)
        self.dialog.set_default_response(Gtk.ResponseType.OK)
        self.dialog.set_default_size(*DIALOG_SIZE)
        GimpUi.window_set_transient(self.dialog)
        self.view = View(self.target.source.local, self.target.box, *VIEW_SIZE)
        self.view.on_click = self._clicked
        self.view.on_box = self._boxed
        self.view.on_example = lambda box, include: self._do(self.session.add_example, box, include)
        self.view.on_hover, self.view.on_climb = self._pointed, self._climb
        columns = Gtk.Box(spacing=12, border_width=12)
        left = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        frame = Gtk.Frame()
        frame.add(self.view)
        left.pack_start(self._tools(), False, False, 0)
        left.pack_start(frame, True, True, 0)
        self.hint = Gtk.Label(label=HELP, xalign=0.0, yalign=0.0, wrap=True)
        self.hint.set_size_request(-1, HINT_HEIGHT)
        self.hint.get_style_context().add_class("dim-label")
        left.pack_start(self.hint, False, False, 0)
        columns.pack_start(left, True, True, 0)
        columns.pack_start(self._side(), False, False, 0)
        columns.show_all()
        self.dialog.get_content_area().pack_start(columns, True, True, 0)
        self.dialog.connect("key-press-event", self._key)
        self.view.grab_focus()
        self._handlers = [self.config.connect(f"notify::{name}", self._settings_changed) for name in ASKED_BY]
        look_elsewhere = lambda *_: self.dialog.response(LOOK_ELSEWHERE)  # noqa: E731
        self._handlers.append(self.config.connect("notify::source", look_elsewhere))

    def _tools(self) -> Any:
        bar = Gtk.Box(spacing=6)
        for label, tip, action in (
            ("Zoom _In", "Or turn the wheel over the picture", lambda: self.view.zoom(2)),
            ("Zoom _Out", "Or turn the wheel over the picture", lambda: self.view.zoom(-2)),
            ("_Fit", "Show everything", self.view.fit),
        ):
            bar.pack_start(self._button(label, tip, action), False, False, 0)
        examples = Gtk.ToggleButton(
            label=self.letters.give("E_xamples"), use_underline=True, tooltip_text="Boxes show what to find"
        )
        examples.set_focus_on_click(False)
        examples.connect("toggled", self._examples_toggled)
        bar.pack_start(examples, False, False, 0)
        self.undo = self._button("_Undo", "Take back the last step (Ctrl+Z)", lambda: self._do(self.session.undo))
        bar.pack_end(self.undo, False, False, 0)
        self.stop = self._button("S_top", "Do not wait for the answer", self.questions.stop)
        bar.pack_end(self.stop, False, False, 0)
        return bar

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(SIDE_WIDTH, -1)  # whatever the line says, the picture stays where it is
        find = Gtk.Box(spacing=6)
        self.find = Gtk.Entry(placeholder_text="Find by name: dog", width_chars=12)
        self.find.connect("activate", lambda entry: self._find())
        find.pack_start(self.find, True, True, 0)
        find.pack_start(
            self._button("F_ind", "Add all objects of this name, or like the examples", self._find), False, False, 0
        )
        side.pack_start(find, False, False, 0)
        self.list = ObjectsList(self.session, self._refresh)
        side.pack_start(self.list, True, True, 0)
        row = Gtk.Box(spacing=6, homogeneous=True)
        row.pack_start(
            self._button("_New", "Click on another object", lambda: self._do(self.session.new_object)), True, True, 0
        )
        self.other = self._button("O_ther", HELP_ON_OTHERS, lambda: self._do(self.questions.other))
        row.pack_start(self.other, True, True, 0)
        self.like = self._button("Si_milar", "Add what is like this object", lambda: self._do(self.questions.similar))
        row.pack_start(self.like, True, True, 0)
        row.pack_start(self._button("_Remove", "Take the object off the list", self._remove), True, True, 0)
        side.pack_start(row, False, False, 0)
        self.fields = Fields(self.call.entry, self.config, self.letters)
        side.pack_start(self.fields.grid(("source", *APPLIED_BY, "current-selection")), False, False, 0)
        folds = [("_How it is found", HOW), ("_Edges and clean-up", procedures.POST_NAMES)]
        side.pack_start(self.fields.folds(folds, FOLDS_HEIGHT), False, True, 0)
        side.pack_end(self.line, False, False, 0)
        return side

    def _button(self, label: str, tip: str, action: Callable[[], Any]) -> Any:
        return button(self.letters.give(label), tip, action)

    # ------------------------------------------------------------ what the user does

    def _boxed(self, box: Rect, another: bool) -> None:
        if another:
            self.session.new_object()
        self._do(self.session.set_box, box)

    def _clicked(self, x: float, y: float, include: bool, another: bool) -> None:
        """The first click on an object takes what is highlighted; else it is the place that counts."""
        if another:
            self.session.new_object()
            self.hover.move(x, y)
        pointed = self.hover.pointed(self.session)
        if include and pointed is not None:
            self.session.take_object(x, y, pointed.id)
            self._taken(pointed)
        else:
            self._do(self.session.add_point, x, y, include)

    def _taken(self, one: MappedObject) -> None:
        """What the map knows of an object is shown until the server has drawn it."""
        self.stand_in = self.hover.preview(one)
        self._refresh()

    def _climb(self, x: float, y: float, by: int) -> None:
        """To what holds the object under the pointer, or the one that was clicked (1), or back to its part (-1)."""
        if self.session.fresh:
            if self.hover.climb(x, y, by):
                self._show_pointed()
            return
        other = self.questions.climb_clicked(self.hover, by)
        if other is not None:
            self._taken(other)

    def _pointed(self, place: Optional[Tuple[float, float]]) -> None:
        if self.hover.move(*place) if place is not None and self.session.fresh else self.hover.leave():
            self._show_pointed()

    def _show_pointed(self) -> None:
        preview = self.hover.preview(self.hover.shown)
        self.view.show_hovered(self._layer(preview, HOVERED) if preview is not None else None)
        self.view.set_tooltip_text(self.hover.title or None)

    def _examples_toggled(self, toggle: Any) -> None:
        self.view.wants_examples = toggle.get_active()
        self.hint.set_text(HELP_ON_EXAMPLES if self.view.wants_examples else HELP)

    def _do(self, step: Callable[..., Any], *arguments: Any) -> None:
        """A step, and everything that follows from it."""
        step(*arguments)
        self._refresh()

    def _remove(self) -> None:
        self._do(self.session.remove, self.session.state.chosen)

    def _key(self, widget: Any, event: Any) -> bool:
        if event.keyval in (Gdk.KEY_z, Gdk.KEY_Z, Gdk.KEY_y) and event.state & Gdk.ModifierType.CONTROL_MASK:
            if isinstance(self.dialog.get_focus(), Gtk.Entry):
                return False
            forward = event.keyval == Gdk.KEY_y or event.state & Gdk.ModifierType.SHIFT_MASK
            self._do(self.session.redo if forward else self.session.undo)
            return True
        larger = {Gdk.KEY_bracketright: 1, Gdk.KEY_bracketleft: -1}.get(event.keyval)
        if larger and not self.session.fresh and not isinstance(self.dialog.get_focus(), Gtk.Entry):
            self._climb(0.0, 0.0, larger)
            return True
        return False

    def _settings_changed(self, config: Any, parameter: Any) -> None:
        if self.questions.settings_changed():
            self._refresh()

    def _find(self) -> None:
        self._do(self.questions.find, self.find.get_text().strip(), lambda: self.find.set_text(""))

    # ------------------------------------------------------------ what the server says by itself

    def _progress(self, progress: Any) -> None:
        if self.open and not self.questions.busy and progress.text:
            self.line.busy(progress.text)

    def _prepare(self) -> Steps:
        """Let the server look at the picture, then find what can be highlighted in it."""
        how, client, source = (
            options.read(self.call.options(), self.call.entry.verb),
            self.call.client,
            self.target.source,
        )
        yield from async_client.asking(client, how.prefetch(), source, self._progress)
        try:
            answer = yield from async_client.asking(client, how.everything(), source, lambda progress: None)
        except MaskwrightError:
            return  # without a map there is no highlighting; a click works all the same and says what is wrong
        self.hover.take_map(answer, self.target.box)

    def _prepared(self, value: Any, error: Optional[Exception]) -> None:
        if error is not None:
            self.line.fail(error, self.call.client, self._refresh)
        else:
            self._tell_ready()

    def _models_came(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is not None:
            self.line.fail(error, self.call.client, self._look)
            return
        self.fields.fill_from_server(answer, "select")
        self.models = answer
        self._tell_ready()

    def _tell_ready(self) -> None:
        """Once nothing is going on any more, and nothing was answered yet that the line tells of."""
        if self.models is None or self.questions.busy or self.questions.report is not None:
            return
        if self.target.notes:
            self.line.say(self.target.notes[0])
        else:
            self.line.ready(self.models, lambda: manage(self.call, self.line, self._look))

    # ------------------------------------------------------------ showing

    def _refresh(self) -> None:
        """Everything that depends on the session, and the next question."""
        self.questions.ask_next()
        self.list.refresh()
        self.undo.set_sensitive(self.session.can_undo())
        self.stop.set_sensitive(self.questions.busy)
        current, answer = self.session.current, self.session.answer(self.session.current)
        self.other.set_sensitive(answer is not None and answer.has_others and not self.questions.busy)
        self.like.set_sensitive(self.session.shown is not None and not self.questions.busy)
        self.ok.set_sensitive(bool(self.session.result()))
        layers = []
        for one, hypothesis in self.session.result():
            layers.append(self._layer(hypothesis.preview, CURRENT if one is current else OTHER))
        if self.session.shown is not None:
            self.stand_in = self.session.shown.preview
        elif self.questions.asked == self.session.key(current) and len(self.session):
            layers += [self._layer(self.stand_in, CURRENT)] if self.stand_in is not None else []
        else:
            self.stand_in = None
        if not self.session.fresh:
            self._pointed(None)
        self.view.show_masks(layers, self.session.points, self.session.boxes, self.session.examples)

    def _layer(self, preview: Preview, paint: Paint) -> Layer:
        """What the view draws of a preview; kept, because pixels are copied for it."""
        if id(preview) not in self.buffers:
            self.buffers[id(preview)] = (preview, preview_buffer(preview, self.target.box))
        return self.buffers[id(preview)][1]._replace(paint=paint)

    # ------------------------------------------------------------ the end

    def run(self) -> int:
        """The user's answer; ``LOOK_ELSEWHERE`` when another picture is to be clicked on."""
        return self.dialog.run()

    def answer(self) -> Optional[Selection]:
        """The ticked objects as one answer, at full size; waits for what is not there yet."""
        if not self.session.result():
            return None
        instances = run(self.questions.whole(), self.call.asker.wait)
        assert self.questions.report is not None
        return Selection("", 0, self.questions.report, instances=instances)

    def close(self) -> None:
        self.open = False
        for handler in self._handlers:
            self.config.disconnect(handler)
        self.preparing.drop()
        self.questions.give_up()
        self.dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()
        Gimp.displays_flush()
