"""Models that are not there yet: offered with licence and size, downloaded, and the command done again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.models import hub as hubs

from ..chroot import Lab
from ..server import Server
from ..shop import FILE, NAME, Shop
from .driver import Krita
from .studio import Studio

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
Opener = Callable[..., tuple[hubs.Hub, Shop]]


@pytest.fixture
def open_shop(studio: Studio, krita: Krita, server: Server, tmp_path: Path) -> Iterator[Opener]:
    """``open_shop(VARIABLE="value")`` puts a ``Shop`` in the place of the tests' server."""

    @contextmanager
    def opened(**variables: str) -> Iterator[tuple[hubs.Hub, Shop]]:
        with hubs.running() as hub:
            shop = Shop(tmp_path, server.runtime, hub)
            shop.variables = variables
            server.stop()
            krita.wait("C.connection.state == 'absent'", "the old server to be gone")
            shop.start()
            try:
                krita.wait("any(m.id == 'finder' for m in C.connection.models)", "the shop's models")
                yield hub, shop
            finally:
                shop.stop()
                krita.wait("C.connection.state == 'absent'", "the shop to be gone")
                server.start()
                krita.wait("C.connection.state == 'connected'", "the old server")
                krita.wait("not any(m.id == 'finder' for m in C.connection.models)", "the old server's models")

    stack: list[object] = []

    def start(**variables: str) -> tuple[hubs.Hub, Shop]:
        manager = opened(**variables)
        stack.append(manager)
        return manager.__enter__()

    yield start
    for manager in stack:
        manager.__exit__(None, None, None)  # type: ignore[attr-defined]


def dialog_button(krita: Krita, lab: Lab, kind: str) -> str:
    """Press a button of the licence dialog with the mouse; what the dialog said."""
    krita.wait("QApplication.activeModalWidget() is not None", "the licence dialog")
    krita.run("box = QApplication.activeModalWidget().findChild(QDialogButtonBox)")
    said = krita.get("' '.join(l.text() for l in QApplication.activeModalWidget().findChildren(QLabel))")
    krita.wait("QApplication.activeWindow() is QApplication.activeModalWidget()", "the dialog to have the focus")
    krita.run("quiet = []; QTimer.singleShot(300, lambda: quiet.append(True))")
    krita.wait("quiet", "the window to be placed")
    at = krita.get(f"place(box.button(QDialogButtonBox.StandardButton.{kind}))")
    lab.xdotool("mousemove", *at, "click", 1)
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to close")
    return said


def ask_for_a_cat(studio: Studio, krita: Krita) -> None:
    krita.run("C.options.models = {'detector': 'finder'}; FAILED.clear(); C.select_by_prompt('cat')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert failure[0] == "model_missing"
    assert krita.get("child('maskwright_remedy').text()") == "Download..."
    assert f"{NAME}, 4 MB" in krita.get("child('maskwright_remedy').toolTip()")


def test_a_missing_model_is_downloaded_and_the_command_done(
    studio: Studio, krita: Krita, lab: Lab, open_shop: Opener
) -> None:
    hub, shop = open_shop()
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(120)

    hub.gate = gate
    studio.open(studio.photo(CAT))
    ask_for_a_cat(studio, krita)
    # No: nothing is loaded, the offer stays.
    studio.press("maskwright_remedy")
    said = dialog_button(krita, lab, "Cancel")
    assert NAME in said
    assert "4 MB" in said
    assert "Licence: Its own" in said
    assert "commercially is unclear" in said
    assert hub.transfers(FILE) == []
    assert studio.said()[0] == "problem"
    # Yes, then cancelled in its middle.
    studio.press("maskwright_remedy")
    krita.wait("QApplication.activeModalWidget() is not None")
    krita.run("box = QApplication.activeModalWidget().findChild(QDialogButtonBox)")
    assert krita.get("box.button(QDialogButtonBox.StandardButton.Ok).text().replace('&', '')") == "I agree, download"
    dialog_button(krita, lab, "Ok")
    assert reached.wait(90), "nothing was asked of the source"
    krita.wait("child('maskwright_cancel_download').isVisible()", "the cancel button")
    studio.press("maskwright_cancel_download")
    krita.wait("not P.downloads.busy()", "the download to end")
    assert any("is kept" in note for note in krita.get("TOLD"))
    assert krita.get("d.selection() is None")
    assert not (shop.folder / "data" / "maskwright" / "models" / "finder").exists()
    # Yes, to its end; the prompt is then done without being asked for again.
    release.set()
    ask_for_a_cat(studio, krita)
    studio.press("maskwright_remedy")
    dialog_button(krita, lab, "Ok")
    krita.wait("C.result is not None and not C.busy()", "the answer after the download", 60)
    assert shop.downloaded.is_file()
    assert studio.failure() is None
    assert studio.selection().any()
    krita.wait("any(m.id == 'finder' and m.installed for m in C.connection.models)", "the list of models")


def test_an_unknown_word_offers_a_model_that_knows_it(studio: Studio, krita: Krita, open_shop: Opener) -> None:
    open_shop(MASKWRIGHT_OFFLINE="1")
    studio.open(studio.photo(CAT))
    krita.run("FAILED.clear(); C.select_by_prompt('whiskers')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert failure[0] == "unknown_word"
    named = krita.get("P.feedback.failure.details['models']")
    titles = krita.get(f"[m.title for m in C.connection.models if m.id in {named!r} and m.downloadable]")
    assert krita.get("child('maskwright_remedy').text()") == "Download..."
    text = krita.get("child('maskwright_remedy').toolTip()")
    assert any(text.startswith(f"{title}, ") for title in titles)
    assert "maskwright models" not in studio.said()[1], "there is a button for that"
    studio.press("maskwright_remedy")
    krita.wait("QApplication.activeModalWidget() is not None", "the licence")
    krita.key("Escape")
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to go")
    assert studio.said()[0] == "problem"


def test_a_first_set_is_offered_and_may_be_put_away(studio: Studio, krita: Krita, lab: Lab, open_shop: Opener) -> None:
    open_shop(MASKWRIGHT_OFFLINE="1")
    studio.open(studio.photo(CAT))  # Krita's welcome page hides the panels
    krita.wait("P.feedback.now().kind == 'offer'", "the first set")
    recommended = krita.get(
        "[(m.title, m.size, m.licence) for m in C.connection.models if m.recommended and m.downloadable]"
    )
    assert len(recommended) > 1
    studio.press("maskwright_get_models")
    text = dialog_button(krita, lab, "Ok")
    for title, count, licence in recommended:
        assert title in text
        if count:
            assert f"{round(count / 1e6)} MB" in text or f"{count / 1e9:.1f} GB" in text
        assert licence in text
    krita.wait("not P.downloads.busy() and failure() is not None", "the end")
    failure = studio.failure()
    assert failure is not None
    assert failure[0] == "offline"
    assert "MASKWRIGHT_OFFLINE" in failure[2]
    studio.press("maskwright_status_close")
    studio.press("maskwright_get_models")
    dialog_button(krita, lab, "Cancel")
    krita.wait("P.feedback.now().kind == 'ready'", "it to be put away")
    assert krita.get("Options.from_json(K.readSetting('maskwright', 'options', '')).welcomed")
