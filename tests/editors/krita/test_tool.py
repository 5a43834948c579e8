"""The click tool as one of Krita's tools: its keys, strokes and loops, other tools, several views and images."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright_client import coordinates
from maskwright_protocol.messages import PixelRect, Point, Select, Stroke
from tests.strokes_by_hand import around, over

from ..chroot import Lab, wait_until
from .actions import HEIGHT, WIDTH, answered, preview, start
from .driver import Krita
from .studio import Studio, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
BRUSH = "KritaShape/KisToolBrush"


def drag(krita: Krita, lab: Lab, path: list[float], button: int = 1, key: str = "") -> None:
    """A real drag along places of the image, x and y in turn."""
    places = krita.get(f"[on_canvas(x, y) for x, y in {list(zip(path[0::2], path[1::2], strict=True))!r}]")
    moves = [word for place in places[1:] for word in ("mousemove", *place, "sleep", 0.01)]
    held, left = (["keydown", key], ["keyup", key]) if key else ([], [])
    lab.xdotool("mousemove", *places[0], *held, "mousedown", button, *moves, "mouseup", button, *left)


def the_answer(studio: Studio, krita: Krita, number: int = -1) -> np.ndarray:
    """What the server says to an object's clicks and strokes as they arrived."""
    krita.run("from maskwright_client.click_session import prompts")
    krita.run(f"asked = prompts(T.session.state.objects[{number}])")
    points = [Point(*one) for one in krita.get("[(p.x, p.y, p.include) for p in asked.points]")]
    strokes = [Stroke(*one) for one in krita.get("[(s.path, s.include, s.width, s.closed) for s in asked.strokes]")]
    answer = studio.ask(Select("", points=points, strokes=strokes, pick="best"), studio.photo(CAT), BOX)
    return placed(answer.instances[0].mask, WIDTH, HEIGHT)


def applied(studio: Studio, krita: Krita, expected: np.ndarray) -> None:
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == expected).all(), "the selection")


def strokes_painted(studio: Studio) -> list[str]:
    return [name for name in studio.history()[0] if "Stroke" in name or "Brush" in name]


def deepest(mask: np.ndarray) -> tuple[int, int]:
    """The place furthest inside of a mask that is not empty."""
    assert mask.any()
    deep = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(deep.argmax()), mask.shape)
    return int(x), int(y)


def click_with(studio: Studio, krita: Krita, x: float, y: float, key: str) -> None:
    """A click while a key is held; it may leave as many prompts as before."""
    at = krita.get(f"on_canvas({x}, {y})")
    studio.lab.xdotool("mousemove", *at, "keydown", key, "click", 1, "keyup", key)


def test_keys_mean_what_they_mean_to_kritas_own_tools(studio: Studio, krita: Krita) -> None:
    """Shift: another one too. Alt: not this, of the object that it lies on. Ctrl: this one alone. One undo each."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    first = preview(studio)
    click_with(studio, krita, *deepest(first <= 127), "shift")
    krita.wait("len(T.session.state.objects) == 2 and T.session.missing() is None", "another object")
    second = the_answer(studio, krita)
    assert krita.get("len(T.session.result())") == 2
    click_with(studio, krita, *deepest((first > 127) & (second <= 127)), "alt")
    krita.wait("len(T.session.state.objects[0].points) == 2 and not T.busy", "the answer")
    assert krita.get("[[p[2] for p in one.points] for one in T.session.state.objects]") == [[True, False], [True]]
    krita.key("ctrl+z")
    krita.wait("len(T.session.state.objects[0].points) == 1 and not T.busy", "the click to be taken back")
    click_with(studio, krita, 100, 60, "ctrl")
    krita.wait("len(T.session.state.objects) == 1 and T.session.missing() is None", "one alone")
    krita.key("ctrl+z")
    krita.wait("len(T.session.result()) == 2 and not T.busy", "both again")
    applied(studio, krita, np.maximum(first, second))
    studio.has_steps(1)


def test_scribbles_and_loops(studio: Studio, krita: Krita, lab: Lab) -> None:
    """Drawn with the mouse, asked of the server as they were drawn, one step each."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    thing = preview(studio) > 127
    krita.key("ctrl+z")
    krita.key("s")
    krita.wait("T.mode is Mode.SCRIBBLE", "scribbling")
    stroke = coordinates.thinned(over(thing).path, 12.0)
    drag(krita, lab, stroke)
    answered(krita, 1)
    assert krita.get("T.session.strokes[0].width") > 2
    drawn = krita.get("T.session.strokes[0].path")
    assert np.abs(np.array(drawn[:2]) - stroke[:2]).max() < 2
    assert np.abs(np.array(drawn[-2:]) - stroke[-2:]).max() < 2
    assert (preview(studio) == the_answer(studio, krita)).all()
    drag(krita, lab, [10, 10, 60, 20, 110, 10], button=3)
    answered(krita, 2)
    assert krita.get("[s.include for s in T.session.strokes]") == [True, False]
    assert (preview(studio) == the_answer(studio, krita)).all()
    krita.key("ctrl+z")
    krita.key("ctrl+z")
    krita.key("l")
    krita.wait("T.mode is Mode.LASSO and len(T.session) == 0", "a lasso")
    drag(krita, lab, around(thing).path[:60])
    answered(krita, 1)
    assert krita.get("T.session.strokes[0].closed")
    expected = the_answer(studio, krita)
    assert (preview(studio) == expected).all()
    assert strokes_painted(studio) == []
    applied(studio, krita, expected)


def test_choosing_a_tool_of_kritas_leaves_it(studio: Studio, krita: Krita, lab: Lab) -> None:
    """By key or button, also the one that is on beneath; from then on the mouse is that tool's."""
    studio.open(studio.photo(CAT))
    for choose in ("key", "button"):
        start(studio, krita)
        if choose == "key":
            krita.key("b")
        else:
            buttons = "K.activeWindow().qwindow().findChildren(QToolButton)"
            krita.run(f"b = [w for w in {buttons} if w.objectName() == {BRUSH!r}][0]")
            lab.xdotool("mousemove", *krita.get("place(b)"), "click", 1)
        krita.wait("not T.active", "the tool to end")
    drag(krita, lab, [100, 100, 150, 120, 200, 100])
    wait_until(lambda: len(strokes_painted(studio)) == 1, "a stroke of Krita's brush")


def test_two_views_and_two_images_never_paint(studio: Studio, krita: Krita, lab: Lab) -> None:
    """The tool goes to the view that is pressed on; clicks of an image are there again when that comes back."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    shown = preview(studio)
    krita.run("first = d; area = K.activeWindow().qwindow().findChild(QMdiArea); mode = area.viewMode()")
    krita.run("K.activeWindow().addView(d); area.setViewMode(QMdiArea.ViewMode.SubWindowView); area.tileSubWindows()")
    try:
        krita.wait("len([s for s in area.subWindowList() if s.isVisible()]) == 2", "two views")
        canvases = "[w for s in area.subWindowList() for w in s.findChildren(QWidget) if mw_canvas.is_canvas(w)]"
        for number in (0, 1, 0):  # without a pause: the press itself brings the view to front
            x, y = krita.get(f"place({canvases}[{number}])")
            lab.xdotool("mousemove", x - 20, y - 20, "mousedown", 1, "mousemove", x + 20, y + 20, "mouseup", 1)
            krita.wait(f"T.active and T._canvas is {canvases}[{number}]", "the tool to follow")
            assert krita.get("len(T.session.boxes)") == 1
            krita.wait("T.session.missing() is None and not T.busy", "the answer")
        assert strokes_painted(studio) == []
        krita.key("ctrl+z")
        krita.key("ctrl+z")
        krita.key("ctrl+z")
        answered(krita, 1)
    finally:
        krita.run("area.setViewMode(mode)")
    studio.open(studio.photo("photos/coffee.png"))
    krita.wait("T.active and T._reader.document == K.activeDocument() and len(T.session) == 0", "the other image")
    drag(krita, lab, [100, 100, 300, 200])
    krita.wait("len(T.session.boxes) == 1", "a box there")
    assert strokes_painted(studio) == []
    krita.run("maskwright_krita.plugin.app.activate(first); d = first")
    krita.wait("T._reader.document == first and len(T.session) == 1", "the first image's clicks")
    krita.wait("T.session.missing() is None and not T.busy and not T._tasks", "what is known of them")
    assert (preview(studio) == shown).all()
    assert strokes_painted(studio) == []


def test_the_pointer_and_the_bar_say_what_a_click_does(studio: Studio, krita: Krita, lab: Lab) -> None:
    """A pen without keys presses the bar's buttons."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    krita.run("from maskwright_krita.pointer import cursor")
    same = "T._canvas.cursor().pixmap().cacheKey() == cursor(Mode.{}, Meaning.{}).pixmap().cacheKey()"
    lab.xdotool("mousemove", *krita.get("on_canvas(220, 140)"), "mousemove", *krita.get("on_canvas(230, 150)"))
    krita.wait(same.format("BOX", "THIS"), "the plain pointer")
    for key, meaning in (("shift", "ANOTHER"), ("alt", "NOT"), ("ctrl", "ANEW")):
        lab.xdotool("keydown", key)
        krita.wait(same.format("BOX", meaning), key)
        lab.xdotool("keyup", key)
        krita.wait(same.format("BOX", "THIS"), "the plain pointer again")
    button = "T._canvas.findChild(QWidget, 'maskwright_bar_{}')"
    lab.xdotool("click", 1)
    answered(krita, 1)

    def press(name: str) -> None:
        krita.wait(f"{button.format(name)}.isEnabled()", name)
        lab.xdotool("mousemove", *krita.get(f"place({button.format(name)})"), "click", 1)

    press("another")
    krita.wait("T.meaning is Meaning.ANOTHER", "the button")
    assert krita.get("len(T.session)") == 1, "a press on the bar is no click on the picture"
    lab.xdotool("mousemove", *krita.get("on_canvas(20, 280)"), "click", 1)
    krita.wait("len(T.session.result()) == 2", "another object")
    press("another")
    press("undo")
    krita.wait("len(T.session.state.objects) == 1", "one object again")
    shown = preview(studio)
    press("apply")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == shown).all(), "the selection")
    assert strokes_painted(studio) == []


def test_a_pen_and_a_finger_draw_as_the_mouse_does(studio: Studio, krita: Krita) -> None:
    """Events as Qt makes them of a tablet and of a touch screen; a double tap is one click."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    krita.run(PEN)
    krita.run("pen([(230, 150)]); pen([(231, 151)])")
    answered(krita, 1)
    krita.run("T.mode = Mode.SCRIBBLE; pen([(100, 100), (140, 120), (180, 100)])")
    krita.wait("len(T.session.strokes) == 1 and T.session.missing() is None", "the stroke")
    krita.run("finger([(60, 200), (90, 220), (120, 200)])")
    krita.wait("len(T.session.strokes) == 2", "the finger's stroke")
    krita.run("finger([(60, 100), (90, 120), (120, 100)], 2)")
    assert krita.get("len(T.session.strokes)") == 2, "two fingers move the canvas"
    assert strokes_painted(studio) == []


PEN = """
class Touch:  # Qt lets nobody make up a touch: only the tool sees this one
    def __init__(self, kind, places):
        self.kind, self.places = kind, places
    def type(self):
        return self.kind
    def touchPoints(self):
        return [type("Point", (), {"pos": lambda self, place=place: place})() for place in self.places]
    def accept(self):
        pass

def finger(places, count=1):
    widget, way = T._canvas, mw_canvas.image_to_widget(K.activeWindow().activeView())
    kinds = [QEvent.Type.TouchBegin] + [QEvent.Type.TouchUpdate] * (len(places) - 1) + [QEvent.Type.TouchEnd]
    for kind, place in zip(kinds, [*places, places[-1]]):
        at = way.map(QPointF(*place))
        T._events.eventFilter(widget, Touch(kind, [at + QPointF(30 * number, 0) for number in range(count)]))

def pen(places):
    widget, way = T._canvas, mw_canvas.image_to_widget(K.activeWindow().activeView())
    kinds = [QEvent.Type.TabletPress] + [QEvent.Type.TabletMove] * (len(places) - 1) + [QEvent.Type.TabletRelease]
    for kind, place in zip(kinds, [*places, places[-1]]):
        at = way.map(QPointF(*place))
        QApplication.sendEvent(widget, tablet_event(kind, at, QPointF(widget.mapToGlobal(at.toPoint()))))

def tablet_event(kind, at, place):
    left, none, keys = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    buttons = left if kind != QEvent.Type.TabletRelease else none
    if hasattr(QTabletEvent, "DevicePixelRatio") or QT_VERSION_STR.startswith("6"):
        return QTabletEvent(kind, QPointingDevice.primaryPointingDevice(), at, place, 0.5, 0, 0, 0.0, 0.0, 0.0, keys,
                            left, buttons)
    return QTabletEvent(kind, at, place, QTabletEvent.Stylus, QTabletEvent.Pen, 0.5, 0, 0, 0.0, 0.0, 0, keys, 1, left,
                        buttons)
"""
