"""Ten jobs of every day, done by hand on a screen of 1280x800: how many clicks and how many seconds each takes.

``python -m tests.editors.gimp.daily`` from the root prints a table for ``docs``. An entry of a menu counts as the
clicks that lead to it; words that are typed, and a key, count as one more. The hand is quick and never thinks: the
seconds are the computer's.
"""

import time
from collections.abc import Callable

from PIL import Image

from tests.shared_data import EVAL

from ..chroot import Lab, unusable, wait_until
from ..server import Server
from .driver import Gimp, install
from .test_edge_dialog import red
from .test_found import Found
from .windows import INTERACTIVE, Clicks, Windows

PROMPT = ("maskwright-select-by-prompt", "Select by Prompt")


class Hand:
    """Counts what it does."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self.count = windows, 0

    def run(self, name: str, clicks: int) -> None:
        """A command without a dialog."""
        self.count += clicks
        done = self.windows.gimp.run(f"out = call({name!r}, image, [layer], {INTERACTIVE})")
        assert done[0] == "success", done

    def open(self, name: str, title: str, clicks: int = 2) -> Found:
        self.count += clicks
        return Found(self.windows, name, title)

    def search(self, dialog: Found, words: str, number: int = 1) -> None:
        self.count += 2
        dialog.keys("ctrl+a")
        dialog.type(words)
        dialog.keys("Return")
        dialog.wait_found(number)

    def keys(self, dialog: Found, *keys: str) -> None:
        self.count += len(keys)
        dialog.keys(*keys)

    def take(self, dialog: Found) -> None:
        self.count += 1
        assert dialog.finish("Return")[0] == "success"


def by_words(hand: Hand) -> None:
    dialog = hand.open(*PROMPT)
    hand.search(dialog, "person", 3)
    hand.take(dialog)


def all_but_one(hand: Hand) -> None:
    dialog = hand.open(*PROMPT)
    hand.search(dialog, "person", 3)
    hand.count += 1
    dialog.click(75, 330)
    hand.take(dialog)


def another(hand: Hand) -> None:
    dialog = hand.open(*PROMPT)
    hand.search(dialog, "bus")
    hand.keys(dialog, "alt+m", "Down", "alt+p")
    hand.take(dialog)


def hair(hand: Hand) -> None:
    dialog = hand.open("maskwright-select-parts", "Clothes, Face and Body Parts")
    dialog.wait_found()
    hand.count += 1
    dialog.keys("ctrl+a")
    dialog.type("hair #1")
    hand.take(dialog)


def by_click(hand: Hand) -> None:
    hand.count += 2
    clicks = Clicks(hand.windows)
    hand.count += 1
    clicks.click(75, 330)
    wait_until(lambda: clicks.outline() > 100, "the outline of what was clicked")
    hand.count += 1
    assert clicks.finish("Return") == "success"


def by_line(hand: Hand) -> None:
    hand.count += 2
    clicks = Clicks(hand.windows)
    hand.count += 2
    clicks.lab.xdotool("key", "alt+s")
    clicks.draw([(110, 200), (230, 215), (350, 200), (430, 260)])
    wait_until(lambda: clicks.outline() > 300, "the outline of what was meant")
    hand.count += 1
    assert clicks.finish("Return") == "success"


def edge(hand: Hand) -> None:
    hand.windows.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 120, 300, 260)")
    dialog = hand.open("maskwright-select-refine", "Refine Selection")
    wait_until(lambda: red(dialog.shot()) > 20_000, "the red view")
    hand.take(dialog)


def cut_out(hand: Hand) -> None:
    dialog = hand.open("maskwright-cut-out", "Cut Out by Prompt", 3)
    hand.count += 2
    dialog.type("bus")
    dialog.keys("Return")
    wait_until(lambda: red(dialog.shot()) > 20_000, "the red view")
    hand.take(dialog)


def guides(hand: Hand) -> None:
    dialog = hand.open("maskwright-detect", "Find by Name", 3)
    hand.search(dialog, "bus")
    hand.keys(dialog, "alt+p", "Down")
    hand.take(dialog)


JOBS: tuple[tuple[str, Callable[[Hand], None]], ...] = (
    ("the subject", lambda hand: hand.run("maskwright-select-subject", 2)),
    ("what words name", by_words),
    ("all but one of what was found", all_but_one),
    ("something else to it", another),
    ("one thing by a click", by_click),
    ("one thing by a line over it", by_line),
    ("somebody's hair", hair),
    ("the edge of a rough selection", edge),
    ("the background away, seen alone", lambda hand: hand.run("maskwright-remove-background", 3)),
    ("a cut-out of what words name", cut_out),
    ("guides around what words name", guides),
)


def main() -> None:
    if reason := unusable("gimp"):
        raise SystemExit(reason)
    with Lab("gimp") as lab:
        install(lab)
        lab.open_display(1280, 800)
        photo = Image.open(EVAL / "photos" / "bus.jpg").convert("RGB").resize((480, 640), Image.Resampling.LANCZOS)
        photo.save(lab.path("photo.png"))
        server = Server(lab.path("runtime"), lab.path("out", "server.log"))
        server.start()
        try:
            gimp = Gimp(lab, windows=True)
            windows = Windows(lab, gimp, server)
            windows.wait_for("GNU Image Manipulation Program")
            print("| job | clicks | seconds |\n| --- | --- | --- |")
            for title, job in JOBS:
                gimp.run(f"image = load({lab.inside + '/photo.png'!r}); layer = image.get_layers()[0]")
                gimp.run("display = Gimp.Display.new(image)")
                hand, start = Hand(windows), time.perf_counter()
                job(hand)
                print(f"| {title} | {hand.count} | {time.perf_counter() - start:.1f} |", flush=True)
                gimp.run("display.delete()")
            gimp.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
