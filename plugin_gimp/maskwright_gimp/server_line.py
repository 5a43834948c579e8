"""One line that says how it stands with the server, with a spinner while that is not known, and a button that helps."""

from typing import Any, Callable, Optional

from gi.repository import Gtk, Pango

from maskwright_client import offers
from maskwright_protocol.messages import ModelsRequest

from . import async_client, download

LINES = 4


class ServerLine(Gtk.Box):
    def __init__(self, columns: int = 48) -> None:
        super().__init__(spacing=6)
        self._spinner = Gtk.Spinner()
        # No sentence, however long, makes a dialog grow: the tooltip has all of it.
        self._label = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=columns)
        self._label.set_lines(LINES)
        self._label.set_ellipsize(Pango.EllipsizeMode.END)
        self._label.get_style_context().add_class("dim-label")
        self._button = Gtk.Button(valign=Gtk.Align.CENTER)
        self._button.connect("clicked", lambda widget: self._action())
        self._action: Callable[[], None] = lambda: None
        self._turn = 0
        self.pack_start(self._spinner, False, False, 0)
        self.pack_start(self._label, True, True, 0)
        self.pack_start(self._button, False, False, 0)
        self.show_all()
        self.set_no_show_all(True)  # the spinner and the button come and go
        self.connect("destroy", lambda widget: self._leave())
        self.busy("Looking for the server...")

    def _leave(self) -> None:
        self._turn += 1  # what is still asked for this line comes too late

    def busy(self, text: str) -> None:
        self.say(text)
        self._spinner.show()
        self._spinner.start()

    def say(self, text: str, label: str = "", action: Optional[Callable[[], None]] = None) -> None:
        """A sentence, and a button that does something about it."""
        self._turn += 1
        self._spinner.stop()
        self._spinner.hide()
        self._label.set_text(text)
        self._label.set_tooltip_text(text)
        self._button.set_visible(action is not None)
        if action is not None:
            self._button.set_label(label)
            self._action = action

    def fail(self, error: Exception, client: Any, again: Callable[[], None]) -> None:
        """Say what failed; offer the download that would help, after which ``again`` is called."""
        self.say(offers.sentence(error))
        turn = self._turn

        def models_came(answer: Any, problem: Optional[Exception]) -> None:
            model = offers.offered(error, answer.models) if problem is None else None
            if model is not None and turn == self._turn:
                self.say(getattr(error, "message", str(error)), f"Download {model.title}...", lambda: get(model))

        def get(model: Any) -> None:
            if download.get(client, model, parent=self.get_toplevel()):
                self.say("")
                again()

        if offers.may_help(error):
            async_client.request(client, ModelsRequest(""), models_came)

    def ready(self, models: Any, manage: Callable[[], None]) -> None:
        """How many models there are; ``manage`` is called when the user wants more."""
        if offers.only_built_in(models.models):
            self.say("Server ready with the built-in models. Larger ones do it better.", "Get models...", manage)
            return
        count = sum(1 for model in models.models if model.installed or model.embedded)
        self.say(f"Server ready, {count} models installed.")
