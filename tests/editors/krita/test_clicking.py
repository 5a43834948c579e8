"""The click tool in the real Krita: real clicks and keys, under zoom, rotation and mirroring."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from maskwright_client import ask
from maskwright_protocol import masks
from maskwright_protocol.messages import PixelRect, Point, PostProcess, Rect, Select, Selection

from ..chroot import Lab, wait_until
from .actions import HEIGHT, WIDTH, answered, preview, start
from .driver import Krita
from .studio import Studio, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
BOX = PixelRect(0, 0, WIDTH, HEIGHT)


def expected(studio: Studio, krita: Krita, boxes: list[Rect] | None = None) -> np.ndarray:
    """The server's answer to the points as they arrived (a screen pixel is a fraction of the image's)."""
    points = [Point(*mark) for mark in krita.get("[(p.x, p.y, p.include) for p in T.session.points]")]
    job = Select("", points=points, boxes=boxes or [], pick="best")
    return placed(studio.ask(job, studio.photo(CAT), BOX).instances[0].mask, WIDTH, HEIGHT)


def test_click_exclude_take_back_and_commit(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    first = preview(studio)
    assert (first == expected(studio, krita)).all()
    assert krita.get("d.selection() is None"), "the document must not change before Enter"
    studio.click(60, 60, key="alt")
    answered(krita, 2)
    assert krita.get("[p.include for p in T.session.points]") == [True, False]
    second = preview(studio)
    assert (second == expected(studio, krita)).all()
    studio.click(40, 250, button=3)
    answered(krita, 3)
    assert krita.get("[p.include for p in T.session.points]") == [True, False, False]
    krita.key("ctrl+z")
    krita.wait("len(T.session) == 2", "the click to be taken back")
    assert (preview(studio) == second).all()
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == second).all(), "the selection")
    studio.has_steps(1)
    studio.undo()
    assert krita.get("d.selection() is None")


def test_a_pen_needs_no_keys(studio: Studio, krita: Krita) -> None:
    """The docker's button does what Enter does."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    assert krita.get("child('maskwright_apply_button') is None"), "there is nothing to apply yet"
    studio.click(230, 150)
    answered(krita, 1)
    shown = preview(studio)
    krita.wait("child('maskwright_apply_button') is not None", "the button")
    studio.press("maskwright_apply_button")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == shown).all(), "the selection")


def test_what_is_typed_in_the_docker_is_not_meant_for_the_tool(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    krita.run("C.options.kind = 'transparency'")
    lab.xdotool("mousemove", *krita.get("place(child('maskwright_prompt_field'), 30)"), "click", 1)
    krita.wait("QApplication.focusWidget() is child('maskwright_prompt_field') or "
               "QApplication.focusWidget() is child('maskwright_prompt_field').lineEdit()", "the focus")  # fmt: skip
    krita.key("ctrl+a")
    lab.xdotool("type", "--delay", 5, "cat")
    krita.key("Return")
    krita.wait("C.result is not None and C.result.prompt == 'cat' and not C.busy()", "the prompt to be looked for")
    assert krita.get("T.active and len(T.session) == 1"), "Enter was not for the clicks"
    # In the picture again, keys mean the clicks.
    studio.click(60, 60, key="alt")
    answered(krita, 2)
    krita.key("Escape")
    krita.wait("not T.active", "the tool to end")
    assert krita.get("len(d.topLevelNodes()[0].childNodes())") == 1


def test_escape_leaves_everything_as_it_was(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    pixels = studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    krita.key("Escape")
    krita.wait("not T.active", "the tool to end")
    assert krita.get("d.selection() is None")
    assert studio.history()[0] == []
    assert studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()") == pixels
    assert krita.get("not [w for w in QApplication.allWidgets() if w.objectName() == 'maskwright_overlay' "
                     "and w.isVisible()]")  # fmt: skip


def test_a_dragged_box(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    start(studio, krita)
    x0, y0 = krita.get("on_canvas(120, 10)")
    x1, y1 = krita.get("on_canvas(400, 290)")
    lab.xdotool("mousemove", x0, y0, "mousedown", 1, "mousemove", (x0 + x1) // 2, (y0 + y1) // 2,
                "mousemove", x1, y1, "mouseup", 1)  # fmt: skip
    krita.wait("len(T.session) == 1", "the box")
    answered(krita, 1)
    box = Rect(*krita.get("[(b.x, b.y, b.width, b.height) for b in T.session.boxes][0]"))
    assert abs(box.x - 120) < 2
    assert abs(box.width - 280) < 3
    assert (preview(studio) == expected(studio, krita, [box])).all()


@pytest.mark.parametrize(
    ("zoom", "angle", "mirrored"), [(0.6, 0, False), (2.0, 0, False), (1.0, 30, False), (1.0, 0, True), (1.3, 75, True)]
)
def test_clicks_hit_under_zoom_rotation_and_mirroring(
    studio: Studio, krita: Krita, lab: Lab, zoom: float, angle: float, mirrored: bool
) -> None:
    """A pixel of a colour of its own is drawn, found on the screen, clicked there, and arrives as that pixel."""
    studio.open(studio.photo(CAT))
    krita.run(
        f"""
        d = K.activeDocument(); n = d.createNode("spot", "paintlayer")
        n.setPixelData(QByteArray(b"\\xff\\x00\\xff\\xff" * 144), 224, 144, 12, 12)
        d.rootNode().addChildNode(n, None); d.refreshProjection(); d.waitForDone()
        c = K.activeWindow().activeView().canvas()
        c.setZoomLevel({zoom}); c.setRotation({angle}); c.setMirror({mirrored})
        """
    )
    start(studio, krita)

    def seen() -> tuple[float, float] | None:
        screen = np.asarray(Image.open(lab.screenshot("spot.png")).convert("RGB")).astype(int)
        left, top = krita.get("place(mw_canvas.active_widget(), 0, 0)")
        width, height = krita.get("(mw_canvas.active_widget().width(), mw_canvas.active_widget().height())")
        outside = np.ones(screen.shape[:2], bool)  # the colour selector shows that colour too
        outside[top : top + height, left : left + width] = False
        screen[outside] = 0
        spot = (np.abs(screen - np.array([255, 0, 255])).sum(axis=2) < 30).nonzero()
        return (float(spot[1].mean()), float(spot[0].mean())) if len(spot[0]) > 20 else None

    place = wait_until(seen, "the spot on the screen", 10.0, pause=0.1)
    assert place is not None
    lab.xdotool("mousemove", round(place[0]), round(place[1]), "click", 1)
    krita.wait("len(T.session) == 1", "the click")
    x, y = krita.get("(T.session.points[0].x, T.session.points[0].y)")
    tolerance = 1.5 / zoom + 1
    assert abs(x - 230) < tolerance
    assert abs(y - 150) < tolerance


@pytest.fixture
def find_all(studio: Studio, krita: Krita) -> Iterator[None]:
    """Puts the search for all objects back after a test that did without."""
    krita.run("from maskwright_krita.pointing import Pointing as PointingClass; kept = PointingClass.find_all")
    yield
    krita.run("PointingClass.find_all = kept")


@pytest.mark.usefixtures("find_all")
def test_hovering_shows_without_queueing(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.options.hover = True; PointingClass.find_all = lambda *a: (step for step in ())")  # no map yet
    start(studio, krita)
    before = krita.get("C.connection._generation")
    x, y = krita.get("on_canvas(230, 150)")
    moves = [step for i in range(60) for step in ("mousemove", x - 60 + 2 * i, y)]
    lab.xdotool(*moves, "mousemove", x, y)
    krita.wait("T._overlay._hover is not None and 'hover' not in T._tasks", "the hover preview")
    asked = krita.get("C.connection._generation") - before
    assert 1 <= asked < 30, f"{asked} questions for 61 moves"
    box = krita.get("(lambda b: (b.x, b.y, b.width, b.height))(T._overlay._hover[0].box)")
    inverse = krita.get(
        "(lambda p: (p.x(), p.y()))(mw_canvas.image_to_widget(K.activeWindow().activeView())"
        f".inverted()[0].map(QPointF(mw_canvas.active_widget().mapFromGlobal(QPoint({x}, {y})))))"
    )
    job = Select("", points=[Point(*inverse)], pick="best", precise="off")
    answer = studio.ask(job, studio.photo(CAT), BOX)
    found = answer.instances[0].mask.box
    assert box == (found.x, found.y, found.width, found.height)
    assert krita.get("d.selection() is None")
    assert studio.history()[0] == []


def test_painting_over_the_picture_asks_again(studio: Studio, krita: Krita) -> None:
    """The picture changes while the tool is on: the preview follows by itself."""
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    krita.wait("T.idle", "the look at the unchanged picture")
    key = krita.get("T._picture.key")
    krita.run("d.activeNode().setPixelData(QByteArray(b'\\x20\\x30\\x40\\xff' * 40000), 0, 0, 200, 200)")
    studio.click(240, 160)
    krita.wait(f"T._picture.key != {key!r} and T.session.missing() is None and T.idle", "the new picture")
    krita.wait("not T._tasks", "the new object map")
    data = studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    points = [Point(*mark) for mark in krita.get("[(p.x, p.y, p.include) for p in T.session.points]")]
    answer = studio.ask(Select("", points=points, pick="best"), data, BOX)
    assert (preview(studio) == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def over(studio: Studio, overview: bytes, size: tuple[int, int], box: PixelRect, job: Select) -> Selection:
    """The server's answer about an overview that shows ``box``."""
    raster = ask.raster_data(overview, *size, "BGRA8", box)

    class Source(ask.PictureSource):
        def __init__(self) -> None:
            self.box = box

        def overview(self) -> ask.RasterData:
            return raster

    return ask.run(ask.answer(studio.client, job, Source()))


def test_a_large_picture_is_previewed_small_and_selected_whole(studio: Studio, krita: Krita) -> None:
    """The preview is made of the overview's pixels; Enter gives the server's own mask of the document's size. The limit
    and the edge settings mean document pixels in both."""
    studio.open(studio.photo(CAT).resize((3000, 2000)))
    krita.run("s = Selection(); s.select(300, 100, 2400, 1700, 255); d.setSelection(s); d.waitForDone()")
    krita.run("C.options.limit = True; C.options.grow = 12.0; C.options.threshold = 0.5")
    start(studio, krita)
    studio.click(1500, 1000)
    answered(krita, 1)
    width, height = krita.get("(lambda b: (b.width, b.height))(T.preview().box)")
    left, top, across, down = krita.get("(lambda p: (p.x, p.y, p.width, p.height))(T.preview().place)")
    assert max(width, height) <= 1024
    small = np.frombuffer(studio.fetch("T.preview().data"), np.uint8).reshape(height, width)
    size = krita.get("(lambda r: (r.width, r.height))(T._picture.overview().raster)")
    assert size == (1024, 683)
    overview = studio.fetch("T._picture.overview().data")
    point = Point(*krita.get("(lambda p: (p.x, p.y))(T.session.points[0])"))
    krita.wait("T.session.shown.whole is not None", "the mask of the document's size, ahead of Enter")
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    region = masks.pack(PixelRect(300, 100, 2400, 1700), b"\xff" * (2400 * 1700))
    job = Select("", points=[point], pick="best", region=region, post=PostProcess(threshold=0.5, grow=12.0))
    answer = over(studio, overview, size, PixelRect(0, 0, 3000, 2000), job)
    whole = placed(answer.instances[0].mask, 3000, 2000)
    assert (studio.selection() == whole).all()
    assert set(np.unique(whole)) == {0, 255}
    # The preview, stretched to the document, is the same shape but for the width of its own pixels.
    stretched = np.zeros((2000, 3000), bool)
    shown = Image.fromarray(small).resize((round(across), round(down)), Image.Resampling.BILINEAR)
    stretched[round(top) : round(top) + shown.height, round(left) : round(left) + shown.width] = np.asarray(shown) > 127
    both, either = (stretched & (whole > 0)).sum(), (stretched | (whole > 0)).sum()
    assert both / either > 0.985


def test_enter_before_the_whole_mask_is_there(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT).resize((3000, 2000)))
    start(studio, krita)
    krita.run("T._begin_rest = lambda rest: None")
    studio.click(1500, 1000)
    answered(krita, 1)
    assert not krita.get("T.session.shown.whole is not None")
    size = krita.get("(lambda r: (r.width, r.height))(T._picture.overview().raster)")
    overview = studio.fetch("T._picture.overview().data")
    point = Point(*krita.get("(lambda p: (p.x, p.y))(T.session.points[0])"))
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    krita.run("del T._begin_rest")
    studio.settle()
    answer = over(studio, overview, size, PixelRect(0, 0, 3000, 2000), Select("", points=[point], pick="best"))
    wait_until(lambda: studio.selection().any(), "the selection")
    assert (studio.selection() == placed(answer.instances[0].mask, 3000, 2000)).all()


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (3000, 2000)])
def test_tab_shows_the_other_hypotheses_and_enter_takes_the_shown_one(
    studio: Studio, krita: Krita, size: tuple[int, int]
) -> None:
    studio.open(studio.photo(CAT).resize(size))
    start(studio, krita)
    studio.click(size[0] // 2, size[1] // 2)
    answered(krita, 1)
    krita.wait("T.session.shown.whole is not None and T.idle", "quiet")
    small = krita.get("(lambda r: (r.width, r.height))(T._picture.overview().raster)")
    overview = studio.fetch("T._picture.overview().data")
    point = Point(*krita.get("(lambda p: (p.x, p.y))(T.session.points[0])"))
    job = Select("", points=[point], pick="best", alternatives=2)
    answer = over(studio, overview, small, PixelRect(0, 0, *size), job)
    others = answer.instances[0].alternatives
    assert others, "this click has no other hypothesis: nothing can be shown with it"
    krita.key("Tab")
    krita.wait("T.session.current.choice == 1", "the other hypothesis")
    assert krita.get("len(T.session.answer(T.session.current).hypotheses)") == 1 + len(others)
    for number in range(2, 2 + len(others)):  # round to the first and on to the second again
        krita.key("Tab")
        krita.wait(f"T.session.current.choice == {number % (1 + len(others))} and not T.busy", "the next")
    krita.key("Tab")
    krita.wait("T.session.current.choice == 1 and not T.busy", "the second hypothesis again")
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == placed(others[0].mask, *size)).all(), "the shown hypothesis")
