"""Krita's main thread stays free: how long each entry into the plugin's code keeps it, on a picture of 4000x3000.

Every call that Qt or Krita makes into the plugin (timers, signals, events, painting) is timed by a profile function:
its processor time, which other programs cannot lengthen, and its wall time, which shows waiting. What Krita itself
takes to add a layer counts apart: whoever adds one, it takes a third of a second at that size.
"""

import os

import pytest

from maskwright_protocol.messages import PixelRect

from .actions import closed, open_live, previewed
from .driver import Krita
from .studio import Studio

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
LONGEST_S = 0.1

WATCH = """
import os, sys, time
from krita import Node

class Watch:
    def __init__(self):
        self.entries, self.open, self.krita = [], None, [0.0, 0.0]

    def __call__(self, frame, event, argument):
        if frame.f_back is not None:
            return
        if event == "call" and "maskwright_krita" in frame.f_code.co_filename:
            self.krita = [0.0, 0.0]
            self.open = (frame, time.thread_time(), time.perf_counter())
        elif event == "return" and self.open is not None and self.open[0] is frame:
            cpu, wall = time.thread_time() - self.open[1], time.perf_counter() - self.open[2]
            name = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_code.co_name}"
            self.entries.append((cpu - self.krita[0], wall - self.krita[1], name))
            self.open = None

    def worst(self, place):
        return max(self.entries, key=lambda entry: entry[place], default=(0.0, 0.0, ""))

own = Node.__dict__["addChildNode"]  # looked up in the class it would not bind any more when it is put back
add = Node.addChildNode

def timed_add(*arguments):
    cpu, wall = time.thread_time(), time.perf_counter()
    try:
        return add(*arguments)
    finally:
        watch.krita[0] += time.thread_time() - cpu
        watch.krita[1] += time.perf_counter() - wall

watch = Watch()
Node.addChildNode = timed_add
heart.reset()
sys.setprofile(watch)
"""
END = "sys.setprofile(None); Node.addChildNode = own"


def crowd() -> float:
    """How many programs want each core: so much longer does everything take."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def check(krita: Krita, what: str) -> None:
    entries, beats = krita.get("(len(watch.entries), len(heart.gaps))")
    assert entries > 5, "nothing was watched"
    assert beats > 20, "the timer of the main thread hardly ran"
    cpu, wall = krita.get("(watch.worst(0), watch.worst(1))")
    print(f"{what}: {cpu[0] * 1000:.0f} ms of the processor ({cpu[2]}), {wall[1] * 1000:.0f} ms in all ({wall[2]})")
    assert cpu[0] < LONGEST_S, f"{what}: {cpu}"
    assert wall[1] < LONGEST_S * (2 + 2 * crowd()), f"{what}: {wall}"


def test_the_watch_sees_a_block(studio: Studio, krita: Krita) -> None:
    """The measure itself: a slot of the plugin that computes for 150 ms is found."""
    studio.create(64, 48)
    krita.run(WATCH)
    krita.run(
        """
        def block(_):
            end = time.thread_time() + 0.15
            while time.thread_time() < end:
                pass
        C.told.connect(block)
        QTimer.singleShot(0, lambda: None)
        C.cancel(); C.select_object()
        C.failed.connect(block)
        """
    )
    krita.wait("any(entry[0] > 0.14 for entry in watch.entries)", "the block to be seen")
    krita.run("C.told.disconnect(block); C.failed.disconnect(block)")
    krita.run(END)


@pytest.mark.parametrize("kind", ["selection", "transparency", "layer", "instances"])
def test_selecting_by_prompt(studio: Studio, krita: Krita, kind: str) -> None:
    studio.open(studio.photo(CAT).resize((4000, 3000)))
    krita.run(f"C.options.kind = {kind!r}")
    krita.run(WATCH)
    try:
        krita.run("C.select_by_prompt('cat')")
        studio.idle(120)
    finally:
        krita.run(END)
    assert studio.failure() is None
    check(krita, f"prompt to {kind}")


def test_cutting_out_sends_the_whole_layer(studio: Studio, krita: Krita) -> None:
    """48 MB are read, named and sent, and as many come back."""
    studio.open(studio.photo(CAT).resize((4000, 3000)))
    krita.run(WATCH)
    try:
        krita.run("C.remove_background()")
        studio.idle(180)
    finally:
        krita.run(END)
    assert studio.failure() is None
    check(krita, "cutting out")


def test_another_depth_is_converted_in_slices(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT).resize((2000, 1500)))
    krita.run("d.setColorSpace('RGBA', 'F32', ''); d.waitForDone()")
    krita.run(WATCH)
    try:
        krita.run("C.select_by_prompt('cat')")
        studio.idle(180)
    finally:
        krita.run(END)
    assert studio.failure() is None
    check(krita, "prompt on 32-bit float")


def test_refining_live(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT).resize((4000, 3000)))
    studio.select(PixelRect(1150, 400, 1800, 1800))
    krita.run(WATCH)
    try:
        open_live(krita, "maskwright_refine")
        previewed(krita)
        krita.run("panel.views.setCurrentIndex(0)")
        for change in ("work.set(grow=9.0)", "work.set(smooth=20.0, edge_width=60.0)",
                       "work.begin('outside', 90.0, 900.0, 1500.0); work.extend(1300.0, 1600.0); work.end()",
                       "K.activeWindow().activeView().canvas().setZoomLevel(1.0)"):  # fmt: skip
            krita.run(change)
            previewed(krita)
        krita.run("panel.accept()")
        closed(krita, "maskwright_refine_dialog")
        studio.idle(180)
    finally:
        krita.run(END)
        krita.run("sys.modules['maskwright_krita.edge_panel'].EdgePanel.last.clear()")
    assert studio.failure() is None
    check(krita, "refining live")


def test_clicking(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT).resize((4000, 3000)))
    krita.run(WATCH)
    try:
        studio.press("maskwright_click_button")
        krita.wait("T.active and 'prefetch' not in T._tasks", "the embedding", 120)
        for number in range(3):
            studio.click(2000 + 100 * number, 1500)
            krita.wait(f"len(T.session) == {number + 1} and T.session.missing() is None", "the preview", 60)
        krita.wait("T.session.shown.whole is not None and T.idle", "the mask for Enter", 60)
        krita.key("Return")
        krita.wait("not T.active and not C.busy()", "the tool to end", 60)
    finally:
        krita.run(END)
    check(krita, "clicking")
