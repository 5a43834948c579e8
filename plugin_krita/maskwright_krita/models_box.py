"""The docker's part about models that are not there yet: the first set to install, and a download under way."""

from html import escape
from typing import List

from maskwright_client.offers import facts, first_set, size
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.messages import ModelInfo

from .controller import Controller, Failure
from .dialogs import ask_licences
from .downloads import Downloads
from .editor.qt import QFrame, QProgressBar, Qt, QVBoxLayout
from .editor.texts import tr
from .widgets import button, label, row


class ModelsBox(QFrame):
    """Hides itself when there is nothing to say."""

    def __init__(self, controller: Controller, downloads: Downloads) -> None:
        super().__init__()
        self.setObjectName("maskwright_models")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._controller, self._downloads = controller, downloads
        self._set: List[ModelInfo] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        self.text = label()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.get = button("maskwright_get_models", "", self._ask)
        self.later = button("maskwright_no_models", tr("Not now"), self._dismiss)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.cancel = button("maskwright_cancel_download", tr("Cancel"), downloads.cancel)
        for part in (self.text, self.get, self.later, row(self.bar, self.cancel)):
            layout.addWidget(part)
        downloads.changed.connect(self.show_state)
        downloads.progressed.connect(self._show_progress)
        downloads.failed.connect(self._show_failure)
        controller.connection.changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        model = self._downloads.current
        connection, options = self._controller.connection, self._controller.options
        connected = connection.state == "connected"
        self._set = first_set(connection.models) if connected and not options.welcomed else []
        for part in (self.bar, self.cancel):
            part.setVisible(model is not None)
        for part in (self.get, self.later):
            part.setVisible(model is None)
        if model is not None:
            self.bar.setValue(0)
            self.text.setText(tr("Downloading {0}, {1}", escape(model.title), tr(size(model))))
        elif self._set:
            self.text.setText(_about(self._set))
            self.get.setText(tr("Download all, {0}...", tr(size(*self._set))))
        self.setVisible(model is not None or bool(self._set))

    def _show_progress(self, text: str, fraction: float) -> None:
        self.text.setText(escape(text))
        self.bar.setValue(int(fraction * 100))

    def _show_failure(self, error: Exception) -> None:
        if isinstance(error, JobCancelled):
            self._controller.told.emit(tr("Cancelled. What has arrived is kept for the next try."))
        else:
            self._controller.failed.emit(Failure.of(error))

    def _ask(self) -> None:
        ask_licences(self._set, lambda: self._downloads.start(self._set))

    def _dismiss(self) -> None:
        self._controller.options.welcomed = True
        self._controller.save_options()
        self.show_state()


def _about(models: List[ModelInfo]) -> str:
    rows = "".join(
        f"<li><b>{escape(model.title)}</b>, {escape(facts(model))}. {escape(model.summary)}</li>" for model in models
    )
    text = tr("What is built in works already. These suit this computer and do it better:")
    return f"{text}<ul style='margin-left: -22px'>{rows}</ul>"
