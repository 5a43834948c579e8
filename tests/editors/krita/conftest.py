"""One real Krita with the plugin and one real server, shared by the tests; each test gets documents of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maskwright.plugins import krita as krita_plugin
from maskwright_client.client import Client
from tests.shared_data import EVAL

from ..chroot import Lab
from ..server import Server
from .driver import Krita, install
from .studio import Studio


@pytest.fixture(scope="session")
def plugin_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return krita_plugin.build(tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="session")
def lab(open_lab: Callable[[str], Lab], plugin_zip: Path) -> Lab:
    lab = open_lab("krita")
    install(lab, plugin_zip)
    return lab


@pytest.fixture(scope="session")
def headless_lab(open_lab: Callable[[str], Lab], plugin_zip: Path) -> Lab:
    """A profile of its own, without a display."""
    lab = open_lab("krita")
    install(lab, plugin_zip)
    return lab


@pytest.fixture(scope="session")
def server(lab: Lab, serve: Callable[[Lab], Server]) -> Server:
    return serve(lab)


@pytest.fixture(scope="session")
def krita(lab: Lab, server: Server) -> Iterator[Krita]:
    """Started for the second time, as it nearly always is: what the first start made and kept is there."""
    lab.open_display()
    Krita(lab).quit()
    krita = Krita(lab)
    yield krita
    krita.quit()


@pytest.fixture(scope="session")
def photos() -> Path:
    if not EVAL.is_dir():
        pytest.skip(f"there are no photos in {EVAL}")
    return EVAL


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    """Asks the server beside the plugin: what it answers is what Krita must show."""
    with server.client() as client:
        yield client


@pytest.fixture
def studio(krita: Krita, lab: Lab, client: Client, photos: Path) -> Iterator[Studio]:
    """Krita without documents and with the plugin's settings as they come."""
    studio = Studio(krita, lab, client, photos)
    studio.reset()
    yield studio
    studio.reset()
