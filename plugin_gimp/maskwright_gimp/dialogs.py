"""The dialog that asks for the arguments of a procedure that has no better one, and what all dialogs have in common."""

from typing import Any, Sequence, Tuple

from gi.repository import GimpUi, Gtk

from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelsRequest

from . import async_client, options
from .fields import Fields
from .server_dialog import manage
from .server_line import ServerLine

TITLES = {
    "maskwright-select-by-prompt": (tr("Select by Prompt"), tr("Select")),
    "maskwright-mask-from-prompt": (tr("Add Mask from Prompt"), tr("Add Mask")),
    "maskwright-detect": (tr("Find by Name"), tr("_OK")),
    "maskwright-select-refine": (tr("Refine Selection"), tr("Refine")),
    "maskwright-prepare-inpainting": (tr("Prepare for Inpainting"), tr("Prepare")),
    "maskwright-cut-out": (tr("Cut Out by Prompt"), tr("Cut Out")),
    "maskwright-select-parts": (tr("Clothes, Face and Body Parts"), tr("Select")),
}
HOW = (
    "but-not", "pick", "source", "current-selection", "recipe", "models", "least-score", "precise", "tiles",
    "detector-options",
)  # fmt: skip
Folds = Sequence[Tuple[str, Sequence[str]]]


def ask(call: Any, procedure: Any) -> bool:
    """Show a dialog with a row for each argument; whether the user wants it done."""
    GimpUi.init("maskwright")
    entry = call.entry
    title, button = TITLES[entry.name]
    dialog = GimpUi.ProcedureDialog.new(procedure, call.config, title)
    dialog.set_ok_label(button)
    fields = Fields(entry, call.config)
    content = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, border_width=12)
    line = ServerLine()
    content.pack_start(fields.grid([argument.name for argument in entry.arguments]), False, False, 0)
    content.pack_end(line, False, False, 0)
    content.show()
    dialog.get_content_area().pack_start(content, True, True, 0)
    open_ = [True]

    def models_came(answer: Any, error: Any) -> None:
        if not open_[0]:
            return
        if error is not None:
            line.fail(error, call.client, look)
            return
        fields.fill_from_server(answer, options.WIRE_VERBS[entry.verb])
        line.ready(answer, lambda: manage(call, line, look))

    def look() -> None:
        async_client.request(call.client, ModelsRequest(""), models_came)

    look()
    wanted = dialog.run()
    open_[0] = False
    dialog.destroy()
    return bool(wanted)
