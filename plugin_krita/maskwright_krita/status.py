"""Shows what ``Feedback`` says: a text, a bar while something is under way, at most two buttons, and a cross."""

from typing import Any, List

from maskwright_protocol.language import tr

from .editor.qt import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSize,
    QSizePolicy,
    Qt,
    QToolTip,
    QVBoxLayout,
)
from .feedback import NOTE, PROBLEM, READY, Feedback, Said
from .icons import SIZE, Themed, icon
from .widgets import icon_button

BUTTONS = 2
BAR = 5  # a bar's height
LINES = 4  # of text, where Krita asks how much room there should be


class Lines(QLabel):
    """As much of a text as there is room for, at least two lines; the tooltip, or a click on it, tells all of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self.whole = ""

    def show_text(self, text: str, tip: str) -> None:
        self.whole = text
        self.setToolTip(tip)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 2 * self.fontMetrics().lineSpacing() + 2)

    def sizeHint(self) -> QSize:
        return QSize(60, LINES * self.fontMetrics().lineSpacing() + 2)

    def hasHeightForWidth(self) -> bool:
        return False

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The longest beginning, of whole words, that fits."""
        words = self.whole.split(" ")
        low, high = 0, len(words)
        while low < high:
            middle = (low + high + 1) // 2
            if self._fits(self._beginning(words, middle)):
                low = middle
            else:
                high = middle - 1
        self.setText(self._beginning(words, max(1, low)))

    @staticmethod
    def _beginning(words: List[str], count: int) -> str:
        return " ".join(words[:count]) + ("..." if count < len(words) else "")

    def _fits(self, text: str) -> bool:
        flags = int(Qt.TextFlag.TextWordWrap)
        return self.fontMetrics().boundingRect(0, 0, max(1, self.width()), 9999, flags, text).height() <= self.height()

    def mousePressEvent(self, event: Any) -> None:
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), self.toolTip(), self)


class Status(QFrame):
    """``full``: the text has all the lines that it needs."""

    def __init__(self, feedback: Feedback, full: bool = False) -> None:
        super().__init__()
        self.setObjectName("maskwright_status")
        self._feedback = feedback
        self.text: Any = QLabel() if full else Lines("maskwright_status_text")
        self.text.setObjectName("maskwright_status_text")
        if full:
            self.text.setTextFormat(Qt.TextFormat.PlainText)
            self.text.setWordWrap(True)
        self.sign = QLabel()
        self.bar = QProgressBar()
        self.bar.setObjectName("maskwright_progress")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(BAR)
        self.buttons = [self._button(place) for place in range(BUTTONS)]
        self.cross = icon_button("maskwright_status_close", tr("Close"), tr("Put this message away"))
        self.cross.clicked.connect(lambda *_: feedback.dismiss())
        self._put_together(full)
        self.said = feedback.now()
        Themed(self, self._show_icons)
        feedback.changed.connect(self.show_said)
        self.show_said()

    def _button(self, place: int) -> QPushButton:
        button = QPushButton()
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda *_: self._feedback.press(place))
        return button

    def _put_together(self, full: bool) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.bar)
        words.addWidget(self.text, 1)
        buttons: Any = QHBoxLayout() if full else QVBoxLayout()
        buttons.setSpacing(2)
        for button in self.buttons:
            buttons.addWidget(button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        place = Qt.AlignmentFlag.AlignVCenter if full else Qt.AlignmentFlag.AlignTop
        layout.addWidget(self.sign, 0, place)
        layout.addLayout(words, 1)
        layout.addLayout(buttons)
        layout.setAlignment(buttons, place)
        layout.addWidget(self.cross, 0, place)

    def _show_icons(self) -> None:
        name = {PROBLEM: "problem", NOTE: "note"}.get(self.said.kind, "")
        self.sign.setVisible(bool(name))
        if name:
            self.sign.setPixmap(icon(name).pixmap(SIZE, SIZE))
        self.cross.setIcon(icon("close"))

    def show_said(self) -> None:
        said = self.said = self._feedback.now()
        self._show_text(said)
        self.bar.setVisible(said.fraction is not None)
        if said.fraction is not None:
            self.bar.setRange(0, 100 if said.fraction > 0 else 0)
            self.bar.setValue(int(said.fraction * 100))
        for place, button in enumerate(self.buttons):
            wanted = said.buttons[place] if place < len(said.buttons) else None
            button.setVisible(wanted is not None)
            button.setObjectName(wanted.name if wanted is not None else "")
            if wanted is not None:
                button.setText(wanted.text)
                button.setToolTip(wanted.tip)
        self.cross.setVisible(said.closable)
        self._show_icons()

    def fit(self, width: int) -> None:
        """Let the text of a ``full`` one be as wide as it is, within that width of the whole."""
        others = [self.sign, self.cross, *self.buttons]
        for layout in (self.layout(), self.parentWidget().layout() if self.parentWidget() is not None else None):
            if layout is not None:
                layout.activate()  # what was just shown counts
        taken = sum(one.sizeHint().width() + self.layout().spacing() for one in others if not one.isHidden())
        metrics = self.text.fontMetrics()
        longest = max(metrics.horizontalAdvance(line) for line in self.text.text().split("\n")) + 4
        self.text.setFixedWidth(max(80, min(longest, width - taken)))

    def _show_text(self, said: Said) -> None:
        if isinstance(self.text, Lines):
            self.text.show_text(said.text if said.kind == READY else said.whole, said.whole)
        else:
            self.text.setText(f"{said.text}\n{said.hint}".strip() if said.kind == PROBLEM else said.whole)
