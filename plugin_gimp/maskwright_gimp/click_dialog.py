"""Click to Select: the dialog. What it asks is in ``questions``, its picture in ``view``."""

from typing import Any, Callable, Dict, Optional, Tuple

from gi.repository import Gdk, Gimp, GimpUi, Gtk

from maskwright_client.ask import Steps, run
from maskwright_client.gestures import Gesture, Mode, perform
from maskwright_client.hover import Hover
from maskwright_client.preview_picture import Preview
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import MappedObject, ModelsRequest, Selection

from . import async_client, image_source, options, procedures
from .fields import Fields, button
from .mnemonics import Mnemonics
from .objects_list import ObjectsList
from .outcome import finish
from .picture_area import Pane
from .questions import ASKED_BY, Questions
from .recipes import remember
from .server_dialog import manage
from .server_line import ServerLine
from .view import CURRENT, HOVERED, OTHER, View

KEYS = tr("Shift: another object too · Ctrl or right button: not this · Wheel: zoom · Middle button: move")
MODES = (
    (Mode.BOX, tr("_Box"), tr("Click on it, or drag a box around it.")),
    (Mode.SCRIBBLE, tr("Scri_bble"), tr("Click on it, or draw a line over it.")),
    (Mode.LASSO, tr("L_asso"), tr("Click on it, or draw a loop around it.")),
    (Mode.EXAMPLE, tr("E_xamples"), tr("Drag boxes around what is to be found, then Find, with or without a name.")),
)
HELP_ON_OTHERS = tr("Part, whole or larger: show the next guess. What is highlighted changes with Shift and the wheel")
LOOK_ELSEWHERE = 1
APPLIED_BY = ("mode", "result")
HOW = ("recipe", "models", "precise", "tiles")
FOLDS_HEIGHT = 200  # pixels; what does not fit scrolls
SIDE_WIDTH = 384
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
        self.dialog = GimpUi.Dialog(title=tr("Click to Select"), role="maskwright-click", use_header_bar=0)
        self.dialog.add_button(tr("_Cancel"), Gtk.ResponseType.CANCEL)
        self.ok = self.dialog.add_button(tr("_OK"), Gtk.ResponseType.OK)
        self.dialog.set_default_response(Gtk.ResponseType.OK)
        self.dialog.set_default_size(*DIALOG_SIZE)
        GimpUi.window_set_transient(self.dialog)
        self.view = View(self.target.source.local, self.target.box, *VIEW_SIZE)
        self.view.on_gesture = self._drawn
        self.view.on_hover, self.view.on_climb = self._pointed, self._climb
        columns = Gtk.Box(spacing=12, border_width=12)
        self.pane = Pane(self.view, self._button, "")
        self._tools(self.pane.bar)
        columns.pack_start(self.pane, True, True, 0)
        columns.pack_start(self._side(), False, False, 0)
        columns.show_all()
        self.dialog.get_content_area().pack_start(columns, True, True, 0)
        self.dialog.connect("key-press-event", self._key)
        self.view.grab_focus()
        self._handlers = [self.config.connect(f"notify::{name}", self._settings_changed) for name in ASKED_BY]
        look_elsewhere = lambda *_: self.dialog.response(LOOK_ELSEWHERE)  # noqa: E731
        self._handlers.append(self.config.connect("notify::source", look_elsewhere))

    def _tools(self, bar: Any) -> None:
        modes = Gtk.Box()
        modes.get_style_context().add_class("linked")
        first = None
        for mode, label, help_text in MODES:
            choice = Gtk.RadioButton.new_with_mnemonic_from_widget(first, self.letters.give(label))
            choice.set_mode(False)  # looks like a button
            choice.set_focus_on_click(False)
            choice.set_tooltip_text(help_text)
            choice.connect("toggled", self._mode_toggled, mode, help_text)
            first = first or choice
            modes.pack_start(choice, False, False, 0)
        bar.pack_start(modes, False, False, 6)
        self._say_how(MODES[0][2])
        self.undo = self._button(
            tr("_Undo"), tr("Take back the last step (Ctrl+Z)"), lambda: self._do(self.session.undo)
        )
        bar.pack_end(self.undo, False, False, 0)
        self.stop = self._button(tr("S_top"), tr("Do not wait for the answer"), self.questions.stop)
        bar.pack_end(self.stop, False, False, 0)

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(SIDE_WIDTH, -1)  # whatever the line says, the picture stays where it is
        side.set_hexpand(False)  # though fields in it do: all that is left is the picture's
        find = Gtk.Box(spacing=6)
        self.find = Gtk.Entry(placeholder_text=tr("Find by name: dog"), width_chars=12)
        self.find.connect("activate", lambda entry: self._find())
        find.pack_start(self.find, True, True, 0)
        find.pack_start(
            self._button(tr("F_ind"), tr("Add all objects of this name, or like the examples"), self._find),
            False,
            False,
            0,
        )
        side.pack_start(find, False, False, 0)
        self.list = ObjectsList(self.session, self._refresh)
        side.pack_start(self.list, True, True, 0)
        row = Gtk.Box(spacing=6, homogeneous=True)
        row.pack_start(
            self._button(tr("_New"), tr("Click on another object"), lambda: self._do(self.session.new_object)),
            True,
            True,
            0,
        )
        self.other = self._button(tr("O_ther"), HELP_ON_OTHERS, lambda: self._do(self.questions.other))
        row.pack_start(self.other, True, True, 0)
        self.like = self._button(
            tr("Si_milar"), tr("Add what is like this object"), lambda: self._do(self.questions.similar)
        )
        row.pack_start(self.like, True, True, 0)
        row.pack_start(self._button(tr("_Remove"), tr("Take the object off the list"), self._remove), True, True, 0)
        side.pack_start(row, False, False, 0)
        self.fields = Fields(self.call.entry, self.config, self.letters)
        side.pack_start(self.fields.grid(("source", *APPLIED_BY, "current-selection")), False, False, 0)
        folds = [(tr("_How it is found"), HOW), (tr("_Edges and clean-up"), procedures.POST_NAMES)]
        side.pack_start(self.fields.folds(folds, FOLDS_HEIGHT), False, True, 0)
        side.pack_end(self.line, False, False, 0)
        return side

    def _button(self, label: str, tip: str, action: Callable[[], Any]) -> Any:
        return button(self.letters.give(label), tip, action)

    # ------------------------------------------------------------ what the user does

    def _drawn(self, gesture: Gesture) -> None:
        """The first click on an object takes what is highlighted; else it is the place that counts."""
        taken = perform(self.session, gesture, self.hover)
        if taken is not None:
            self._taken(taken)
        else:
            self._refresh()

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
        self.view.show_hovered(self.view.layer(preview, HOVERED) if preview is not None else None)
        self.view.set_tooltip_text(self.hover.title or None)

    def _mode_toggled(self, choice: Any, mode: Mode, help_text: str) -> None:
        if choice.get_active():
            self.view.mode = mode
            self._say_how(help_text)

    def _say_how(self, help_text: str) -> None:
        self.pane.hint.set_text(joined(help_text, KEYS))

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
            layers.append(self.view.layer(hypothesis.preview, CURRENT if one is current else OTHER))
        if self.session.shown is not None:
            self.stand_in = self.session.shown.preview
        elif self.questions.asked == self.session.key(current) and len(self.session):
            layers += [self.view.layer(self.stand_in, CURRENT)] if self.stand_in is not None else []
        else:
            self.stand_in = None
        if not self.session.fresh:
            self._pointed(None)
        session = self.session
        self.view.show_prompts(layers, session.points, session.boxes, session.examples, session.strokes)

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
