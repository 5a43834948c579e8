"""The docker: shows the controller's state and hands the user's wishes to it. No logic in here."""

from typing import Any, Dict

from krita import DockWidget

from maskwright_client.choices import DETECTOR_HELP, LOOKS_CLOSELY, USES_TILES
from maskwright_client.jobs import AUTO
from maskwright_client.offers import playing
from maskwright_client.results import how
from maskwright_protocol.messages import PostProcess

from .dialogs import ask_settings, exclude_line, fill_history, prompt_box
from .editor import app
from .editor.qt import (
    QFrame,
    QGridLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QScrollArea,
    QSize,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from .editor.texts import tr
from .found import FoundList
from .hover import HoverPreview
from .models_box import ModelsBox
from .options import KINDS, MODES, SOURCES
from .plugin import plugin
from .problem_box import ProblemBox
from .recipe_dialogs import ask_run, ask_save
from .tool_box import ToolBox
from .widgets import (
    Fold,
    Rows,
    button,
    changed,
    check,
    column,
    combo,
    fill,
    form,
    label,
    line,
    row,
    spin,
    value_of,
)  # fmt: skip

ROLES = {
    "detector": "Find with",
    "segmenter": "Select with",
    "matting": "Cut out with",
    "parser": "Know parts with",
}


class MaskwrightDocker(DockWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(tr("Maskwright"))
        parts = plugin()
        self.controller, self.tool = parts.controller, parts.tool
        self.connection = parts.controller.connection
        self.hover = HoverPreview()
        self._filling = False
        self.fields: Dict[str, QWidget] = {}  # option -> the widget that shows it
        self.problem = ProblemBox(parts.controller, parts.downloads)
        self.offer = ModelsBox(parts.controller, parts.downloads)

        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        for part in (
            self._prompt_row(), ToolBox(parts), self.problem, self._progress_row(), self.offer,
            self._found_box(), form(self._result_rows()), self._clean_up(), form(self._model_rows()),
        ):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)
        scroll = _Scroll()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        # The state stays in sight however far the rest is scrolled.
        self.setWidget(column(scroll, self._state_row(), spacing=0))
        self._connect()
        self._show_connection()
        self._show_result()

    def canvasChanged(self, canvas: Any) -> None:
        """Krita tells that another view is active; the click tool looks after that itself."""

    # ------------------------------------------------------------ widgets

    def _prompt_row(self) -> QWidget:
        self.prompt = prompt_box(self.controller)
        self.prompt.setObjectName("maskwright_prompt_field")
        self.prompt.lineEdit().returnPressed.connect(self._search)
        self.exclude = exclude_line(self.controller.options.exclude)
        self._field("exclude", self.exclude)
        self.exclude.returnPressed.connect(self._search)
        frame = QWidget()
        grid = QGridLayout(frame)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.prompt, 0, 0, 1, 2)
        grid.addWidget(button("maskwright_go", tr("Select"), self._search), 0, 2)
        grid.addWidget(QLabel(tr("But not:")), 1, 0)
        grid.addWidget(self.exclude, 1, 1, 1, 2)
        return frame

    def _progress_row(self) -> QWidget:
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setFormat("%p %")
        self.progress_text = label()
        cancel = button("maskwright_cancel", tr("Cancel"), self.controller.cancel)
        self.working = column(self.progress_text, row(self.progress, cancel))
        self.working.hide()
        return self.working

    def _found_box(self) -> QWidget:
        self.found = FoundList()
        self.found.setMaximumHeight(170)
        again = button("maskwright_again", tr("Apply ticked"), self.controller.apply_again)
        self.how = label("maskwright_how")
        self.found_box = column(self.found, again, self.how)
        return self.found_box

    def _field(self, option: str, widget: QWidget, tip: str = "") -> QWidget:
        """A widget whose value becomes that option."""
        self.fields[option] = widget
        if tip:
            widget.setToolTip(tip)
        return widget

    def _result_rows(self) -> Rows:
        options, field = self.controller.options, self._field
        self.mode = field("mode", combo("maskwright_mode", MODES, options.mode))
        return [
            (tr("Look at"), field("source", combo("maskwright_source", SOURCES, options.source))),
            (tr("Result"), field("kind", combo("maskwright_kind", KINDS, options.kind))),
            ("", self.mode),
            ("", field("limit", check("maskwright_limit", tr("Only inside the selection"), options.limit))),
        ]

    def _clean_up(self) -> QWidget:
        options, px = self.controller.options, tr(" px")

        def number(option: str, low: float, high: float, tip: str, unit: str = px) -> QWidget:
            name = f"maskwright_{option}"
            return self._field(option, spin(name, low, high, getattr(options, option), tip, unit))

        def switch(option: str, text: str, tip: str) -> QWidget:
            return self._field(option, check(f"maskwright_{option}", text, getattr(options, option), tip))

        self.threshold = spin(
            "maskwright_threshold", -1, 100, -1 if options.threshold is None else options.threshold * 100,
            tr("Cuts the soft edge hard at this value"), " %", tr("soft edge"),
        )  # fmt: skip
        switches = row(
            switch("fill_holes", tr("Fill holes"), tr("Fills holes inside the objects")),
            switch("invert", tr("Invert"), tr("Selects everything but what was found")),
        )
        rows: Rows = [
            (tr("Grow"), number("grow", -500, 500, tr("Larger than 0 grows, smaller shrinks"))),
            (tr("Feather"), number("feather", 0, 250, tr("Softens the edge"))),
            (tr("Smooth"), number("smooth", 0, 100, tr("Rounds corners within this radius"))),
            (tr("Threshold"), self.threshold),
            (tr("Drop specks"), number("min_area", 0, 1e6, tr("Removes pieces smaller than this area"), tr(" px²"))),
            ("", switches),
        ]
        return Fold(tr("Edges and clean-up"), rows, options.post() != PostProcess())

    def _model_rows(self) -> Rows:
        options, field = self.controller.options, self._field
        self.recipe = combo("maskwright_recipe")
        self.model_boxes = {role: combo(f"maskwright_{role}") for role in ROLES}
        settings = line("maskwright_detector_options", options.detector_options, "min_score=0.3; iou=0.5")
        closely = combo("maskwright_closely", LOOKS_CLOSELY, options.precise)
        tiles = combo("maskwright_tiles", USES_TILES, options.tiles)
        again = tr("Looks at objects a second time, at full resolution: slower, with finer edges.")
        return [
            (tr("Look closely"), field("precise", closely, again)),
            (tr("Small objects"), field("tiles", tiles, tr("Looks for them in pieces of the picture."))),
            (tr("Recipe"), self.recipe),
            *((tr(text), self.model_boxes[role]) for role, text in ROLES.items()),
            (tr("Settings"), field("detector_options", settings, tr(DETECTOR_HELP))),
        ]

    def _state_row(self) -> QWidget:
        self.state = label("maskwright_state")
        self.state.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.start = button("maskwright_start", tr("Start"), self._start)
        settings = QToolButton()
        settings.setObjectName("maskwright_more")
        settings.setIcon(app.icon("configure"))
        settings.setToolTip(tr("Settings; the arrow: what was done last, as a recipe or a command"))
        settings.clicked.connect(lambda *_: ask_settings(self.controller))
        settings.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        settings.setMenu(self._recipes_menu())
        bottom = row(self.state, self.start, settings)
        bottom.layout().setContentsMargins(6, 2, 6, 4)
        return bottom

    def _recipes_menu(self) -> QMenu:
        """Behind the arrow beside the settings: what was done last, for other pictures."""
        parts, menu = plugin(), QMenu(self)
        menu.addAction(tr("Save as recipe..."), lambda *_: ask_save(parts))
        menu.addAction(tr("Copy as command"), lambda *_: parts.saved.copy_command())
        menu.addAction(tr("Run recipe..."), lambda *_: ask_run(parts))
        return menu

    # ------------------------------------------------------------ from the user

    def _start(self) -> None:
        if self.connection.state == "refused":
            self.connection.refresh()  # the server may be another one by now
        else:
            self.connection.start_server()

    def _search(self) -> None:
        self.controller.options.exclude = self.exclude.text()
        self.controller.select_by_prompt(self.prompt.currentText(), exclude=self.exclude.text())
        fill_history(self.controller, self.prompt)

    def _save(self, *_: Any) -> None:
        if self._filling:
            return
        options = self.controller.options
        for option, widget in self.fields.items():
            setattr(options, option, value_of(widget))
        options.threshold = None if self.threshold.value() < 0 else self.threshold.value() / 100
        options.recipes = {"select": self.recipe.currentData()} if self.recipe.currentData() else {}
        options.models = {role: box.currentData() for role, box in self.model_boxes.items() if box.currentData()}
        self.mode.setEnabled(options.kind == "selection")
        self.controller.save_options()

    # ------------------------------------------------------------ from the controller

    def _connect(self) -> None:
        self.connection.changed.connect(self._show_connection)
        self.controller.busy_changed.connect(self.working.setVisible)
        self.controller.progressed.connect(self._show_progress)
        self.controller.failed.connect(self.problem.show_failure)
        self.controller.result_changed.connect(self._show_result)
        self.tool.failed.connect(self.problem.show_failure)
        self.found.hovered.connect(self._show_hovered)
        for widget in (*self.fields.values(), self.threshold, self.recipe, *self.model_boxes.values()):
            changed(widget).connect(self._save)
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
        fill(self.recipe, titles, options.recipes.get("select", AUTO))
        for role, box in self.model_boxes.items():
            found = [(model.id, model.title) for model in playing(self.connection.models, role)]
            fill(box, [("", tr("Automatic")), *found], options.models.get(role, ""))
        self._filling = False

    def _show_progress(self, text: str, fraction: float) -> None:
        self.progress_text.setText(text)
        self.progress.setRange(0, 100 if fraction > 0 else 0)
        self.progress.setValue(int(fraction * 100))

    def _show_result(self) -> None:
        result = self.controller.result
        self.found.show_result(result)
        self.found_box.setVisible(result is not None and bool(result.objects))
        self.how.setText(how(result.report) if result is not None and result.report is not None else "")

    def _show_hovered(self, part: Any) -> None:
        result = self.controller.result
        self.hover.show(result.document if result is not None and part is not None else None, part)


class _Scroll(QScrollArea):
    """Scrolls up and down, and is never narrower than what is in it."""

    def minimumSizeHint(self) -> QSize:
        inner, bar = self.widget(), self.verticalScrollBar()
        return QSize((inner.minimumSizeHint().width() if inner else 0) + bar.sizeHint().width(), 80)
