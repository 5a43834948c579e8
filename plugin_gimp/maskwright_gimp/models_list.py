"""The list of models in Server and Models: what is recommended, installed, and can be downloaded or removed."""

from typing import Any, Callable, List, Optional, Sequence

from gi.repository import Gtk

from maskwright_client import offers
from maskwright_client.client import Client
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelInfo, ModelRemove

from . import async_client, download


class ModelsList(Gtk.ScrolledWindow):
    """``client`` is asked; ``changed()`` is called after a download or a removal, ``failed(error)``
    when a removal was refused."""

    def __init__(self, client: Client, changed: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        super().__init__(shadow_type=Gtk.ShadowType.IN)
        self._client, self._changed, self._failed = client, changed, failed
        self._rows: List[offers.Row] = []
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        self.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        self.set_size_request(660, 400)
        self.add(self._list)

    def show_models(self, models: Sequence[ModelInfo]) -> None:
        """Build the rows anew if anything differs."""
        rows = offers.rows(models)
        if rows == self._rows:
            return
        self._rows = rows
        for child in self._list.get_children():
            child.destroy()
        heading = ""
        for row in rows:
            if row.heading != heading:
                heading = row.heading
                self._list.pack_start(
                    Gtk.Label(label=f"<b>{heading}</b>", use_markup=True, xalign=0.0, margin=6), False, False, 0
                )
            self._list.pack_start(self._widget(row), False, False, 0)
        self._list.show_all()

    def _widget(self, row: offers.Row) -> Any:
        model = row.model
        box = Gtk.Box(spacing=12, border_width=4, margin_start=8)
        words = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        words.pack_start(Gtk.Label(label=model.title, xalign=0.0), False, False, 0)
        about = Gtk.Label(label=row.about, xalign=0.0, wrap=True, max_width_chars=62)
        about.get_style_context().add_class("dim-label")
        words.pack_start(about, False, False, 0)
        if model.problem:
            words.pack_start(Gtk.Label(label=model.problem, xalign=0.0, wrap=True, max_width_chars=62), False, False, 0)
        box.pack_start(words, True, True, 0)
        box.set_tooltip_text(model.summary)
        if offers.can_download(model):
            self._button(box, tr("Download"), lambda: self._get(model))
        elif model.installed and not model.embedded:
            self._button(box, tr("Remove"), lambda: self._remove(model))
        return box

    def _button(self, box: Any, label: str, action: Callable[[], None]) -> None:
        button = Gtk.Button(label=label, valign=Gtk.Align.CENTER)
        button.connect("clicked", lambda widget: action())
        box.pack_end(button, False, False, 0)

    def _get(self, model: ModelInfo) -> None:
        if download.get(self._client, model, parent=self.get_toplevel()):
            self._changed()

    def _remove(self, model: ModelInfo) -> None:
        question = Gtk.MessageDialog(
            transient_for=self.get_toplevel(),
            modal=True,
            message_type=Gtk.MessageType.QUESTION,
            buttons=Gtk.ButtonsType.OK_CANCEL,
            text=tr("Remove {0}?", model.title),
            secondary_text=tr("Its files are deleted. It can be downloaded again.") if model.downloadable else "",
            title=tr("Remove {0}", model.title),
        )
        question.set_default_response(Gtk.ResponseType.OK if model.downloadable else Gtk.ResponseType.CANCEL)
        wanted = question.run() == Gtk.ResponseType.OK
        question.destroy()
        if wanted:
            async_client.request(self._client, ModelRemove("", model.id), self._removed)

    def _removed(self, answer: Any, error: Optional[Exception]) -> None:
        if error is not None:
            self._failed(error)
        else:
            self._changed()
