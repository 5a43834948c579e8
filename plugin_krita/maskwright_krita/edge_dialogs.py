"""The dialogs about edges: refine, cut out by prompt, prepare for inpainting."""

from maskwright_client.choices import PICKS
from maskwright_client.jobs import Cut, Edge

from .controller import Controller
from .dialogs import Dialog, exclude_line, prompt_box
from .editor.qt import QColor, QColorDialog, QDialog, QPushButton
from .editor.texts import tr
from .options import KINDS
from .widgets import Fold, Rows, check, combo, spin, value_of

CUT_KINDS = tuple(reversed(KINDS[:3]))  # a new layer first
SURROUNDINGS = (
    ("tell", "Only say where they are"),
    ("guides", "Show them by guides"),
    ("mask", "Selection mask, a second undo step"),
)
WHITE = "#ffffff"


class EdgeRows:
    """Rows for an ``Edge``, in the order of its fields, beginning with the last one."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        edge, px = controller.edge, tr(" px")
        width = spin(
            "maskwright_edge_width", 0, 1000, edge.edge_width,
            tr("How wide a band around the edge is looked at; hair needs a wide one."), px, tr("automatic"),
        )  # fmt: skip
        tip = tr("Work further out where hair or fur reaches out of the edge.")
        hair = check("maskwright_hair", tr("Hair and fur"), edge.hair, tip)
        smooth = spin("maskwright_smooth", 0, 100, edge.smooth, tr("Round the outline within this."), px)
        tip = tr("Make the edge steeper; 100 % leaves no softness.")
        contrast = spin("maskwright_contrast", 0, 100, edge.contrast * 100, tip, " %")
        tip = tr("Move the edge in (-) or out within its softness.")
        shift = spin("maskwright_shift", -100, 100, edge.shift_edge * 100, tip, " %")
        self.rows: Rows = [
            (tr("Edge width:"), width),
            ("", hair),
            (tr("Smooth edge:"), smooth),
            (tr("Contrast:"), contrast),
            (tr("Shift edge:"), shift),
        ]

    def edge(self) -> Edge:
        """As it is set now; it is where the next dialog begins."""
        width, hair, smooth, contrast, shift = (value_of(widget) for _, widget in self.rows)
        self._controller.edge = Edge(width, hair, smooth, contrast / 100, shift / 100)
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
    dialog.add(edge.rows)
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
    dialog.add([(tr("What:"), prompt), (tr("But not:"), exclude), (tr("Which:"), pick), (tr("Result:"), kind)])
    dialog.form.addRow(Fold(tr("Edges"), edge.rows, controller.edge != Edge()))
    looks = [(tr("Outline:"), outline), (tr("Outline colour:"), colour), ("", shadow)]
    dialog.form.addRow(Fold(tr("Outline and shadow"), looks, False))
    prompt.lineEdit().selectAll()

    def cut() -> None:
        wanted = Cut(prompt.currentText(), exclude.text(), pick.currentData(), edge=edge.edge())
        wanted.outline, wanted.outline_colour, wanted.shadow = outline.value(), colour.colour, shadow.isChecked()
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
    tip = tr("How much around the selection: so many times its size on each side.")
    context = spin("maskwright_context", 0.1, 4, 0.5, tip)
    show = combo("maskwright_surroundings", SURROUNDINGS)
    rows = [(tr("Grow:"), grow), (tr("Feather:"), feather), (tr("Context:"), context), (tr("Surroundings:"), show)]
    dialog.add(rows)
    dialog.accepted.connect(
        lambda: controller.prepare_inpainting(grow.value(), feather.value(), context.value(), show.currentData())
    )
    dialog.open()
    return dialog
