"""The dialog that asks for a procedure's arguments."""

from typing import Any, Sequence, Tuple

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, Gtk  # noqa: E402

from maskwright_protocol.messages import ModelsRequest  # noqa: E402

from . import driver, procedures  # noqa: E402
from .fields import Fields  # noqa: E402

TITLES = {
    "maskwright-select-by-prompt": ("Select by Prompt", "Select"),
    "maskwright-mask-from-prompt": ("Add Mask from Prompt", "Add Mask"),
    "maskwright-select-refine": ("Refine Selection", "Refine"),
    "maskwright-prepare-inpainting": ("Prepare for Inpainting", "Prepare"),
    "maskwright-cut-out": ("Cut Out by Prompt", "Cut Out"),
    "maskwright-select-parts": ("Clothes, Face and Body Parts", "Select"),
}
VERBS = {
    "select_by_prompt": "select",
    "select_refine": "refine",
    "prepare_inpainting": "refine",
    "cut_out": "cutout",
    "select_parts": "parse",
}
# The rows at the top, and the folds below them. A procedure shows those that it has.
PROMPTS = ("prompt", "but-not", "pick")
PLACES = (
    "parts",
    "find-edges",
    "source",
    "recipe",
    "models",
    "current-selection",
    "mode",
    "result",
    "clean-colors",
    "hide-original",
)
INPAINTING = ("grow", "feather", "context")


def layout(entry: procedures.Procedure) -> Tuple[Sequence[str], Sequence[Tuple[str, Sequence[str]]]]:
    """What a procedure's dialog shows at once, and its folds: title and names."""
    if entry.verb == "prepare_inpainting":
        return (*INPAINTING, *PLACES), ()
    clean_up = ("_Clean-up", procedures.POST_NAMES)
    if entry.verb == "select_refine":
        return (*procedures.EDGE_NAMES, *PLACES), (clean_up,)
    if entry.verb == "cut_out":
        folds = (("_Edges", procedures.EDGE_NAMES), ("_Outline and background", procedures.LOOK_NAMES), clean_up)
        return (*PROMPTS, *PLACES), folds
    return (*PROMPTS, *PLACES), (("_Edges and clean-up", procedures.POST_NAMES),)


class ServerLine(Gtk.Box):
    """One line that says how it stands with the server, with a spinner while that is not known."""

    def __init__(self, columns: int = 48) -> None:
        super().__init__(spacing=6)
        self._spinner = Gtk.Spinner()
        self._label = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=columns)
        self._label.get_style_context().add_class("dim-label")
        self.pack_start(self._spinner, False, False, 0)
        self.pack_start(self._label, True, True, 0)
        self.show_all()
        self.busy("Looking for the server...")

    def busy(self, text: str) -> None:
        self._label.set_text(text)
        self._spinner.show()
        self._spinner.start()

    def say(self, text: str) -> None:
        self._spinner.stop()
        self._spinner.hide()
        self._label.set_text(text)


def sentence(error: Exception) -> str:
    """A failure as the user reads it."""
    message, hint = getattr(error, "message", str(error)), getattr(error, "hint", "")
    return f"{message} {hint}".strip()


def ready_text(models: Any) -> str:
    """How many models there are, for the server's line."""
    count = sum(1 for model in models.models if model.installed or model.embedded)
    return f"Server ready, {count} model{'s' if count != 1 else ''} installed."


def ask(call: Any, procedure: Any) -> bool:
    """Show the dialog; whether the user wants it done."""
    GimpUi.init("maskwright")
    entry = call.entry
    title, button = TITLES[entry.name]
    dialog = GimpUi.ProcedureDialog.new(procedure, call.config, title)
    dialog.set_ok_label(button)
    fields = Fields(entry, call.config)
    content = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, border_width=12)
    line = ServerLine()
    parts_list = None
    if entry.verb == "select_parts":
        from .parts_list import PartsList

        parts_list = PartsList(call, lambda text, busy: line.busy(text) if busy else line.say(text))
        content.pack_start(parts_list, True, True, 0)
    rows, folds = layout(entry)
    content.pack_start(fields.grid(rows), False, False, 0)
    for heading, names in folds:
        expander = fields.expander(heading, names)
        if expander is not None:
            content.pack_start(expander, False, False, 0)
    content.pack_end(line, False, False, 0)
    content.show()
    dialog.get_content_area().pack_start(content, True, True, 0)
    if "prompt" in fields.widgets:
        fields.widgets["prompt"].grab_focus()
    open_ = [True]

    def models_came(answer: Any, error: Any) -> None:
        if not open_[0]:
            return
        if error is not None:
            line.say(sentence(error))
            return
        fields.fill_from_server(answer, VERBS[entry.verb])
        if parts_list is None:
            line.say(ready_text(answer))

    driver.request(call.client, ModelsRequest(""), models_came)
    wanted = dialog.run()
    open_[0] = False
    if parts_list is not None:
        parts_list.close()
    dialog.destroy()
    return bool(wanted)
