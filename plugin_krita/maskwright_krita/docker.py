"""The docker: shows the controller's state and hands the user's wishes to it. No logic in here."""

from typing import Any, List, Optional, Tuple

from krita import DockWidget

from .dialogs import ask_settings, fill_history, prompt_box
from .editor import app
from .found import FoundList
from .hover import HoverPreview
from .models_box import ModelsBox
from .options import AUTO, labels_of
from .plugin import plugin
from .problem_box import ProblemBox
from .qt import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSize,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from .texts import tr
from .tool_box import ToolBox

SOURCES = (("layer", "Active layer"), ("effects", "Layer with effects"), ("image", "Visible image"))
MODES = (
    ("replace", "Replace selection"),
    ("add", "Add to selection"),
    ("subtract", "Subtract from selection"),
    ("intersect", "Intersect with selection"),
    ("difference", "Symmetric difference"),
)
KINDS = (
    ("selection", "Selection"),
    ("transparency", "Transparency mask"),
    ("layer", "New layer"),
    ("selection-mask", "Selection mask layer"),
    ("instances", "One layer per object"),
)
ROLES = (
    ("detector", "Find with"),
    ("segmenter", "Select with"),
    ("matting", "Cut out with"),
    ("parser", "Know parts with"),
)
TILES = (("auto", "When nothing is found"), ("on", "Always look for them"), ("off", "Do not look for them"))

Rows = List[Tuple[str, QWidget]]  # labels and widgets of a form


class MaskwrightDocker(DockWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(tr("Maskwright"))
        parts = plugin()
        self.controller, self.tool = parts.controller, parts.tool
        self.connection = parts.controller.connection
        self.hover = HoverPreview()
        self._filling = False
        self.problem = ProblemBox(parts.controller, parts.downloads)
        self.offer = ModelsBox(parts.controller, parts.downloads)

        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        for part in (
            self._prompt_row(), ToolBox(self.controller, self.tool), self.problem, self._progress_row(), self.offer,
            self._found_box(), _form(*self._result_rows(), *self._edge_rows(), *self._model_rows()),
        ):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)
        scroll = _Scroll()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addWidget(self._state_row())  # in sight however far the rest is scrolled
        self.setWidget(whole)
        self._connect()
        self._show_connection()
        self._show_result()

    def canvasChanged(self, canvas: Any) -> None:
        """Krita tells that another view is active; the click tool looks after that itself."""

    # ------------------------------------------------------------ widgets

    def _prompt_row(self) -> QWidget:
        self.prompt = prompt_box(self.controller)
        self.prompt.setObjectName("maskwright_prompt_field")
        self.go = QPushButton(tr("Select"))
        self.go.setObjectName("maskwright_go")
        self.prompt.lineEdit().returnPressed.connect(self._search)
        self.go.clicked.connect(lambda *_: self._search())
        return _row(self.prompt, self.go)

    def _progress_row(self) -> QWidget:
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setFormat("%p %")
        self.progress_text = QLabel()
        self.progress_text.setWordWrap(True)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.setObjectName("maskwright_cancel")
        self.cancel.clicked.connect(lambda *_: self.controller.cancel())
        self.working = QWidget()
        layout = QVBoxLayout(self.working)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.progress_text)
        layout.addWidget(_row(self.progress, self.cancel))
        self.working.hide()
        return self.working

    def _found_box(self) -> QWidget:
        self.found = FoundList()
        self.found.setMaximumHeight(170)
        self.again = QPushButton(tr("Apply ticked"))
        self.again.setObjectName("maskwright_again")
        self.again.clicked.connect(lambda *_: self.controller.apply_again())
        self.found_box = QWidget()
        layout = QVBoxLayout(self.found_box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.how = QLabel()
        self.how.setObjectName("maskwright_how")
        self.how.setWordWrap(True)
        layout.addWidget(self.found)
        layout.addWidget(self.again)
        layout.addWidget(self.how)
        return self.found_box

    def _result_rows(self) -> Rows:
        options = self.controller.options
        self.source = _combo("maskwright_source", SOURCES, options.source)
        self.kind = _combo("maskwright_kind", KINDS, options.kind)
        self.mode = _combo("maskwright_mode", MODES, options.mode)
        self.limit = QCheckBox(tr("Only inside the selection"))
        self.limit.setChecked(options.limit)
        return [(tr("Look at"), self.source), (tr("Result"), self.kind), ("", self.mode), ("", self.limit)]

    def _edge_rows(self) -> Rows:
        options = self.controller.options
        self.grow = _spin(-500, 500, options.grow, tr(" px"), tr("Larger than 0 grows, smaller shrinks"))
        self.feather = _spin(0, 250, options.feather, tr(" px"), tr("Softens the edge"))
        percent = -1.0 if options.threshold is None else options.threshold * 100
        self.threshold = _spin(-1, 100, percent, " %", tr("Cuts the soft edge hard at this value"))
        self.threshold.setSpecialValueText(tr("soft edge"))
        self.holes = QCheckBox(tr("Fill holes"))
        self.holes.setChecked(options.fill_holes)
        return [
            (tr("Grow"), self.grow), (tr("Feather"), self.feather), (tr("Threshold"), self.threshold), ("", self.holes)
        ]  # fmt: skip

    def _model_rows(self) -> Rows:
        self.recipe = _combo("maskwright_recipe", (), "")
        self.model_boxes = [(role, _combo(f"maskwright_{role}", (), ""), text) for role, text in ROLES]
        options = self.controller.options
        self.closely = QCheckBox(tr("Look closely"))
        self.closely.setObjectName("maskwright_closely")
        self.closely.setToolTip(tr("Look at each object a second time, at full resolution: slower, with finer edges."))
        self.closely.setChecked(options.closely)
        self.tiles = _combo("maskwright_tiles", TILES, options.tiles)
        self.tiles.setToolTip(tr("Looks for small objects in pieces of the picture at full resolution."))
        self.finding = QLineEdit(options.finding)
        self.finding.setObjectName("maskwright_finding")
        self.finding.setPlaceholderText("min_score=0.3; iou=0.5")
        self.finding.setToolTip(
            tr("Settings of the model that finds by name, for instance min_score=0.3; classes=0,2; task=referring")
        )
        looks = [("", self.closely), (tr("Small objects"), self.tiles), (tr("Recipe"), self.recipe)]
        return [*looks, *((tr(text), box) for _, box, text in self.model_boxes), (tr("Settings"), self.finding)]

    def _state_row(self) -> QWidget:
        self.state = QLabel()
        self.state.setObjectName("maskwright_state")
        self.state.setWordWrap(True)
        self.state.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.start = QPushButton(tr("Start"))
        self.start.setObjectName("maskwright_start")
        self.start.clicked.connect(lambda *_: self._start())
        settings = QToolButton()
        settings.setIcon(app.icon("configure"))
        settings.setToolTip(tr("Settings"))
        settings.clicked.connect(lambda *_: ask_settings(self.controller))
        row = _row(self.state, self.start, settings)
        row.layout().setContentsMargins(6, 2, 6, 4)
        return row

    # ------------------------------------------------------------ from the user

    def _start(self) -> None:
        if self.connection.state == "refused":
            self.connection.refresh()  # the server may be another one by now
        else:
            self.connection.start_server()

    def _search(self) -> None:
        self.controller.select_by_prompt(self.prompt.currentText())
        fill_history(self.controller, self.prompt)

    def _save(self, *_: Any) -> None:
        if self._filling:
            return
        options = self.controller.options
        options.source, options.kind, options.mode = (
            box.currentData() for box in (self.source, self.kind, self.mode)
        )  # fmt: skip
        options.closely, options.tiles = self.closely.isChecked(), self.tiles.currentData()
        options.finding = self.finding.text()
        options.limit, options.fill_holes = self.limit.isChecked(), self.holes.isChecked()
        options.grow, options.feather = self.grow.value(), self.feather.value()
        options.threshold = None if self.threshold.value() < 0 else self.threshold.value() / 100
        options.recipe = self.recipe.currentData() or AUTO
        options.models = {role: box.currentData() for role, box, _ in self.model_boxes if box.currentData()}
        self.mode.setEnabled(options.kind == "selection")
        self.controller.save_options()

    # ------------------------------------------------------------ from the controller

    def _connect(self) -> None:
        self.connection.changed.connect(self._show_connection)
        self.controller.busy_changed.connect(self._show_busy)
        self.controller.progressed.connect(self._show_progress)
        self.controller.failed.connect(self.problem.show_failure)
        self.controller.result_changed.connect(self._show_result)
        self.tool.failed.connect(self.problem.show_failure)
        self.found.hovered.connect(self._show_hovered)
        for box in (
            self.source,
            self.kind,
            self.mode,
            self.recipe,
            self.tiles,
            *(box for _, box, _ in self.model_boxes),
        ):
            box.currentIndexChanged.connect(self._save)
        self.finding.editingFinished.connect(self._save)
        for spin in (self.grow, self.feather, self.threshold):
            spin.valueChanged.connect(self._save)
        for check in (self.limit, self.holes, self.closely):
            check.toggled.connect(self._save)
        self.mode.setEnabled(self.controller.options.kind == "selection")

    def _show_connection(self) -> None:
        connection = self.connection
        known = connection.device not in ("", "auto")  # "auto" until a model has run
        device = connection.device.upper() if known else ""
        texts = {
            "connected": tr("Connected, {0}", device) if device else tr("Connected"),
            "starting": tr("Starting the server..."),
            "refused": tr("Not connected: {0}", connection.error) if connection.error else tr("Not connected"),
            "absent": tr("The server is not running"),
        }
        self.state.setText(texts[connection.state])
        refused = connection.error if connection.state == "refused" else None
        self.state.setToolTip(refused.hint if refused is not None else connection.device_reason)
        self.start.setVisible(connection.state in ("absent", "refused"))
        self.start.setText(tr("Try again") if connection.state == "refused" else tr("Start"))
        self._fill_models()

    def _fill_models(self) -> None:
        self._filling = True
        options = self.controller.options
        recipes = [info for info in self.connection.recipes if info.verb == "select" and info.available]
        titles = [(info.name, info.title) for info in recipes] or [(AUTO, tr("Automatic"))]
        _fill(self.recipe, titles, options.recipe)
        for role, box, _ in self.model_boxes:
            found = [(model.id, model.title) for model in labels_of(self.connection.models, role)]
            _fill(box, [("", tr("Automatic")), *found], options.models.get(role, ""))
        self._filling = False

    def _show_busy(self, busy: bool) -> None:
        self.working.setVisible(busy)

    def _show_progress(self, text: str, fraction: float) -> None:
        self.progress_text.setText(text)
        self.progress.setRange(0, 100 if fraction > 0 else 0)
        self.progress.setValue(int(fraction * 100))

    def _show_result(self) -> None:
        result = self.controller.result
        self.found.show_result(result)
        self.found_box.setVisible(result is not None and bool(result.parts))
        self.how.setText(how(result.report) if result is not None and result.report is not None else "")

    def _show_hovered(self, part: Any) -> None:
        result = self.controller.result
        self.hover.show(result.document if result is not None and part is not None else None, part)


def how(report: Any) -> str:
    """The recipe that it came to, the models that ran, where, and what is worth knowing of it."""
    models, device = " + ".join(report.models), report.device.upper()
    return " ".join([tr("{0}: {1}, {2}.", report.recipe, models, device), *report.notes])


class _Scroll(QScrollArea):
    """Scrolls up and down, and is never narrower than what is in it."""

    def minimumSizeHint(self) -> QSize:
        inner, bar = self.widget(), self.verticalScrollBar()
        return QSize((inner.minimumSizeHint().width() if inner else 0) + bar.sizeHint().width(), 80)


def _row(*widgets: QWidget) -> QWidget:
    frame = QWidget()
    layout = QHBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if place else 1)
    return frame


def _form(*rows: Tuple[str, QWidget]) -> QWidget:
    frame = QWidget()
    layout = QFormLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(4)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)  # so that a narrow docker has room
    for label, widget in rows:
        layout.addRow(label, widget)
    return frame


def _combo(name: str, items: Any, current: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setMinimumContentsLength(10)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    _fill(box, [(value, tr(text)) for value, text in items], current)
    return box


def _fill(box: QComboBox, items: List[Tuple[str, str]], current: Optional[str]) -> None:
    """Replace the entries and keep the choice; nothing happens when they are the same."""
    have = [(box.itemData(i), box.itemText(i)) for i in range(box.count())]
    if have != list(items):
        box.clear()
        for value, text in items:
            box.addItem(text, value)
    place = box.findData(current)
    box.setCurrentIndex(max(0, place))


def _spin(low: float, high: float, value: float, suffix: str, tip: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(1)
    spin.setSuffix(suffix)
    spin.setValue(value)
    spin.setToolTip(tip)
    return spin
