"""The docker's part that tells of a problem, with a button that does what the hint says."""

from typing import Any, List, Optional

from maskwright_protocol.messages import ModelInfo

from .controller import Controller
from .dialogs import ask_licences
from .downloads import Downloads
from .offers import offered, size
from .qt import QApplication, QFrame, QLabel, QPushButton, Qt, QVBoxLayout
from .texts import tr

STARTABLE = ("server_absent", "connection_lost", "shutting_down")


class ProblemBox(QFrame):
    def __init__(self, controller: Controller, downloads: Downloads) -> None:
        super().__init__()
        self.setObjectName("maskwright_problem")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._controller, self._downloads = controller, downloads
        self._failure: Any = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        self._text, self._hint = QLabel(), QLabel()
        for label in (self._text, self._hint):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(label)
        font = self._text.font()
        font.setBold(True)
        self._text.setFont(font)
        self._button = QPushButton()
        self._button.setObjectName("maskwright_problem_button")
        self._button.clicked.connect(lambda *_: self._do_hint())
        layout.addWidget(self._button)
        self.hide()

    def show_failure(self, failure: Any) -> None:
        """Show it, or nothing for None."""
        self._failure = failure
        self.setVisible(failure is not None)
        if failure is None:
            return
        self._text.setText(failure.message)
        self._hint.setText(failure.hint)
        self._hint.setVisible(bool(failure.hint))
        model = self._offer()
        if failure.code in STARTABLE:
            self._button.setText(tr("Start the server"))
        elif model is not None:
            self._button.setText(tr("Download {0}, {1}...", model.title, size(model.size)))
        elif failure.code == "model_missing":
            self._button.setText(tr("Copy the command that lists models"))
        else:
            self._button.setText(tr("Close"))

    def _offer(self) -> Optional[ModelInfo]:
        if self._failure is None or self._failure.code not in ("model_missing", "licence_needed"):
            return None
        return offered(self._failure.details, self._controller.connection.models)

    def _do_hint(self) -> None:
        failure, model = self._failure, self._offer()
        code = failure.code if failure is not None else ""
        if model is not None:  # the problem stays in sight until the user has agreed
            again = failure.retry if failure is not None else None
            ask_licences([model], lambda: self._download([model], again))
            return
        if code in STARTABLE:
            self._controller.connection.start_server()
        elif code == "model_missing":
            QApplication.clipboard().setText("maskwright models list")
            self._controller.connection.refresh()
        self.show_failure(None)

    def _download(self, models: List[ModelInfo], then: Any) -> None:
        self.show_failure(None)
        self._downloads.start(models, then)
