"""With two pixels of the screen for each of Qt's: clicks arrive where they were made, the preview lies on the mask.

Where a click belongs is told by Krita's own brush, too: Krita 6 paints its canvas one or two pixels of such a screen
higher than its tools hit.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright_client.client import Client
from maskwright_protocol.messages import PixelRect

from ..chroot import Lab, wait_until
from ..server import Server
from .driver import Krita, install
from .studio import Studio

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
RATIO = 2


@pytest.fixture(scope="module")
def sharp(
    open_lab: Callable[[str], Lab], plugin_zip: Path, lab: Lab, server: Server, client: Client, photos: Path
) -> Iterator[Studio]:
    """A Krita of its own on a large screen, and the tests' server."""
    own = open_lab("krita")
    install(own, plugin_zip)
    own.open_display(2400, 1600)
    runtime = {"MASKWRIGHT_RUNTIME_DIR": f"{lab.inside}/runtime"}
    krita = Krita(own, {"QT_SCALE_FACTOR": str(RATIO), **runtime})
    yield Studio(krita, own, client, photos)
    krita.quit()


def screen(studio: Studio) -> np.ndarray:
    return np.asarray(Image.open(studio.lab.screenshot("screen.png")).convert("RGB")).astype(int)


def brushed(studio: Studio, place: tuple[float, float]) -> tuple[float, float]:
    """The middle of what Krita's own brush paints for a click at a place of the screen, in the image."""
    krita = studio.krita
    krita.run(
        """
        g = d.createNode("dab", "paintlayer"); d.rootNode().addChildNode(g, None); d.waitForDone()
        QTimer.singleShot(0, lambda: d.setActiveNode(g))
        """
    )
    krita.wait("d.activeNode() == g", "the layer to paint on")
    krita.run("K.action('KritaShape/KisToolBrush').trigger()")
    at = round(place[0]), round(place[1])
    studio.lab.xdotool("mousemove", at[0] - 3, at[1], "mousemove", *at, "sleep", 0.2, "click", 1)
    krita.wait("g.bounds().width() > 0", "the brush to have painted", 10.0)
    studio.settle()
    alpha = studio.pixels("g", PixelRect(0, 0, WIDTH, HEIGHT))[..., 3].astype(float)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    krita.run("g.remove(); d.refreshProjection(); d.waitForDone()")
    return float((alpha * columns).sum() / alpha.sum()), float((alpha * rows).sum() / alpha.sum())


def on_the_bar(krita: Krita) -> tuple[slice, slice]:
    """Rows and columns of the canvas, in screen pixels, that the click tool's bar covers."""
    krita.run("w = [w for w in mw_canvas.active_widget().children() if w.objectName() == 'maskwright_tool_bar'][0]")
    x, y, width, height = (RATIO * value for value in krita.get("(w.x(), w.y(), w.width(), w.height())"))
    return slice(y, y + height), slice(x, x + width)


@pytest.mark.parametrize(("zoom", "angle"), [(1.0, 0), (0.7, 30)])
def test_clicks_and_preview_with_two_pixels_for_one(sharp: Studio, zoom: float, angle: int) -> None:
    studio, krita = sharp, sharp.krita
    studio.reset()
    studio.open(studio.photo(CAT))
    assert krita.get("mw_canvas.active_widget().devicePixelRatioF()") == RATIO
    krita.run(
        f"""
        n = d.createNode("spot", "paintlayer")
        n.setPixelData(QByteArray(b"\\xff\\x00\\xff\\xff" * 144), 224, 144, 12, 12)
        d.rootNode().addChildNode(n, None); d.refreshProjection(); d.waitForDone()
        c = K.activeWindow().activeView().canvas(); c.setZoomLevel({zoom}); c.setRotation({angle})
        """
    )
    left, top = (RATIO * value for value in krita.get("place(mw_canvas.active_widget(), 0, 0)"))
    width, height = (
        RATIO * value for value in krita.get("(mw_canvas.active_widget().width(), mw_canvas.active_widget().height())")
    )

    def spot() -> tuple[float, float] | None:
        part = screen(studio)[top : top + height, left : left + width]
        found = (np.abs(part - np.array([255, 0, 255])).sum(axis=2) < 30).nonzero()
        return (left + found[1].mean(), top + found[0].mean()) if len(found[0]) > 20 else None

    place = wait_until(spot, "the spot on the screen", 10.0, pause=0.1)
    assert place is not None
    krita.run("n.setVisible(False); d.refreshProjection(); d.waitForDone()")
    own = brushed(studio, place)
    krita.run("QTimer.singleShot(0, lambda: d.setActiveNode(d.topLevelNodes()[0]))")
    krita.wait("d.activeNode() == d.topLevelNodes()[0]", "the photo's layer to be active")
    krita.run("T.start()")
    krita.wait("T.active and 'prefetch' not in T._tasks", "the tool", 60)
    studio.lab.xdotool("mousemove", 5, 5)
    krita.run("quiet = []; QTimer.singleShot(1000, lambda: quiet.append(True))")
    krita.wait("quiet", "Krita to have drawn")
    before = screen(studio)
    studio.lab.xdotool("mousemove", round(place[0]), round(place[1]), "click", 1)
    krita.wait("len(T.session) == 1 and T.session.missing() is None", "the preview")
    x, y = krita.get("(T.session.points[0].x, T.session.points[0].y)")
    for got, hit, wanted in ((x, own[0], 230), (y, own[1], 150)):
        assert abs(got - hit) < 1.0 / zoom + 1
        assert abs(got - wanted) < 1.0 / zoom + 1 + abs(hit - wanted)
    # Where the screen has changed is where the mask is, and where the tool's bar tells of the click.
    studio.lab.xdotool("mousemove", 5, 5)
    krita.run("quiet = []; QTimer.singleShot(1000, lambda: quiet.append(True))")
    krita.wait("quiet", "the preview to be drawn")
    changed = (np.abs(screen(studio) - before).sum(axis=2) > 24)[top : top + height, left : left + width]
    box = krita.get("(lambda b: (b.x, b.y, b.width, b.height))(T.preview().box)")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    data = np.frombuffer(studio.fetch("T.preview().data"), np.uint8).reshape(box[3], box[2])
    mask[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = data
    a, b, c, e, dx, dy = krita.get(
        "(lambda t: (t.m11(), t.m12(), t.m21(), t.m22(), t.dx(), t.dy()))"
        "(mw_canvas.image_to_widget(K.activeWindow().activeView()))"
    )
    rows, columns = np.mgrid[0:height, 0:width]
    point = np.stack([(columns + 0.5) / RATIO - dx, (rows + 0.5) / RATIO - dy])
    inverse = np.linalg.inv(np.array([[a, c], [b, e]]))
    at = np.floor(np.tensordot(inverse, point, 1)).astype(int)
    inside = (at[0] >= 0) & (at[0] < WIDTH) & (at[1] >= 0) & (at[1] < HEIGHT)
    bar = on_the_bar(krita)
    inside[bar] = changed[bar] = False
    expected = np.zeros((height, width), bool)
    expected[inside] = mask[at[1][inside], at[0][inside]] > 100
    assert expected.sum() > 1000
    agreement = (expected & changed).sum() / (expected | changed).sum()
    assert agreement > 0.95, agreement
    krita.run("T.stop()")
    studio.reset()
