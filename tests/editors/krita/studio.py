"""What the tests do in Krita and compare: open documents, run commands, read selections and layers, ask the server."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import masks
from maskwright_protocol.messages import Job, PixelRect

from ..chroot import Lab, wait_until
from ..server import Server
from .driver import Krita

HELPERS = """
import sys
import zlib
import maskwright_krita.plugin
from maskwright_client.jobs import Cut, Edge
from maskwright_krita.options import Options
from maskwright_krita.editor import canvas as mw_canvas
from krita import Selection
from maskwright_client.gestures import Meaning, Mode
P = maskwright_krita.plugin.plugin(); C = P.controller; T = P.tool
TOLD = []; FAILED = []
C.told.connect(TOLD.append)

def on_failure(failure):
    FAILED.append(None if failure is None else (failure.code, failure.message, failure.hint))

C.failed.connect(on_failure)
T.failed.connect(on_failure)

def history():
    docker = [d for d in K.dockers() if d.objectName() == "History"][0]
    view = docker.findChildren(QListView)[0]
    return [view.model().index(i, 0).data() for i in range(view.model().rowCount())][1:], view.currentIndex().row()

def save(path, data):
    with open(path, "wb") as file:
        file.write(bytes(data))

def mask_bytes(selection, w, h):
    return selection.pixelData(0, 0, w, h).data() if selection is not None else bytes(w * h)

def failure():
    return next((f for f in reversed(FAILED) if f is not None), None) if FAILED and FAILED[-1] is not None else None

def docker():
    return [d for d in K.dockers() if d.objectName() == "maskwright_docker"][0]

def child(name):
    return docker().findChild(QWidget, name)

def place(widget, x=None, y=None):
    point = QPoint(widget.width() // 2 if x is None else int(x), widget.height() // 2 if y is None else int(y))
    at = widget.mapToGlobal(point)
    return at.x(), at.y()

def on_canvas(x, y):
    at = mw_canvas.image_to_widget(K.activeWindow().activeView()).map(QPointF(x, y))
    return place(mw_canvas.active_widget(), round(at.x()), round(at.y()))

def tree(node):
    return [(n.name(), n.type(), tree(n)) for n in node.childNodes()]
"""


class Studio:
    def __init__(self, krita: Krita, lab: Lab, client: Client, photos: Path, connected: bool = True) -> None:
        """Waits for the plugin's connection, unless ``connected`` is false."""
        self.krita, self.lab, self.client, self.photos = krita, lab, client, photos
        self.server: Server | None = None  # where nothing else knows it
        if not krita.get("'HELPERS' in globals()"):
            krita.run(HELPERS + "\nHELPERS = True")
            krita.run("docker().setVisible(True)")
            if connected:
                krita.wait("C.connection.state == 'connected'", "the plugin's connection")

    def reset(self) -> None:
        """No documents, no dialog or menu that a failed test left, no command under way, default settings."""
        run = self.krita.run
        run("[w.close() for w in (QApplication.activePopupWidget(), QApplication.activeModalWidget()) if w]")
        run("[w.reject() for w in QApplication.topLevelWidgets() if w.isVisible() and hasattr(w, 'work')]")
        run("T.stop(); T.mode = Mode.BOX; C.cancel()")
        self.idle()
        # Krita 5.2 crashes, without any plugin too, when a document closes before the delayed update (a timer of
        # 50 ms) that follows a change of its selection. Nobody is so quick by hand; this timer fires after that one.
        run("quiet = []; QTimer.singleShot(250, lambda: quiet.append(True))")
        self.krita.wait("quiet", "Krita's delayed updates")
        run("[d.setModified(False) for d in K.documents()]; [d.close() for d in K.documents()]")
        self.krita.wait("not K.documents()", "the documents to close")
        # The panel's fields become the options when one of them changes.
        run("[child(n).clear() for n in ('maskwright_detector_options', 'maskwright_but_not')]")
        run("C.options = Options(); C.options.hover = False; C.result = None; C.result_changed.emit()")
        run("docker().show_options(); P.feedback.dismiss(); TOLD.clear(); FAILED.clear()")

    def idle(self, seconds: float = 60.0) -> None:
        self.krita.wait("not C.busy()", "the command to end", seconds)

    def settle(self) -> None:
        """Krita has drawn and applied what it was told to."""
        self.krita.run("K.activeDocument().waitForDone()")

    # ------------------------------------------------------------ documents

    def open(self, image: Image.Image) -> None:
        """A new document that shows the image, in a folder of its own (Krita leaves autosave files)."""
        folder = Path(tempfile.mkdtemp(dir=self.lab.folder))
        image.save(folder / "picture.png")
        inside = self.lab.within(folder / "picture.png")
        self.krita.run(f"d = K.openDocument({inside!r}); K.activeWindow().addView(d); K.setActiveDocument(d)")
        self.ready()

    def create(self, width: int, height: int, model: str = "RGBA", depth: str = "U8") -> None:
        self.krita.run(
            f"d = K.createDocument({width}, {height}, 'test', {model!r}, {depth!r}, '', 72.0)\n"
            "K.activeWindow().addView(d); K.setActiveDocument(d)"
        )
        self.ready()

    def ready(self) -> None:
        self.krita.wait("K.activeDocument() is not None and K.activeDocument().activeNode() is not None", "the image")
        self.krita.wait("mw_canvas.active_widget() is not None", "the canvas")
        self.settle()

    def photo(self, name: str) -> Image.Image:
        return Image.open(self.photos / name).convert("RGB")

    def add_layer(self, name: str, image: Image.Image, x: int, y: int) -> None:
        """A layer of an RGB 8-bit document with the image at that place."""
        path = self.lab.path("exchange", f"{name}.raw")
        path.write_bytes(bgra(image))
        width, height = image.size
        self.krita.run(
            f"""
            d = K.activeDocument(); n = d.createNode({name!r}, 'paintlayer')
            n.setPixelData(QByteArray(open({self.lab.within(path)!r}, 'rb').read()), {x}, {y}, {width}, {height})
            d.rootNode().addChildNode(n, None); d.refreshProjection(); d.waitForDone()
            QTimer.singleShot(0, lambda: d.setActiveNode(n))
            """
        )
        self.krita.wait(f"K.activeDocument().activeNode().name() == {name!r}", "the layer to be active")

    # ------------------------------------------------------------ reading

    def fetch(self, expression: str) -> bytes:
        """Bytes of an expression in Krita."""
        path = self.lab.path("exchange", "data.raw")
        self.krita.run(f"save({self.lab.within(path)!r}, {expression})")
        return path.read_bytes()

    def selection(self) -> np.ndarray:
        """The document's selection, 0 where there is none."""
        width, height = self.krita.get("(K.activeDocument().width(), K.activeDocument().height())")
        data = self.fetch("mask_bytes(K.activeDocument().selection(), d.width(), d.height())")
        return np.frombuffer(data, np.uint8).reshape(height, width)

    def pixels(self, node: str, box: PixelRect, channels: int = 4, projection: bool = False) -> np.ndarray:
        """A node's pixels; ``node`` is an expression."""
        call = "projectionPixelData" if projection else "pixelData"
        data = self.fetch(f"({node}).{call}({box.x}, {box.y}, {box.width}, {box.height}).data()")
        return np.frombuffer(data, np.uint8).reshape(box.height, box.width, channels)

    def history(self) -> tuple[list[str], int]:
        return self.krita.get("history()")

    def failure(self) -> tuple[str, str, str] | None:
        return self.krita.get("failure()")

    # ------------------------------------------------------------ doing

    def command(self, call: str, seconds: float = 60.0) -> None:
        """A command of the controller, to its end; fails when it fails."""
        self.krita.run(f"FAILED.clear(); C.{call}")
        self.idle(seconds)
        self.settle()
        assert self.failure() is None, self.failure()

    def select(self, box: PixelRect) -> int:
        """A rectangle as the selection, set by a script; how many steps the history has then. (Krita 5.3 and later make
        an undo step of it, and tell so later.)"""
        before = len(self.history()[0])
        self.krita.run(
            f"s = Selection(); s.select({box.x}, {box.y}, {box.width}, {box.height}, 255); d.setSelection(s)\n"
            "d.waitForDone()"
        )
        if self.krita.get("maskwright_krita.plugin.app.version() >= (5, 3)"):
            before += 1
            self.has_steps(before)
        return before

    def has_steps(self, count: int) -> None:
        """Krita tells of its steps by queued signals."""
        wait_until(lambda: len(self.history()[0]) == count, f"{count} steps in the history", 15.0)

    def undo(self) -> None:
        self._history_action("edit_undo")

    def redo(self) -> None:
        self._history_action("edit_redo")

    def _history_action(self, name: str) -> None:
        """As its menu entry, which Krita makes usable by a queued signal after a step, and which does nothing while the
        image is busy with something else."""
        self.krita.wait(f"K.action({name!r}).isEnabled()", f"{name} to be possible")
        self.krita.run(f"K.activeDocument().waitForDone(); K.action({name!r}).trigger()")
        self.settle()

    def click(self, x: float, y: float, button: int = 1, key: str = "") -> None:
        """A real click on the canvas at that place of the image."""
        at = self.krita.get(f"on_canvas({x}, {y})")
        before = self.krita.get("len(T.session)")
        held = ["keydown", key] if key else []
        self.lab.xdotool("mousemove", *at, *held, "click", button, *(["keyup", key] if key else []))
        self.krita.wait(f"len(T.session) > {before}", "the click to arrive")

    def press(self, name: str) -> None:
        """Press a button of the panel, or of one of its windows, with the mouse."""
        self.krita.run("docker().raise_()")
        self.krita.wait(f"child({name!r}).isVisible() and child({name!r}).isEnabled()", name)
        at = self.krita.get(f"place(child({name!r}))")
        self.lab.xdotool("mousemove", *at, "click", 1)

    def choose(self, text: str) -> None:
        """Choose an entry of the panel's menu of all commands with the mouse."""
        self.krita.run("menu = child('maskwright_more_menu')")
        self.press("maskwright_more")
        self.krita.wait("menu.isVisible()", "the menu")
        self.krita.run(f"chosen = [a for a in menu.actions() if a.text().replace('&', '') == {text!r}][0]")
        at = self.krita.get("place(menu, *(lambda c: (c.x(), c.y()))(menu.actionGeometry(chosen).center()))")
        self.lab.xdotool("mousemove", *at, "click", 1)
        self.krita.wait("not menu.isVisible()", "the menu to close")

    def said(self) -> tuple[str, str, list[str]]:
        """What the panel's status says: its kind, its text, its buttons."""
        return self.krita.get("(lambda s: (s.kind, str(s.whole), [str(b.text) for b in s.buttons]))(P.feedback.now())")

    # ------------------------------------------------------------ the server's own answer

    def ask(self, job: Job, image: Image.Image | bytes, box: PixelRect) -> Any:
        """What the server answers about BGRA pixels that cover ``box`` (at most 1024 large: nothing is scaled)."""
        data = image if isinstance(image, bytes) else bgra(image)
        raster = ask.raster_data(data, box.width, box.height, "BGRA8", box)

        class Source(ask.PictureSource):
            def __init__(self) -> None:
                self.box = box

            def overview(self) -> ask.RasterData:
                return raster

            def detail(self, box: PixelRect) -> ask.RasterData:
                whole = np.frombuffer(data, np.uint8).reshape(self.box.height, self.box.width, 4)
                top, left = box.y - self.box.y, box.x - self.box.x
                part = whole[top : top + box.height, left : left + box.width].tobytes()
                return ask.raster_data(part, box.width, box.height, "BGRA8", box)

        return ask.run(ask.answer(self.client, job, Source()))


def bgra(image: Image.Image) -> bytes:
    rgba = np.asarray(image.convert("RGBA"))
    return np.ascontiguousarray(rgba[..., [2, 1, 0, 3]]).tobytes()


def placed(mask: Any, width: int, height: int, x: int = 0, y: int = 0) -> np.ndarray:
    """A mask of the server in a plane of the document."""
    return np.frombuffer(bytes(masks.place(mask, width, height, x, y)), np.uint8).reshape(height, width)


def one_step(studio: Studio, krita: Krita, before: object) -> None:
    """One undo takes everything away, one redo brings it back.

    Krita tells its history by queued signals and undoes in threads of its own: what counts is what it comes to."""
    wait_until(lambda: studio.history()[0], "the step in the history", 5.0)
    after = krita.get("tree(d.rootNode())")
    assert after != before
    steps = studio.history()[0]
    assert len(steps) == 1, steps
    studio.undo()
    wait_until(lambda: krita.get("tree(d.rootNode())") == before, "undo", 5.0)
    studio.redo()
    wait_until(lambda: krita.get("tree(d.rootNode())") == after, "redo", 5.0)


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server hangs: it accepts nothing and answers nothing."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if server.process.poll() is None:
            os.kill(server.process.pid, signal.SIGCONT)
