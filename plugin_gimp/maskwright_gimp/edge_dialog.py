"""Refine, live: the selection's edge as it will be, in one of several views, with sliders and the edge brush."""

from typing import Any, Callable, Dict, List, Optional, Tuple

from gi.repository import Gdk, Gimp, GimpUi, Gtk

from maskwright_client.ask import PictureSource, Steps, run
from maskwright_client.edge_session import EdgeSession
from maskwright_client.edge_settings import BRUSHES, SLIDERS, EdgeSettings, Slider
from maskwright_client.edge_views import VIEWS, next_view
from maskwright_client.jobs import JobOptions
from maskwright_protocol.errors import EmptyPrompt, MaskwrightError
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import Job, ModelsRequest

from . import async_client, image_source, options, results
from .dialogs import TITLES, Folds
from .edge_area import WIDEST, EdgeArea
from .fields import Fields, button
from .outcome import finish
from .picture_area import Pane
from .recipes import remember
from .server_dialog import manage
from .server_line import ServerLine

HINT = tr(
    "Paint with the brush · Ctrl or right button: its opposite · Shift and wheel: its size · 1 to 4: another brush · "
    "F: next view"
)
# A slider's name -> the argument that it sets; percents are 0..1 there.
ARGUMENTS = {"edge_width": "edge-width", "smooth": "smooth-edge", "shift_edge": "shift-edge"}
HOW = ("recipe", "models", "source")
MORE = ("fill-holes", "min-area", "smooth", "invert")  # clean-up that no slider does
SIDE_WIDTH, FOLDS_HEIGHT = 372, 90
VIEW_SIZE, DIALOG_SIZE = (740, 540), (1160, 700)


def show(call: Any, dialog: "EdgeDialog") -> Optional[Tuple[int, Dict[str, Any]]]:
    """Run the dialog and change the image; None when it was cancelled."""
    try:
        if not dialog.run():
            return None
        call.watch.lap("dialog")
        job, answer = run(dialog.finish(), call.asker.wait)
        call.watch.lap("ask")
        chosen, target = call.options(), dialog.target
        outcome = finish(call, target, answer, chosen, dialog.name(chosen))
        remember(job, target.box, chosen)
        return outcome
    finally:
        dialog.close()


def refine(call: Any, procedure: Any) -> Optional[Tuple[int, Dict[str, Any]]]:
    """*Refine*, from its dialog to the image; None when it was cancelled."""
    GimpUi.init("maskwright")
    return show(call, EdgeDialog(call, procedure))


class Session(EdgeSession):
    """``dialog`` is told of what changes."""

    loop = async_client.LOOP

    def __init__(self, how: JobOptions, ask: Callable[[Job, PictureSource], Steps], dialog: "EdgeDialog") -> None:
        super().__init__(how, ask)
        self._dialog = dialog

    def previewed(self) -> None:
        self._dialog.previewed()

    def stroked(self) -> None:
        self._dialog.stroked()

    def failed_with(self, error: Exception) -> None:
        self._dialog.failed_with(error)


class EdgeDialog:
    """Of a selection. Builds the widgets and passes events on."""

    rows: Tuple[str, ...] = ("result",)
    folds: Folds = ((tr("_How it is found"), HOW), (tr("More clean-u_p"), MORE))

    def __init__(self, call: Any, procedure: Any) -> None:
        self.call, self.config = call, call.config
        self.depth = image_source.mask_depth(call.image)
        self.selection = image_source.selection(call.image, self.depth)
        self.target = image_source.Target(call.image, call.drawables, self.config.get_property("source"))
        self.open = True
        self.arguments = {argument.name for argument in call.entry.arguments}
        self._build(procedure)
        self.session = Session(self._options(), self._ask, self)
        self._handlers = [
            self.config.connect(f"notify::{name}", self._changed) for name in sorted(self.arguments - {"result"})
        ]
        self._begin()
        self._follow()
        self._look()

    def _begin(self) -> None:
        self._take()

    def _options(self) -> JobOptions:
        return options.read(self.call.options(), self.call.entry.verb, self.depth)

    def _take(self) -> None:
        """Work on the selection in the picture that is looked at."""
        if self.selection is None:
            raise EmptyPrompt(tr("Nothing is selected."), tr("Select something roughly, then refine it."))
        self.session.take_selection(self.target.source, self.selection)
        self.line.busy(tr("Looking at the edge..."))

    # ------------------------------------------------------------ widgets

    def _build(self, procedure: Any) -> None:
        title, ok = TITLES[self.call.entry.name]
        self.dialog = GimpUi.ProcedureDialog.new(procedure, self.config, title)
        self.dialog.set_ok_label(ok)
        self.dialog.set_default_size(*DIALOG_SIZE)
        self.fields = Fields(self.call.entry, self.config)
        self.view = EdgeArea(self.target.source.local, self.target.box, *VIEW_SIZE)
        self.view.on_look = lambda visible, scale: self.session.look_at(visible, scale)
        self.view.on_paint = lambda kind, x, y: self.session.begin(kind, self.view.brush_width, x, y)
        self.view.on_extend = lambda x, y: self.session.extend(x, y)
        self.view.on_lift = lambda: self.session.end()
        self.view.on_width = self._widen
        pane = Pane(self.view, self._button, HINT)
        self._tools(pane.bar)
        self._brushes(pane.more)
        columns = Gtk.Box(spacing=12, border_width=12)
        columns.pack_start(pane, True, True, 0)
        columns.pack_start(self._side(), False, False, 0)
        columns.show_all()
        self.dialog.get_content_area().pack_start(columns, True, True, 0)
        self.dialog.connect("key-press-event", self._key)
        self.view.grab_focus()

    def _tools(self, bar: Any) -> None:
        self.views = Gtk.ComboBoxText()
        for view in VIEWS:
            self.views.append(view.name, view.title)
        self.views.set_active_id("overlay")
        self.views.connect("changed", lambda box: self.view.show_view(box.get_active_id()))
        self.view.show_view("overlay")
        bar.pack_start(self.views, False, False, 6)
        split = Gtk.CheckButton(label=self.fields.letters.give(tr("S_plit view")), use_underline=True)
        split.set_tooltip_text(tr("The left half shows the picture alone"))
        split.connect("toggled", self._split)
        bar.pack_start(split, False, False, 0)
        self.undo = self._button(tr("_Undo"), tr("Take back the last stroke (Ctrl+Z)"), self._undo)
        bar.pack_end(self.undo, False, False, 0)

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(SIDE_WIDTH, -1)
        side.set_hexpand(False)
        top = self._top()
        for part in (top, self._sliders(), self.fields.grid(("hair",)), self.fields.grid(self.rows)):
            if part is not None:
                side.pack_start(part, False, False, 0)
        side.pack_start(self.fields.folds(self.folds, FOLDS_HEIGHT), False, True, 0)
        self.line = ServerLine(34, self._manage)
        side.pack_end(self.line, False, False, 0)
        return side

    def _top(self) -> Optional[Any]:
        """What stands above the sliders."""
        return None

    def _sliders(self) -> Any:
        grid = Gtk.Grid(column_spacing=8, row_spacing=2)
        for row, slider in enumerate(SLIDERS):
            label = Gtk.Label(label=self.fields.letters.give(slider.title), use_underline=True, xalign=0.0)
            scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, slider.low, slider.high, 1.0)
            scale.set_draw_value(False)
            scale.set_hexpand(True)
            number = Gtk.SpinButton(adjustment=scale.get_adjustment(), digits=0, width_chars=5, activates_default=True)
            self._bind(slider, scale.get_adjustment())
            label.set_mnemonic_widget(number)
            for column, widget in enumerate((label, scale, number, Gtk.Label(label=slider.unit, xalign=0.0))):
                widget.set_tooltip_text(slider.tip)
                grid.attach(widget, column, row, 1, 1)
        return grid

    def _bind(self, slider: Slider, adjustment: Any) -> None:
        """The argument follows the slider, and the slider what *Reset* and saved settings make of the argument."""
        name, unit = ARGUMENTS.get(slider.name, slider.name), 100.0 if slider.unit == "%" else 1.0
        adjustment.set_value(self.config.get_property(name) * unit)

        def moved(adjustment: Any) -> None:
            if abs(self.config.get_property(name) * unit - adjustment.get_value()) > 1e-6:
                self.config.set_property(name, adjustment.get_value() / unit)

        adjustment.connect("value-changed", moved)
        handler = self.config.connect(
            f"notify::{name}", lambda *_: adjustment.set_value(self.config.get_property(name) * unit)
        )
        self.dialog.connect("destroy", lambda widget: self.config.disconnect(handler))

    def _brushes(self, bar: Any) -> None:
        kinds = Gtk.Box()
        kinds.get_style_context().add_class("linked")
        self.brushes: List[Any] = []
        for brush in BRUSHES:
            choice = Gtk.RadioButton.new_with_label_from_widget(next(iter(self.brushes), None), brush.title)
            choice.set_mode(False)  # looks like a button
            choice.set_tooltip_text(brush.tip)
            choice.set_focus_on_click(False)
            choice.connect("toggled", self._choose_brush, brush.kind)
            self.brushes.append(choice)
            kinds.pack_start(choice, False, False, 0)
        label = Gtk.Label(label=self.fields.letters.give(tr("_Brush size")), use_underline=True)
        self.width = Gtk.SpinButton.new_with_range(1.0, WIDEST, 1.0)
        self.width.set_value(max(8.0, round(min(self.target.box.width, self.target.box.height) / 20)))
        self.width.connect("value-changed", lambda number: self._widen(number.get_value()))
        self._widen(self.width.get_value())
        label.set_mnemonic_widget(self.width)
        for part in (kinds, label, self.width):
            bar.pack_start(part, False, False, 0)

    def _button(self, label: str, tip: str, action: Any) -> Any:
        return button(self.fields.letters.give(label), tip, action)

    # ------------------------------------------------------------ what the user does

    def _choose_brush(self, choice: Any, kind: str) -> None:
        if choice.get_active():
            self.view.brush = kind

    def _widen(self, width: float) -> None:
        self.view.brush_width = width
        self.view.queue()
        if abs(self.width.get_value() - width) >= 1.0:
            self.width.set_value(width)

    def _split(self, toggle: Any) -> None:
        self.view.split = toggle.get_active()
        self.view.queue()

    def _undo(self) -> None:
        self.session.undo()

    def _key(self, widget: Any, event: Any) -> bool:
        control = event.state & Gdk.ModifierType.CONTROL_MASK
        if control and event.keyval in (Gdk.KEY_z, Gdk.KEY_Z, Gdk.KEY_y):
            again = event.keyval == Gdk.KEY_y or event.state & Gdk.ModifierType.SHIFT_MASK
            return self.session.redo() if again else self.session.undo()
        typing = isinstance(self.dialog.get_focus(), Gtk.Entry)
        if control or typing or event.state & Gdk.ModifierType.MOD1_MASK:
            return False
        if event.keyval in (Gdk.KEY_f, Gdk.KEY_F):
            self.views.set_active_id(next_view(self.views.get_active_id()).name)
            return True
        number = event.keyval - Gdk.KEY_1
        if 0 <= number < len(self.brushes):
            self.brushes[number].set_active(True)
            return True
        return False

    def _changed(self, config: Any, parameter: Any) -> None:
        if parameter.name == "source":
            self._look_elsewhere()
        elif parameter.name in HOW:
            self.session.options = self._options()
            self._take()
        if self.open:
            self._follow()

    def _follow(self) -> None:
        """The session has what the arguments say."""
        chosen = self.call.options()
        values = {slider.name: chosen[ARGUMENTS.get(slider.name, slider.name)] for slider in SLIDERS}
        for slider in SLIDERS:
            if slider.unit == "%":
                values[slider.name] *= 100.0
        self.session.clean_up = self._options().post()
        self.session.set(**values, hair=chosen.get("hair", EdgeSettings().hair))

    def _look_elsewhere(self) -> None:
        try:
            target = image_source.Target(self.call.image, self.call.drawables, self.config.get_property("source"))
        except MaskwrightError as error:
            self.failed_with(error)
            return
        self.session.stop()
        self.target.close()
        self.target = target
        self.view.show_picture(target.source.local, target.box)
        self._take()

    # ------------------------------------------------------------ the server

    def _ask(self, job: Job, picture: PictureSource) -> Steps:
        return async_client.asking(self.call.client, job, picture, lambda progress: None)

    def previewed(self) -> None:
        self.view.show_preview(self.session.preview)
        self.line.say(joined(*self.target.notes))

    def stroked(self) -> None:
        strokes: List[Any] = self.session.strokes
        self.view.show_strokes(strokes)
        self.undo.set_sensitive(bool(strokes))

    def failed_with(self, error: Exception) -> None:
        self.line.fail(error, self.call.client, lambda: self.session.ask_again())

    def _manage(self) -> None:
        manage(self.call, self.line, self._look)

    def _look(self) -> None:
        async_client.request(self.call.client, ModelsRequest(""), self._models_came)

    def _models_came(self, answer: Any, error: Optional[Exception]) -> None:
        if self.open and error is None:
            self.fields.fill_from_server(answer, options.WIRE_VERBS[self.call.entry.verb])

    # ------------------------------------------------------------ the end

    def name(self, chosen: Dict[str, Any]) -> str:
        """What a new layer or channel is called."""
        return self.target.cut_out_name

    def finish(self) -> Steps:
        """Steps that end with the job and its answer at full size."""
        job = self.session.job()
        return job, (yield from self.session.finish())

    def run(self) -> bool:
        """Whether the user wants it; what cannot be done is said before the dialog closes."""
        while self.dialog.run():
            try:
                results.check(self.target, self.call.options())
                return True
            except MaskwrightError as error:
                self.failed_with(error)
        return False

    def close(self) -> None:
        self.open = False
        for handler in self._handlers:
            self.config.disconnect(handler)
        self.session.close()
        self.target.close()
        self.dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()
        Gimp.displays_flush()
