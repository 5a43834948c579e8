"""Makes the pictures of ``docs/krita.md``: ``python -m tests.editors.krita.shots`` from the repository's root."""

from pathlib import Path

from PIL import Image

from ..server import REPOSITORY
from .session import open_studio
from .studio import Studio

IMAGES = REPOSITORY / "docs" / "images"


def keep(studio: Studio, name: str, expression: str = "") -> None:
    """A picture of the whole screen, or of the widget that the expression names."""
    studio.krita.run("QApplication.processEvents()")
    shot = Image.open(studio.lab.screenshot(f"{name}.png")).convert("RGB")
    if expression:
        left, top = studio.krita.get(f"place({expression}, 0, 0)")
        width, height = studio.krita.get(f"({expression}.width(), {expression}.height())")
        shot = shot.crop((left, top, left + width, top + height))
    target: Path = IMAGES / f"krita-{name}.png"
    shot.thumbnail((1000, 1000))
    shot.save(target, optimize=True)
    krita.run("dialog.reject()")
    studio.reset()
    krita.run("C.options.welcomed = True; C.connection.changed.emit()")
    studio.open(studio.photo("photos/astronaut.png"))
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.4)")
    dialog(studio, "maskwright_parts", "not dialog.task.running()")
    krita.run("l = dialog.findChild(QListWidget); l.item(0).setCheckState(Qt.CheckState.Checked)")
    settle(studio)
    keep(studio, "parts")
    krita.run("dialog.reject()")


def objects(studio: Studio) -> None:
    krita = studio.krita
    studio.reset()
    krita.run("C.options.welcomed = True; C.connection.changed.emit()")
    studio.open(studio.photo("photos/bus.jpg"))
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(0.66); C.options.hover = True")
    studio.press("maskwright_click_button")
    krita.wait("T.active and T.pointing.ready", "the object map", 120.0)
    at = krita.get("on_canvas(131, 583)")
    studio.lab.xdotool("mousemove", *at, "mousemove", at[0] + 1, at[1])
    settle(studio)
    keep(studio, "objects")
    krita.key("Escape")


if __name__ == "__main__":
    main()
