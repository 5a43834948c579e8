"""Downloading a model: what it is and may be used for, the user's yes where that is needed, progress, and cancel."""

from typing import Any, Optional

from gi.repository import GimpUi, Gtk

from maskwright_client import offers
from maskwright_client.client import Client
from maskwright_client.downloads import Downloads
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import ModelInfo

from .async_client import LOOP

ARRIVED = 1


def get(client: Client, model: ModelInfo, why: str = "", parent: Optional[Any] = None) -> bool:
    """Whether the model is there now. ``why``: what failed without it; with it the user is always asked."""
    GimpUi.init("maskwright")
    dialog = _Download(client, model, why, parent)
    if not why and not offers.needs_a_yes(model):
        dialog.begin()
    return dialog.run()


class _Download:
    def __init__(self, client: Client, model: ModelInfo, why: str, parent: Optional[Any]) -> None:
        self.model = model
        self.downloads = Downloads(client, LOOP, lambda: None, self._progress, self._ended)
        self.open = True
        self.dialog = GimpUi.Dialog(title=tr("Download {0}", model.title), role="maskwright-download", use_header_bar=0)
        self.dialog.add_button(tr("_Cancel"), Gtk.ResponseType.CANCEL)
        yes = tr("I _agree, download") if offers.needs_a_yes(model) else tr("_Download")
        self.yes = self.dialog.add_button(yes, Gtk.ResponseType.OK)
        self.dialog.set_default_response(Gtk.ResponseType.OK)
        if parent is not None:
            self.dialog.set_transient_for(parent)
        else:
            GimpUi.window_set_transient(self.dialog)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8, border_width=12)
        facts = ", ".join(part for part in (model.title, offers.size(model), offers.time(model)) if part)
        licence = joined(tr("Licence: {0}.", model.licence), offers.terms(model))
        for text in filter(None, (why, facts, model.summary, licence)):
            box.pack_start(Gtk.Label(label=text, xalign=0.0, wrap=True, max_width_chars=60), False, False, 0)
        if model.licence_url:
            link = Gtk.LinkButton(uri=model.licence_url, label=tr("Read the licence"), halign=Gtk.Align.START)
            box.pack_start(link, False, False, 0)
        self.bar = Gtk.ProgressBar(show_text=True)
        self.bar.set_text("")
        box.pack_start(self.bar, False, False, 0)
        self.said = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=60)
        box.pack_start(self.said, False, False, 0)
        box.show_all()
        self.bar.hide()
        self.dialog.get_content_area().pack_start(box, True, True, 0)

    def begin(self) -> None:
        self.yes.set_sensitive(False)
        self.said.set_text("")
        self.bar.set_text(tr("Starting..."))
        self.bar.show()
        self.downloads.start([self.model])

    def _progress(self, text: str, fraction: float) -> None:
        self.bar.set_fraction(fraction)
        self.bar.set_text(text)

    def _ended(self, error: Optional[Exception]) -> None:
        if not self.open:
            return
        if error is None:
            self.dialog.response(ARRIVED)
            return
        self.bar.hide()
        self.said.set_text(offers.sentence(error))
        self.yes.set_label(tr("_Try again"))
        self.yes.set_sensitive(True)

    def run(self) -> bool:
        """Until it is there or the user has had enough; the server keeps what has arrived for the next try."""
        response = self.dialog.run()
        while response == Gtk.ResponseType.OK:
            self.begin()
            response = self.dialog.run()
        self.open = False
        self.downloads.cancel()
        self.dialog.destroy()
        return response == ARRIVED
