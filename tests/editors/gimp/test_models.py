"""Models that are not there yet: named in errors, offered with their licence, downloaded, used, and removed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from maskwright.models.install.scan import EMBEDDED
from tests.server.models import hub as hubs

from ..chroot import wait_until
from ..shop import FILE, NAME, Shop
from .asking import Plane
from .pictures import bus, selected
from .windows import INTERACTIVE, Windows

pytestmark = pytest.mark.editor
FINDER = "models='detector=finder'"


Opener = Callable[..., tuple[hubs.Hub, Shop]]


@pytest.fixture
def open_shop(gui: Windows, tmp_path: Path) -> Iterator[Opener]:
    """``open_shop(VARIABLE="value")`` puts a ``Shop`` in the place of the tests' server."""
    usual = gui.server
    with hubs.running() as hub:
        shop = Shop(tmp_path, usual.runtime, hub)

        def opened(**variables: str) -> tuple[hubs.Hub, Shop]:
            shop.variables = variables
            usual.stop()
            shop.start()
            return hub, shop

        yield opened
        shop.stop()
        usual.start()


def buttons(shown: Windows, window: str) -> list[tuple[int, int]]:
    """Where the list in Server and Models has buttons, from the top, on the screen."""
    x, y, _, _ = shown.place(window)
    strip = shown.picture("_buttons", window)[:-100, 655:659].sum(axis=2).mean(axis=1)
    usual = np.median(strip)
    dark = np.nonzero(strip < usual - 30)[0]
    runs = np.split(dark, np.nonzero(np.diff(dark) > 4)[0] + 1)
    return [(x + 630, y + int(run.mean())) for run in runs if 20 < len(run) < 60]


def ask_for_the_bus(shown: Windows) -> str:
    return shown.gimp.start(
        f"out = call('maskwright-mask-from-prompt', image, [layer], {INTERACTIVE}, prompt='bus', {FINDER}, "
        "result='selection')"
    )


def test_without_windows_the_error_says_what_to_do(shown: Windows, open_shop: Opener) -> None:
    open_shop()
    called = shown.gimp.call("maskwright-select-by-prompt", prompt="bus", models="detector=finder")
    assert called.error.startswith("The model finder (A Finder) is not installed. Download A Finder in Filters >")
    assert called.error.endswith("or run 'maskwright models pull finder'.")
    assert shown.unchanged()
    shown.lab.xdotool("windowactivate", "--sync", shown.wait_for("GIMP Message"), "key", "Escape")
    shown.wait_gone("GIMP Message")


def test_a_missing_model_is_downloaded_and_the_call_done(shown: Windows, photo: Plane, open_shop: Opener) -> None:
    hub, shop = open_shop()
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(30)

    hub.gate = gate
    xdotool = shown.lab.xdotool

    def accept(dialog: str) -> str:
        """The button below what the dialog says."""
        still(shown, dialog)
        press_offer(shown, dialog)
        window = shown.wait_for(f"Download {NAME}")
        xdotool("windowactivate", "--sync", window)
        return window

    call = ask_for_the_bus(shown)
    dialog = shown.wait_for("Add Mask from Prompt")
    xdotool("windowactivate", "--sync", dialog, "key", "Return")
    # No: nothing is asked of the source, and the dialog stays.
    shown.picture("download", accept(dialog))
    xdotool("key", "Escape")
    shown.wait_gone(f"Download {NAME}")
    assert hub.transfers(FILE) == []
    # Yes, then cancelled in its middle.
    accept(dialog)
    xdotool("key", "Return")
    assert reached.wait(20), "nothing was asked of the source"
    xdotool("key", "Escape")
    shown.wait_gone(f"Download {NAME}")
    assert not shop.downloaded.exists()
    # Yes, to its end; then the search goes on by itself.
    release.set()
    accept(dialog)
    xdotool("key", "Return")
    shown.wait_gone(f"Download {NAME}")
    xdotool("windowactivate", "--sync", dialog)
    still(shown, dialog)
    xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shop.downloaded.is_file()
    with shop.client() as client:
        expected = bus(client, photo, models={"detector": "finder"})
    assert np.array_equal(selected(shown.gimp), expected)


def test_models_are_downloaded_and_removed_in_the_list(shown: Windows, open_shop: Opener) -> None:
    _, shop = open_shop(MASKWRIGHT_OFFLINE="1")
    shop.downloaded.parent.mkdir(parents=True)
    shop.downloaded.write_bytes((EMBEDDED / "yolox-nano" / FILE).read_bytes())
    known = shop.models()
    recommended = [m for m in known if m.recommended and m.downloadable and not m.installed]
    assert recommended
    assert any(model.id == "finder" and model.installed for model in known)
    call = shown.gimp.start(f"out = call('maskwright-server', {INTERACTIVE})")
    window = shown.wait_for("Maskwright Server and Models")
    shown.lab.xdotool("mousemove", 5, 5, "windowactivate", "--sync", window)
    wait_until(lambda: len(buttons(shown, window)) > len(recommended), "the list of models")
    # The first of the recommended ones, as the list has them.
    places = buttons(shown, window)
    shown.lab.xdotool("mousemove", *places[0], "click", 1)
    first = min(recommended, key=lambda model: model.title.casefold())
    inner = shown.wait_for(f"Download {first.title}")
    shown.lab.xdotool("windowactivate", "--sync", inner)
    shown.lab.xdotool("key", "Escape")
    shown.wait_gone(f"Download {first.title}")
    # The downloaded one is the first of those that are installed.
    shown.lab.xdotool("mousemove", *places[len(recommended)], "click", 1)
    inner = shown.wait_for(f"Remove {NAME}")
    shown.lab.xdotool("windowactivate", "--sync", inner)
    shown.lab.xdotool("key", "Return")
    wait_until(lambda: not shop.downloaded.exists(), "the files to be deleted")
    shown.lab.xdotool("windowactivate", "--sync", window, "key", "Escape")
    assert shown.gimp.finish(call)[0] == "success"


def test_with_the_built_in_models_alone_more_are_a_click_away(shown: Windows, open_shop: Opener) -> None:
    open_shop(MASKWRIGHT_OFFLINE="1")
    call, window = shown.open("maskwright-select-by-prompt", "Select by Prompt")
    shown.lab.xdotool("mousemove", 5, 5)
    still(shown, window)
    shown.picture("first-run", window)
    press_offer(shown, window)
    inner = shown.wait_for("Maskwright Server and Models")
    shown.lab.xdotool("windowactivate", "--sync", inner, "key", "Escape")
    shown.wait_gone("Maskwright Server and Models")
    shown.lab.xdotool("windowactivate", "--sync", window, "key", "Escape")
    assert shown.gimp.finish(call)[0] == "cancel"


def still(shown: Windows, window: str) -> None:
    """Nothing moves any more: the server has answered."""
    looks: list[Plane] = []

    def stands() -> bool:
        looks.append(shown.picture("_still", window)[-260:])  # without the blinking cursor
        return len(looks) > 4 and all(np.array_equal(looks[-1], shot) for shot in looks[-4:-1])

    wait_until(stands, "the server's answer", pause=0.25)


def press_offer(shown: Windows, window: str) -> None:
    """The button below what the dialog's last line says."""
    x, y, width, height = shown.place(window)
    shown.lab.xdotool("mousemove", x + width - 84, y + height - 148, "click", 1, "mousemove", 5, 5)
