"""The live panel for the edge of a selection, and what it shares with the one for cut-outs. It is no modal dialog: the
canvas shows what comes of it in one of five views, and the edge brush paints there.
"""

from typing import Any, Dict, List, Optional

from maskwright_client.edge_settings import HAIR_TIP, HAIR_TITLE, SLIDERS, EdgeSettings
from maskwright_client.edge_views import VIEWS, next_view, view_named
from maskwright_client.jobs import Cut
from maskwright_protocol.language import joined, tr

from .controller import Controller, Failure
from .edge_widgets import BrushBox, SliderRow
from .edge_work import EdgeWork
from .editor import app
from .editor.pixels import Reader
from .editor.qt import QDialog, QDialogButtonBox, QFormLayout, QGridLayout, QPoint, Qt, QVBoxLayout, QWidget
from .widgets import check, combo, label

WIDTH = 310
EDGE, FRAME = 24, 66  # pixels that are left beside it, and for its title and the main window's bars
_open: List["EdgePanel"] = []  # at most one


class EdgePanel(QDialog):
    """Base: views, brush, sliders and buttons around an ``EdgeWork``. Escape leaves the document as it was."""

    last: Dict[str, EdgeSettings] = {}  # by the panel's name: where the next one begins
    last_view = "overlay"

    def __init__(self, name: str, title: str, accept: str, controller: Controller, reader: Reader) -> None:
        super().__init__(app.main_widget(), Qt.WindowType.Tool)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.controller = controller
        self.work = EdgeWork(controller, reader, self)
        self.work.set(**self.last.get(name, EdgeSettings()).to_dict())
        self.work.view = view_named(self.last_view)
        self._committing = False
        self._problem: Optional[Failure] = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        self.brushes = BrushBox(self.work)
        for part in (*self._above(), self._view_row(), self.brushes, self._sliders(), *self._below()):
            layout.addWidget(part)
        self.state = label("maskwright_edge_state")
        layout.addWidget(self.state)
        choices = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(choices.Ok | choices.Cancel | choices.Reset)
        self.ok = self.buttons.button(choices.Ok)
        self.ok.setText(accept)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(choices.Reset).clicked.connect(lambda *_: self.reset())
        layout.addWidget(self.buttons)
        self.setFixedWidth(WIDTH)
        self.work.changed.connect(self.show_state)
        self.work.failed.connect(self._failed)
        self.work.ended.connect(self._image_closed)
        controller.busy_changed.connect(self._busy_changed)
        self.finished.connect(lambda *_: self._gone())
        app.krita().notifier().applicationClosing.connect(self.reject)

    # ------------------------------------------------------------ widgets

    def _above(self) -> List[QWidget]:
        """What stands above the views."""
        return []

    def _below(self) -> List[QWidget]:
        """What stands below the sliders."""
        return []

    def _view_row(self) -> QWidget:
        self.views = combo("maskwright_edge_view", [(view.name, view.title) for view in VIEWS], self.work.view.name)
        self.views.setToolTip(tr("How the result is shown on the canvas. F shows the next way."))
        self.views.currentIndexChanged.connect(lambda *_: self._choose_view())
        frame = QWidget()
        form = QFormLayout(frame)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(tr("View (F):"), self.views)
        return frame

    def _sliders(self) -> QWidget:
        frame = QWidget()
        grid = QGridLayout(frame)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        grid.setColumnStretch(1, 1)
        self.sliders: Dict[str, SliderRow] = {}
        for place, slider in enumerate(SLIDERS):
            made = SliderRow(slider, getattr(self.work.settings, slider.name))
            made.box.valueChanged.connect(lambda value, name=slider.name: self.work.set(**{name: value}))
            self.sliders[slider.name] = made
            for column, widget in enumerate((made.title, made.slider, made.box)):
                grid.addWidget(widget, place, column)
        self.hair = check("maskwright_hair", HAIR_TITLE, self.work.settings.hair, HAIR_TIP)
        self.hair.toggled.connect(lambda on: self.work.set(hair=on))
        grid.addWidget(self.hair, len(SLIDERS), 0, 1, 3)
        return frame

    def _choose_view(self) -> None:
        EdgePanel.last_view = self.views.currentData()
        self.work.set_view(view_named(self.last_view))

    def next_view(self) -> None:
        self.views.setCurrentIndex(self.views.findData(next_view(self.work.view.name).name))

    def reset(self) -> None:
        """All sliders as they come; the strokes stay."""
        for made in self.sliders.values():
            made.box.setValue(0)
        self.hair.setChecked(False)

    # ------------------------------------------------------------ state

    def is_waiting(self) -> bool:
        """The canvas is left alone for now."""
        return self._committing or _click_tool().active

    def show_state(self) -> None:
        self.brushes.show_state()
        self.ok.setEnabled(self.can_accept())
        self.state.setText(self._sentence())

    def can_accept(self) -> bool:
        return self.work.ready and not self._committing

    def _sentence(self) -> str:
        if self._problem is not None:
            return joined(self._problem.message, self._problem.hint)
        if self._committing:
            return tr("Working at full size...")
        if self.work.finding:
            return tr("Looking for it...")
        if _click_tool().active:
            return tr("The click tool is on: leave it to go on here.")
        if not self.work.in_front:
            return tr("Another image is in front: bring this one to the front to go on.")
        if self.work.ready and self.work.preview is None:
            return tr("Looking at the edge...")
        return self._advice()

    def _advice(self) -> str:
        return tr("Paint on the canvas where the edge is not right.")

    def _failed(self, failure: Optional[Failure]) -> None:
        self._problem = failure
        if failure is not None and failure.code != "nothing":
            self.controller.failed.emit(failure)  # beside which there is a button that does what the hint says
        self.show_state()

    # ------------------------------------------------------------ from beginning to end

    def begin(self) -> None:
        """Show it beside the image; the keys are for the canvas."""
        for other in list(_open):
            other.reject()
        _click_tool().stop()
        _open.append(self)
        self._place()
        self.show()
        self.work.start(self)
        self.show_state()

    def _place(self) -> None:
        """At the top right of the main window, inside of the screen; before it is shown, so that it stays there."""
        self.adjustSize()
        main = app.main_widget()
        if main is not None:
            screen = main.screen().availableGeometry()
            corner = main.mapToGlobal(QPoint(main.width() - self.width() - EDGE, FRAME + EDGE))
            x = max(screen.left(), min(corner.x(), screen.right() - self.width() - EDGE))
            y = max(screen.top(), min(corner.y(), screen.bottom() - self.height() - FRAME))
            self.move(x, y)

    def steps(self) -> Any:
        """Steps that end with the ``Result``, what it becomes, and how a selection is combined with the present one."""
        raise NotImplementedError

    def accept(self) -> None:
        """Full size, then one step of the history; the panel stays until that is done."""
        if not self.can_accept():
            return
        steps, kind, mode = self.steps()
        self._committing, self._problem = True, None
        self.show_state()
        self.controller.commit(steps, kind, mode)
        if not self.controller.busy():  # another command is at its last step
            self._committing = False
            self.show_state()

    def _busy_changed(self, busy: bool) -> None:
        if busy or not self._committing:
            return
        self._committing = False
        error = self.controller.last_error
        if error is None:
            EdgePanel.last[self.objectName()] = self.work.settings
            self.work.keep_asked(self.asked())
            super().accept()
        else:
            self._problem = Failure.of(error)
            self.work.ask_again()
            self.show_state()

    def asked(self) -> Optional[Cut]:
        """What was to be cut out; None for a selection."""
        return None

    def reject(self) -> None:
        if self._committing:
            self.controller.cancel()
            return
        super().reject()

    def _image_closed(self) -> None:
        self._committing = False
        super().reject()

    def _gone(self) -> None:
        self.work.leave()
        if self in _open:
            _open.remove(self)
        self.deleteLater()


def _click_tool() -> Any:
    from .plugin import plugin  # which makes the parts that open panels

    return plugin().tool


class RefinePanel(EdgePanel):
    """The edge of the selection."""

    def __init__(self, controller: Controller, reader: Reader) -> None:
        title = tr("Refine Selection")
        super().__init__("maskwright_refine_dialog", title, tr("Refine"), controller, reader)

    def steps(self) -> Any:
        return self.work.refined(), "selection", "replace"


def ask_refine(controller: Controller) -> Optional[QDialog]:
    """Open the panel for the selection's edge; what stands in the way is told by ``controller.failed``."""
    try:
        reader = controller.reader("selection")
        plane = controller.existing(reader)
        if plane is None:
            raise app.Problem(tr("Nothing is selected."), tr("Select something roughly, then refine it."))
    except app.Problem as problem:
        controller.failed.emit(Failure.of(problem))
        return None
    panel = RefinePanel(controller, reader)
    panel.begin()
    panel.work.refine(plane)
    return panel
