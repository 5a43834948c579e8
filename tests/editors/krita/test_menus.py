"""Every entry of the menus, chosen with the mouse; what it does in detail is told by the other tests."""

import numpy as np
import pytest

from maskwright_protocol import masks
from maskwright_protocol.messages import Cutout, PixelRect, Rect, Refine, Select

from ..chroot import Lab
from .actions import closed, live_panel, previewed
from .driver import Krita
from .studio import Studio, one_step, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
START = PixelRect(120, 10, 280, 280)

FIND = """
def entry(bar, name):
    return next(a for a in bar.actions() if a.objectName().lower() == name)

def middle(widget, action):
    at = widget.actionGeometry(action).center()
    return place(widget, at.x(), at.y())

bar = K.activeWindow().qwindow().menuBar()
"""


def choose(krita: Krita, lab: Lab, menu: str, name: str) -> None:
    """Open the menu and press the entry with the mouse."""
    krita.run(FIND + f"opened = entry(bar, {menu!r})")
    lab.xdotool("mousemove", *krita.get("middle(bar, opened)"), "click", 1)
    krita.wait("opened.menu().isVisible()", "the menu")
    krita.run(f"chosen = [a for a in opened.menu().actions() if a.objectName() == {name!r}]")
    assert krita.get("len(chosen)") == 1
    assert krita.get("chosen[0].isEnabled()")
    lab.xdotool("mousemove", *krita.get("middle(opened.menu(), chosen[0])"), "click", 1)
    krita.wait("not opened.menu().isVisible()", "the menu to close")


def dialog(krita: Krita, name: str) -> None:
    krita.wait(f"QApplication.activeModalWidget() is not None and "
               f"QApplication.activeModalWidget().objectName() == {name!r}", "the dialog")  # fmt: skip


def answered(studio: Studio, krita: Krita) -> None:
    krita.wait("(C.result is not None or failure() is not None) and not C.busy()", "the answer", 120.0)
    studio.settle()
    assert studio.failure() is None, studio.failure()


def of_box() -> masks.Mask:
    return masks.pack(START, b"\xff" * (START.width * START.height))


def test_the_shortcuts_are_free(krita: Krita, studio: Studio) -> None:
    studio.create(64, 48)
    taken = krita.get("[(s.toString(), a.objectName()) for a in K.actions() for s in a.shortcuts() if not s.isEmpty()]")
    ours = {keys for keys, name in taken if name.startswith("maskwright_")}
    assert ours == {"Ctrl+Alt+P", "Ctrl+Alt+K"}
    assert [name for keys, name in taken if keys in ours and not name.startswith("maskwright_")] == []


def test_select_by_prompt(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    choose(krita, lab, "select", "maskwright_select_prompt")
    dialog(krita, "maskwright_prompt")
    lab.xdotool("type", "--delay", 5, "cat")
    krita.wait("QApplication.activeModalWidget().findChild(QComboBox).currentText() == 'cat'", "the typed text")
    krita.key("Return")
    answered(studio, krita)
    answer = studio.ask(Select("", text="cat", merge=True), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    studio.has_steps(1)


def test_select_subject(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    choose(krita, lab, "select", "maskwright_select_subject")
    answered(studio, krita)
    answer = studio.ask(Cutout("", foreground=False), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.alpha, WIDTH, HEIGHT)).all()


def test_refine_selection(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    studio.select(START)
    choose(krita, lab, "select", "maskwright_refine")
    live_panel(krita, "maskwright_refine_dialog")
    previewed(krita)
    krita.key("Return")
    closed(krita, "maskwright_refine_dialog")
    answered(studio, krita)
    answer = studio.ask(Refine("", mask=of_box()), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def test_select_object_from_selection(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    studio.select(START)
    choose(krita, lab, "select", "maskwright_select_object")
    answered(studio, krita)
    boxes = [Rect(START.x, START.y, START.width, START.height)]
    answer = studio.ask(Select("", boxes=boxes, pick="best", start=of_box()), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def test_select_similar(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    studio.select(START)
    before = studio.selection().copy()
    choose(krita, lab, "select", "maskwright_similar")
    answered(studio, krita)
    assert studio.selection().any()
    assert (studio.selection() != before).any()


def test_prepare_for_inpainting(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    studio.select(START)
    choose(krita, lab, "select", "maskwright_inpaint")
    dialog(krita, "maskwright_inpaint_dialog")
    krita.key("Return")
    answered(studio, krita)
    answer = studio.ask(Refine("", recipe="inpaint", context=0.5, mask=of_box()), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def test_parts_of_people(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo("photos/astronaut.png"))
    choose(krita, lab, "select", "maskwright_parts")
    dialog(krita, "maskwright_parts_dialog")
    krita.run("dialog = QApplication.activeModalWidget(); parts = dialog.findChild(QListWidget)")
    krita.wait("parts.count() > 0 and not dialog.task.running()", "the list", 60.0)
    # The box in front of the first line, with the mouse.
    krita.run("quiet = []; QTimer.singleShot(300, lambda: quiet.append(True))")
    krita.wait("quiet", "the window to be placed")
    krita.run("line = parts.visualItemRect(parts.item(0))")
    lab.xdotool("mousemove", *krita.get("place(parts.viewport(), line.x() + 10, line.center().y())"), "click", 1)
    krita.wait("len(dialog.ticked()) == 1", "the tick")
    krita.key("Return")
    answered(studio, krita)
    assert studio.selection().any()
    studio.has_steps(1)


def test_click_tool_on_and_off(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    choose(krita, lab, "select", "maskwright_click")
    krita.wait("T.active and child('maskwright_click_button').isChecked()", "the tool to be on")
    choose(krita, lab, "select", "maskwright_click")
    krita.wait("not T.active and not child('maskwright_click_button').isChecked()", "the tool to be off")


def test_remove_background(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    before = krita.get("tree(d.rootNode())")
    choose(krita, lab, "layer", "maskwright_cutout")
    answered(studio, krita)
    answer = studio.ask(Cutout("", foreground=True, format="BGRA8"), studio.photo(CAT), BOX)
    alpha = studio.pixels("d.rootNode().childNodes()[1]", BOX)[..., 3]
    assert (alpha == placed(answer.alpha, WIDTH, HEIGHT)).all()
    one_step(studio, krita, before)


def test_add_mask_from_prompt(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    before = krita.get("tree(d.rootNode())")
    choose(krita, lab, "layer", "maskwright_mask")
    dialog(krita, "maskwright_prompt")
    lab.xdotool("type", "--delay", 5, "cat")
    krita.wait("QApplication.activeModalWidget().findChild(QComboBox).currentText() == 'cat'", "the typed text")
    krita.key("Return")
    answered(studio, krita)
    answer = studio.ask(Select("", text="cat", merge=True), studio.photo(CAT), BOX)
    shown = studio.pixels("d.rootNode().childNodes()[0].childNodes()[0]", BOX, 1)[..., 0]
    assert (shown == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    assert np.count_nonzero(shown)
    one_step(studio, krita, before)


def test_cut_out_by_prompt(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    before = krita.get("tree(d.rootNode())")
    choose(krita, lab, "layer", "maskwright_cut_out")
    live_panel(krita, "maskwright_cut_out_dialog")
    krita.wait("QApplication.activeWindow() is panel", "the keyboard")
    lab.xdotool("type", "--delay", 5, "cat")
    krita.wait("panel.prompt.currentText() == 'cat'", "the typed text")
    krita.key("Return")
    previewed(krita)
    krita.key("Return")
    closed(krita, "maskwright_cut_out_dialog")
    answered(studio, krita)
    answer = studio.ask(Cutout("", text="cat", format="BGRA8"), studio.photo(CAT), BOX)
    shown = studio.pixels("d.rootNode().childNodes()[1]", BOX)[..., 3]
    assert (shown == placed(answer.alpha, WIDTH, HEIGHT)).all()
    assert np.count_nonzero(shown)
    one_step(studio, krita, before)
