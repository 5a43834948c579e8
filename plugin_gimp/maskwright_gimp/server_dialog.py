"""Server and Models: what runs, on which device, which models there are; start and stop."""

from typing import Any, Callable, Dict, List, Optional, Tuple

from gi.repository import Gimp, GimpUi, GLib, Gtk

from maskwright_client.ask import Steps
from maskwright_client.offers import sentence
from maskwright_client.server_state import CONNECTED, ServerState
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Status
from maskwright_protocol.version import __version__

from . import async_client, blocking_client, settings
from .models_list import ModelsList
from .server_line import ServerLine

START, STOP = 1, 2
LOOK_EVERY_MS = 2000
WORKER_STATES = {
    "stopped": tr("stopped"), "starting": tr("starting"), "idle": tr("idle"), "busy": tr("busy"),
}  # fmt: skip


def show(call: Any) -> Tuple[int, Dict[str, Any]]:
    """Run the dialog until it is closed. Settings are saved as they are changed."""
    GimpUi.init("maskwright")
    dialog = ServerDialog(dict(call.settings))
    dialog.run()
    return 0, {"running": dialog.running}


def manage(call: Any, widget: Any, again: Callable[[], None]) -> None:
    """Run the dialog above the widget's window; ``again`` is called when the user may have changed something."""
    ServerDialog(dict(call.settings), widget.get_toplevel()).run()
    again()


class ServerDialog(ServerState):
    """Looks at the server now and again while it is open; starts and stops it."""

    settings_place = tr("the field below")

    def __init__(self, values: Dict[str, Any], parent: Optional[Any] = None) -> None:
        super().__init__()
        self.values, self.parent = values, parent
        self.client = blocking_client.open_client(__version__, {**values, "start_server": False})
        self.open = True
        self._busy = 0
        self._problem = ""  # stays in sight until the next thing is done
        self._build()
        self._run(self.look())
        self._timer = GLib.timeout_add(LOOK_EVERY_MS, self._tick)

    def _build(self) -> None:
        self.dialog = GimpUi.Dialog(
            title=tr("Maskwright Server and Models"), role="maskwright-server", use_header_bar=0
        )
        self.start_button = self.dialog.add_button(tr("_Start Server"), START)
        self.stop_button = self.dialog.add_button(tr("S_top Server"), STOP)
        self.dialog.add_button(tr("_Close"), Gtk.ResponseType.CLOSE)
        self.dialog.set_default_response(Gtk.ResponseType.CLOSE)
        self.start_button.set_sensitive(False)
        self.stop_button.set_sensitive(False)
        if self.parent is not None:
            self.dialog.set_transient_for(self.parent)
        else:
            GimpUi.window_set_transient(self.dialog)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, border_width=12)
        self.line = ServerLine()
        box.pack_start(self.line, False, False, 0)
        self.facts = Gtk.Label(xalign=0.0, wrap=True, selectable=True, max_width_chars=70)
        box.pack_start(self.facts, False, False, 0)
        self.list = ModelsList(self.client, self._changed, self._refused)
        box.pack_start(self.list, True, True, 0)
        box.pack_start(self._settings(), False, False, 0)
        box.show_all()
        self.dialog.get_content_area().pack_start(box, True, True, 0)

    def _settings(self) -> Any:
        grid = Gtk.Grid(column_spacing=8, row_spacing=6)
        automatic = Gtk.CheckButton(label=tr("Start the server _when it is needed"), use_underline=True)
        automatic.set_active(self.values["start_server"])
        automatic.connect("toggled", lambda widget: self._save("start_server", widget.get_active()))
        grid.attach(automatic, 0, 0, 2, 1)
        label = Gtk.Label(label=tr("Co_mmand of the server"), use_underline=True, xalign=0.0)
        command = Gtk.Entry(text=self.values["command"], placeholder_text=tr("found by itself"), hexpand=True)
        command.set_tooltip_text(tr("Path of the maskwright command, if it is not found by itself"))
        command.connect("changed", lambda widget: self._save("command", widget.get_text().strip()))
        label.set_mnemonic_widget(command)
        grid.attach(label, 0, 1, 1, 1)
        grid.attach(command, 1, 1, 1, 1)
        return grid

    def _save(self, name: str, value: Any) -> None:
        self.values[name] = value
        try:
            settings.save(Gimp.directory(), self.values)
        except OSError as error:
            self.line.say(tr("The settings could not be saved: {0}.", error.strerror))

    # ------------------------------------------------------------ asking

    @property
    def running(self) -> bool:
        return self.state == CONNECTED

    def server_changed(self) -> None:
        """What is shown is brought up to date after each look."""

    def _run(self, steps: Steps) -> None:
        self._busy += 1
        async_client.run(steps, self._show)

    def _tick(self) -> bool:
        if self.open and not self._busy:
            self._run(self.look())
        return self.open

    def _show(self, value: Any, error: Optional[Exception]) -> None:
        self._busy -= 1
        if not self.open:
            return
        self.start_button.set_sensitive(not self.running)
        self.stop_button.set_sensitive(self.running)
        error = error or self.error
        if self.running:
            self.line.say(self._problem or tr("The server is running."))
        elif error is not None:
            self.line.say(sentence(error))
        self.facts.set_text(facts(self.status) if self.running and self.status is not None else "")
        self.list.show_models(self.models if self.running else [])

    def _changed(self) -> None:
        self._problem = ""
        self._run(self.look())

    def _refused(self, error: Exception) -> None:
        if self.open:
            self._problem = sentence(error)
            self.line.say(self._problem)

    def _end(self) -> Steps:
        yield from self.stop()
        yield from self.look()

    def run(self) -> None:
        while True:
            response = self.dialog.run()
            if response == START:
                self.line.busy(tr("Starting the server..."))
                self.start_button.set_sensitive(False)
                self._run(self.start(self.values["command"]))
            elif response == STOP:
                self.line.busy(tr("Stopping the server..."))
                self.stop_button.set_sensitive(False)
                self._run(self._end())
            else:
                break
        self.open = False
        GLib.source_remove(self._timer)
        self.client.close()
        self.dialog.destroy()


def facts(status: Status) -> str:
    """The server's state in sentences."""
    memory = megabytes(status.memory_bytes)
    lines: List[str] = [tr("Version {0}, process {1}, {2} of memory.", status.server_version, status.pid, memory)]
    for worker in status.workers:
        device = tr("{0} ({1})", worker.device, worker.device_reason) if worker.device_reason else worker.device
        state, memory = WORKER_STATES.get(worker.state, worker.state), megabytes(worker.memory_bytes)
        lines.append(tr("Works on {0}: {1}, {2}.", device, state, memory))
    return "\n".join(lines + status.problems)


def megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
