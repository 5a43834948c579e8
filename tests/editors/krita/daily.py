"""Ten jobs of every day, done by hand on a screen of 1280x800: how many clicks and how many seconds each takes.

``python -m tests.editors.krita.daily`` from the root prints a table for ``docs``. The hand is quick and never thinks:
the seconds are the computer's. Words that are typed, and a key, count as one more click.
"""

import os
import signal
import time
from collections.abc import Callable

from .session import open_studio
from .studio import Studio
from .test_menus import FIND

BUS, PERSON = "photos/bus.jpg", "photos/astronaut.png"
SELECTED = "C.result is not None and not C.busy()"


class Hand:
    """Counts what it does."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.krita, self.count = studio, studio.krita, 0

    def click(self, x: int, y: int) -> None:
        self.count += 1
        self.studio.lab.xdotool("mousemove", x, y, "click", 1)

    def press(self, name: str) -> None:
        """A button or a field of the panel or of its windows."""
        self.krita.wait(f"child({name!r}).isVisible() and child({name!r}).isEnabled()", name)
        self.click(*self.krita.get(f"place(child({name!r}))"))

    def menu(self, menu: str, name: str) -> None:
        """An entry of Krita's own menus."""
        self.krita.run(FIND + f"opened = entry(bar, {menu!r})")
        self.click(*self.krita.get("middle(bar, opened)"))
        self.krita.wait("opened.menu().isVisible()", "the menu")
        self.krita.run(f"chosen = [a for a in opened.menu().actions() if a.objectName() == {name!r}]")
        self.click(*self.krita.get("middle(opened.menu(), chosen[0])"))

    def choose(self, name: str, value: str) -> None:
        """A value of a list that folds out."""
        self.press(name)
        self.krita.run(f"box = child({name!r}); view = box.view()")
        self.krita.wait("view.isVisible()", "the list")
        self.krita.run(f"line = view.visualRect(box.model().index(box.findData({value!r}), 0)).center()")
        self.click(*self.krita.get("place(view.viewport(), line.x(), line.y())"))

    def search(self, words: str) -> None:
        self.click(*self.krita.get("place(child('maskwright_prompt_field'), 30)"))
        self.count += 1
        self.krita.key("ctrl+a")
        self.studio.lab.xdotool("type", "--delay", 1, words)
        self.krita.key("Return")

    def wait(self, expression: str) -> None:
        self.krita.wait(expression, expression, 120.0)


def subject(hand: Hand) -> None:
    hand.menu("select", "maskwright_select_subject")
    hand.wait(SELECTED)


def words(hand: Hand) -> None:
    hand.search("person")
    hand.wait(SELECTED)


def another(hand: Hand) -> None:
    hand.press("maskwright_mode_add")
    hand.search("bus")
    hand.wait(SELECTED)


def all_but_one(hand: Hand) -> None:
    hand.press("maskwright_show_found")
    hand.krita.run("f = child('maskwright_found')")
    hand.wait("f.isVisible()")
    hand.krita.run("c = f.visualItemRect(f.item(0))")
    hand.click(*hand.krita.get("place(f.viewport(), c.x() + 12, c.center().y())"))
    hand.wait("len(C.result.ticked) == len(C.result.objects) - 1")
    hand.press("maskwright_again")
    hand.wait("not C.busy()")


def cut_out(hand: Hand) -> None:
    hand.press("maskwright_background")
    hand.wait(SELECTED)
    hand.press("maskwright_follow_up")
    hand.wait("not d.topLevelNodes()[0].visible()")


def layer_by_words(hand: Hand) -> None:
    hand.choose("maskwright_kind", "layer")
    hand.search("person")
    hand.wait(SELECTED)


def one_click(hand: Hand) -> None:
    hand.press("maskwright_click_button")
    hand.wait("T.active")
    hand.click(*hand.krita.get("on_canvas(131, 583)"))
    hand.wait("len(T.session) == 1 and T.session.missing() is None")
    hand.count += 1
    hand.krita.key("Return")
    hand.wait("not T.active and not C.busy()")


def hair(hand: Hand) -> None:
    hand.press("maskwright_parts_button")
    hand.wait("QApplication.activeModalWidget() is not None and not QApplication.activeModalWidget().task.running()")
    hand.krita.run("p = QApplication.activeModalWidget().list; c = p.visualItemRect(p.item(0))")
    hand.click(*hand.krita.get("place(p.viewport(), c.x() + 10, c.center().y())"))
    hand.wait("len(QApplication.activeModalWidget().ticked()) == 1")
    hand.count += 1
    hand.krita.key("Return")
    hand.wait(SELECTED)


def cancel(hand: Hand) -> None:
    hand.press("maskwright_background")
    hand.wait("C.busy()")
    hand.press("maskwright_cancel")
    hand.wait("not C.busy()")


def once_more(hand: Hand) -> None:
    """The server has died while it worked."""
    hand.wait("P.feedback.now().kind in ('problem', 'note') and C.connection.state == 'connected'")
    hand.press("maskwright_remedy")
    hand.wait(SELECTED)


JOBS: tuple[tuple[str, str, Callable[[Hand], None]], ...] = (
    ("the subject, by the menu", BUS, subject),
    ("what words name", BUS, words),
    ("something else to it", "", another),
    ("all but one of what was found", BUS, all_but_one),
    ("the background away, seen alone", PERSON, cut_out),
    ("a layer of what words name", BUS, layer_by_words),
    ("one thing by a click", BUS, one_click),
    ("somebody's hair", PERSON, hair),
    ("stop a command", BUS, cancel),
    ("once more, after the server died", BUS, once_more),
)


def prepare(studio: Studio, job: Callable[[Hand], None], photo: str) -> None:
    krita, server = studio.krita, studio.server
    if photo:
        studio.reset()
        krita.run("C.options.welcomed = True")
        studio.open(studio.photo(photo))
    if job is all_but_one:
        studio.command("select_by_prompt('person')")
    if job is once_more:
        assert server is not None
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGSTOP)
        krita.run("C.select_by_prompt('person')")
        krita.wait("C._task is not None and C._task.runner.awaited is not None")
        server.kill()
        studio.idle()
        server.start()
    krita.run("C.result = None" if job is not all_but_one else "pass")


def main() -> None:
    with open_studio(1280, 800) as studio:
        print("| job | clicks | seconds |\n| --- | --- | --- |")
        for title, photo, job in JOBS:
            prepare(studio, job, photo)
            hand, start = Hand(studio), time.perf_counter()
            job(hand)
            print(f"| {title} | {hand.count} | {time.perf_counter() - start:.1f} |", flush=True)


if __name__ == "__main__":
    main()
