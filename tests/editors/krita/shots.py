"""Makes the pictures of ``docs/krita.md``: ``python -m tests.editors.krita.shots [NAME...]`` at the root.

``NAME`` is one of ``SCENES``: all of them without one.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ..server import REPOSITORY
from .actions import open_live, previewed
from .session import open_studio
from .studio import Studio

IMAGES = REPOSITORY / "docs" / "images"
ZOOM = "K.activeWindow().activeView().canvas().setZoomLevel({0})"


def keep(studio: Studio, name: str, expression: str = "", ratio: int = 1, largest: int = 1000) -> None:
    """A picture of the whole screen, or of the widget that the expression names."""
    studio.krita.run("QApplication.processEvents()")
    shot = Image.open(studio.lab.screenshot(f"{name}.png")).convert("RGB")
    if expression:
        left, top = studio.krita.get(f"place({expression}, 0, 0)")
        width, height = studio.krita.get(f"({expression}.width(), {expression}.height())")
        shot = shot.crop(tuple(ratio * side for side in (left, top, left + width, top + height)))
    target: Path = IMAGES / f"krita-{name}.png"
    shot.thumbnail((largest, largest))
    shot.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
    print(target.relative_to(REPOSITORY), shot.size)


def settle(studio: Studio) -> None:
    studio.settle()
    studio.krita.run("quiet = []; QTimer.singleShot(1200, lambda: quiet.append(True))")
    studio.krita.wait("quiet")


def fresh(studio: Studio, photo: str, zoom: float = 0.0) -> None:
    """That photo alone, without the offer of a first set of models."""
    studio.reset()
    studio.krita.run("C.options.welcomed = True; C.connection.changed.emit(); C.result_changed.emit()")
    studio.open(studio.photo(photo))
    if zoom:
        studio.krita.run(ZOOM.format(zoom))


def dialog(studio: Studio, action: str, ready: str = "True") -> None:
    """Opens a dialog that is called ``dialog`` from then on."""
    krita = studio.krita
    krita.run(f"QTimer.singleShot(0, K.action({action!r}).trigger)")
    krita.wait("QApplication.activeModalWidget() is not None", "the dialog")
    krita.run("dialog = QApplication.activeModalWidget(); dialog.move(520, 160)")
    krita.wait(ready, "what the dialog shows", 60.0)


def search(studio: Studio, words: str) -> None:
    studio.krita.run(f"child('maskwright_prompt_field').setEditText({words!r})")
    studio.press("maskwright_go")
    studio.krita.wait("C.result is not None and not C.busy()", "the answer")


# ---------------------------------------------------------------- scenes


def panel(studio: Studio) -> None:
    """Where Krita puts it on a small screen."""
    fresh(studio, "photos/bus.jpg")
    search(studio, "person")
    settle(studio)
    keep(studio, "prompt", largest=1280)
    keep(studio, "docker", "docker()")
    studio.press("maskwright_show_found")
    settle(studio)
    line = "(lambda w, c: place(w.viewport(), c.x(), c.y()))(f, f.visualItemRect(f.item(1)).center())"
    studio.krita.run("f = child('maskwright_found')")
    studio.lab.xdotool("mousemove", *studio.krita.get(line))
    settle(studio)
    keep(studio, "found", largest=1280)
    studio.krita.run("docker().found.hide()")
    studio.press("maskwright_options_button")
    settle(studio)
    keep(studio, "options", "docker().options_window")
    studio.krita.run("docker().options_window.hide(); C.select_by_prompt('the glittering tiara')")
    studio.idle()
    settle(studio)
    keep(studio, "problem", "docker()")


def strip(studio: Studio) -> None:
    """What the canvas shows while the panel is hidden."""
    fresh(studio, "photos/bus.jpg")
    studio.krita.run("docker().setVisible(False); C.remove_background()")
    studio.idle()
    settle(studio)
    keep(studio, "strip", largest=1280)
    studio.krita.run("docker().setVisible(True)")


def clicks(studio: Studio) -> None:
    fresh(studio, "photos/bus.jpg")
    studio.press("maskwright_click_button")
    studio.krita.wait("T.active and 'prefetch' not in T._tasks", "the tool")
    studio.click(131, 583)
    studio.krita.wait("len(T.session) == 1 and T.session.missing() is None", "the preview")
    settle(studio)
    keep(studio, "clicks", largest=1280)
    studio.krita.key("Escape")
    studio.krita.wait("not T.active")


def edges(studio: Studio) -> None:
    """A selection refined and a cut-out, live; after a stroke over the hair that was left out."""
    krita = studio.krita
    fresh(studio, "photos/astronaut.png", 1.2)
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.2)")
    studio.command("select_by_prompt('person')")
    open_live(krita, "maskwright_refine")
    krita.run("panel.views.setCurrentIndex(panel.views.findData('white'))")
    previewed(krita)
    krita.run("work.begin('hair', 60.0, 150.0, 40.0); work.extend(220.0, 20.0); work.extend(300.0, 40.0); work.end()")
    previewed(krita)
    settle(studio)
    keep(studio, "refine-live", largest=1280)
    krita.run("panel.reject()")
    open_live(krita, "maskwright_cut_out")
    krita.run("panel.prompt.setEditText('person'); panel.look_for()")
    krita.run("panel.views.setCurrentIndex(panel.views.findData('overlay'))")
    previewed(krita)
    settle(studio)
    keep(studio, "cut-out-dialog", "panel")
    krita.run("panel.reject()")


def parts(studio: Studio) -> None:
    fresh(studio, "photos/astronaut.png", 1.2)
    dialog(studio, "maskwright_parts", "not dialog.task.running()")
    studio.krita.run("dialog.findChild(QListWidget).item(0).setCheckState(Qt.CheckState.Checked)")
    settle(studio)
    keep(studio, "parts")
    studio.krita.run("dialog.reject()")


def cutout(studio: Studio) -> None:
    fresh(studio, "photos/astronaut.png", 1.2)
    studio.krita.run("C.remove_background()")
    studio.idle()
    studio.krita.run("P.feedback.press()")  # hides the source
    settle(studio)
    keep(studio, "cutout")


def objects(studio: Studio) -> None:
    fresh(studio, "photos/bus.jpg")
    studio.krita.run("C.options.hover = True")
    studio.press("maskwright_click_button")
    studio.krita.wait("T.active and T.pointing.hover.ready", "the object map", 120.0)
    at = studio.krita.get("on_canvas(131, 583)")
    studio.lab.xdotool("mousemove", *at, "mousemove", at[0] + 1, at[1])
    settle(studio)
    keep(studio, "objects")
    studio.krita.key("Escape")


def first(studio: Studio) -> None:
    """The offer of a first set of models."""
    studio.reset()
    studio.open(studio.photo("photos/bus.jpg"))
    studio.krita.wait("P.feedback.now().kind == 'offer'", "the offer")
    studio.krita.run("QTimer.singleShot(0, P.feedback.press)")
    studio.krita.wait("QApplication.activeModalWidget() is not None", "the models")
    studio.krita.run("dialog = QApplication.activeModalWidget()")
    settle(studio)
    keep(studio, "first", "dialog")
    studio.krita.run("dialog.reject()")


def large(studio: Studio) -> None:
    """A bright theme on a larger screen."""
    fresh(studio, "photos/bus.jpg")
    search(studio, "person")
    settle(studio)
    keep(studio, "bright", "docker()")


def sharp(studio: Studio) -> None:
    """Two pixels of the screen for one."""
    fresh(studio, "photos/bus.jpg")
    studio.command("select_by_prompt('person')")  # the hand knows screens of one pixel for one only
    settle(studio)
    keep(studio, "hidpi", "docker()", 2)


SMALL: tuple[Callable[[Studio], None], ...] = (first, panel, strip, clicks, edges, parts, cutout, objects)
SCENES = {scene.__name__: scene for scene in (*SMALL, large, sharp)}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or list(SCENES)
    for scenes, screen in (
        (SMALL, (1280, 800, 1, "Krita dark")),
        ((large,), (1920, 1080, 1, "Krita bright")),
        ((sharp,), (2560, 1600, 2, "Krita dark")),
    ):
        chosen = [scene for scene in scenes if scene.__name__ in wanted]
        if chosen:
            with open_studio(*screen) as studio:
                for scene in chosen:
                    scene(studio)


if __name__ == "__main__":
    main()
