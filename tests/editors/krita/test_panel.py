"""The panel at the size that Krita gives it, the strip over the canvas while it is hidden, and what both say."""

from collections.abc import Iterator

import pytest

from ..chroot import Lab, wait_until
from ..server import Server
from .driver import Krita
from .studio import Studio, stopped
from .test_menus import answered, choose, dialog

pytestmark = pytest.mark.editor

CAT, BUS = "photos/chelsea.png", "photos/bus.jpg"
ROOM = 160  # pixels that Krita leaves for a panel on a screen of 1280x800

LAYOUT = """
def outside():
    'What is cut off: visible widgets of the panel whose place is not wholly in it.'
    body = docker().widget()
    found = []
    for w in body.findChildren(QWidget):
        if not w.isVisible() or w.parentWidget().metaObject().className() in ('QComboBox', 'QLineEdit'):
            continue
        place_ = QRect(w.mapTo(body, QPoint(0, 0)), w.size())
        if not body.rect().contains(place_):
            found.append((w.objectName(), place_.getRect(), body.rect().getRect()))
    return found

def overlaps():
    body = docker().widget()
    kinds = (QAbstractButton, QComboBox)
    shown = [(w, QRect(w.mapTo(body, QPoint(0, 0)), w.size())) for kind in kinds for w in body.findChildren(kind)
             if w.isVisible()]
    return [(a.objectName(), b.objectName()) for i, (a, r) in enumerate(shown) for b, s in shown[i + 1:]
            if r.intersects(s) and a.parentWidget() is not b and b.parentWidget() is not a]

def strip():
    found = [w for w in QApplication.allWidgets() if w.objectName() == 'maskwright_strip' and w.isVisible()]
    return found[0] if found else None

def strip_button(name):
    return strip().findChild(QPushButton, name)
"""


@pytest.fixture
def panel(studio: Studio) -> Studio:
    studio.krita.run(LAYOUT + "\nimport maskwright_krita.controller, maskwright_krita.dialogs")
    studio.krita.run("C.options.welcomed = True; P.feedback.dismiss()")
    return studio


@pytest.fixture
def hidden(panel: Studio) -> Iterator[Studio]:
    """A photo, and the panel closed, as Krita has it at first."""
    panel.open(panel.photo(CAT))  # Krita brings back what its welcome page has put away
    panel.krita.run("docker().setVisible(False)")
    yield panel
    panel.krita.run("docker().setVisible(True)")


# ---------------------------------------------------------------- its size


@pytest.mark.parametrize("width", [200, 300, 640])
def test_all_of_it_is_seen_in_the_room_that_krita_gives(panel: Studio, krita: Krita, width: int) -> None:
    panel.open(panel.photo(CAT))
    assert krita.get("docker().widget().minimumSizeHint().height()") <= ROOM - 20  # of the title
    krita.run(f"docker().setFloating(True); docker().resize({width}, {ROOM})")
    try:
        long = "'Nothing of that kind was found anywhere in the picture. ' * 4"
        states = (
            ("ready", "P.feedback.dismiss()"),
            ("problem", f"C.failed.emit(maskwright_krita.controller.Failure({long}, {long}, 'busy', {{}}, print))"),
            ("note", f"C.failed.emit(None); C.told.emit({long})"),
            ("done", "C.select_by_prompt('cat')"),
            ("note", f"C.follow_up = ('Hide the source', print, 'tip'); C.told.emit({long})"),
            ("working", "C.busy = lambda: True; C.progressed.emit('Looking', 0.5)"),
        )
        try:
            for name, make in states:
                krita.run(make)
                if name == "done":
                    panel.idle()
                krita.run("QApplication.processEvents()")
                assert panel.said()[0] == name
                assert krita.get("outside()") == [], name
                assert krita.get("overlaps()") == [], name
                assert krita.get("child('maskwright_status_text').text()"), name
        finally:
            krita.run("C.__dict__.pop('busy', None); P.feedback.dismiss()")
        # What a text has no room for is told whole by its tooltip.
        krita.run(f"C.told.emit({long})")
        shown, tip = krita.get("(lambda w: (w.text(), w.toolTip()))(child('maskwright_status_text'))")
        assert "anywhere" in tip
        assert shown == tip or shown.endswith("...")
    finally:
        krita.run("docker().setFloating(False)")


def test_everything_has_a_tooltip_and_the_tab_key_reaches_it(panel: Studio, krita: Krita) -> None:
    panel.open(panel.photo(CAT))
    panel.command("select_by_prompt('cat')")
    bare = """[w.objectName() for top in (docker().widget(), docker().options_window, docker().found)
        for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
        for w in top.findChildren(kind) if w.objectName().startswith('maskwright_') and not w.toolTip()]"""
    assert krita.get(bare) == []
    unreached = """[w.objectName() for w in docker().widget().findChildren(QAbstractButton)
        if w.isVisible() and not w.focusPolicy() & Qt.FocusPolicy.TabFocus]"""
    assert krita.get(unreached) == []
    iconless = "[w.objectName() for w in docker().widget().findChildren(QToolButton) if w.icon().isNull()]"
    assert krita.get(iconless) == []


def test_the_tab_key_goes_through_the_panel(panel: Studio, krita: Krita, lab: Lab) -> None:
    """In Krita it hides all panels, unless one of them wants it."""
    panel.open(panel.photo(CAT))
    panel.command("select_by_prompt('cat')")
    lab.xdotool("mousemove", *krita.get("place(child('maskwright_prompt_field'), 30)"), "click", 1)
    krita.wait("QApplication.focusWidget() is not None and docker().isAncestorOf(QApplication.focusWidget())", "focus")
    seen: list[str] = []
    for _ in range(24):
        seen.append(krita.get("QApplication.focusWidget().objectName()"))
        krita.key("Tab")
        krita.run("QApplication.processEvents()")
        if not krita.get("docker().isAncestorOf(QApplication.focusWidget())"):
            break
    wanted = krita.get("""[w.objectName() for w in docker().widget().findChildren(QAbstractButton)
        if w.isVisible() and w.isEnabled() and w.objectName().startswith('maskwright_')]""")
    missed = [name for name in wanted if name not in seen and not name.startswith("maskwright_mode_")]
    assert missed == [], seen  # of the icons of which one is on, Tab stops at that one and the arrows go on
    assert krita.get("docker().isVisible()")


def test_what_cannot_work_is_grey(panel: Studio, krita: Krita) -> None:
    selecting = ("maskwright_refine_button", "maskwright_similar_button")
    menus = ("maskwright_refine", "maskwright_inpaint", "maskwright_select_object")
    on = f"[child(n).isEnabled() for n in {selecting}] + [K.action(n).isEnabled() for n in {menus}]"
    krita.wait("not child('maskwright_go').isEnabled() and not child('maskwright_subject').isEnabled()", "no image")
    panel.open(panel.photo(CAT))
    krita.wait("child('maskwright_go').isEnabled() and child('maskwright_subject').isEnabled()", "an image")
    assert not any(krita.get(on))
    panel.command("select_by_prompt('cat')")
    krita.wait(f"all({on})", "what needs a selection")
    krita.run("K.action('deselect').trigger()")
    krita.wait(f"not any({on})", "what needs a selection to be grey again")


# ---------------------------------------------------------------- what is typed


def test_enter_asks_for_what_is_typed(panel: Studio, krita: Krita, lab: Lab) -> None:
    """Not for what was asked before and begins alike; and the first Enter counts."""
    panel.open(panel.photo(CAT))
    before = ["cat - collar", "cats; dogs", "Cat"]
    krita.run(f"C.options.history = {before}")
    krita.run("maskwright_krita.dialogs.fill_history(C, child('maskwright_prompt_field'))")
    lab.xdotool("mousemove", *krita.get("place(child('maskwright_prompt_field'), 30)"), "click", 1)
    krita.key("ctrl+a")
    lab.xdotool("type", "--delay", 30, "cat")
    krita.key("Return")
    answered(panel, krita)
    assert krita.get("C.options.prompt") == "cat"
    assert krita.get("C.options.history")[0] == "cat"
    choose(krita, lab, "select", "maskwright_select_prompt")
    dialog(krita, "maskwright_prompt")
    krita.run("C.result = None")
    lab.xdotool("type", "--delay", 30, "cats")
    krita.key("Return")
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to close at the first Enter", 10.0)
    answered(panel, krita)
    assert krita.get("C.options.prompt") == "cats"


# ---------------------------------------------------------------- the strip over the canvas


def test_a_command_of_the_menu_is_told_on_the_canvas(hidden: Studio, krita: Krita, lab: Lab, server: Server) -> None:
    krita.run("C.select_by_prompt('zebra')")
    hidden.idle()
    krita.wait("strip() is not None", "the strip")
    said = "' '.join(l.text() for l in strip().findChildren(QLabel))"
    assert "No zebra was found" in krita.get(said)
    # It lies on the canvas, and a press on it is no stroke.
    assert krita.get("strip().parent() is mw_canvas.active_widget() or strip().parent() == mw_canvas.active_widget()")
    before = hidden.history()
    lab.xdotool("mousemove", *krita.get("place(strip(), 4, 4)"), "click", 1)
    krita.run("quiet = []; QTimer.singleShot(300, lambda: quiet.append(True))")
    krita.wait("quiet")
    assert hidden.history() == before
    lab.xdotool("mousemove", *krita.get("place(strip().findChild(QToolButton, 'maskwright_status_close'))"), "click", 1)
    krita.wait("strip() is None", "the strip to be put away")
    # Under way, with a button to stop it.
    with stopped(server):
        choose(krita, lab, "select", "maskwright_select_subject")
        krita.wait("strip() is not None and strip_button('maskwright_cancel') is not None", "the progress")
        lab.xdotool("mousemove", *krita.get("place(strip_button('maskwright_cancel'))"), "click", 1)
        krita.wait("not C.busy()", "the end", 5.0)
    assert krita.get("d.selection() is None")


def test_the_strip_is_not_for_those_who_see_the_panel(panel: Studio, krita: Krita) -> None:
    panel.open(panel.photo(CAT))
    krita.run("C.select_by_prompt('zebra')")
    panel.idle()
    assert krita.get("(strip() is None, P.feedback.now().kind)") == (True, "problem")
    krita.run("docker().setVisible(False)")
    krita.wait("strip() is not None", "the strip, once the panel is closed")
    krita.run("docker().setVisible(True)")
    krita.wait("strip() is None", "the strip to go")


def test_a_new_layer_over_its_source_is_told_and_the_source_hidden(hidden: Studio, krita: Krita, lab: Lab) -> None:
    name = krita.get("d.activeNode().name()")
    choose(krita, lab, "layer", "maskwright_cutout")
    answered(hidden, krita)
    krita.wait("strip() is not None and strip_button('maskwright_follow_up') is not None", "the offer")
    lab.xdotool("mousemove", *krita.get("place(strip_button('maskwright_follow_up'))"), "click", 1)
    krita.wait(f"not d.nodeByName({name!r}).visible()", "the source to be hidden")
    assert krita.get("d.topLevelNodes()[-1].visible()")


# ---------------------------------------------------------------- Krita's history

SHOWN = """
def shown_history():
    view = [d for d in K.dockers() if d.objectName() == "History"][0].findChildren(QListView)[0]
    texts = []
    for row in range(1, view.model().rowCount()):
        option = QStyleOptionViewItem()
        view.itemDelegate().initStyleOption(option, view.model().index(row, 0))
        texts.append(option.text)
    return texts
"""


def test_the_history_says_what_was_selected(panel: Studio, krita: Krita) -> None:
    krita.run(SHOWN)
    panel.open(panel.photo(CAT))
    panel.command("select_by_prompt('cat')")
    panel.command("select_subject()")
    wait_until(lambda: krita.get("shown_history()") == ["Select: cat", "Select: Subject"], "the names", 10.0)
    panel.undo()
    assert krita.get("shown_history()") == ["Select: cat", "Select: Subject"]
    # Another image has another history, and Krita's own steps keep their names.
    panel.undo()
    krita.wait("d.selection() is None", "undo")
    krita.run("K.action('select_all').trigger()")
    wait_until(lambda: krita.get("shown_history()") == ["Select All"], "Krita's own step", 10.0)
    panel.open(panel.photo(BUS))
    assert krita.get("shown_history()") == []


# ---------------------------------------------------------------- what was found


def test_the_list_goes_with_its_image(panel: Studio, krita: Krita) -> None:
    panel.open(panel.photo(BUS))
    panel.command("select_by_prompt('person')")
    first = panel.selection().copy()
    krita.run("one = d")
    panel.press("maskwright_show_found")
    krita.wait("docker().found.isVisible() and child('maskwright_found').count() > 1", "the list")
    panel.open(panel.photo(CAT))
    krita.wait("not docker().found.isVisible()", "the list to go with another image in front")
    krita.run("child('maskwright_found').item(0).setCheckState(Qt.CheckState.Unchecked) if "
              "child('maskwright_found').count() else None; C.apply_again()")  # fmt: skip
    panel.idle()
    assert not panel.selection().any()
    krita.run("maskwright_krita.plugin.app.activate(one)")
    krita.wait("K.activeDocument() == one and C.shown_result() is not None", "the list of the image in front")
    krita.run("d = one")
    assert (panel.selection() == first).all()
    # A search that fails leaves no list of the one before.
    krita.run("C.select_by_prompt('zebra')")
    panel.idle()
    assert krita.get("C.result is None")
    panel.command("select_by_prompt('person')")
    krita.run("quiet = []; QTimer.singleShot(250, lambda: quiet.append(True))")
    krita.wait("quiet", "Krita's delayed updates")
    krita.run("one.setModified(False); one.close()")
    krita.wait("C.result is None", "the list of a closed image to be gone")
