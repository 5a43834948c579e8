"""The plugin's parts, made once for the application, when the first window or docker needs them."""

import signal
from typing import Any, Optional

from .availability import Availability
from .canvas_strip import CanvasStrip
from .clicktool import ClickTool
from .controller import Controller
from .downloads import Downloads
from .editor import app, selections
from .editor.qt import QObject, QTimer
from .feedback import Feedback
from .saved import SavedRecipes


def survive_broken_pipes() -> None:
    """Writing to a server that has just died must be an error, not the end of Krita. A Python of its own sees to that;
    the one inside Krita does not."""
    if hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


class Plugin(QObject):
    def __init__(self) -> None:
        super().__init__()
        survive_broken_pipes()
        self.controller = Controller(self)
        self.tool = ClickTool(self.controller, self)
        self.downloads = Downloads(self.controller.connection, self)
        self.saved = SavedRecipes(self.controller, self)
        self.availability = Availability(self)
        self.feedback = Feedback(self.controller, self.tool, self.downloads, self)
        self.strip = CanvasStrip(self.feedback, app.panel_in_sight)
        notifier = app.krita().notifier()
        notifier.setActive(True)
        notifier.applicationClosing.connect(self.close)
        for told in (notifier.imageClosed, notifier.viewClosed, notifier.viewCreated):
            told.connect(self.front_changed)
        QTimer.singleShot(0, self._ready)

    def _ready(self) -> None:
        self.controller.connection.watch()
        selections.prepare()

    def front_changed(self, *_: Any) -> None:
        """Another image is in front, or one has come or gone. Krita tells so before it is."""
        self.availability.look_soon()
        QTimer.singleShot(0, self.controller.look_at_front)

    def select_similar(self) -> None:
        """What is like the thing that was clicked, while the click tool is on, or like the selected one."""
        if self.tool.active:
            self.tool.similar()
        else:
            self.controller.select_similar()

    def close(self) -> None:
        """Krita ends: leave the canvas alone, end the connection."""
        self.tool.stop()
        self.controller.cancel()
        self.downloads.cancel()
        self.controller.save_options()
        self.controller.connection.close(self.controller.options.stop_server)


_plugin: Optional[Plugin] = None


def plugin() -> Plugin:
    global _plugin
    if _plugin is None:
        _plugin = Plugin()
    return _plugin


def current() -> Any:
    """For tests: the plugin's parts, whether they were made or not."""
    return _plugin
