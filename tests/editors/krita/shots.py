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


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with open_studio() as studio:
        krita = studio.krita
        for name in ("BrushPresetDockerWidget", "PresetDocker", "sharedtooldocker", "ColorSelectorNg"):
            krita.run(f"[d.setVisible(False) for d in K.dockers() if d.objectName() == {name!r}]")
        krita.run("m = K.activeWindow().qwindow(); m.resizeDocks([docker()], [620], Qt.Orientation.Vertical)")
        studio.open(studio.photo("photos/bus.jpg"))
        krita.run("K.activeWindow().activeView().canvas().setZoomLevel(0.66)")
        krita.run("child('maskwright_prompt_field').setEditText('person')")
        studio.press("maskwright_go")
        krita.wait("C.result is not None and not C.busy()", "the answer")
        settle(studio)
        keep(studio, "prompt")
        krita.run("docker().setFloating(True); docker().setGeometry(760, 120, 320, 640)")
        settle(studio)
        keep(studio, "docker", "docker()")
        krita.run("docker().setFloating(False)")
        settle(studio)
        krita.run("K.action('deselect').trigger()")
        settle(studio)
        studio.press("maskwright_click_button")
        krita.wait("T.active and 'prefetch' not in T._tasks", "the tool")
        studio.click(131, 583)
        krita.wait("len(T.marks) == 1 and T.marks.pending is None", "the preview")
        studio.click(131, 760, key="shift")
        krita.wait("len(T.marks) == 2 and T.marks.pending is None", "the preview")
        settle(studio)
        keep(studio, "clicks")
        krita.key("Escape")
        krita.wait("not T.active")
        krita.run("C.remove_background()")
        studio.idle()
        krita.run("d.topLevelNodes()[0].setVisible(False); d.refreshProjection()")
        settle(studio)
        keep(studio, "cutout")


if __name__ == "__main__":
    main()
