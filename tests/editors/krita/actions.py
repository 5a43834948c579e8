"""What several tests do in Krita with its own means."""

from __future__ import annotations

import numpy as np

from tests.editors.krita.driver import Krita
from tests.editors.krita.studio import Studio


def opened(krita: Krita, name: str) -> None:
    """Wait for the dialog, and until it has the keyboard."""
    krita.wait(
        f"QApplication.activeModalWidget() is not None and QApplication.activeModalWidget().objectName() == {name!r} "
        "and QApplication.activeWindow() is QApplication.activeModalWidget()",
        "the dialog",
    )
    krita.run("dialog = QApplication.activeModalWidget()\ndef row(name): return dialog.findChild(QWidget, name)")


def live_panel(krita: Krita, name: str) -> None:
    """Wait for the panel that works on an edge; it is called ``panel`` from then on."""
    krita.wait(
        f"any(w.objectName() == {name!r} and w.isVisible() for w in QApplication.topLevelWidgets())", "the panel"
    )
    krita.run(
        f"panel = [w for w in QApplication.topLevelWidgets() if w.objectName() == {name!r} and w.isVisible()][0]\n"
        "work = panel.work\ndef row(name): return panel.findChild(QWidget, name)"
    )


def open_live(krita: Krita, action: str) -> None:
    """Choose that menu entry, and wait for its panel."""
    krita.run(f"QTimer.singleShot(0, K.action({action!r}).trigger)")
    live_panel(krita, f"{action}_dialog")


def previewed(krita: Krita) -> None:
    """Wait until the canvas shows what is set."""
    krita.wait("work.ready and work.preview is not None and work.idle", "the preview")


def closed(krita: Krita, name: str) -> None:
    """Wait until a live panel is gone."""
    krita.wait(
        f"not any(w.objectName() == {name!r} and w.isVisible() for w in QApplication.topLevelWidgets())", "the end"
    )


WIDTH, HEIGHT = 451, 300


def start(studio: Studio, krita: Krita) -> None:
    studio.press("maskwright_click_button")
    krita.wait("T.active", "the tool to be on")
    krita.wait("'prefetch' not in T._tasks", "the embedding")
    assert studio.failure() is None, studio.failure()


def answered(krita: Krita, count: int) -> None:
    krita.wait(f"len(T.session) == {count} and T.session.missing() is None", "the preview")


def preview(studio: Studio) -> np.ndarray:
    box = studio.krita.get("(lambda b: (b.x, b.y, b.width, b.height))(T.preview().box)")
    plane = np.zeros((HEIGHT, WIDTH), np.uint8)
    data = np.frombuffer(studio.fetch("T.preview().data"), np.uint8).reshape(box[3], box[2])
    plane[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = data
    return plane
