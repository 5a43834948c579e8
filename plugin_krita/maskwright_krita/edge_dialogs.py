"""The dialog that prepares a selection for inpainting."""

from maskwright_protocol.language import tr

from .controller import Controller
from .dialogs import Dialog
from .editor.qt import QComboBox, QDialog
from .widgets import combo, spin

SURROUNDINGS = (
    ("tell", tr("Only say where they are")),
    ("guides", tr("Show them by guides")),
    ("mask", tr("Selection mask, a second undo step")),
)


def ask_inpainting(controller: Controller) -> QDialog:
    dialog = Dialog("maskwright_inpaint_dialog", tr("Prepare for Inpainting"), tr("Prepare"))
    px, auto = tr(" px"), tr("automatic")
    grow = spin("maskwright_inpaint_grow", 0, 500, 0, tr("Grow by this, so that no rim stays."), px, auto)
    feather = spin("maskwright_inpaint_feather", 0, 200, 0, tr("Soften by this."), px, auto)
    tip = tr("How much around the selection: so many times its size on each side.")
    context = spin("maskwright_context", 0.1, 4, 0.5, tip)
    show = combo("maskwright_surroundings", SURROUNDINGS)
    show.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    rows = [(tr("Grow:"), grow), (tr("Feather:"), feather), (tr("Context:"), context), (tr("Surroundings:"), show)]
    dialog.add(rows)
    dialog.accepted.connect(
        lambda: controller.prepare_inpainting(grow.value(), feather.value(), context.value(), show.currentData())
    )
    dialog.open()
    return dialog
