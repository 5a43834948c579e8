"""The click tool's bar on the canvas: what the keys do, and buttons for whoever has no keyboard at hand."""

from typing import Any, Dict

from maskwright_client.gestures import Meaning, Mode
from maskwright_protocol.language import tr

from .canvas_frame import CanvasFrame
from .editor.qt import QHBoxLayout, QLabel, QSizePolicy, Qt, QToolButton, QWidget
from .line_art import gap_field

GAP = 8
NAME = "maskwright_tool_bar"
_MODES = {"maskwright_bar_scribble": Mode.SCRIBBLE, "maskwright_bar_lasso": Mode.LASSO}
_MEANINGS = {"maskwright_bar_another": Meaning.ANOTHER, "maskwright_bar_not": Meaning.NOT}
_BUTTONS = (
    ("maskwright_bar_scribble", tr("Scribble"), tr("Draw over the thing, or over what does not belong to it (S)")),
    ("maskwright_bar_lasso", tr("Lasso"), tr("Draw a loop around the thing (L)")),
    ("maskwright_bar_another", "+", tr("Another object too (hold Shift)")),
    ("maskwright_bar_not", "\N{MINUS SIGN}", tr("Not this (hold Alt, or use the right button)")),
    ("maskwright_bar_undo", tr("Undo"), tr("Take the last click or stroke back (Ctrl+Z)")),
    ("maskwright_bar_other", tr("Other"), tr("Another guess: a part, the whole (Tab)")),
    ("maskwright_bar_apply", tr("Apply"), tr("Put what is shown into the document (Enter)")),
    ("maskwright_bar_leave", tr("Leave"), tr("Leave the tool, and everything as it was (Escape)")),
)
_DOES = {
    Mode.BOX: tr("Click, or drag a box."),
    Mode.SCRIBBLE: tr("Draw over the thing."),
    Mode.LASSO: tr("Draw a loop around the thing."),
    Mode.EXAMPLE: tr("Drag boxes around things like those that you want."),
}
_LINE_ART = {
    **_DOES,
    Mode.BOX: tr("Click between the lines, or drag a box around regions."),
    Mode.SCRIBBLE: tr("Draw through the regions."),
}
_KEYS = tr("Shift: another. Alt or right button: not this. Ctrl: only this. Enter: apply.")


class ToolBar(CanvasFrame):
    """``tool`` is a ``ClickTool``; the bar lies at the bottom of ``over``, the canvas."""

    def __init__(self, tool: Any, over: QWidget) -> None:
        super().__init__(NAME, over)
        self._tool = tool
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.setSpacing(2)
        self._text, self._says = QLabel(), ""
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout.addWidget(self._text, 1)
        self._gap = gap_field(tool.controller, "maskwright_bar_gap")
        self._gap.setPrefix(tr("Gaps: "))
        self._gap.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._gap.setKeyboardTracking(False)
        self._gap.valueChanged.connect(tool.set_gap)
        layout.addWidget(self._gap)
        self._buttons: Dict[str, QToolButton] = {}
        for name, text, tip in _BUTTONS:
            button = QToolButton()
            button.setObjectName(name)
            button.setText(text)
            button.setToolTip(tip)
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Enter stays the tool's
            button.clicked.connect(lambda *_, name=name: self._press(name))
            layout.addWidget(button)
            self._buttons[name] = button
        for name in (*_MODES, *_MEANINGS):
            self._buttons[name].setCheckable(True)
        self.show_state()
        self.show()
        self.raise_()

    def _press(self, name: str) -> None:
        tool = self._tool
        if name in _MODES:
            tool.toggle_mode(_MODES[name])
            return
        if name in _MEANINGS:
            tool.meaning = Meaning.THIS if tool.meaning is _MEANINGS[name] else _MEANINGS[name]
            self.show_state()
            return
        commands = {"undo": tool.undo, "other": tool.other, "apply": tool.commit, "leave": tool.stop}
        commands[name.rsplit("_", 1)[-1]]()

    def show_state(self) -> None:
        """As the tool is now."""
        tool = self._tool
        does = _LINE_ART if tool.line_art else _DOES
        self._says = "{}  {}".format(does[tool.mode], _KEYS)
        self._gap.setVisible(tool.line_art)
        self._text.setToolTip(self._says)
        shown = tool.preview() is not None
        for name, mode in _MODES.items():
            self._buttons[name].setChecked(tool.mode is mode)
        for name, meaning in _MEANINGS.items():
            self._buttons[name].setChecked(tool.meaning is meaning)
        for name, allowed in (("undo", tool.session.can_undo()), ("other", shown), ("apply", shown)):
            self._buttons[f"maskwright_bar_{name}"].setEnabled(allowed)
        self.place()

    def place(self) -> None:
        """At the bottom of the canvas; on a narrow one the text gives way to the buttons."""
        buttons = sum(button.sizeHint().width() + 2 for button in self._buttons.values()) + 24
        buttons += self._gap.sizeHint().width() + 2 if self._tool.line_art else 0
        metrics = self._text.fontMetrics()
        wanted = buttons + metrics.boundingRect(self._says).width() + 8
        width = max(min(wanted, self._over.width() - 2 * GAP), min(buttons, self._over.width()))
        self._text.setText(metrics.elidedText(self._says, Qt.TextElideMode.ElideRight, max(0, width - buttons)))
        height = self.layout().sizeHint().height()
        self.setGeometry((self._over.width() - width) // 2, self._over.height() - height - GAP, width, height)
