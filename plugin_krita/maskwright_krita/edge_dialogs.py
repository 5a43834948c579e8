"""The dialogs about edges: refine, cut out by prompt, prepare for inpainting."""

from typing import Any, List, Tuple

from maskwright_client.choices import PICKS
from maskwright_client.jobs import Cut, Edge

from .controller import Controller
from .dialogs import Dialog, exclude_line, prompt_box
from .editor.qt import QColor, QColorDialog, QDialog, QPushButton, QWidget
from .editor.texts import tr
from .options import KINDS
from .widgets import Fold, check, combo, spin

CUT_KINDS = tuple(reversed(KINDS[:3]))  # a new layer first
SURROUNDINGS = (
    ("tell", "Only say where they are"),
    ("guides", "Show them by guides"),
    ("mask", "Selection mask, a second undo step"),
)
WHITE = "#ffffff"


class EdgeRows:
    """Widgets for an ``Edge``, beginning with the last one."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        edge, px = controller.edge, tr(" px")
        self.width = spin(
            "maskwright_edge_width", 0, 1000, edge.edge_width,
            tr("How wide a band around the edge is looked at; hair needs a wide one."), px, tr("automatic"),
        )  # fmt: skip
        tip = tr("Work further out where hair or fur reaches out of the edge.")
        self.hair = check("maskwright_hair", tr("Hair and fur"), edge.hair, tip)
        self.smooth = spin("maskwright_smooth", 0, 100, edge.smooth, tr("Round the outline within this."), px)
        self.contrast = spin(
            "maskwright_contrast", 0, 100, edge.contrast * 100,
            tr("Make the edge steeper; 100 % leaves no softness."), " %",
        )  # fmt: skip
        self.shift = spin(
            "maskwright_shift", -100, 100, edge.shift_edge * 100,
            tr("Move the edge in (-) or out within its softness."), " %",
        )  # fmt: skip

    def rows(self) -> List[Tuple[str, QWidget]]:
        return [
            (tr("Edge width:"), self.width),
            ("", self.hair),
            (tr("Smooth edge:"), self.smooth),
            (tr("Contrast:"), self.contrast),
            (tr("Shift edge:"), self.shift),
        ]

    def edge(self) -> Edge:
        """As it is set now; it is where the next dialog begins."""
        self._controller.edge = Edge(
            self.width.value(),
            self.hair.isChecked(),
            self.smooth.value(),
            self.contrast.value() / 100,
            self.shift.value() / 100,
        )
        return self._controller.edge


class ColourButton(QPushButton):
    """Shows a colour, "#rrggbb", and lets another one be chosen."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self.setObjectName("maskwright_outline_colour")
        self.colour = ""
        self.choose(colour)
        self.clicked.connect(lambda *_: self._ask())

    def choose(self, colour: str) -> None:
        self.colour = colour
        self.setText(colour)
        dark = QColor(colour).lightness() < 128
        self.setStyleSheet(f"background-color: {colour}; color: {WHITE if dark else '#000000'}")

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(self.colour), self)
        dialog.colorSelected.connect(lambda colour: self.choose(colour.name()))
        dialog.finished.connect(lambda *_: dialog.deleteLater())
        dialog.open()


def ask_refine(controller: Controller) -> QDialog:
    dialog = Dialog("maskwright_refine_dialog", tr("Refine Selection"), tr("Refine"))
    edge = EdgeRows(controller)
    for label, widget in edge.rows():
        dialog.form.addRow(label, widget)
    dialog.accepted.connect(lambda: controller.refine(edge.edge()))
    dialog.open()
    return dialog


def ask_cut_out(controller: Controller) -> QDialog:
    dialog = Dialog("maskwright_cut_out_dialog", tr("Cut Out by Prompt"), tr("Cut Out"))
    prompt = prompt_box(controller)
    prompt.setMinimumWidth(320)
    exclude = exclude_line()
    pick, kind = combo("maskwright_pick", PICKS), combo("maskwright_cut_kind", CUT_KINDS)
    edge = EdgeRows(controller)
    outline = spin("maskwright_outline", 0, 500, 0, tr("Width of a border around it"), tr(" px"), tr("none"))
    colour = ColourButton(WHITE)
    shadow = check("maskwright_shadow", tr("Keep the shadow"), tip=tr("Keep what it casts on plain ground."))
    for label, widget in (
        (tr("What:"), prompt),
        (tr("But not:"), exclude),
        (tr("Which:"), pick),
        (tr("Result:"), kind),
    ):
        dialog.form.addRow(label, widget)
    dialog.form.addRow(Fold(tr("Edges"), edge.rows(), controller.edge != Edge()))
    looks: Any = [(tr("Outline:"), outline), (tr("Outline colour:"), colour), ("", shadow)]
    dialog.form.addRow(Fold(tr("Outline and shadow"), looks, False))
    prompt.lineEdit().selectAll()

    def cut() -> None:
        wanted = Cut(
            prompt.currentText(),
            exclude.text(),
            pick.currentData(),
            edge=edge.edge(),
            outline=outline.value(),
            outline_colour=colour.colour,
            shadow=shadow.isChecked(),
        )
        controller.cut_out(wanted, kind.currentData())

    dialog.accepted.connect(cut)
    dialog.open()
    prompt.setFocus()
    return dialog


def ask_inpainting(controller: Controller) -> QDialog:
    dialog = Dialog("maskwright_inpaint_dialog", tr("Prepare for Inpainting"), tr("Prepare"))
    px, auto = tr(" px"), tr("automatic")
    grow = spin("maskwright_inpaint_grow", 0, 500, 0, tr("Grow by this, so that no rim stays."), px, auto)
    feather = spin("maskwright_inpaint_feather", 0, 200, 0, tr("Soften by this."), px, auto)
    context = spin(
        "maskwright_context", 0.1, 4, 0.5, tr("How much around the selection: so many times its size on each side.")
    )
    show = combo("maskwright_surroundings", SURROUNDINGS)
    for label, widget in (
        (tr("Grow:"), grow),
        (tr("Feather:"), feather),
        (tr("Context:"), context),
        (tr("Surroundings:"), show),
    ):
        dialog.form.addRow(label, widget)
    dialog.accepted.connect(
        lambda: controller.prepare_inpainting(grow.value(), feather.value(), context.value(), show.currentData())
    )
    dialog.open()
    return dialog
