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
    print(target.relative_to(REPOSITORY), shot.size)


def settle(studio: Studio) -> None:
    studio.settle()
    studio.krita.run("quiet = []; QTimer.singleShot(1200, lambda: quiet.append(True))")
    studio.krita.wait("quiet")


def fresh(studio: Studio, photo: str) -> None:
    """That photo alone, without the offer of a first set of models."""
    studio.reset()
    studio.krita.run("C.options.welcomed = True; C.connection.changed.emit(); C.result_changed.emit()")
    studio.open(studio.photo(photo))


def float_docker(studio: Studio, height: int) -> None:
    """The docker as a window of its own, so high that all is seen."""
    studio.krita.run(f"docker().setFloating(True); docker().setGeometry(760, 8, 330, {height})")
    settle(studio)


def dialog(studio: Studio, action: str, ready: str = "True") -> None:
    """Opens a dialog that is called ``dialog`` from then on."""
    krita = studio.krita
    krita.run(f"QTimer.singleShot(0, K.action({action!r}).trigger)")
    krita.wait("QApplication.activeModalWidget() is not None", "the dialog")
    krita.run("dialog = QApplication.activeModalWidget(); dialog.move(700, 440)")
    krita.wait(ready, "what the dialog shows", 60.0)


def dialogs(studio: Studio) -> None:
    krita = studio.krita
    dialog(studio, "maskwright_cut_out")
    krita.run("dialog.findChild(QComboBox).setEditText('person')")
    krita.run("[fold.setChecked(True) for fold in dialog.findChildren(QToolButton) if fold.isCheckable()]")
    krita.run("dialog.findChild(QWidget, 'maskwright_outline').setValue(8)")
    settle(studio)
    keep(studio, "cut-out-dialog", "dialog")
    krita.run("dialog.reject()")
    fresh(studio, "photos/astronaut.png")
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.4)")
    dialog(studio, "maskwright_parts", "not dialog.task.running()")
    krita.run("dialog.findChild(QListWidget).item(0).setCheckState(Qt.CheckState.Checked)")
    settle(studio)
    keep(studio, "parts")
    krita.run("dialog.reject()")


def cutout(studio: Studio) -> None:
    krita = studio.krita
    fresh(studio, "photos/astronaut.png")
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.4); C.remove_background()")
    studio.idle()
    krita.run("d.topLevelNodes()[0].setVisible(False); d.refreshProjection()")
    settle(studio)
    keep(studio, "cutout")


def objects(studio: Studio) -> None:
    krita = studio.krita
    fresh(studio, "photos/bus.jpg")
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(0.66); C.options.hover = True")
    studio.press("maskwright_click_button")
    krita.wait("T.active and T.pointing.hover.ready", "the object map", 120.0)
    at = krita.get("on_canvas(131, 583)")
    studio.lab.xdotool("mousemove", *at, "mousemove", at[0] + 1, at[1])
    settle(studio)
    keep(studio, "objects")
    krita.key("Escape")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with open_studio() as studio:
        krita = studio.krita
        for name in ("BrushPresetDockerWidget", "PresetDocker", "sharedtooldocker", "ColorSelectorNg"):
            krita.run(f"[d.setVisible(False) for d in K.dockers() if d.objectName() == {name!r}]")
        krita.run("m = K.activeWindow().qwindow(); m.resizeDocks([docker()], [620], Qt.Orientation.Vertical)")
        fresh(studio, "photos/bus.jpg")
        krita.run("K.activeWindow().activeView().canvas().setZoomLevel(0.66)")
        krita.run("child('maskwright_prompt_field').setEditText('person')")
        studio.press("maskwright_go")
        krita.wait("C.result is not None and not C.busy()", "the answer")
        settle(studio)
        keep(studio, "prompt")
        float_docker(studio, 884)
        keep(studio, "docker", "docker()")
        krita.run("docker().setFloating(False)")
        settle(studio)
        krita.run("K.action('deselect').trigger()")
        settle(studio)
        studio.press("maskwright_click_button")
        krita.wait("T.active and 'prefetch' not in T._tasks", "the tool")
        studio.click(131, 583)
        krita.wait("len(T.session) == 1 and T.session.missing() is None", "the preview")
        studio.click(131, 760, key="shift")
        krita.wait("len(T.session) == 2 and T.session.missing() is None", "the preview")
        settle(studio)
        keep(studio, "clicks")
        krita.key("Escape")
        krita.wait("not T.active")
        dialogs(studio)
        cutout(studio)
        objects(studio)
    with open_studio() as studio:
        studio.open(studio.photo("photos/bus.jpg"))
        studio.krita.wait("len(child('maskwright_models')._set) > 0", "the first set")
        float_docker(studio, 600)
        keep(studio, "first", "docker()")


if __name__ == "__main__":
    main()
