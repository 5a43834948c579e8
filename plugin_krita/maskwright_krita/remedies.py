"""What a button could do about a failure: one thing, the one that its hint says."""

from typing import Any, Callable, NamedTuple, Optional

from maskwright_client import told
from maskwright_client.offers import size
from maskwright_protocol.language import tr

from .controller import Controller, Failure
from .dialogs import ask_licences, ask_settings
from .downloads import Downloads


class Button(NamedTuple):
    """``asks``: it opens a question first, which may be answered with no."""

    name: str
    text: str
    command: Callable[[], Any]
    tip: str = ""
    asks: bool = False


def remedy(failure: Failure, controller: Controller, downloads: Downloads) -> Optional[Button]:
    """As things stand now; None where no button helps."""
    name, connection, retry = "maskwright_remedy", controller.connection, failure.retry
    if failure.details.get("needs") == "command" and connection.state != "connected":
        tip = tr("Say where the maskwright command is")
        return Button(name, tr("Settings..."), lambda: ask_settings(controller, retry), tip, True)
    said = told.of_failure(failure, connection.models)
    if said.model is not None:
        model = said.model
        download: Any = lambda: ask_licences([model], lambda: downloads.start([model], retry))  # noqa: E731
        tip = tr("{0}, {1}: shows its licence first", model.title, size(model))
        return Button(name, tr("Download..."), download, tip, True)
    if retry is not None and said.remedy in (told.START, told.AGAIN):  # what was asked for starts the server
        return Button(name, tr("Try again"), retry)
    if said.remedy == told.START and connection.state != "connected":
        return Button(name, tr("Start the server"), connection.start_server)
    return None
