"""On a screen with two pixels to each unit the picture in a dialog has every pixel of the screen."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from ..chroot import Lab, wait_until
from ..server import Server
from .asking import Plane
from .driver import Gimp, install
from .test_found import Found
from .windows import Windows

pytestmark = pytest.mark.editor
SIDE = 700  # of a picture that is shown with a screen's pixel for each of its own, or nearly


@pytest.fixture(scope="module")
def sharp(open_lab: Callable[[str], Lab], serve: Callable[[Lab], Server]) -> Iterator[Windows]:
    lab = open_lab("gimp")
    install(lab)
    lab.open_display(2560, 1600)
    noise = np.random.default_rng(5).integers(0, 2, (SIDE, SIDE), np.uint8) * 255
    Image.fromarray(noise).convert("RGB").save(lab.path("noise.png"))
    server = serve(lab)
    gimp = Gimp(lab, windows=True, GDK_SCALE="2")
    gimp.run(f"image = load({lab.inside + '/noise.png'!r}); layer = image.get_layers()[0]; Gimp.Display.new(image)")
    windows = Windows(lab, gimp, server)
    windows.wait_for("GNU Image Manipulation Program")
    yield windows
    gimp.close()


def changes(shot: np.ndarray) -> tuple[float, float]:
    """How often a pixel differs from its right neighbour, for even and odd columns: with doubled pixels one is 0."""
    part = shot[300:600, 600:900, 0]  # in the middle of the picture
    differ = np.abs(np.diff(part, axis=1)) > 30
    return float(differ[:, 0::2].mean()), float(differ[:, 1::2].mean())


@pytest.mark.parametrize("name", ["maskwright-select-by-prompt", "maskwright-select-refine"])
def test_the_picture_is_as_sharp_as_the_screen(sharp: Windows, name: str) -> None:
    sharp.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 5, 5, 20, 20)")
    dialog = Found(sharp, name, "Refine Selection" if "refine" in name else "Select by Prompt")
    try:
        wait_until(lambda: sharp.drawn(dialog.window), "the picture")
        wait_until(lambda: min(changes(dialog.shot())) > 0.2, "a sharp picture")
        assert dialog.shot()[300:600, 600:900].std() > 50, "and not a plain one"
        _, _, width, height = sharp.place(dialog.window)
        assert width <= 2560
        assert height <= 2 * (800 - 60)
    finally:
        dialog.close()


def test_what_was_found_is_outlined_there_too(sharp: Windows, photo: Plane, lab: Lab) -> None:
    inside = sharp.lab.put(lab.path("photo.png"), "photo.png")
    sharp.gimp.run(f"image = load({inside!r}); Gimp.Display.new(image)")
    dialog = Found(sharp, "maskwright-select-by-prompt", "Select by Prompt")
    try:
        dialog.keys("ctrl+a")
        dialog.type("person")
        dialog.keys("Return")
        dialog.wait_found(3)
        dialog.shot("hidpi")
        assert dialog.finish("Return")[0] == "success"
    finally:
        dialog.close()
