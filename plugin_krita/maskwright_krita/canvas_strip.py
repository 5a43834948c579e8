"""A strip at the top of the canvas that says what is going on while the panel is out of sight."""

from typing import Any, Callable, Optional

from .canvas_frame import CanvasFrame
from .editor import canvas
from .editor.qt import QTimer, QVBoxLayout, QWidget
from .feedback import DONE, NOTE, PROBLEM, WORKING, Feedback
from .status import Status

SHOWN = (WORKING, PROBLEM, NOTE, DONE)
PASSING = (NOTE, DONE)  # these go by themselves
PASSING_MS = 6000
QUICK_MS = 150  # what is over sooner needs no strip
WIDEST = 620
GAP = 10


class CanvasStrip:
    """Made once; its widget lies over the canvas that is in front. ``panel_in_sight()`` tells whether it is needed."""

    def __init__(self, feedback: Feedback, panel_in_sight: Callable[[], bool]) -> None:
        self._feedback, self._in_sight = feedback, panel_in_sight
        self._strip: Optional[_Strip] = None
        self._told: Any = None  # what was shown last, and has gone by
        self._over = QTimer(feedback)
        self._over.setSingleShot(True)
        self._over.timeout.connect(self._pass)
        self._soon = QTimer(feedback)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.show)
        feedback.changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        if self._feedback.now().kind == WORKING and self._strip is None:
            self._soon.start(QUICK_MS)
        else:
            self.show()

    def show(self) -> None:
        """As things stand now."""
        said = self._feedback.now()
        wanted = said.kind in SHOWN and not self._in_sight() and (said.kind, said.text) != self._told
        widget = canvas.active_widget() if wanted else None
        if widget is None:
            self.hide()
            return
        if self._strip is None or self._strip.parent() is not widget:
            self.hide()
            strip = self._strip = _Strip(self._feedback, widget)
            strip.destroyed.connect(lambda *_: self._gone(strip))
        self._strip.place()
        if said.kind not in PASSING:
            self._told = None
            self._over.stop()
        elif not self._over.isActive():
            self._over.start(PASSING_MS)

    def _pass(self) -> None:
        said = self._feedback.now()
        if said.kind in PASSING:
            self._told = said.kind, said.text
        self.hide()

    def hide(self) -> None:
        self._over.stop()
        strip, self._strip = self._strip, None
        if strip is not None:
            strip.leave()

    def _gone(self, strip: Any) -> None:
        if self._strip is strip:  # with its canvas
            self._strip = None


class _Strip(CanvasFrame):
    def __init__(self, feedback: Feedback, over: QWidget) -> None:
        super().__init__("maskwright_strip", over)
        self._status = Status(feedback, full=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 5, 8, 5)
        layout.addWidget(self._status)
        feedback.changed.connect(self.place)
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """At the top, in the middle, as wide as its text but not wider than the canvas."""
        room = min(WIDEST, self._over.width() - 2 * GAP)
        self._status.fit(room - 2 * GAP)
        self._status.layout().activate()
        self.layout().activate()
        self.resize(self.layout().sizeHint())
        self.move(max(GAP, (self._over.width() - self.width()) // 2), GAP)
