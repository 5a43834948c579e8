"""Krita's own tools: telling when the user chooses one."""

from typing import Any, List

from . import app
from .qt import QDockWidget, QObject, QToolButton, pyqtSignal

_TOOL_BOX, _BUTTON = "ToolBox", "KoToolBoxButton"


class ToolWatch(QObject):
    """``chosen`` when the user takes one of Krita's tools, by its button or its key; also the one that is on."""

    chosen = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._signals: List[Any] = []
        main = app.main_widget()
        box = main.findChild(QDockWidget, _TOOL_BOX) if main is not None else None
        for button in box.findChildren(QToolButton) if box is not None else ():
            if button.metaObject().className() == _BUTTON:
                self._signals.append(button.clicked)
                action = app.action(button.objectName())
                if action is not None:
                    self._signals.append(action.triggered)
        for signal in self._signals:
            signal.connect(self._tell)

    def _tell(self, *_: Any) -> None:
        self.chosen.emit()

    def let_go(self) -> None:
        for signal in self._signals:
            try:
                signal.disconnect(self._tell)
            except (TypeError, RuntimeError):  # the button went with its window
                pass
        self._signals = []
        self.deleteLater()
