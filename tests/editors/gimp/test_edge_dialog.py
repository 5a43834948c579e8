"""Refine shows the edge as it will be: in several views, after each slider, and under the brush."""

from collections.abc import Iterator

import numpy as np
import pytest

from ..chroot import wait_until
from .asking import Plane
from .pictures import HEIGHT, WIDTH, selected
from .test_found import Found
from .windows import Windows

pytestmark = pytest.mark.editor
PICTURE = (slice(66, 480), slice(26, 690))  # inside the dialog's frame


@pytest.fixture
def dialog(shown: Windows) -> Iterator[Found]:
    """With an ellipse around the bus selected."""
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 120, 300, 260); rough = selected(image)")
    dialog = Found(shown, "maskwright-select-refine", "Refine Selection")
    yield dialog
    dialog.close()


def red(shot: Plane) -> int:
    """Pixels of the picture that the red view covers: all that is not selected."""
    part = shot[PICTURE]
    return int(((part[..., 0] > 120) & (part[..., 0] > part[..., 1] + 90)).sum())


def test_it_is_seen_in_every_view_and_taken_with_return(shown: Windows, dialog: Found) -> None:
    wait_until(lambda: red(dialog.shot()) > 30_000, "the red view")
    dialog.shot("refine")
    dialog.keys("f")
    wait_until(lambda: (dialog.shot()[PICTURE].sum(axis=2) == 0).sum() > 30_000, "the view on black")
    dialog.shot("_refine-on-black")
    dialog.keys("f")
    wait_until(lambda: (dialog.shot()[PICTURE].sum(axis=2) == 765).sum() > 30_000, "the view on white")
    dialog.keys("alt+p")  # the left half alone
    wait_until(lambda: (dialog.shot()[66:480, 140:350].sum(axis=2) == 765).sum() < 8_000, "the picture on the left")
    dialog.shot("_refine-split")
    assert dialog.finish("Return")[0] == "success"
    assert shown.gimp.run("out = selected(image) != rough")
    shown.undo()
    wait_until(lambda: shown.gimp.run("out = selected(image) == rough"), "the rough selection to come back")


def test_a_slider_is_seen_at_once_and_does_what_a_script_does(shown: Windows, dialog: Found) -> None:
    wait_until(lambda: red(dialog.shot()) > 30_000, "the red view")
    before = red(dialog.shot())
    dialog.keys("alt+g", "ctrl+a", "3", "0", "Tab")
    wait_until(lambda: red(dialog.shot()) < before - 4_000, "a larger selection")
    assert dialog.finish("Return")[0] == "success"
    by_hand = selected(shown.gimp)
    shown.undo()
    wait_until(lambda: shown.gimp.run("out = selected(image) == rough"), "the rough selection to come back")
    shown.gimp.call("maskwright-select-refine", grow=30.0).ok()
    assert np.array_equal(by_hand, selected(shown.gimp))


def test_what_is_painted_belongs_to_it_until_it_is_taken_back(shown: Windows, dialog: Found) -> None:
    wait_until(lambda: red(dialog.shot()) > 30_000, "the red view")
    lab, place = shown.lab, (430, 560)
    dialog.keys("3")  # what belongs to the selection
    lab.xdotool("mousemove", *dialog.at(*place), "mousedown", 1)
    lab.xdotool("mousemove", *dialog.at(place[0] - 60, place[1]), "mouseup", 1)
    wait_until(dialog.still, "the preview")
    dialog.shot("_refine-brush")
    assert dialog.finish("Return")[0] == "success"
    mask = selected(shown.gimp)
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask[560, 375:425].min() > 200
    assert mask[630, 375:425].max() == 0


def test_a_cut_out_is_seen_before_it_is_made(shown: Windows) -> None:
    dialog = Found(shown, "maskwright-cut-out", "Cut Out by Prompt", outline=4.0)
    try:
        dialog.type("bus")
        dialog.keys("Return")
        wait_until(lambda: red(dialog.shot()) > 30_000, "the red view of what is cut away")
        wait_until(dialog.still, "the preview", pause=0.2)
        dialog.shot("cut-out")
        assert dialog.finish("Return")[0] == "success"
    finally:
        dialog.close()
    names = shown.gimp.run("out = [one.get_name() for one in image.get_layers()]")
    assert len(names) == 2
    assert names[0] == "bus"
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")
