"""One GIMP without windows, one server and one picture for all tests of this folder."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from maskwright_client.client import Client
from tests.shared_data import EVAL

from ..chroot import Lab
from ..server import Server
from .asking import Plane
from .driver import Gimp, install
from .windows import MAIN, Windows

pytestmark = pytest.mark.editor


@pytest.fixture(scope="session")
def lab(open_lab: Callable[[str], Lab]) -> Lab:
    lab = open_lab("gimp")
    install(lab)
    return lab


@pytest.fixture(scope="session")
def server(lab: Lab, serve: Callable[[Lab], Server]) -> Server:
    return serve(lab)


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def photo(lab: Lab) -> Plane:
    """A street with a bus and people, 480 x 640, as GIMP gets it too."""
    path = EVAL / "photos" / "bus.jpg"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    picture = Image.open(path).convert("RGB").resize((480, 640), Image.Resampling.LANCZOS)
    picture.save(lab.path("photo.png"))
    return np.asarray(picture)


@pytest.fixture(scope="session")
def gimp(lab: Lab, server: Server, photo: Plane) -> Iterator[Gimp]:
    gimp = Gimp(lab)
    gimp.run(f"PHOTO = {lab.inside + '/photo.png'!r}")
    yield gimp
    gimp.close()


@pytest.fixture
def image(gimp: Gimp) -> Iterator[Gimp]:
    """GIMP with the photo open as ``image``, its layer as ``layer``; closed afterwards."""
    gimp.run("image = load(PHOTO); layer = image.get_layers()[0]")
    yield gimp
    gimp.run("[each.delete() for each in Gimp.get_images()]")


@pytest.fixture(scope="session")
def screen(open_lab: Callable[[str], Lab]) -> Lab:
    lab = open_lab("gimp")
    install(lab)
    lab.open_display(1280, 900)
    return lab


@pytest.fixture(scope="session")
def gui(screen: Lab, serve: Callable[[Lab], Server], photo: Plane, lab: Lab) -> Iterator[Windows]:
    server = serve(screen)
    screen.put(lab.path("photo.png"), "photo.png")
    gimp = Gimp(screen, windows=True)
    gimp.run(f"PHOTO = {screen.inside + '/photo.png'!r}")
    windows = Windows(screen, gimp, server)
    windows.wait_for("GNU Image Manipulation Program")
    yield windows
    gimp.close()


@pytest.fixture
def shown(gui: Windows) -> Iterator[Windows]:
    """The photo in a window, nothing selected, nothing to undo, and no message of an earlier test in front."""
    gui.close_messages()
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
