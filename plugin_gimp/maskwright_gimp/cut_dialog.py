"""Cut Out, live: what is named, or the subject, is found first; then its edge is worked on as in *Refine*."""

from typing import Any, Dict, Optional, Tuple

from gi.repository import GimpUi, Gtk

from maskwright_client import told
from maskwright_client.ask import Steps
from maskwright_client.results import how
from maskwright_client.steps import Runner
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import CutoutResult

from . import async_client, options, procedures, results
from .dialogs import HOW, Folds
from .edge_dialog import MORE, EdgeDialog, show

FOUND_BY = ("prompt", "but-not", "pick", "current-selection", "recipe", "models", "source")


def cut_out(call: Any, procedure: Any) -> Optional[Tuple[int, Dict[str, Any]]]:
    """*Cut Out by Prompt*, from its dialog to the image; None when it was cancelled."""
    GimpUi.init("maskwright")
    return show(call, CutDialog(call, procedure))


class CutDialog(EdgeDialog):
    """Of a cut-out. Return finds it, then takes it."""

    rows = ("result", "clean-colors", "hide-original")
    folds: Folds = (
        (tr("_What is looked for, and how"), HOW),
        (tr("_Outline and background"), procedures.LOOK_NAMES),
        (tr("More clean-u_p"), MORE),
    )
    runner: Optional[Runner] = None
    question: Optional[Tuple[Any, ...]] = None  # the settings with which it was found

    def _top(self) -> Any:
        row = Gtk.Box(spacing=6)
        row.pack_start(self.fields.grid(("prompt",)), True, True, 0)
        self.find = self._button(tr("_Find"), tr("Look for it in the picture (Return)"), self._find)
        self.find.set_can_default(True)
        row.pack_start(self.find, False, False, 0)
        return row

    def _begin(self) -> None:
        self.ok = self.dialog.get_widget_for_response(Gtk.ResponseType.OK)
        self.fields.widgets["prompt"].grab_focus()
        self.line.say(tr("Say what is to be cut out; without words it is the main subject."))

    def _asked(self) -> Tuple[Any, ...]:
        chosen = self.call.options()
        return tuple(chosen[name] for name in FOUND_BY)

    @property
    def ready(self) -> bool:
        return self.runner is None and self.session.ready and self.question == self._asked()

    def _find(self) -> None:
        self._stop()
        chosen, question = self.call.options(), self._asked()
        self.session.options = self._options()
        try:
            results.check(self.target, chosen)
            steps = self.session.find(options.cut(chosen, self.selection), self.target.source)
        except MaskwrightError as error:
            self.failed_with(error)
            return
        self.line.busy(tr("Looking..."))

        def came(answer: Any, error: Optional[Exception]) -> None:
            self.runner = None
            if not self.open:
                return
            if error is None:
                self.question = question if not told.is_nothing(answer) else None
                self.line.answered(answer, how(answer.report), self.call.client, self._find)
            elif not async_client.was_cancelled(error):
                self.failed_with(error)
            self._follow()

        self.runner = async_client.run(steps, came)
        self._follow()

    def _stop(self) -> None:
        runner, self.runner = self.runner, None
        if runner is not None:
            runner.drop()

    def _take(self) -> None:
        """Another picture or model: it is to be found again."""
        self.session.close()
        self.view.show_preview(None)

    def _follow(self) -> None:
        super()._follow()
        self.ok.set_sensitive(self.ready)
        (self.ok if self.ready else self.find).grab_default()

    def previewed(self) -> None:
        self.view.show_preview(self.session.preview)

    def name(self, chosen: Dict[str, Any]) -> str:
        return chosen["prompt"].strip() or self.target.cut_out_name

    def finish(self) -> Steps:
        chosen = self.call.options()
        colours = results.colours(self.target, chosen)
        job: Any = options.job(self.call.entry.verb, chosen, self.depth, self.selection, colours)
        job.edge_strokes = self.session.strokes
        answer = yield from self.session.finish()
        if colours and answer.instances:
            alpha = answer.merged or answer.instances[0].mask
            cut: CutoutResult = yield from self.session.cut_by(alpha, options.cut(chosen), colours)
            return job, cut
        return job, answer

    def run(self) -> bool:
        while super().run():
            try:
                results.colours(self.target, self.call.options())
                return True
            except MaskwrightError as error:
                self.failed_with(error)
        return False

    def close(self) -> None:
        self._stop()
        super().close()
