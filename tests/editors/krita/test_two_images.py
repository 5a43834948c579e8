"""The answer goes to the image that was asked about, also when another one is in front by then."""

import numpy as np
import pytest

from maskwright_protocol.messages import Cutout, PixelRect

from ..chroot import wait_until
from ..server import Server
from .driver import Krita
from .studio import Studio, placed, stopped

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300

SELECTED = "(lambda s: s is not None and (s.x(), s.y(), s.width(), s.height()))({}.selection())"


def ask_and_look_away(studio: Studio, krita: Krita, server: Server, call: str) -> np.ndarray:
    """Ask about ``first``, open ``second`` in front while the server holds its answer back, and let it come."""
    cat = studio.photo(CAT)
    studio.open(cat)
    krita.run("first = K.activeDocument()")
    with stopped(server):
        krita.run(f"FAILED.clear(); C.{call}")
        krita.wait("C._task is not None and C._task.runner.awaited is not None", "the question to be under way")
        studio.open(studio.photo(CAT).resize((300, 200)))
        krita.run("second = K.activeDocument()")
        assert krita.get("second != first")
    studio.idle()
    assert studio.failure() is None
    krita.run("first.waitForDone(); second.waitForDone()")
    alpha = studio.ask(Cutout("", foreground=False), cat, PixelRect(0, 0, WIDTH, HEIGHT)).alpha
    return placed(alpha, WIDTH, HEIGHT)


def selection_of(studio: Studio, name: str) -> np.ndarray:
    data = studio.fetch(f"mask_bytes({name}.selection(), {WIDTH}, {HEIGHT})")
    return np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH)


def show(krita: Krita, name: str) -> None:
    krita.run(f"[v.setVisible() for v in K.activeWindow().views() if v.document() == {name}]")
    krita.wait(f"K.activeDocument() == {name}", "the image in front")


def test_a_selection_goes_to_the_image_that_was_asked_about(studio: Studio, krita: Krita, server: Server) -> None:
    expected = ask_and_look_away(studio, krita, server, "select_subject()")
    assert expected.any()
    assert (selection_of(studio, "first") == expected).all()
    assert krita.get(SELECTED.format("second")) is False
    krita.wait("K.activeDocument() == second", "the image that the user was at to be in front again")
    assert studio.history()[0] == [], "the undo step went to the wrong image"
    show(krita, "first")
    wait_until(lambda: len(studio.history()[0]) == 1, "the undo step of the first image")
    krita.run("K.action('edit_undo').trigger(); first.waitForDone()")
    krita.wait("first.selection() is None", "undo")
    krita.run("K.action('edit_redo').trigger(); first.waitForDone()")
    wait_until(lambda: (selection_of(studio, "first") == expected).all(), "redo")


def test_with_a_selection_in_both_images(studio: Studio, krita: Krita, server: Server) -> None:
    studio.create(64, 48)
    krita.run("s = Selection(); s.select(5, 6, 7, 8, 255); d.setSelection(s); d.waitForDone(); zeroth = d")
    expected = ask_and_look_away(studio, krita, server, "select_subject()")
    assert (selection_of(studio, "first") == expected).all()
    assert krita.get(SELECTED.format("zeroth")) == (5, 6, 7, 8)


def test_a_layer_goes_to_the_image_that_was_asked_about(studio: Studio, krita: Krita, server: Server) -> None:
    ask_and_look_away(studio, krita, server, "remove_background()")
    assert krita.get("(len(first.topLevelNodes()), len(second.topLevelNodes()))") == (
        krita.get("len(second.topLevelNodes())") + 1,
        krita.get("len(second.topLevelNodes())"),
    )
    assert krita.get("K.activeDocument() == second")
