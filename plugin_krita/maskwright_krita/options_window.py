"""What few need while they paint: a window of its own whose values hold from the moment they are set."""

from typing import Any, Dict

from maskwright_client.choices import DETECTOR_HELP, LOOKS_CLOSELY, USES_TILES
from maskwright_client.jobs import AUTO
from maskwright_client.offers import playing
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PostProcess

from .controller import Controller
from .dialogs import ask_settings, exclude_line
from .editor.qt import QDialog, QDialogButtonBox, QGroupBox, QHBoxLayout, Qt, QVBoxLayout, QWidget
from .options import SOURCES
from .widgets import Rows, button, changed, check, column, combo, fill, form, line, row, show_value, spin, value_of

WIDTH = 660
ROLES = {
    "detector": tr("Find by name with"),
    "segmenter": tr("Draw outlines with"),
    "matting": tr("Cut out with"),
    "parser": tr("Know body parts with"),
}


class OptionsWindow(QDialog):
    def __init__(self, controller: Controller, parent: Any) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setObjectName("maskwright_options")
        self.setWindowTitle(tr("Maskwright Options"))
        self.controller = controller
        self.fields: Dict[str, Any] = {}  # option -> the widget that shows it
        self._filling = False
        columns = QHBoxLayout()
        for groups in (
            ((tr("What is looked at"), self._look_rows()), (tr("How it is found"), self._find_rows())),
            ((tr("Edges of what is found"), self._edge_rows()), (tr("For experts"), self._model_rows())),
        ):
            columns.addWidget(column(*(_group(title, rows) for title, rows in groups)), 1, Qt.AlignmentFlag.AlignTop)
        self.setMinimumWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.addLayout(columns)
        layout.addWidget(self._bottom())
        for widget in (*self.fields.values(), self.threshold, self.recipe, *self.model_boxes.values()):
            changed(widget).connect(self._save)
        controller.connection.changed.connect(self.fill_models)
        self.fill_models()

    def _field(self, option: str, widget: QWidget) -> QWidget:
        """A widget whose value becomes that option."""
        self.fields[option] = widget
        return widget

    def _look_rows(self) -> Rows:
        options, field = self.controller.options, self._field
        source = combo("maskwright_source", SOURCES, options.source, tr("What the models are shown"))
        tip = tr("What lies outside of the present selection is left alone.")
        limit = check("maskwright_limit", tr("Only inside the selection"), options.limit, tip)
        return [
            (tr("Look at"), field("source", source)),
            ("", field("limit", limit)),
            (tr("But not"), field("exclude", exclude_line(options.exclude))),
        ]

    def _find_rows(self) -> Rows:
        options, field = self.controller.options, self._field
        tip = tr("Looks at objects a second time, at full resolution: slower, with finer edges.")
        closely = combo("maskwright_closely", LOOKS_CLOSELY, options.precise, tip)
        tiles = combo("maskwright_tiles", USES_TILES, options.tiles, tr("Looks for them in pieces of the picture."))
        return [(tr("Look closely"), field("precise", closely)), (tr("Small objects"), field("tiles", tiles))]

    def _edge_rows(self) -> Rows:
        options, px = self.controller.options, tr(" px")

        def number(option: str, low: float, high: float, tip: str, unit: str = px) -> QWidget:
            return self._field(option, spin(f"maskwright_{option}", low, high, getattr(options, option), tip, unit))

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
        return [
            (tr("Grow"), number("grow", -500, 500, tr("Larger than 0 grows, smaller shrinks"))),
            (tr("Feather"), number("feather", 0, 250, tr("Softens the edge"))),
            (tr("Smooth"), number("smooth", 0, 100, tr("Rounds corners within this radius"))),
            (tr("Harden"), self.threshold),
            (tr("Drop specks"), number("min_area", 0, 1e6, tr("Removes pieces smaller than this area"), tr(" px²"))),
            ("", switches),
        ]

    def _model_rows(self) -> Rows:
        options = self.controller.options
        tip = tr("Which models work together. Automatic takes the best that are installed for what is asked.")
        self.recipe = combo("maskwright_recipe", tip=tip)
        tip = tr("Automatic takes the best that is installed.")
        self.model_boxes = {role: combo(f"maskwright_{role}", tip=tip) for role in ROLES}
        settings = line("maskwright_detector_options", options.detector_options, tr("as it comes"), DETECTOR_HELP)
        return [
            (tr("Way of working"), self.recipe),
            *((text, self.model_boxes[role]) for role, text in ROLES.items()),
            (tr("Fine tuning"), self._field("detector_options", settings)),
        ]

    def _bottom(self) -> QWidget:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        tip = tr("Edges as they come from the models, everything chosen by itself")
        reset = button("maskwright_reset", tr("Reset"), self._reset, tip)
        tip = tr("The server, and what the click tool shows")
        server = button("maskwright_server_settings", tr("Settings..."), lambda: ask_settings(self.controller), tip)
        for one in (reset, server, box.button(QDialogButtonBox.StandardButton.Close)):
            one.setAutoDefault(False)  # Enter is for the field that one is in
        bottom = row(reset, server, box)
        bottom.layout().setStretch(0, 0)
        bottom.layout().setStretch(2, 1)
        return bottom

    # ------------------------------------------------------------ values

    def _save(self, *_: Any) -> None:
        if self._filling:
            return
        options = self.controller.options
        for option, widget in self.fields.items():
            setattr(options, option, value_of(widget))
        options.threshold = None if self.threshold.value() < 0 else self.threshold.value() / 100
        options.recipes = {"select": self.recipe.currentData()} if self.recipe.currentData() else {}
        options.models = {role: box.currentData() for role, box in self.model_boxes.items() if box.currentData()}
        self.controller.save_options()

    def show_values(self) -> None:
        """The options as they are."""
        self._filling = True
        options = self.controller.options
        for option, widget in self.fields.items():
            show_value(widget, getattr(options, option))
        self.threshold.setValue(-1 if options.threshold is None else options.threshold * 100)
        self._filling = False
        self.fill_models()

    def _reset(self) -> None:
        options = self.controller.options
        for option, value in vars(PostProcess()).items():
            setattr(options, option, value)
        fresh = type(options)()
        for option in ("source", "limit", "exclude", "precise", "tiles", "detector_options", "recipes", "models"):
            setattr(options, option, getattr(fresh, option))
        self.controller.save_options()
        self.show_values()

    def fill_models(self) -> None:
        """What the server has to choose from."""
        self._filling = True
        options, connection = self.controller.options, self.controller.connection
        recipes = [info for info in connection.recipes if info.verb == "select" and info.available]
        titles = [(info.name, info.title) for info in recipes] or [(AUTO, tr("Automatic"))]
        fill(self.recipe, titles, options.recipes.get("select", AUTO))
        for role, box in self.model_boxes.items():
            found = [(model.id, model.title) for model in playing(connection.models, role)]
            fill(box, [("", tr("Automatic")), *found], options.models.get(role, ""))
        self._filling = False

    def showEvent(self, event: Any) -> None:
        self.show_values()
        super().showEvent(event)


def _group(title: str, rows: Rows) -> QGroupBox:
    group = QGroupBox(title)
    layout = QVBoxLayout(group)
    layout.setContentsMargins(6, 6, 6, 6)
    layout.addWidget(form(rows))
    return group
