"""The live panel for edges in the real Krita: real strokes, keys and sliders; what is shown, what stays as it is."""

import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from maskwright_protocol import masks
from maskwright_protocol.messages import EdgeStroke, PixelRect, Refine

from ..chroot import Lab, wait_until
from .actions import HEIGHT, WIDTH, closed, live_panel, open_live, previewed
from .driver import Krita
from .studio import Studio, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
ROUGH = PixelRect(130, 40, 200, 180)
PANEL = "maskwright_refine_dialog"


def refining(studio: Studio, krita: Krita) -> int:
    """The panel over the cat with a rectangle selected; how many steps the history has."""
    studio.open(studio.photo(CAT))
    steps = studio.select(ROUGH)
    open_live(krita, "maskwright_refine")
    previewed(krita)
    return steps


def paint(krita: Krita, lab: Lab, places: list[tuple[int, int]], button: int = 1) -> None:
    """A stroke with the mouse through places of the image."""
    ways = [krita.get(f"on_canvas({x}, {y})") for x, y in places]
    count = krita.get("len(work.strokes)")
    lab.xdotool("mousemove", *ways[0], "mousedown", button)
    for (x0, y0), (x1, y1) in pairwise(ways):
        for step in range(1, 5):
            lab.xdotool("mousemove", x0 + (x1 - x0) * step // 4, y0 + (y1 - y0) * step // 4)
    lab.xdotool("mouseup", button)
    krita.wait(f"len(work.strokes) == {count + 1} and work.drawn is None", "the stroke")
    previewed(krita)


def strokes(krita: Krita) -> list[EdgeStroke]:
    return [EdgeStroke(*one) for one in krita.get("[(s.path, s.kind, s.width) for s in work.strokes]")]


def shown(studio: Studio) -> np.ndarray:
    """The preview, which has the document's own pixels here."""
    assert studio.krita.get("(work.preview.box.width, work.preview.box.height)") == (WIDTH, HEIGHT)
    return np.frombuffer(studio.fetch("work.preview.data"), np.uint8).reshape(HEIGHT, WIDTH)


def seen(studio: Studio, x: int, y: int) -> tuple[int, ...]:
    """The colour on the screen at a place of the image."""
    at = studio.krita.get(f"on_canvas({x}, {y})")
    return Image.open(studio.lab.screenshot("seen.png")).convert("RGB").getpixel(at)  # type: ignore[return-value]


def test_strokes_sliders_views_and_one_step(studio: Studio, krita: Krita, lab: Lab) -> None:
    steps = refining(studio, krita)
    assert not krita.get("panel.isModal()")
    assert not krita.get("K.action('toggle_display_selection').isChecked()"), "Krita's ants would lie over the edge"
    before = shown(studio)
    paint(krita, lab, [(20, 20), (60, 40)], button=3)  # the opposite of hair
    krita.run("panel.brushes.choose('inside')")
    paint(krita, lab, [(40, 250), (100, 260)])
    paint(krita, lab, [(230, 120), (260, 150)], button=3)
    painted = strokes(krita)
    assert [one.kind for one in painted] == ["hard", "inside", "outside"]
    inside, outside = shown(studio)[250, 42], shown(studio)[135, 245]
    assert (inside, outside) == (255, 0)
    assert (before[250, 42], before[135, 245]) == (0, 255)
    # What is seen of it, in each view; the pointer is elsewhere.
    lab.xdotool("mousemove", *krita.get("on_canvas(440, 290)"))
    expected = {"overlay": None, "black": (0, 0, 0), "white": (255, 255, 255), "matte": (0, 0, 0), "ants": None}
    krita.run("panel.views.setCurrentIndex(panel.views.findData('overlay'))")
    for name, colour in expected.items():
        krita.wait(f"work.view.name == {name!r}", "the view")
        krita.run("work._overlay.repaint()")
        if colour is not None:
            wait_until(lambda colour=colour: seen(studio, 245, 135) == colour, f"{name} outside", 5.0)
        if name == "matte":
            assert seen(studio, 42, 250) == (255, 255, 255)
        krita.key("f")
    krita.wait("work.view.name == 'overlay'", "all views to have been seen")
    # The keys take strokes back and paint them again; the history has none of it.
    krita.key("ctrl+z", "ctrl+z")
    krita.wait("len(work.strokes) == 1", "undo")
    krita.key("ctrl+shift+z")
    krita.wait("len(work.strokes) == 2", "redo")
    krita.run("row('maskwright_smooth').setValue(3)")
    previewed(krita)
    studio.has_steps(steps)
    krita.key("Return")
    closed(krita, PANEL)
    studio.settle()
    assert studio.failure() is None, studio.failure()
    job = Refine("", mask=masks.pack(ROUGH, b"\xff" * (ROUGH.width * ROUGH.height)), smooth=3.0)
    job.edge_strokes = painted[:2]
    answer = studio.ask(job, studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    studio.has_steps(steps + 1)
    assert krita.get("K.action('toggle_display_selection').isChecked()")
    krita.run("panel_class = sys.modules['maskwright_krita.edge_panel'].EdgePanel; panel_class.last.clear()")


def test_escape_leaves_everything_as_it_was(studio: Studio, krita: Krita, lab: Lab) -> None:
    steps = refining(studio, krita)
    before = studio.selection().copy()
    pixels = studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    paint(krita, lab, [(40, 250), (100, 260)])
    krita.key("Escape")
    closed(krita, PANEL)
    assert (studio.selection() == before).all()
    studio.has_steps(steps)
    assert studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()") == pixels
    assert not krita.get("[w for w in QApplication.allWidgets() if w.objectName() == 'maskwright_edge_overlay' "
                         "and w.isVisible()]")  # fmt: skip


def test_without_a_brush_the_canvas_is_kritas(studio: Studio, krita: Krita, lab: Lab) -> None:
    steps = refining(studio, krita)
    button = krita.get("place(row('maskwright_brush_hair'))")
    lab.xdotool("mousemove", *button, "click", 1)
    krita.wait("work.brush == ''", "no brush")
    x, y = krita.get("on_canvas(60, 60)")
    lab.xdotool("mousemove", x, y, "mousedown", 1, "mousemove", x + 30, y + 10, "mouseup", 1)
    studio.has_steps(steps + 1)
    assert krita.get("work.strokes == []")
    lab.xdotool("mousemove", *krita.get("place(row('maskwright_brush_outside'))"), "click", 1)
    krita.wait("work.brush == 'outside'", "the brush")
    paint(krita, lab, [(200, 100), (230, 120)])
    studio.has_steps(steps + 1)
    assert krita.get("[s.kind for s in work.strokes]") == ["outside"]


def test_it_waits_for_its_image_and_goes_with_it(studio: Studio, krita: Krita, lab: Lab) -> None:
    refining(studio, krita)
    paint(krita, lab, [(40, 250), (100, 260)])
    krita.run("first = d")
    studio.open(studio.photo(CAT))
    krita.wait("not work.in_front", "the panel to leave the other image alone")
    assert krita.get("panel.isVisible() and not panel._committing")
    krita.run("sys.modules['maskwright_krita.editor.app'].activate(first)")
    krita.wait("work.in_front", "the panel to be back")
    assert krita.get("len(work.strokes)") == 1
    krita.run("quiet = []; QTimer.singleShot(250, lambda: quiet.append(True))")
    krita.wait("quiet")
    krita.run("first.setModified(False); first.close()")
    closed(krita, PANEL)
    assert studio.failure() is None


def test_kritas_ants_come_back_in_the_image_that_they_belong_to(studio: Studio, krita: Krita) -> None:
    refining(studio, krita)
    krita.run("first = d")
    studio.open(studio.photo(CAT))
    krita.wait("not work.in_front", "the panel to leave the other image alone")
    krita.run("panel.reject()")
    assert krita.get("len(sys.modules['maskwright_krita.editor.ants']._hidden)") == 1
    krita.run("sys.modules['maskwright_krita.editor.app'].activate(first)")
    krita.wait("not sys.modules['maskwright_krita.editor.ants']._hidden", "the ants")
    assert krita.get("K.action('toggle_display_selection').isChecked()")


def test_the_preview_follows_the_view(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT).resize((1804, 1200)))
    studio.select(PixelRect(520, 160, 800, 720))
    open_live(krita, "maskwright_refine")
    previewed(krita)
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.0)")
    krita.wait("work._view.box.width == work._view.width < 1804 and work.idle", "the part that is seen, pixel by pixel")
    assert krita.get("(work.preview.place.x, work.preview.box.width) == (work._view.box.x, work._view.width)")
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(0.25)")
    krita.wait("work._view.box.width == 1804 and work.preview.place.width == 1804 and work.idle", "all of it")


def test_it_fits_on_a_small_screen(studio: Studio, krita: Krita) -> None:
    refining(studio, krita)
    sizes = [krita.get("(panel.frameGeometry().width(), panel.frameGeometry().height())")]
    krita.run("panel.reject()")
    open_live(krita, "maskwright_cut_out")
    krita.run("[fold.setChecked(True) for fold in panel.findChildren(QToolButton) if fold.autoRaise()]")
    time.sleep(0.3)
    sizes.append(krita.get("(panel.frameGeometry().width(), panel.frameGeometry().height())"))
    assert all(width < 400 and height < 720 for width, height in sizes), sizes
    krita.run("panel.reject()")


def test_a_selection_is_needed(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("sys.modules['maskwright_krita.edge_panel'].ask_refine(C)")
    failure = studio.failure()
    assert failure is not None
    assert "selected" in failure[1]


def test_nothing_found_is_told_in_the_panel(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    open_live(krita, "maskwright_cut_out")
    live_panel(krita, "maskwright_cut_out_dialog")
    krita.wait("QApplication.activeWindow() is panel", "the keyboard")
    lab.xdotool("type", "--delay", 5, "airplane")
    krita.wait("panel.prompt.currentText() == 'airplane'", "the typed text")
    krita.key("Return")
    krita.wait("panel._problem is not None and not work.finding", "the sentence")
    assert "airplane" in krita.get("panel.state.text()")
    assert krita.get("panel.isVisible()")
    krita.key("Escape")
    closed(krita, "maskwright_cut_out_dialog")
