"""The server that the docker itself starts: found where pipx and uv put it, used, and not left behind by Krita."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from maskwright.plugins import krita as krita_plugin
from maskwright_client.client import Client
from maskwright_protocol.messages import StatusRequest

from ..chroot import unusable, wait_until
from ..server import Server
from . import household
from .driver import Krita, install
from .studio import Studio
from .test_menus import choose

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"


class Home:
    """A Krita with the plugin, and an installed Maskwright that does not run."""

    def __init__(self, lab: household.HouseholdLab, photos: Path) -> None:
        self.lab, self.photos = lab, photos
        self.krita = Krita(lab)
        # Finds the endpoint that the plugin's server writes; nobody is started by it.
        self.server = Server(lab.path("runtime"), lab.path("out", "server.log"))

    def studio(self, client: Client) -> Studio:
        return Studio(self.krita, self.lab, client, self.photos, connected=False)

    def servers(self) -> list[psutil.Process]:
        """Every process of this lab that is Maskwright's."""
        found = []
        for process in psutil.process_iter():
            try:
                if any(f"{self.lab.inside}/household/" in part for part in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture
def home(server_or_skip: None, photos: Path, tmp_path: Path) -> Iterator[Home]:
    if reason := unusable("krita"):
        pytest.skip(reason)
    lab = household.HouseholdLab("home")
    with lab:
        install(lab, krita_plugin.build(tmp_path))
        household.install(lab)
        lab.open_display()
        home = Home(lab, photos)
        try:
            yield home
        finally:
            for process in home.servers():  # of this lab only; none is left when the test passes
                process.kill()


def start_by_the_button(home: Home) -> None:
    krita = home.krita
    with home.server.client() as client:  # not connected before something is asked
        studio = home.studio(client)
        studio.open(studio.photo(CAT))
        krita.wait("C.connection.state == 'absent' and child('maskwright_start').isVisible()", "the button")
        assert home.servers() == []
        studio.press("maskwright_start")
        krita.wait("C.connection.state == 'connected'", "the server that the plugin starts", 60)
        studio.command("select_by_prompt('cat')", 120)
        assert studio.selection().any()
        assert len(home.servers()) >= 1


def start_by_the_first_command(home: Home) -> None:
    """The panel is hidden, as Krita has it at first: two clicks in the menu are all."""
    krita = home.krita
    with home.server.client() as client:
        studio = home.studio(client)
        krita.run("SAID = []; P.feedback.changed.connect(lambda: SAID.append(str(P.feedback.now().text)))")
        studio.open(studio.photo(CAT))
        krita.run("docker().setVisible(False)")
        krita.wait("C.connection.state == 'absent'", "no server")
        assert home.servers() == []
        choose(krita, home.lab, "select", "maskwright_select_subject")
        krita.wait("C.result is not None or failure() is not None", "the answer", 120)
        studio.idle()
        studio.settle()
        assert studio.failure() is None, studio.failure()
        assert studio.selection().any()
        assert "Starting the server..." in krita.get("SAID")
        krita.run("docker().setVisible(True)")


def test_it_is_started_used_and_ends_with_krita(home: Home) -> None:
    start_by_the_button(home)
    home.krita.quit()
    wait_until(lambda: not home.servers(), "the server and its worker to end with Krita", 20)
    assert not (home.lab.folder / "runtime" / "server.json").exists()


def test_after_a_crash_the_next_krita_ends_it(home: Home) -> None:
    start_by_the_first_command(home)
    home.krita.process.kill()
    home.krita.process.wait()
    assert home.servers()
    home.krita = Krita(home.lab)
    with home.server.client() as client:
        home.studio(client)
    home.krita.wait("C.connection.state == 'connected'", "the server that is still there")
    home.krita.quit()
    wait_until(lambda: not home.servers(), "the server and its worker to end with the next Krita", 20)


def test_it_stays_for_others(home: Home) -> None:
    """Another client is connected: the server is not Krita's alone any more."""
    start_by_the_button(home)
    with home.server.client("somebody-else") as other:
        other.request(StatusRequest(""), 10)
        home.krita.quit()
        assert other.request(StatusRequest(""), 10)
    assert home.servers()
