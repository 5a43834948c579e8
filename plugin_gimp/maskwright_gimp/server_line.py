"""What a dialog has to say: how it stands with the server, with a spinner while that is not known, and what helps."""

from typing import Any, Callable, Optional

from gi.repository import Gtk, Pango

from maskwright_client import offers, told
from maskwright_client.told import Told
from maskwright_protocol.language import tr, trn
from maskwright_protocol.messages import ModelsRequest

from . import async_client, download

LINES = 4
MOST_WORDS = 4
ICONS = {told.NOTICE: "dialog-information", told.ERROR: "dialog-error"}


class ServerLine(Gtk.Box):
    """``manage()`` opens *Server and Models*. ``choose(word, other)`` puts another word in the place of one that was
    not understood; without it none are offered."""

    def __init__(
        self,
        columns: int = 48,
        manage: Optional[Callable[[], None]] = None,
        choose: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._manage, self._choose = manage, choose
        self._spinner, self._icon = Gtk.Spinner(), Gtk.Image(valign=Gtk.Align.START)
        # No sentence, however long, makes a dialog grow: the tooltip has all of it.
        self._label = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=columns)
        self._label.set_lines(LINES)
        self._label.set_ellipsize(Pango.EllipsizeMode.END)
        self._button = Gtk.Button(halign=Gtk.Align.END)
        self._button_label = Gtk.Label(ellipsize=Pango.EllipsizeMode.END)
        self._button.add(self._button_label)
        self._button.connect("clicked", lambda widget: self._action())
        self._action: Callable[[], None] = lambda: None
        self._turn = 0
        row = Gtk.Box(spacing=6)
        row.pack_start(self._spinner, False, False, 0)
        row.pack_start(self._icon, False, False, 0)
        row.pack_start(self._label, True, True, 0)
        self._words = Gtk.FlowBox(selection_mode=Gtk.SelectionMode.NONE, max_children_per_line=MOST_WORDS)
        for part in (row, self._button, self._words):
            self.pack_start(part, False, False, 0)
        self.show_all()
        self.set_no_show_all(True)  # the spinner and the buttons come and go
        self.connect("destroy", lambda widget: self._leave())
        self.busy(tr("Looking for the server..."))

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
        self._label.get_style_context().add_class("dim-label")
        self._icon.hide()
        self._words.foreach(lambda child: child.destroy())
        self._words.hide()
        self._button.set_visible(action is not None)
        if action is not None:
            self._button_label.set_text(label)
            self._button.set_tooltip_text(label)
            self._action = action

    def fail(self, error: Exception, client: Any, again: Callable[[], None]) -> None:
        """Say what failed and offer what helps, after which ``again`` is called."""
        self.tell(told.of_failure(error), client, again)
        self._ask_models(error, lambda models: told.of_failure(error, models), client, again)

    def answered(self, answer: Any, otherwise: str, client: Any, again: Callable[[], None]) -> None:
        """Say what is to be said about an answer, else ``otherwise``."""
        said = told.of_answer(answer)
        self.tell(
            said if said is not None and said.loudness == told.NOTICE else Told(told.NOTE, otherwise), client, again
        )
        if answer.report.offer:
            self._ask_models(None, lambda models: told.of_answer(answer, models=models), client, again)

    def _ask_models(
        self, error: Optional[Exception], now: Callable[[Any], Optional[Told]], client: Any, again: Callable[[], None]
    ) -> None:
        """Look whether there is a model to download that would help."""
        turn = self._turn

        def models_came(answer: Any, problem: Optional[Exception]) -> None:
            said = now(answer.models) if problem is None else None
            if said is not None and said.model is not None and turn == self._turn:
                self.tell(said, client, again)

        if error is None or offers.may_help(error):
            async_client.request(client, ModelsRequest(""), models_came)

    def tell(self, said: Told, client: Any, again: Callable[[], None]) -> None:
        label, action = self._remedy(said, client, again)
        # A button says what the hint would: then there is more room for the sentence.
        self.say(said.sentence if action is not None and said.loudness == told.ERROR else said.text, label, action)
        if said.loudness != told.NOTE:
            self._label.get_style_context().remove_class("dim-label")
            self._icon.set_from_icon_name(ICONS[said.loudness], Gtk.IconSize.BUTTON)
            self._icon.show()
        self._offer_words(said)

    def _remedy(self, said: Told, client: Any, again: Callable[[], None]) -> Any:
        """What the button says and does."""
        model = said.model
        if model is not None:

            def get() -> None:
                if download.get(client, model, parent=self.get_toplevel()):
                    self.say("")
                    again()

            return tr("Download {0}...", model.title), get
        if said.remedy == told.START and self._manage is not None:
            return tr("Server and Models..."), self._manage
        if said.remedy in (told.START, told.AGAIN):
            return tr("Try again"), again
        return "", None

    def _offer_words(self, said: Told) -> None:
        choose = self._choose
        for other in said.words[:MOST_WORDS] if choose is not None else ():
            button = Gtk.Button(label=other)
            button.connect("clicked", lambda widget, other=other: choose(said.word, other))  # type: ignore[misc]
            self._words.add(button)
        self._words.set_visible(bool(said.words) and choose is not None)
        self._words.foreach(lambda child: child.show_all())

    def ready(self, models: Any, manage: Callable[[], None]) -> None:
        """How many models there are; ``manage`` is called when the user wants more."""
        if offers.only_built_in(models.models):
            text = tr("Server ready with the built-in models. Larger ones do it better.")
            self.say(text, tr("Get models..."), manage)
            return
        count = sum(1 for model in models.models if model.installed or model.embedded)
        self.say(trn("Server ready, {0} model installed.", "Server ready, {0} models installed.", count))
