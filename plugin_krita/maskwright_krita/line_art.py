"""Line art: a dialog for its flat colours. (The click tool selects inside the lines.)"""

from typing import Any

from maskwright_client.ask import Steps
from maskwright_protocol import masks
from maskwright_protocol.language import tr, trn

from .controller import Controller
from .dialogs import Dialog
from .editor import app, shapes
from .editor.planes import Plane
from .editor.qt import QDialog, QDoubleSpinBox
from .pictures import Picture
from .widgets import spin

AUTOMATIC = -1.0  # in the field: what suits the picture's size
_BGRA = 4


def gap_field(controller: Controller, name: str) -> QDoubleSpinBox:
    """How wide the gaps in lines are that are closed; it shows the option and does not change it."""
    tip = tr("Gaps in the lines up to this wide count as closed.")
    gap = controller.options.gap
    return spin(name, AUTOMATIC, 200, AUTOMATIC if gap is None else gap, tip, tr(" px"), tr("automatic"))


def keep_gap(controller: Controller, value: float) -> None:
    controller.options.gap = None if value < 0 else value
    controller.save_options()


def ask_flats(controller: Controller) -> QDialog:
    dialog = Dialog("maskwright_flats_dialog", tr("Flat Colours from Line Art"), tr("Fill"))
    gap = gap_field(controller, "maskwright_gap")
    tip = tr("Smaller regions are taken into their neighbours.")
    least = spin("maskwright_least_region", 0, 1e5, 0, tip, tr(" px²"), tr("none"))
    dialog.add([(tr("Close gaps up to:"), gap), (tr("Leave out regions below:"), least)])

    def accepted() -> None:
        keep_gap(controller, gap.value())
        controller.run(tr("Filling the regions"), lambda: flats(controller, least.value()))

    dialog.accepted.connect(accepted)
    dialog.open()
    return dialog


def flats(controller: Controller, least: float = 0.0) -> Steps:
    """Steps that add a layer with a flat colour for every region inside the lines of the active layer."""
    reader = controller.reader("layer")
    document, node = reader.document, reader.node
    picture = Picture(reader)
    answer = yield from controller.connection.ask(controller.options.flats("BGRA8", least), picture)
    if answer.colours is None:
        raise app.Problem(answer.message, answer.hint)
    see_through = reader.source != "image" and _is_see_through(picture)
    colours = Plane(answer.colours.box, masks.unpack(answer.colours))
    if not app.is_open(document) or node.parentNode() is None:
        raise app.Problem(tr("The layer was removed meanwhile."), tr("Nothing was changed."))
    below = yield from shapes.colour_layer(document, node, colours, tr("Flat colours"), see_through)
    text = trn("{0} region was filled.", "{0} regions were filled.", answer.count)
    controller.told.emit(text)
    if not below:
        controller.told.emit(tr("The colours lie over the lines and multiply: nothing below the layer would be seen."))


def _is_see_through(picture: Any) -> bool:
    """Whether the drawing has transparent places."""
    opacity = bytes(picture.overview().data)[3::_BGRA]
    return opacity.count(255) < len(opacity)
