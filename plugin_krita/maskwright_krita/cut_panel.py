"""The live panel that cuts out what words name, or the main subject: first it is found, then its edge is worked on."""

from typing import Any, List, Optional

from maskwright_client.choices import PICKS
from maskwright_client.jobs import Cut
from maskwright_protocol.language import tr

from .controller import Controller, Failure
from .dialogs import exclude_line, prompt_box
from .edge_panel import EdgePanel
from .edge_widgets import WHITE, ColourButton
from .editor import app
from .editor.pixels import Reader
from .editor.qt import QDialog, QFormLayout, QWidget
from .options import KINDS
from .widgets import Fold, button, check, combo, row, spin

CUT_KINDS = tuple(reversed(KINDS[:3]))  # a new layer first


class CutOutPanel(EdgePanel):
    """What words name, or the main subject, cut out."""

    def __init__(self, controller: Controller, reader: Reader) -> None:
        self._found: Any = None  # what was looked for last
        super().__init__("maskwright_cut_out_dialog", tr("Cut Out by Prompt"), tr("Cut Out"), controller, reader)
        self.work.clean_up = controller.options.post()
        options = controller.options
        cut = 0.0 if options.threshold is None else 100 * options.threshold
        self.work.set(grow=options.grow, feather=options.feather, threshold=cut)
        for name in ("grow", "feather", "threshold"):
            self.sliders[name].box.setValue(getattr(self.work.settings, name))

    def _above(self) -> List[QWidget]:
        self.prompt = prompt_box(self.controller)
        self.exclude = exclude_line()
        self.pick = combo("maskwright_pick", PICKS)
        self.kind = combo("maskwright_cut_kind", CUT_KINDS)
        self.find = button("maskwright_find", tr("Find"), self.look_for, tr("Show what the words mean (Enter)"))
        self.find.setAutoDefault(False)
        frame = QWidget()
        form = QFormLayout(frame)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow(tr("What:"), row(self.prompt, self.find))
        form.addRow(tr("But not:"), self.exclude)
        form.addRow(tr("Which:"), self.pick)
        form.addRow(tr("Result:"), self.kind)
        for changed in (self.prompt.editTextChanged, self.exclude.textChanged, self.pick.currentIndexChanged):
            changed.connect(lambda *_: self.show_state())
        return [frame]

    def _below(self) -> List[QWidget]:
        px = tr(" px")
        self.outline = spin("maskwright_outline", 0, 500, 0, tr("Width of a border around it"), px, tr("none"))
        self.colour = ColourButton(WHITE)
        self.shadow = check("maskwright_shadow", tr("Keep the shadow"), tip=tr("Keep what it casts on plain ground."))
        looks = [(tr("Outline:"), self.outline), (tr("Outline colour:"), self.colour), ("", self.shadow)]
        return [Fold(tr("Outline and shadow"), looks, False)]

    def wanted(self) -> Cut:
        """As it is written now."""
        cut = Cut(self.prompt.currentText().strip(), self.exclude.text().strip(), self.pick.currentData())
        cut.outline, cut.outline_colour = self.outline.value(), self.colour.colour
        cut.shadow = self.shadow.isChecked()
        return cut

    def asked(self) -> Optional[Cut]:
        return self.wanted()

    def _is_found(self) -> bool:
        cut = self.wanted()
        return self.work.ready and self._found == (cut.text, cut.exclude, cut.pick)

    def look_for(self) -> None:
        """Show what the words mean; without words, the main subject."""
        cut = self.wanted()
        if cut.text:
            self.controller.options.remember(cut.text)
            self.controller.save_options()
        self._problem, self._found = None, (cut.text, cut.exclude, cut.pick)
        self.work.look_for(cut)

    def can_accept(self) -> bool:
        return not self._committing and not self.work.finding

    def accept(self) -> None:
        """Enter first shows what the words mean, then takes it."""
        if self._is_found():
            super().accept()
        elif self.can_accept():
            self.look_for()

    def show_state(self) -> None:
        super().show_state()
        self.ok.setText(tr("Cut Out") if self._is_found() else tr("Find"))

    def steps(self) -> Any:
        kind = self.kind.currentData()
        return self.work.cut(self.wanted(), kind), kind, self.controller.options.mode

    def _advice(self) -> str:
        if not self._is_found():
            return tr("Say what to cut out, or leave it empty for the main subject. Enter shows it.")
        return tr("Enter cuts it out. Paint on the canvas where the edge is not right.")


def ask_cut_out(controller: Controller) -> Optional[QDialog]:
    """Open the panel for cutting out what words name."""
    try:
        reader = controller.reader("layer")
        limit = controller.region(reader)
    except app.Problem as problem:
        controller.failed.emit(Failure.of(problem))
        return None
    panel = CutOutPanel(controller, reader)
    panel.work.limit = limit
    panel.begin()
    panel.activateWindow()
    panel.prompt.setFocus()
    panel.prompt.lineEdit().selectAll()
    return panel
