"""GIMP with its windows under Xvfb: menus, dialogs, clicks, undo. Also makes the pictures of the guide."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright_protocol.messages import Cutout, Point, Rect, Select

from ..chroot import Lab, wait_until
from ..server import Server, models_folder
from .asking import Pixels, Plane, answer, plane
from .driver import Gimp, install
from .test_procedures import HEIGHT, WIDTH, bus, selected

pytestmark = pytest.mark.editor
PICTURES = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
MAIN = "480x640.*GIMP"  # the image window's title tells the size
INTERACTIVE = "run_mode=Gimp.RunMode.INTERACTIVE"


@pytest.fixture(scope="module")
def screen(open_lab: Callable[[str], Lab]) -> Lab:
    lab = open_lab("gimp")
    install(lab)
    lab.open_display(1280, 900)
    return lab


@pytest.fixture(scope="module")
def gui(screen: Lab, serve: Callable[[Lab], Server], photo: Plane, lab: Lab) -> Iterator["Windows"]:
    server = serve(screen)
    screen.put(lab.path("photo.png"), "photo.png")
    gimp = Gimp(screen, windows=True)
    gimp.run(f"PHOTO = {screen.inside + '/photo.png'!r}")
    windows = Windows(screen, gimp, server)
    windows.wait_for("GNU Image Manipulation Program")
    yield windows
    gimp.close()


@pytest.fixture
def shown(gui: "Windows") -> Iterator["Windows"]:
    """The photo in a window, nothing selected, nothing to undo."""
    gui.gimp.run("""
        image = load(PHOTO)
        layer = image.get_layers()[0]
        display = Gimp.Display.new(image)
        image.clean_all()
        before = state(image)
    """)
    gui.wait_for(MAIN)
    yield gui
    gui.gimp.run("display.delete()")


class Windows:
    """The screen as a user sees it."""

    def __init__(self, lab: Lab, gimp: Gimp, server: Server) -> None:
        self.lab, self.gimp, self.server = lab, gimp, server

    def windows(self, title: str) -> list[str]:
        done = self.lab.run(["xdotool", "search", "--onlyvisible", "--name", title], check=False)
        return done.stdout.split()

    def wait_for(self, title: str) -> str:
        try:
            return wait_until(lambda: self.windows(title), f"a window {title!r}")[-1]
        except AssertionError:
            path = self.lab.screenshot("missing.png")
            log = self.gimp.log()[-1500:]
            raise AssertionError(f"no window {title!r}; the screen: {path}\n{log}") from None

    def wait_gone(self, title: str) -> None:
        wait_until(lambda: not self.windows(title), f"the window {title!r} to close")

    def place(self, window: str) -> tuple[int, int, int, int]:
        lines = self.lab.run(["xwininfo", "-id", window]).stdout.splitlines()
        values = dict(line.strip().split(":", 1) for line in lines if ":" in line)
        names = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
        return tuple(int(values[name]) for name in names)  # type: ignore[return-value]

    def picture(self, name: str, window: str = "") -> Plane:
        """What the screen shows now; kept for the guide when pictures are wanted."""
        crop = ""
        if window:
            x, y, width, height = self.place(window)
            crop = f"{width}x{height}+{x}+{y}"
        path = self.lab.screenshot(f"{name}.png", crop)
        if PICTURES and not name.startswith("_"):
            Image.open(path).convert("RGB").quantize(255).save(Path(PICTURES) / f"gimp-{name}.png", optimize=True)
        return np.asarray(Image.open(path).convert("RGB")).astype(int)

    def open(self, name: str, title: str, **options: object) -> tuple[str, str]:
        """Call a procedure as its menu entry does; ``(call, window)``."""
        arguments = "".join(f", {key}={value!r}" for key, value in options.items())
        call = self.gimp.start(f"out = call({name!r}, image, [layer], {INTERACTIVE}{arguments})")
        window = self.wait_for(title)
        self.lab.xdotool("windowactivate", "--sync", window)
        return call, window

    def undo(self) -> None:
        window = self.wait_for(MAIN)
        self.lab.xdotool("windowactivate", "--sync", window)
        self.lab.xdotool("key", "ctrl+z")

    def unchanged(self) -> bool:
        return self.gimp.run("out = state(image) == before")


def test_menu_entries(gui: Windows) -> None:
    """Every procedure is in the menu that its name promises."""
    found = gui.gimp.run("""
        names = pdb.query_procedures("maskwright-.*", "", "", "", "", "", "", "")
        found = {n: (pdb.lookup_procedure(n).get_menu_paths(), pdb.lookup_procedure(n).get_menu_label()) for n in names}
        out = sorted((name, paths[0], label.replace("_", "")) for name, (paths, label) in found.items())
    """)
    assert found == [
        ("maskwright-click-to-select", "<Image>/Filters/Maskwright", "Click to Select..."),
        ("maskwright-cut-out", "<Image>/Layer/Transparency", "Cut Out by Prompt..."),
        ("maskwright-mask-from-prompt", "<Image>/Layer/Mask", "Add Mask from Prompt..."),
        ("maskwright-prepare-inpainting", "<Image>/Select", "Prepare for Inpainting..."),
        ("maskwright-remove-background", "<Image>/Layer/Transparency", "Remove Background to New Layer"),
        ("maskwright-select-by-prompt", "<Image>/Select", "By Prompt..."),
        ("maskwright-select-object", "<Image>/Select", "Object from Selection"),
        ("maskwright-select-parts", "<Image>/Select", "Clothes, Face and Body Parts..."),
        ("maskwright-select-refine", "<Image>/Select", "Refine..."),
        ("maskwright-select-subject", "<Image>/Select", "Subject"),
        ("maskwright-server", "<Image>/Filters/Maskwright", "Server and Models..."),
    ]


def test_select_by_prompt_dialog(shown: Windows, photo: Plane) -> None:
    call, window = shown.open("maskwright-select-by-prompt", "Select by Prompt")
    shown.lab.xdotool("type", "--delay", "5", "bus")
    with shown.server.client() as client:
        shown.picture("select-by-prompt", window)
        shown.lab.xdotool("key", "Return")
        assert shown.gimp.finish(call)[0] == "success"
        assert np.array_equal(selected(shown.gimp), bus(client, photo))
    shown.picture("selected")
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


@pytest.mark.parametrize("name", ["maskwright-select-by-prompt", "maskwright-mask-from-prompt"])
def test_escape_changes_nothing(shown: Windows, name: str) -> None:
    title = "Select by Prompt" if "select" in name else "Add Mask from Prompt"
    call, window = shown.open(name, title)
    if "mask-from" in name:
        shown.picture("mask-from-prompt", window)
    shown.lab.xdotool("key", "Escape")
    assert shown.gimp.finish(call)[0] == "cancel"
    assert shown.unchanged()
    assert shown.gimp.run("out = image.is_dirty()") is False


RESULTS = ("selection", "layer-mask", "layer", "channel", "layers")


@pytest.mark.parametrize("result", RESULTS)
def test_one_undo_takes_everything_back(shown: Windows, result: str) -> None:
    shown.gimp.call("maskwright-select-by-prompt", prompt="person", result=result).ok()
    assert not shown.unchanged()
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


def test_refine_dialog(shown: Windows) -> None:
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 120, 300, 260); rough = selected(image)")
    call, window = shown.open("maskwright-select-refine", "Refine Selection")
    shown.picture("refine", window)
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shown.gimp.run("out = selected(image) != rough")
    shown.undo()
    wait_until(lambda: shown.gimp.run("out = selected(image) == rough"), "the rough selection to come back")


def test_cut_out_dialog(shown: Windows, photo: Plane) -> None:
    call, window = shown.open("maskwright-cut-out", "Cut Out by Prompt", outline=4.0)
    shown.lab.xdotool("type", "--delay", "5", "bus")
    shown.picture("cut-out", window)
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shown.gimp.run("out = len(image.get_layers())") == 2
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


def test_parts_are_ticked_in_a_list(shown: Windows) -> None:
    path = models_folder().parent / "eval" / "person_parts" / "000335_image.png"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    inside = shown.lab.put(path, "person.png")
    shown.gimp.run(f"person = load({inside!r}); before = state(person)")
    call = shown.gimp.start(
        f"out = call('maskwright-select-parts', person, person.get_layers()[:1], {INTERACTIVE}, parts='clothes')"
    )
    window = shown.wait_for("Clothes, Face and Body Parts")
    shown.lab.xdotool("windowactivate", "--sync", window)
    x, y, _, _ = shown.place(window)
    listed = (slice(20, 240), slice(60, 110))  # where the thumbnails are
    wait_until(lambda: len(np.unique(shown.picture("_list", window)[listed])) > 60, "thumbnails", 30.0)
    shown.picture("parts", window)
    assert (x, y) == shown.place(window)[:2]
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shown.gimp.run("out = not Gimp.Selection.is_empty(person)")
    shown.gimp.run("person.delete()")


def test_prepare_for_inpainting_dialog(shown: Windows) -> None:
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 160, 220, 80, 90); rough = selected(image)")
    call, window = shown.open("maskwright-prepare-inpainting", "Prepare for Inpainting")
    shown.picture("prepare-inpainting", window)
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shown.gimp.run("out = selected(image) != rough and len(image.get_channels()) == 1")
    shown.undo()
    gone = "out = selected(image) == rough and not image.get_channels()"
    wait_until(lambda: shown.gimp.run(gone), "one undo to bring the selection back and take the channel away")


def test_server_dialog(shown: Windows) -> None:
    call = shown.gimp.start(f"out = call('maskwright-server', {INTERACTIVE})")
    window = shown.wait_for("Maskwright Server and Models")
    shown.lab.xdotool("windowactivate", "--sync", window)
    wait_until(lambda: len(np.unique(shown.picture("_look", window).sum(axis=2))) > 40, "the list of models")
    shown.picture("server", window)
    shown.lab.xdotool("key", "Escape")
    assert shown.gimp.finish(call)[1:3] == (0, '{"running": true}')


# ---------------------------------------------------------------- click to select

TINT = (64, 140, 255)  # the current object's outline


class Clicks:
    """The Click to Select dialog: document coordinates in, screen coordinates out."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self.lab = windows, windows.lab
        self.call, self.window = windows.open("maskwright-click-to-select", "Click to Select")
        wait_until(self._found, "the picture in the dialog")

    where = (0, 0, 0, 0)

    def _found(self) -> bool:
        """Where the picture is: between the dark bars left and right of it, in the view's frame."""
        x, y, _, _ = self.windows.place(self.window)
        shot = self.windows.picture("_find", self.window)
        dark = np.abs(shot - np.array((0x26, 0x26, 0x2A))).max(axis=2) == 0
        rows = np.nonzero(dark.sum(axis=1) > 150)[0]
        if len(rows) < 300:
            return False
        row = (rows[0] + rows[-1]) // 2
        columns = np.nonzero(dark[row])[0]
        gaps = np.nonzero(np.diff(columns) > 100)[0]
        if len(gaps) != 1:
            return False
        left, right = int(columns[gaps[0]]) + 1, int(columns[gaps[0] + 1])
        bars = left - int(columns[0]), int(columns[-1]) + 1 - right
        if abs(bars[0] - bars[1]) > 2:
            return False
        before, self.where = self.where, (left, right, int(rows[0]), int(rows[-1]))
        self.scale = (right - left) / WIDTH
        self.left = float(x + left)
        self.top = float(y + (int(rows[0]) + int(rows[-1]) + 1) / 2 - HEIGHT * self.scale / 2)
        return before == self.where  # it has stopped moving

    def at(self, x: float, y: float) -> tuple[int, int]:
        return round(self.left + x * self.scale), round(self.top + y * self.scale)

    def outline(self) -> int:
        shot = self.windows.picture("_outline", self.window)
        return int((np.abs(shot - np.array(TINT)).max(axis=2) <= 2).sum())

    def click(self, x: float, y: float, button: int = 1) -> None:
        self.lab.xdotool("mousemove", *self.at(x, y), "click", button)

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.lab.xdotool("mousemove", *self.at(x0, y0), "mousedown", 1)
        self.lab.xdotool("mousemove", *self.at((x0 + x1) / 2, (y0 + y1) / 2))
        self.lab.xdotool("mousemove", *self.at(x1, y1), "mouseup", 1)

    def finish(self, key: str) -> str:
        self.lab.xdotool("key", key)
        return self.windows.gimp.finish(self.call)[0]


def test_click_to_select(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    assert clicks.outline() < 20
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    one = clicks.outline()
    clicks.click(60, 400, button=3)
    wait_until(lambda: clicks.outline() not in (one, 0), "the second click's answer")
    shown.picture("click-to-select", clicks.window)
    clicks.lab.xdotool("key", "ctrl+z")
    wait_until(lambda: abs(clicks.outline() - one) < 30, "the first click's answer again")
    clicks.lab.xdotool("key", "ctrl+z")
    wait_until(lambda: clicks.outline() < 20, "no answer at all")
    clicks.drag(8, 120, 470, 450)
    wait_until(lambda: clicks.outline() > 300, "the answer to the box")
    shown.picture("_box", clicks.window)
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp)
    with shown.server.client() as client:
        job = Select("", boxes=[Rect(8.0, 120.0, 462.0, 330.0)], pick="best")
        near = plane(answer(client, job, Pixels(photo)).instances[0].mask, WIDTH, HEIGHT)
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.97, "the box was dragged to whole screen pixels"
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


HOVERED = (255, 214, 90)


def test_what_is_under_the_pointer_lights_up(shown: Windows) -> None:
    clicks = Clicks(shown)

    def lit() -> int:
        shot = shown.picture("hover", clicks.window)
        return int((np.abs(shot - np.array(HOVERED)).max(axis=2) <= 2).sum())

    def over(x: float, y: float) -> int:
        clicks.lab.xdotool("mousemove", *clicks.at(x, y))
        return lit()

    assert lit() < 20
    # The map comes when it is ready; each look moves the pointer a little.
    places = itertools.cycle([(240, 250), (242, 252)])
    wait_until(lambda: over(*next(places)) > 200, "an outline under the pointer", 120.0)
    clicks.lab.xdotool("mousemove", 5, 5)
    wait_until(lambda: lit() < 20, "the highlight to go with the pointer")
    assert clicks.finish("Escape") == "cancel"
    assert shown.unchanged()


def test_leaving_click_to_select_changes_nothing(shown: Windows) -> None:
    clicks = Clicks(shown)
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    assert clicks.finish("Escape") == "cancel"
    assert shown.unchanged()
    assert shown.gimp.run("out = image.is_dirty()") is False


def test_exact_pixels_of_one_click(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    assert clicks.finish("Return") == "success"
    x, y = clicks.at(240, 250)
    point = Point(round((x - clicks.left) / clicks.scale, 2), round((y - clicks.top) / clicks.scale, 2))
    with shown.server.client() as client:
        near = plane(answer(client, Select("", points=[point], pick="best"), Pixels(photo)).instances[0].mask, 480, 640)
    got = selected(shown.gimp)
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.97


def test_remove_background_from_the_menu(shown: Windows, photo: Plane) -> None:
    """No dialog: one undo step, and the new layer lies above."""
    result = shown.gimp.run(f"out = call('maskwright-remove-background', image, [layer], {INTERACTIVE})")
    assert result[0] == "success"
    with shown.server.client() as client:
        expected = answer(client, Cutout("", foreground=False), Pixels(photo)).alpha
    data = shown.gimp.run("""out = plane(image.get_layers()[0], "R'G'B'A u8")""")
    alpha = np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., 3]
    assert np.array_equal(alpha, plane(expected, WIDTH, HEIGHT))
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")
