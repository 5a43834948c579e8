"""One call of a procedure, from its arguments to its return values."""

import json
import traceback
from typing import Any, Dict, List, Optional

from gi.repository import Gegl, Gimp, GLib, GObject

from maskwright_client import body_parts, offers, told
from maskwright_client.results import places
from maskwright_protocol.errors import JobCancelled, MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelInfo, ModelsRequest, Parse
from maskwright_protocol.version import __version__

from . import blocking_client, image_source, options, procedures, recipes, remembered, results, settings
from .outcome import Outcome, finish, tell
from .settings import PLACE


class Call:
    """What the functions below need to know of a call."""

    def __init__(self, entry: procedures.Procedure, run_mode: Any, image: Any, drawables: List[Any], config: Any):
        self.entry, self.image, self.drawables, self.config = entry, image, drawables, config
        self.interactive = run_mode == Gimp.RunMode.INTERACTIVE
        self.watched = run_mode != Gimp.RunMode.NONINTERACTIVE  # somebody sits there: also when a command is repeated
        self.watch = blocking_client.Stopwatch()
        self.settings = settings.load(Gimp.directory())
        self.client = blocking_client.open_client(__version__, self.settings)
        self.asker = blocking_client.Asker(self.client, self._show)

    def options(self) -> Dict[str, Any]:
        """The arguments' values by name, as plain Python."""
        values = {argument.name: self.config.get_property(argument.name) for argument in self.entry.arguments}
        return {name: image_source.hex_colour(v) if isinstance(v, Gegl.Color) else v for name, v in values.items()}

    def fill_in(self) -> None:
        """Give arguments that nobody chose their defaults where GIMP 3 forgets them.

        Colours are transparent black then; empty texts are None once GIMP has read the procedure from its cache, which
        it does from its second start on.
        """
        for argument in self.entry.arguments:
            value = self.config.get_property(argument.name)
            if argument.kind == "color":
                if value is None or value.get_rgba().alpha == 0.0:
                    self.config.set_property(argument.name, Gegl.Color.new(argument.default))
            elif value is None:
                self.config.set_property(argument.name, argument.default)

    def _show(self, progress: Any) -> None:
        if progress is None or progress.fraction <= 0.0:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update(min(1.0, progress.fraction))
        if progress is not None and progress.text:
            Gimp.progress_set_text(progress.text)


def run(procedure: Any, run_mode: Any, image: Any, drawables: List[Any], config: Any) -> Any:
    """Run the procedure; never raises. Failures become a sentence with a hint."""
    entry = remembered.procedure(Gimp.directory(), procedure.get_name())
    status = Gimp.PDBStatusType
    call = Call(entry, run_mode, image, drawables, config)
    try:
        call.fill_in()
        _check_selection(call)
        if call.interactive and entry.verb in OWN_DIALOGS:
            outcome: Optional[Outcome] = _own_dialog(call, procedure)
        else:
            if call.interactive and entry.dialog and not _dialog(call, procedure):
                return procedure.new_return_values(status.CANCEL, None)
            outcome = _with_help(call)
        if outcome is None:
            return procedure.new_return_values(status.CANCEL, None)
        count, report = outcome
        return _success(procedure, count, report)
    except JobCancelled:
        return procedure.new_return_values(status.CANCEL, None)
    except MaskwrightError as error:
        model = _offer(call, error) if error.code != "unknown_word" else None  # there, other words help
        if model is not None:
            what = tr("Download {0} in {1}, or run 'maskwright models pull {2}'.", model.title, PLACE, model.id)
            error.hint = what
        text = told.of_failure(error).text
    except Exception as error:
        traceback.print_exc()
        text = told.of_failure(error).text
    finally:
        call.client.close()
    return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(text))


def _dialog(call: Call, procedure: Any) -> bool:
    if call.entry.verb in RECIPES:
        from . import recipe_dialogs

        return recipe_dialogs.ask(call)
    if call.entry.verb == "select_parts":
        from . import parts_dialog

        return parts_dialog.ask(call, procedure)
    from . import dialogs

    return dialogs.ask(call, procedure)


def _check_selection(call: Call) -> None:
    """Refuse at once what cannot be done while nothing is selected, before a dialog asks for more."""
    verb = call.entry.verb
    if verb in NEED_SELECTION and Gimp.Selection.is_empty(call.image):
        options.job(verb, call.options())


def _with_help(call: Call) -> Outcome:
    """The verb's outcome; when a model lacks, an interactive call offers its download and goes on."""
    while True:
        try:
            verb = call.entry.verb
            return VERBS[verb](call) if verb in VERBS else _answer(call, verb)
        except MaskwrightError as error:
            model = _offer(call, error) if call.interactive else None
            if model is None:
                raise
            from . import download

            if not download.get(call.client, model, why=error.message):
                raise JobCancelled(tr("The download was declined.")) from None


def _offer(call: Call, error: MaskwrightError) -> Optional[ModelInfo]:
    """The model whose download would help."""
    if not offers.may_help(error):
        return None
    try:
        return offers.offered(error, call.asker.request(ModelsRequest("")).models)
    except MaskwrightError:
        return None


def _own_dialog(call: Call, procedure: Any) -> Any:
    """A dialog that asks and changes the image by itself."""
    if call.entry.verb == "server":
        from . import server_dialog

        return server_dialog.show(call)
    if call.entry.verb == "click_to_select":
        from . import click_dialog

        return click_dialog.show(call)
    if call.entry.verb == "select_refine":
        from . import edge_dialog

        return edge_dialog.refine(call, procedure)
    if call.entry.verb == "cut_out":
        from . import cut_dialog

        return cut_dialog.cut_out(call, procedure)
    from . import found_dialog

    return found_dialog.show(call, procedure)


def _success(procedure: Any, count: int, report: Dict[str, Any]) -> Any:
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    for index, kind, value in ((1, GObject.TYPE_INT, count), (2, GObject.TYPE_STRING, json.dumps(report))):
        holder = GObject.Value(kind, value)
        values.remove(index)
        values.insert(index, holder)
    return values


# ---------------------------------------------------------------- verbs


def _answer(call: Call, verb: str) -> Outcome:
    """Read, ask, apply; the stages' times go into the report."""
    chosen = call.options()
    target = image_source.Target(call.image, call.drawables, chosen["source"])
    try:
        results.check(target, chosen)
        depth = image_source.mask_depth(call.image)
        uses_selection = chosen.get("current-selection", verb) not in ("ignore", "select_subject", "remove_background")
        outline = image_source.selection(call.image, depth) if uses_selection else None
        job = options.job(
            verb, chosen, depth, outline, results.colours(target, chosen) if "clean-colors" in chosen else ""
        )
        Gimp.progress_init(options.job_name(job) + "...")
        call.watch.lap("prepare")
        target.source.overview()
        call.watch.lap("read")
        answer = call.asker.ask(job, target.source)
        call.watch.lap("ask")
        if isinstance(job, Parse) and job.per_person:
            answer.instances = body_parts.chosen(answer.instances, body_parts.read(chosen["parts"]))
        outcome = finish(call, target, answer, chosen, _prompted(chosen) or target.cut_out_name)
        recipes.remember(job, target.box, chosen)
        return outcome
    finally:
        target.close()


def _prompted(chosen: Dict[str, Any]) -> str:
    return (chosen.get("prompt") or chosen.get("parts") or "").strip()


def detect(call: Call) -> Outcome:
    chosen = call.options()
    target = image_source.Target(call.image, call.drawables, chosen["source"])
    try:
        Gimp.progress_init(tr("Looking..."))
        answer = call.asker.ask(options.job("detect", chosen), target.source)
        count = results.apply_boxes(target, answer, chosen, _prompted(chosen))
    finally:
        target.close()
    report = tell(call, target, answer)
    if call.watched and count and chosen["result"] == "tell":
        Gimp.message(places(answer))
    return count, report


def server(call: Call) -> Outcome:
    from . import server_control

    return 0, server_control.act(call, call.config.get_property("action"))


OWN_DIALOGS = (
    "click_to_select",
    "server",
    "select_by_prompt",
    "mask_from_prompt",
    "detect",
    "select_refine",
    "cut_out",
)
NEED_SELECTION = ("select_refine", "prepare_inpainting", "select_object")
RECIPES = ("run_recipe", "save_recipe")  # their dialogs are others than those of procedures that ask
VERBS = {
    "detect": detect,
    "server": server,
    "run_recipe": recipes.run_recipe,
    "save_recipe": recipes.save_recipe,
    "copy_command": recipes.copy_command,
}  # all others ask for masks
