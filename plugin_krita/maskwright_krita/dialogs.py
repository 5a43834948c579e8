"""Small dialogs of the menu entries. They are not modal loops: Krita goes on behind them."""

from html import escape
from typing import Callable, List, Optional

from maskwright_client.choices import PROMPT_HELP
from maskwright_client.offers import needs_a_yes, size, terms
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelInfo

from .controller import Controller
from .editor import app
from .editor.qt import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    Qt,
    QVBoxLayout,
)
from .widgets import Rows, button, check, label, line, row


def prompt_box(controller: Controller) -> QComboBox:
    """An editable field that remembers what was asked for."""
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    # What was asked for before is in the list. Completed while one types, Enter would ask for something else.
    box.setCompleter(None)
    box.lineEdit().setPlaceholderText(tr("dog; the largest cat"))
    box.setToolTip(PROMPT_HELP)
    fill_history(controller, box)
    return box


def exclude_line(text: str = "") -> QLineEdit:
    """A field for what to leave out."""
    tip = tr("Words for what is not to be selected: it is taken away from what was found.")
    return line("maskwright_but_not", text, tr("what to leave out"), tip)


def fill_history(controller: Controller, box: QComboBox) -> None:
    text = box.currentText() or controller.options.prompt
    box.clear()
    box.addItems(controller.options.history)
    box.setEditText(text)


class Dialog(QDialog):
    """A titled form with OK and Cancel."""

    def __init__(self, name: str, title: str, accept: str) -> None:
        super().__init__(app.main_widget())
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.form = QFormLayout()
        layout = QVBoxLayout(self)
        layout.addLayout(self.form)
        choices = QDialogButtonBox.StandardButton
        self.buttons = buttons = QDialogButtonBox(choices.Ok | choices.Cancel)
        self.ok = buttons.button(choices.Ok)
        self.ok.setText(accept)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.finished.connect(lambda *_: self.deleteLater())

    def add(self, rows: Rows) -> None:
        for text, widget in rows:
            self.form.addRow(text, widget)


def ask_prompt(controller: Controller, kind: str) -> QDialog:
    title = tr("Add Mask from Prompt") if kind == "transparency" else tr("Select by Prompt")
    dialog = Dialog("maskwright_prompt", title, tr("Add Mask") if kind == "transparency" else tr("Select"))
    box = prompt_box(controller)
    box.setMinimumWidth(320)
    exclude = exclude_line(controller.options.exclude)
    dialog.add([(tr("What:"), box), (tr("But not:"), exclude)])
    box.lineEdit().selectAll()
    dialog.accepted.connect(lambda: controller.select_by_prompt(box.currentText(), kind, exclude.text()))
    dialog.open()
    box.setFocus()
    return dialog


def ask_licences(models: List[ModelInfo], agreed: Callable[[], None], why: str = "") -> "Dialog":
    """Shows what would be downloaded, and under which licences. A licence that does not allow everything needs a
    plain yes."""
    need = needs_a_yes(*models)
    dialog = Dialog("maskwright_licence", tr("Download Models"), tr("I agree, download") if need else tr("Download"))
    if why:
        dialog.form.addRow(label("", why))
    for model in models:
        name, licence = escape(model.title), escape(model.licence)
        if model.licence_url:
            licence = f'<a href="{escape(model.licence_url, quote=True)}">{licence}</a>'
        text = label(
            "",
            f"<b>{name}</b>, {size(model)}<br>{escape(model.summary)}<br>"
            + tr("Licence: {0}.", licence)
            + " "
            + escape(terms(model)),
        )
        text.setTextFormat(Qt.TextFormat.RichText)
        text.setMinimumWidth(420)
        text.setOpenExternalLinks(True)
        dialog.form.addRow(text)
    dialog.accepted.connect(agreed)
    dialog.open()
    return dialog


def ask_first_set(models: List[ModelInfo], agreed: Callable[[], None], put_away: Callable[[], None]) -> QDialog:
    """The models that suit this computer, for someone who has none of them."""
    why = tr("What is built in works already. These suit this computer and do it better; {0} in all.", size(*models))
    dialog = ask_licences(models, agreed, why)
    later = dialog.buttons.button(QDialogButtonBox.StandardButton.Cancel)
    later.setText(tr("Not now"))
    later.clicked.connect(lambda *_: put_away())
    return dialog


def ask_settings(controller: Controller, then: Optional[Callable[[], None]] = None) -> QDialog:
    """``then`` is done after they were saved."""
    options = controller.options
    dialog = Dialog("maskwright_settings", tr("Maskwright Settings"), tr("Save"))
    command = line("maskwright_command", options.command, tr("found automatically"))
    command.setMinimumWidth(320)

    def find() -> None:
        found = QFileDialog.getOpenFileName(dialog, tr("Where is the maskwright command?"))[0]
        if found:
            command.setText(found)

    ends = tr("When Krita ends, stop the server if this Krita started it and nobody else uses it")
    stop = check("maskwright_stop_server", ends, options.stop_server)
    hover = check("maskwright_hover", tr("Click tool: show what is under the pointer"), options.hover)
    browse = button("maskwright_browse", tr("Browse..."), find)
    dialog.form.addRow(tr("maskwright command:"), row(command, browse))
    for widget in (stop, hover, QLabel(tr("Selections are computed on this computer; no picture leaves it."))):
        dialog.form.addRow(widget)

    def save() -> None:
        options.command = command.text().strip()
        options.stop_server, options.hover = stop.isChecked(), hover.isChecked()
        controller.save_options()
        if then is not None:
            then()

    dialog.accepted.connect(save)
    dialog.open()
    return dialog
