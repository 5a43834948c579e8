"""What is going on, for the panel's status and the strip over the canvas: one thing at a time, the most urgent one,
with what can be done about it. No widgets in here."""

from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from maskwright_client import told
from maskwright_client.gestures import Mode
from maskwright_client.offers import facts, first_set, size
from maskwright_client.results import by_whom
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import joined, tr

from .controller import Controller, Failure
from .dialogs import ask_first_set
from .downloads import Downloads
from .editor.qt import QObject, pyqtSignal
from .remedies import Button, remedy

WORKING, PROBLEM, NOTE, TOOL, DONE, OFFER, READY = "working", "problem", "note", "tool", "done", "offer", "ready"


class Said(NamedTuple):
    """``kind`` is one of the above; ``fraction`` 0..1 while something is under way, 0 when nobody knows how far."""

    kind: str
    text: str
    hint: str = ""
    fraction: Optional[float] = None
    buttons: Tuple[Button, ...] = ()
    closable: bool = False

    @property
    def whole(self) -> str:
        return joined(self.text, self.hint)


class Feedback(QObject):
    """``changed`` whenever ``now()`` may say something else."""

    changed = pyqtSignal()
    found_wanted = pyqtSignal()  # the user asks for the list of what was found

    def __init__(self, controller: Controller, tool: Any, downloads: Downloads, parent: QObject) -> None:
        super().__init__(parent)
        self.controller, self.tool, self.downloads = controller, tool, downloads
        self.failure: Optional[Failure] = None
        self._note = ""
        self._progress: Tuple[str, float] = ("", 0.0)
        self._loading: Tuple[str, float] = ("", 0.0)
        self._ended = False  # a command has ended, and what came of it was not put away
        connection = controller.connection
        for signal in (connection.changed, tool.active_changed):
            signal.connect(self._again)
        downloads.changed.connect(lambda: self._on_loading("", 0.0))  # another one begins
        controller.busy_changed.connect(self._on_busy)
        controller.progressed.connect(self._on_progress)
        downloads.progressed.connect(self._on_loading)
        controller.told.connect(self._on_told)
        controller.result_changed.connect(self._on_result)
        tool.stepped.connect(self._on_step)
        controller.failed.connect(self.show_failure)
        tool.failed.connect(self.show_failure)
        downloads.failed.connect(self._on_download_failed)
        connection.not_started.connect(lambda error: controller.failed.emit(Failure.of(error)))

    # ------------------------------------------------------------ what is told

    def _again(self, *_: Any) -> None:
        self.changed.emit()

    def show_failure(self, failure: Optional[Failure]) -> None:
        """A failure, or None: all is well again."""
        self.failure = failure
        if failure is not None or not self.tool.active:
            self._note = ""
        self.changed.emit()

    def _on_busy(self, busy: bool) -> None:
        if busy:
            self._note, self._ended = "", False
        self.changed.emit()

    def _on_progress(self, text: str, fraction: float) -> None:
        self._progress = (text or self._progress[0], fraction)  # some steps have no words of their own
        self.changed.emit()

    def _on_loading(self, text: str, fraction: float) -> None:
        self._loading = (text, fraction)
        self.changed.emit()

    def _on_told(self, text: str) -> None:
        if not self._ended or self.tool.active:
            self._note = text
        elif text not in self._note:  # what is told of one result stands together
            self._note = joined(self._note, text)
        self.changed.emit()

    def _on_result(self) -> None:
        if self.controller.result is None:
            self._ended = False
        elif self.controller.busy():  # else another image came to front
            self._ended = True
        self.changed.emit()

    def _on_step(self) -> None:
        self._note = ""
        self.changed.emit()

    def _on_download_failed(self, error: Exception) -> None:
        if isinstance(error, JobCancelled):
            self.controller.told.emit(tr("Cancelled. What has arrived is kept for the next try."))
        else:
            self.controller.failed.emit(Failure.of(error, self.downloads.again))

    def dismiss(self) -> None:
        """The user has read it."""
        self.failure, self._note, self._ended = None, "", False
        self.changed.emit()

    # ------------------------------------------------------------ what to say

    def now(self) -> Said:
        for ask in (self._working, self._problem, self._noted, self._clicking, self._done, self._offered):
            said = ask()
            if said is not None:
                return said
        return self._ready()

    def press(self, place: int = 0) -> None:
        """Do what a button of what is said now does."""
        buttons = self.now().buttons
        if place < len(buttons):
            buttons[place].command()

    def _working(self) -> Optional[Said]:
        model = self.downloads.current
        if self.controller.busy():
            cancel = Button("maskwright_cancel", tr("Cancel"), self.controller.cancel, tr("Nothing is changed."))
            return Said(WORKING, self._progress[0], "", self._progress[1], (cancel,))
        if model is not None:
            tip = tr("What has arrived is kept for the next try.")
            stop = Button("maskwright_cancel_download", tr("Cancel"), self.downloads.cancel, tip)
            text = self._loading[0] or tr("Downloading {0}, {1}", model.title, size(model))
            return Said(WORKING, text, "", self._loading[1], (stop,))
        if self.controller.connection.state == "starting":
            return Said(WORKING, tr("Starting the server..."), "", 0.0)
        return None

    def _problem(self) -> Optional[Said]:
        connection = self.controller.connection
        if self.failure is None:
            if connection.state != "refused":
                return None
            refusal = connection.error
            text = tr("Not connected: {0}", refusal) if refusal is not None else tr("Not connected.")
            again = Button("maskwright_start", tr("Try again"), connection.refresh)
            return Said(PROBLEM, text, getattr(refusal, "hint", ""), None, (again,))
        found = remedy(self.failure, self.controller, self.downloads)
        buttons = () if found is None else (found._replace(command=lambda: self._do(found)),)
        if told.of_failure(self.failure).remedy == told.START and connection.state == "connected":
            return Said(NOTE, tr("The server is running again."), "", None, buttons, True)
        return Said(PROBLEM, self.failure.message, self._hint(self.failure), None, buttons, True)

    def _hint(self, failure: Failure) -> str:
        """Where a button does it, nobody needs to be told how it is done in a terminal."""
        model = told.of_failure(failure, self.controller.connection.models).model
        if model is not None:
            return tr("{0} can do it: {1}.", model.title, facts(model))
        if failure.code == "download_failed":
            return tr("Look at the internet connection, then try again: what has arrived is kept.")
        return failure.hint

    def _do(self, button: Button) -> None:
        if not button.asks:  # what asks first leaves the problem in sight until the answer
            self.dismiss()
        button.command()

    def _noted(self) -> Optional[Said]:
        if not self._note:
            return None
        hint = "" if self.tool.active else self._by_whom()
        return Said(NOTE, self._note, hint, None, self._found_buttons(), True)

    def _clicking(self) -> Optional[Said]:
        tool = self.tool
        if not tool.active:
            return None
        buttons: List[Button] = []
        if tool.preview() is not None:
            tip = tr("Put what is shown into the document (Enter)")
            buttons.append(Button("maskwright_apply_button", tr("Apply"), tool.commit, tip))
            tip = tr("Show a part, the whole, or something larger for the same clicks (Tab)")
            buttons.append(Button("maskwright_other", tr("Another guess"), tool.other, tip))
        count = len(tool.session)
        if count:
            text = tr("Clicks: {0}. Enter applies, Ctrl+Z takes one back, Escape ends.", count)
        elif tool.mode is Mode.EXAMPLE:
            text = tr("Drag a box around one of the things. Alt or right button: not like this.")
        else:
            text = tr("Click an object, or drag a box around it. Alt or right button leaves out.")
        return Said(TOOL, text, self._outlined_by(), None, tuple(buttons))

    def _outlined_by(self) -> str:
        """Which models made what the click tool shows."""
        shown = self.tool.session.shown
        titles = {model.id: str(model.title) for model in self.controller.connection.models}
        made_by: List[str] = shown.instance.source.split("+") if shown is not None else []
        names = [titles[name] for name in made_by if name in titles]  # lines are found without any
        return tr("Outlined by {0}.", " + ".join(names)) if names else ""

    def _done(self) -> Optional[Said]:
        if self.controller.shown_result() is None or not self._ended:
            return None
        return Said(DONE, self._by_whom() or tr("Ready."), "", None, self._found_buttons(), True)

    def _by_whom(self) -> str:
        """Which models made the result that is shown."""
        result = self.controller.shown_result()
        if result is None or not self._ended or result.report is None:
            return ""
        return joined(by_whom(result.report, self.controller.connection.models), *result.details)

    def _found_buttons(self) -> Tuple[Button, ...]:
        result = self.controller.shown_result()
        buttons: List[Button] = []
        follow = self.controller.follow_up
        if follow is not None:
            buttons.append(Button("maskwright_follow_up", *follow))
        if result is not None and self._ended and result.objects:
            tip = tr("What was found, one by one: look at it on the canvas, untick what you do not want.")
            text = tr("Found: {0}...", len(result.objects))
            buttons.append(Button("maskwright_show_found", text, self.found_wanted.emit, tip))
        return tuple(buttons)

    def _offered(self) -> Optional[Said]:
        options, connection = self.controller.options, self.controller.connection
        if options.welcomed or connection.state != "connected":
            return None
        models = first_set(connection.models)
        if not models:
            return None
        text = tr("What is built in works already; larger models do it better.")
        get: Callable[[], Any] = lambda: self.downloads.start(models)  # noqa: E731
        ask: Callable[[], Any] = lambda: ask_first_set(models, get, self.put_offer_away)  # noqa: E731
        look = Button("maskwright_get_models", tr("Look..."), ask, tr("Shows size, time and licence of each"), True)
        return Said(OFFER, text, "", None, (look,), False)

    def put_offer_away(self) -> None:
        self.controller.options.welcomed = True
        self.controller.save_options()
        self.changed.emit()

    def _ready(self) -> Said:
        connection = self.controller.connection
        if connection.state != "connected":
            text = tr("The server is not running; the first command starts it.")
            start = Button("maskwright_start", tr("Start"), connection.start_server, tr("Start the server now"))
            return Said(READY, text, "", None, (start,))
        device = connection.device
        if device in ("", "auto"):  # "auto" until a model has run
            return Said(READY, tr("Ready."))
        return Said(READY, tr("Ready, on {0}.", device.upper()), connection.device_reason)
