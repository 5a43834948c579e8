"""Dialogs that show on the picture what was found, to tick what is meant, before anything is made of it."""

from typing import Any, Dict, Optional, Tuple

from gi.repository import Gimp, GimpUi, Gtk

from maskwright_client import told
from maskwright_client.ask import Steps
from maskwright_client.findings import Finding, Findings
from maskwright_client.results import how
from maskwright_client.steps import Runner
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import Job, ModelsRequest, Progress, Selection

from . import async_client, image_source, options, procedures, results
from .dialogs import HOW, TITLES
from .fields import Fields, button
from .found_list import FoundList
from .outcome import finish, tell
from .picture_area import Mark, Pane, PictureArea
from .recipes import remember
from .server_dialog import manage
from .server_line import ServerLine

HINT = tr("Click on a thing to tick or untick it · Wheel: zoom · Middle button: move")
APPLIED_BY = ("mode", "result")  # all other arguments change what is found
TYPED = ("prompt", "but-not", "detector-options")  # not looked for before the user says so
LOOKED_AT = ("source",)
SOON_MS = 500  # after a change of a setting the search is made again
TINT = 90  # of what is ticked; all else has an outline only
UNTICKED = (150, 150, 150)
POINTED = ((255, 214, 90), 110)
FOLDS_HEIGHT, SIDE_WIDTH = 200, 372
VIEW_SIZE, DIALOG_SIZE = (740, 540), (1160, 700)


def show(call: Any, procedure: Any) -> Optional[Tuple[int, Dict[str, Any]]]:
    """Run the dialog and apply what is ticked; None when it was cancelled."""
    GimpUi.init("maskwright")
    dialog = FoundDialog(call, procedure)
    try:
        if not dialog.run():
            return None
        assert dialog.findings is not None
        assert dialog.job is not None
        call.watch.lap("dialog")
        chosen, answer, target = call.options(), dialog.findings.chosen(), dialog.target
        name = chosen["prompt"].strip() or target.cut_out_name
        if call.entry.verb == "detect":
            count = results.apply_boxes(target, answer, chosen, name)
            return count, tell(call, target, answer, seen=True)
        outcome = finish(call, target, answer, chosen, name, seen=True)
        remember(dialog.job, target.box, chosen)
        return outcome
    finally:
        dialog.close()


class FoundDialog:
    """Words, and what is called so. Builds the widgets and passes events on."""

    by_person = False  # numbers and colours are those of people
    words = "prompt"  # the argument that is typed
    rows: Tuple[str, ...] = APPLIED_BY

    def __init__(self, call: Any, procedure: Any) -> None:
        self.call, self.config = call, call.config
        self.target = image_source.Target(call.image, call.drawables, self.config.get_property("source"))
        self.findings: Optional[Findings] = None
        self.job: Optional[Job] = None  # what the findings are the answer to
        self.question: Optional[Tuple[Any, ...]] = None  # the settings that they are the answer to
        self.pointed: Optional[Finding] = None
        self.runner: Optional[Runner] = None
        self.open = True
        self._waiting = 0  # numbers the changes after which the search is made again
        self._build(procedure)
        self._handlers = [
            self.config.connect(f"notify::{argument.name}", self._changed)
            for argument in call.entry.arguments
            if argument.name not in APPLIED_BY
        ]
        self.preparing: Optional[Runner] = None
        self._refresh()
        self._look()
        self._begin()

    def _begin(self) -> None:
        """Let the server look at the picture while the user types."""
        if self.call.entry.verb != "detect":
            how = options.read(self.call.options(), self.call.entry.verb)
            steps = async_client.asking(self.call.client, how.prefetch(), self.target.source, lambda progress: None)
            # What fails now fails again when it matters, and is told then.
            self.preparing = async_client.run(steps, lambda value, error: None)

    # ------------------------------------------------------------ widgets

    def _build(self, procedure: Any) -> None:
        title, ok = TITLES[self.call.entry.name]
        self.dialog = GimpUi.ProcedureDialog.new(procedure, self.config, title)
        self.dialog.set_ok_label(ok)
        self.dialog.set_default_size(*DIALOG_SIZE)
        self.ok = self.dialog.get_widget_for_response(Gtk.ResponseType.OK)
        self.fields = Fields(self.call.entry, self.config)
        self.view = PictureArea(self.target.source.local, self.target.box, *VIEW_SIZE)
        self.view.on_hover, self.view.on_pick = self._hovered, self._picked
        columns = Gtk.Box(spacing=12, border_width=12)
        columns.pack_start(Pane(self.view, self._button, HINT), True, True, 0)
        columns.pack_start(self._side(), False, False, 0)
        columns.show_all()
        self.dialog.get_content_area().pack_start(columns, True, True, 0)
        self.fields.widgets[self.words].grab_focus()

    def _side(self) -> Any:
        side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        side.set_size_request(SIDE_WIDTH, -1)
        side.set_hexpand(False)  # though fields in it do: all that is left is the picture's
        row = Gtk.Box(spacing=6)
        row.pack_start(self.fields.grid((self.words,)), True, True, 0)
        self.find = self._button(tr("_Find"), tr("Look for it in the picture (Return)"), self._find)
        self.find.set_can_default(True)
        self.find_label = self.find.get_label()
        row.pack_start(self.find, False, False, 0)
        side.pack_start(row, False, False, 0)
        self.list = FoundList(self._ticked, self._point_at, self._button)
        side.pack_start(self.list, True, True, 0)
        side.pack_start(self.fields.grid(self.rows), False, False, 0)
        folds = [
            (tr("_What is looked for, and how"), HOW),
            (tr("E_dges and clean-up"), procedures.POST_NAMES),
        ]
        side.pack_start(self.fields.folds(folds, FOLDS_HEIGHT), False, True, 0)
        self.line = ServerLine(34, self._manage, self._choose)
        side.pack_end(self.line, False, False, 0)
        return side

    def _button(self, label: str, tip: str, action: Any) -> Any:
        return button(self.fields.letters.give(label), tip, action)

    # ------------------------------------------------------------ searching

    def _settings(self) -> Tuple[Any, ...]:
        """What the findings depend on."""
        chosen = self.call.options()
        return tuple(value for name, value in chosen.items() if name not in APPLIED_BY)

    def _asked(self, chosen: Dict[str, Any]) -> Job:
        """Raises ``BadInput``, ``EmptyPrompt``."""
        depth = image_source.mask_depth(self.call.image)
        limits = chosen.get("current-selection", "ignore") != "ignore"
        outline = image_source.selection(self.call.image, depth) if limits else None
        return options.job(self.call.entry.verb, chosen, depth, outline)

    @property
    def ready(self) -> bool:
        """There is something to make."""
        return not self.outdated and self.runner is None and bool(self.findings and self.findings.ticked)

    @property
    def outdated(self) -> bool:
        """What is shown is no answer to what is asked for now."""
        return self.findings is None or self.question != self._settings()

    def _find(self) -> None:
        """Look, or stop looking."""
        if self.runner is not None:
            self._stop()
            self.line.say(tr("Stopped."))
            self._refresh()
        else:
            self._search()

    def _search(self) -> None:
        self._stop()
        try:
            results.check(self.target, self.call.options())
            job = self._asked(self.call.options())
        except MaskwrightError as error:
            self._failed(error)
            return
        question = self._settings()
        self.line.busy(options.job_name(job) + "...")

        def came(answer: Any, error: Optional[Exception]) -> None:
            self.runner = None
            if not self.open:
                return
            if error is None:
                self.job, self.question = job, question
                self._take(answer)
            elif not async_client.was_cancelled(error):
                self._failed(error)

        self.runner = async_client.run(self._asking(job), came)
        self._refresh()

    def _asking(self, job: Job) -> Steps:
        return (yield from async_client.asking(self.call.client, job, self.target.source, self._progress))

    def _progress(self, progress: Progress) -> None:
        if self.runner is not None and progress.text:
            self.line.busy(progress.text)

    def _stop(self) -> None:
        self._waiting += 1
        runner, self.runner = self.runner, None
        if runner is not None:
            runner.drop()

    def _failed(self, error: Exception) -> None:
        self._show(None)
        self.line.fail(error, self.call.client, self._search)

    def _take(self, answer: Selection) -> None:
        self._show(Findings(answer, self.config.get_property(self.words).strip(), self.by_person))
        self.line.answered(answer, self._said(answer), self.call.client, self._search)

    def _said(self, answer: Selection) -> str:
        """What the line says of an answer when nothing is wrong with it."""
        return joined(*self.target.notes, how(answer.report))

    def _show(self, findings: Optional[Findings]) -> None:
        self.findings, self.pointed = findings, None
        self.list.show_findings(findings)
        self._refresh()

    def _changed(self, config: Any, parameter: Any) -> None:
        """Of another picture, or found in another way: looked for anew, once the user has seen something."""
        seen = self.findings is not None
        if parameter.name in LOOKED_AT:
            self._look_elsewhere()
        self._refresh()
        if seen and self.outdated and parameter.name not in TYPED:
            self._waiting += 1
            turn = self._waiting
            async_client.LOOP.later(lambda: self._search() if self.open and turn == self._waiting else None, SOON_MS)

    def _look_elsewhere(self) -> None:
        self._stop()
        try:
            target = image_source.Target(self.call.image, self.call.drawables, self.config.get_property("source"))
        except MaskwrightError as error:
            self._failed(error)
            return
        if self.preparing is not None:
            self.preparing.drop()
        self.target.close()
        self.target = target
        self._show(None)
        self.view.show_picture(target.source.local, target.box)

    # ------------------------------------------------------------ what the user does

    def _choose(self, word: str, other: str) -> None:
        """Another word in the place of one that is not understood."""
        text = self.config.get_property("prompt")
        at = text.casefold().find(word.casefold())
        changed = text[:at] + other + text[at + len(word) :] if word and at >= 0 else other
        self.config.set_property("prompt", changed)
        self.fields.widgets["prompt"].grab_focus()
        self._search()

    def _hovered(self, place: Optional[Tuple[float, float]]) -> None:
        found = self.findings.at(*place) if self.findings is not None and place is not None else None
        if found is not self.pointed:
            self.list.point_at(found)
            self._point_at(found)

    def _point_at(self, finding: Optional[Finding]) -> None:
        self.pointed = finding
        self.view.set_tooltip_text(finding.title if finding is not None else None)
        seen = finding is not None and finding.preview is not None
        self.view.show_hovered(self.view.layer(finding.preview, POINTED) if seen else None)  # type: ignore[union-attr]
        self._draw()

    def _picked(self, x: float, y: float) -> None:
        found = self.findings.at(x, y) if self.findings is not None else None
        if found is not None:
            found.ticked = not found.ticked
            self.list.refresh()
            self._ticked()

    def _ticked(self) -> None:
        """The user has ticked or unticked something."""
        self._refresh()

    def _manage(self) -> None:
        manage(self.call, self.line, self._look)

    def _look(self) -> None:
        async_client.request(self.call.client, ModelsRequest(""), self._models_came)

    def _models_came(self, answer: Any, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is None:
            self.fields.fill_from_server(answer, options.WIRE_VERBS[self.call.entry.verb])
        if self.runner is not None or self.findings is not None:
            return
        if error is not None:
            self.line.fail(error, self.call.client, self._look)
        elif self.target.notes:
            self.line.say(self.target.notes[0])
        else:
            self.line.ready(answer, self._manage)

    # ------------------------------------------------------------ showing

    def _refresh(self) -> None:
        """Everything that depends on what was found; Return looks for it, then takes it."""
        self.ok.set_sensitive(self.ready)
        self.find.set_label(tr("Stop") if self.runner is not None else self.find_label)
        (self.ok if self.ready else self.find).grab_default()
        self._draw()

    def _draw(self) -> None:
        findings = self.findings
        if findings is None:
            self.view.show_layers(())
            return
        layers, frames = [], []
        for one in findings.things:
            if one.preview is not None:
                layers.append(self.view.layer(one.preview, (one.colour, TINT if one.ticked else 0)))
            else:
                colour = POINTED[0] if one is self.pointed else one.colour if one.ticked else UNTICKED
                frames.append((one.instance.box, colour))
        marks = [Mark(*one.middle, str(one.group), one.colour) for one in findings.leading()]
        self.view.show_layers(layers, marks, frames)

    # ------------------------------------------------------------ the end

    def run(self) -> bool:
        """Whether the user wants what is ticked; what cannot be done with it is said before the dialog closes."""
        while self.dialog.run():
            try:
                if not self.ready:
                    raise told.problem(told.NOTHING_TICKED)
                results.check(self.target, self.call.options())
                return True
            except MaskwrightError as error:
                self.line.fail(error, self.call.client, self._search)
        return False

    def close(self) -> None:
        self.open = False
        for handler in self._handlers:
            self.config.disconnect(handler)
        self._stop()
        if self.preparing is not None:
            self.preparing.drop()
        self.target.close()
        self.dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()
        Gimp.displays_flush()
