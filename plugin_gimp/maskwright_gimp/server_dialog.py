"""Server and Models: what runs, on which device, which models there are; start and stop."""

from typing import Any, Dict, Optional, Tuple

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GimpUi, GLib, Gtk  # noqa: E402

from maskwright_client.client import Client  # noqa: E402
from maskwright_protocol.messages import ModelsRequest, Shutdown, Status, StatusRequest  # noqa: E402
from maskwright_protocol.version import __version__  # noqa: E402

from . import asking, driver, settings  # noqa: E402
from .models_list import ModelsList  # noqa: E402
from .offers import sentence  # noqa: E402
from .server_line import ServerLine  # noqa: E402

START, STOP = 1, 2
LOOK_EVERY_MS = 2000


def show(call: Any) -> Tuple[int, Dict[str, Any]]:
    """Run the dialog until it is closed. Settings are saved as they are changed."""
    GimpUi.init("maskwright")
    dialog = ServerDialog(dict(call.settings))
    dialog.run()
    return 0, {"running": dialog.running}


class ServerDialog:
    def __init__(self, values: Dict[str, Any], parent: Optional[Any] = None) -> None:
        self.values, self.parent = values, parent
        self.running = False
        self.open = True
        self.clients: Dict[bool, Client] = {}
        self._waiting = 0
        self._problem = ""  # stays in sight until the next thing is done
        self._build()
        self._look(start=False)
        self._timer = GLib.timeout_add(LOOK_EVERY_MS, self._tick)

    def _build(self) -> None:
        self.dialog = GimpUi.Dialog(title="Maskwright Server and Models", role="maskwright-server", use_header_bar=0)
        self.start = self.dialog.add_button("_Start Server", START)
        self.stop = self.dialog.add_button("S_top Server", STOP)
        self.dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
        self.dialog.set_default_response(Gtk.ResponseType.CLOSE)
        self.start.set_sensitive(False)
        self.stop.set_sensitive(False)
        if self.parent is not None:
            self.dialog.set_transient_for(self.parent)
        else:
            GimpUi.window_set_transient(self.dialog)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, border_width=12)
        self.line = ServerLine()
        box.pack_start(self.line, False, False, 0)
        self.facts = Gtk.Label(xalign=0.0, wrap=True, selectable=True, max_width_chars=70)
        box.pack_start(self.facts, False, False, 0)
        self.models = ModelsList(lambda: self._client(False), self._changed, self._refused)
        box.pack_start(self.models, True, True, 0)
        box.pack_start(self._settings(), False, False, 0)
        box.show_all()
        self.dialog.get_content_area().pack_start(box, True, True, 0)

    def _settings(self) -> Any:
        grid = Gtk.Grid(column_spacing=8, row_spacing=6)
        automatic = Gtk.CheckButton(label="Start the server _when it is needed", use_underline=True)
        automatic.set_active(self.values["start_server"])
        automatic.connect("toggled", lambda widget: self._save("start_server", widget.get_active()))
        grid.attach(automatic, 0, 0, 2, 1)
        label = Gtk.Label(label="Co_mmand of the server", use_underline=True, xalign=0.0)
        command = Gtk.Entry(text=self.values["command"], placeholder_text="found by itself", hexpand=True)
        command.set_tooltip_text("Path of the maskwright command, if it is not found by itself")
        command.connect("changed", lambda widget: self._save("command", widget.get_text().strip()))
        label.set_mnemonic_widget(command)
        grid.attach(label, 0, 1, 1, 1)
        grid.attach(command, 1, 1, 1, 1)
        return grid

    def _save(self, name: str, value: Any) -> None:
        self.values[name] = value
        for client in self.clients.values():
            client.close()
        self.clients.clear()
        try:
            settings.save(Gimp.directory(), self.values)
        except OSError as error:
            self.line.say(f"The settings could not be saved: {error.strerror}.")

    # ------------------------------------------------------------ asking

    def _client(self, start: bool) -> Client:
        if start not in self.clients:
            self.clients[start] = asking.open_client(__version__, {**self.values, "start_server": start})
        return self.clients[start]

    def _tick(self) -> bool:
        if self.open and not self._waiting:
            self._look(start=False)
        return self.open

    def _look(self, start: bool) -> None:
        self._waiting += 1
        driver.request(self._client(start), StatusRequest(""), self._status_came)

    def _status_came(self, status: Any, error: Optional[Exception]) -> None:
        self._waiting -= 1
        if not self.open:
            return
        self.running = error is None
        self.start.set_sensitive(not self.running)
        self.stop.set_sensitive(self.running)
        if error is not None:
            self.line.say(sentence(error))
            self.facts.set_text("")
            self.models.show_models([])
            return
        self.line.say(self._problem or "The server is running.")
        self.facts.set_text(facts(status))
        self._waiting += 1
        driver.request(self._client(False), ModelsRequest(""), self._models_came)

    def _models_came(self, models: Any, error: Optional[Exception]) -> None:
        self._waiting -= 1
        if self.open and error is None:
            self.models.show_models(models.models)

    def _changed(self) -> None:
        self._problem = ""
        self._look(start=False)

    def _refused(self, error: Exception) -> None:
        if self.open:
            self._problem = sentence(error)
            self.line.say(self._problem)

    def _stopped(self, answer: Any, error: Optional[Exception]) -> None:
        self._waiting -= 1
        if self.open:
            self._look(start=False)

    def run(self) -> None:
        while True:
            response = self.dialog.run()
            if response == START:
                self.line.busy("Starting the server...")
                self.start.set_sensitive(False)
                self._look(start=True)
            elif response == STOP:
                self.line.busy("Stopping the server...")
                self.stop.set_sensitive(False)
                self._waiting += 1
                driver.request(self._client(False), Shutdown(""), self._stopped)
            else:
                break
        self.open = False
        GLib.source_remove(self._timer)
        for client in self.clients.values():
            client.close()
        self.dialog.destroy()


def facts(status: Status) -> str:
    """The server's state in sentences."""
    lines = [f"Version {status.server_version}, process {status.pid}, {megabytes(status.memory_bytes)} of memory."]
    for worker in status.workers:
        why = f" ({worker.device_reason})" if worker.device_reason else ""
        lines.append(f"Works on {worker.device}{why}: {worker.state}, {megabytes(worker.memory_bytes)}.")
    return "\n".join(lines)


def megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
