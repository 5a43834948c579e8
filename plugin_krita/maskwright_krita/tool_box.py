"""The docker's buttons: the click tool with what it can do meanwhile, and the commands."""

from typing import Any, Callable, Tuple

from .edge_dialogs import ask_cut_out, ask_inpainting, ask_refine
from .editor.qt import QGridLayout, QSizePolicy, QToolButton, QWidget
from .editor.texts import tr
from .parts_dialog import ask_parts
from .plugin import Plugin
from .widgets import button, label


class ToolBox(QWidget):
    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self._tool = tool = plugin.tool
        self.click = _switch(
            "maskwright_click_button", tr("Click to select"),
            tr(
                "Click to include, Shift-click or right-click to leave out, drag for a box.\n"
                "Shift and the wheel, or Up and Down: the larger thing or the part under the pointer.\n"
                "Ctrl+Z takes the last click back, Ctrl+Shift+Z does it again.\n"
                "Enter applies, Escape leaves everything as it was."
            ),
        )  # fmt: skip
        self.click.clicked.connect(lambda on: tool.start() if on else tool.stop())
        self.examples = _switch(
            "maskwright_examples_button", tr("By examples"),
            tr(
                "Drag boxes around things to select all that is like them.\n"
                "With Shift or the right button: but nothing like this."
            ),
        )  # fmt: skip
        self.examples.toggled.connect(self._examples_toggled)
        self.hint = label("maskwright_click_hint")
        self.other = button(
            "maskwright_other", tr("Another guess"), tool.other,
            tr("Show a part, the whole, or something larger for the same clicks (Tab)"),
        )  # fmt: skip
        self.apply = button(
            "maskwright_apply_button", tr("Apply"), tool.commit, tr("Put what is shown into the document (Enter)")
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(self.click, 0, 0)
        grid.addWidget(self.examples, 0, 1)
        grid.addWidget(self.hint, 1, 0, 1, 2)
        grid.addWidget(self.other, 2, 0)
        grid.addWidget(self.apply, 2, 1)
        for place, (name, text, command, tip) in enumerate(_commands(plugin)):
            grid.addWidget(button(name, text, command, tip), 3 + place // 2, place % 2)
        tool.active_changed.connect(self.show_tool)
        tool.stepped.connect(self.show_tool)
        self.show_tool()

    def _examples_toggled(self, on: bool) -> None:
        """Boxes are examples from now on; the tool is switched on for that."""
        self._tool.by_example = on
        if on:
            self._tool.start()
        self.show_tool()

    def show_tool(self, *_: Any) -> None:
        tool, count = self._tool, len(self._tool.session)
        self.click.setChecked(tool.active)
        if not tool.active:
            self.examples.setChecked(False)
        self.hint.setVisible(tool.active)
        for choice in (self.other, self.apply):
            choice.setVisible(tool.active and tool.preview() is not None)
        if count:
            self.hint.setText(tr("Clicks: {0}. Enter applies, Ctrl+Z takes one back, Escape ends.", count))
        elif tool.by_example:
            self.hint.setText(tr("Drag a box around one of the things. Shift or right button: not like this."))
        else:
            self.hint.setText(tr("Click an object, or drag a box around it. Shift or right button leaves out."))


def _commands(plugin: Plugin) -> Tuple[Tuple[str, str, Callable[[], Any], str], ...]:
    """Object name, text, command and tooltip of each button, in the order in which they stand."""
    controller = plugin.controller
    return (
        ("maskwright_subject", tr("Subject"), controller.select_subject, tr("Select the main subject")),
        ("maskwright_object", tr("From selection"), controller.select_object,
         tr("Select the object that the selection, a rectangle or a lasso, is around")),
        ("maskwright_background", tr("Remove background"), controller.remove_background,
         tr("Remove the background to a new layer")),
        ("maskwright_cut_out_button", tr("Cut out by prompt..."), lambda: ask_cut_out(controller),
         tr("Cut out what you name, with an outline if you like")),
        ("maskwright_refine_button", tr("Refine edge..."), lambda: ask_refine(controller),
         tr("Give the selection a soft edge that follows the picture")),
        ("maskwright_parts_button", tr("Body parts..."), lambda: ask_parts(controller),
         tr("Select hair, clothes, faces or parts of them")),
        ("maskwright_similar_button", tr("Select similar"), plugin.select_similar,
         tr("Select everything that is like the clicked or the selected thing")),
        ("maskwright_inpaint_button", tr("Inpainting..."), lambda: ask_inpainting(controller),
         tr("Make the selection ready to be filled by an inpainting tool")),
    )  # fmt: skip


def _switch(name: str, text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setCheckable(True)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setToolTip(tip)
    return button
