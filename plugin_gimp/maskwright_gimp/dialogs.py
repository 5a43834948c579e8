"""The dialog that asks for a procedure's arguments."""

from typing import Any, Sequence, Tuple

from gi.repository import GimpUi, Gtk

from maskwright_protocol.messages import ModelsRequest

from . import async_client, options, procedures
from .fields import Fields
from .server_dialog import manage
from .server_line import ServerLine

TITLES = {
    "maskwright-select-by-prompt": ("Select by Prompt", "Select"),
    "maskwright-mask-from-prompt": ("Add Mask from Prompt", "Add Mask"),
    "maskwright-detect": ("Find by Name", "Find"),
    "maskwright-select-refine": ("Refine Selection", "Refine"),
    "maskwright-prepare-inpainting": ("Prepare for Inpainting", "Prepare"),
    "maskwright-cut-out": ("Cut Out by Prompt", "Cut Out"),
    "maskwright-select-parts": ("Clothes, Face and Body Parts", "Select"),
}
# The rows at the top, and the folds below them. A procedure shows those that it has.
ROWS = ("prompt", "parts", "find-edges", "mode", "result", "clean-colors", "hide-original")
HOW = (
    "but-not", "pick", "source", "current-selection", "recipe", "models", "detector-options", "precise", "tiles",
)  # fmt: skip
INPAINTING = ("grow", "feather", "context")
FOLDS_HEIGHT = 260  # pixels: with all folds open a dialog fits on a screen of 1280 x 800

Folds = Sequence[Tuple[str, Sequence[str]]]


def layout(entry: procedures.Procedure) -> Tuple[Sequence[str], Folds]:
    """What a procedure's dialog shows at once, and its folds: title and names."""
    how, clean_up = ("_What is looked for, and how", HOW), ("_Clean-up", procedures.POST_NAMES)
    if entry.verb == "prepare_inpainting":
        return (*INPAINTING, "source"), ()
    if entry.verb == "select_refine":
        return (*procedures.EDGE_NAMES, *ROWS), (how, clean_up)
    if entry.verb == "cut_out":
        looks = (("_Edges", procedures.EDGE_NAMES), ("_Outline and background", procedures.LOOK_NAMES))
        return ROWS, (how, *looks, clean_up)
    return ROWS, (how, ("_Edges and clean-up", procedures.POST_NAMES))


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

        parts_list = PartsList(call, line)
        content.pack_start(parts_list, True, True, 0)
    rows, folds = layout(entry)
    content.pack_start(fields.grid(rows), False, False, 0)
    if folds:
        content.pack_start(fields.folds(folds, FOLDS_HEIGHT), False, True, 0)
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
            line.fail(error, call.client, look)
            return
        fields.fill_from_server(answer, options.WIRE_VERBS[entry.verb])
        if parts_list is None:
            line.ready(answer, lambda: manage(call, line, look))

    def look() -> None:
        async_client.request(call.client, ModelsRequest(""), models_came)

    look()
    wanted = dialog.run()
    open_[0] = False
    if parts_list is not None:
        parts_list.close()
    dialog.destroy()
    return bool(wanted)
