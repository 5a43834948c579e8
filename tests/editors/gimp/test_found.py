"""Dialogs that show what was found before anything is made of it: words, ticks in the picture and in the list."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from maskwright_client.findings import COLOURS
from maskwright_protocol.messages import Detect, Select

from ..chroot import wait_until
from .asking import Pixels, Plane, answer, plane
from .pictures import HEIGHT, WIDTH, bus, selected
from .windows import BACKDROP, INTERACTIVE, Windows

pytestmark = pytest.mark.editor


class Found:
    """One of the dialogs: document coordinates in, screen coordinates out."""

    def __init__(self, windows: Windows, name: str, title: str, image: str = "image", **options: object) -> None:
        self.windows, self.lab = windows, windows.lab
        self.looks: list[Plane] = []
        arguments = "".join(f", {key}={value!r}" for key, value in options.items())
        self.call = windows.gimp.start(
            f"out = call({name!r}, {image}, {image}.get_layers()[:1], {INTERACTIVE}{arguments})"
        )
        self.window = windows.wait_for(title)
        self.lab.xdotool("windowactivate", "--sync", self.window)

    def keys(self, *keys: str) -> None:
        self.lab.xdotool("key", *keys)

    def type(self, text: str) -> None:
        self.lab.xdotool("type", "--delay", "5", text)

    def shot(self, name: str = "_found") -> Plane:
        return self.windows.picture(name, self.window)

    def outlined(self, number: int) -> int:
        """How many pixels have the colour of the outline of that number."""
        colour = np.array(COLOURS[number - 1])
        shot = self.shot()
        return int((np.abs(shot[:, : shot.shape[1] * 2 // 3] - colour).max(axis=2) <= 2).sum())

    def wait_found(self, number: int = 1) -> None:
        wait_until(lambda: self.outlined(number) > 60, f"number {number} to be outlined")

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Where a place of the picture is on the screen; the picture fills the height between the bars beside it."""
        left, top, _, _ = self.windows.place(self.window)
        dark = np.abs(self.shot()[:, :760] - np.array(BACKDROP)).max(axis=2) == 0
        rows = np.nonzero(dark.sum(axis=1) > 100)[0]
        columns = np.nonzero(dark[(rows[0] + rows[-1]) // 2])[0]
        scale = (rows[-1] + 1 - rows[0]) / HEIGHT
        middle = (columns[0] + columns[-1] + 1) / 2
        return round(left + middle + (x - WIDTH / 2) * scale), round(top + rows[0] + y * scale)

    def click(self, x: float, y: float) -> None:
        self.lab.xdotool("mousemove", *self.at(x, y), "click", 1, "mousemove", 5, 5)

    def still(self) -> bool:
        """Nothing has moved in the last looks."""
        self.looks.append(self.shot())
        return len(self.looks) > 4 and all(np.array_equal(self.looks[-1], look) for look in self.looks[-4:-1])

    def close(self) -> None:
        """Whatever has gone wrong: the next test finds no dialog."""
        for _ in range(5):
            if self.windows.gimp.finished(self.call) or self.done:
                break
            self.keys("Escape")
            time.sleep(0.5)

    done = False

    def finish(self, *keys: str) -> tuple[str, int]:
        self.keys(*keys)
        done = self.windows.gimp.finish(self.call)
        self.done = True
        return done[0], done[1]


Opener = Callable[..., Found]


@pytest.fixture
def opened(shown: Windows) -> Iterator[Opener]:
    """``opened(procedure, title, image, **options)``."""
    dialogs: list[Found] = []

    def make(*arguments: str, **options: object) -> Found:
        dialogs.append(Found(shown, *arguments, **options))
        return dialogs[-1]

    yield make
    for dialog in dialogs:
        dialog.close()


@pytest.fixture
def people(shown: Windows, photo: Plane) -> Callable[[], list[Plane]]:
    """The masks of the people in the photo, by number."""

    def asked() -> list[Plane]:
        with shown.server.client() as client:
            found = answer(client, Select("", text="person", merge=True), Pixels(photo))
        return [plane(one.mask, WIDTH, HEIGHT) for one in found.instances]

    return asked


def test_return_looks_for_it_and_return_takes_it(shown: Windows, opened: Opener, photo: Plane) -> None:
    dialog = opened("maskwright-select-by-prompt", "Select by Prompt")
    dialog.type("bus")
    dialog.keys("Return")
    dialog.wait_found()
    dialog.shot("_found")
    assert dialog.finish("Return") == ("success", 1)
    with shown.server.client() as client:
        assert np.array_equal(selected(shown.gimp), bus(client, photo))
    shown.picture("selected")
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


def test_what_is_unticked_in_the_picture_is_left_out(
    shown: Windows, opened: Opener, people: Callable[[], list[Plane]]
) -> None:
    masks = people()
    assert len(masks) > 2
    y, x = (int(np.median(places)) for places in np.nonzero(masks[0] == 255))
    dialog = opened("maskwright-select-by-prompt", "Select by Prompt")
    dialog.type("person")
    dialog.keys("Return")
    dialog.wait_found(len(masks))
    dialog.shot("select-by-prompt")
    dialog.click(x, y)
    dialog.shot("_select-by-prompt-unticked")
    assert dialog.finish("Return")[0] == "success"
    rest = np.minimum(np.sum(masks[1:], axis=0, dtype=int), 255)
    assert np.abs(selected(shown.gimp).astype(int) - rest).max() <= 1


def test_other_words_are_offered_and_taken_by_a_click(shown: Windows, opened: Opener) -> None:
    dialog = opened("maskwright-select-by-prompt", "Select by Prompt")
    dialog.type("persn")
    dialog.keys("Return")
    _, _, width, height = shown.place(dialog.window)
    below = (slice(height - 190, height - 110), slice(width - 400, width))
    before = dialog.shot()[below]
    wait_until(lambda: (dialog.shot()[below] != before).sum() > 2000, "other words")
    wait_until(dialog.still, "the model to be offered too", pause=0.3)
    dialog.shot("_unknown-word")
    left, top, _, _ = shown.place(dialog.window)
    shown.lab.xdotool("mousemove", left + width - 318, top + height - 149, "click", 1)  # the word below all else
    dialog.wait_found(3)
    dialog.shot("_unknown-word-taken")
    assert dialog.finish("Escape")[0] == "cancel"
    assert shown.unchanged(), "what is found is only seen"


def test_nothing_found_is_said_in_the_dialog(shown: Windows, opened: Opener) -> None:
    dialog = opened("maskwright-select-by-prompt", "Select by Prompt")
    dialog.type("giraffe")
    dialog.keys("Return")
    wait_until(dialog.still, "an answer", pause=0.2)  # a spinner turns until then
    dialog.shot("_nothing-found")
    dialog.keys("Return")
    assert not shown.windows("GIMP Message")
    assert dialog.finish("Escape")[0] == "cancel"
    assert shown.unchanged()


@pytest.mark.parametrize("result", ["guides", "path", "selection", "tell"])
def test_find_by_name_marks_what_was_found(shown: Windows, opened: Opener, photo: Plane, result: str) -> None:
    with shown.server.client() as client:
        found = answer(client, Detect("", text="bus"), Pixels(photo)).instances
    if result == "guides":
        dialog = opened("maskwright-detect", "Find by Name", result=result)
        dialog.type("bus")
        dialog.keys("Return")
        dialog.wait_found()
        dialog.shot("find-by-name")
        assert dialog.finish("Return") == ("success", len(found))
    else:
        assert shown.gimp.call("maskwright-detect", prompt="bus", result=result).ok().count == len(found)
    box = found[0].box
    made = shown.gimp.run("""
        guides, guide = [], image.find_next_guide(0)
        while guide:
            guides.append((int(image.get_guide_orientation(guide)), image.get_guide_position(guide)))
            guide = image.find_next_guide(guide)
        strokes = [(path, stroke) for path in image.get_paths() for stroke in path.get_strokes()]
        corners = [list(path.stroke_get_points(stroke)[1]) for path, stroke in strokes]
        out = guides, corners, list(Gimp.Selection.bounds(image))[1:]
    """)
    sides = [round(box.x), round(box.y), round(box.x + box.width), round(box.y + box.height)]
    if result == "guides":
        assert sorted(position for _, position in made[0]) == sorted(sides)
    elif result == "path":
        assert [round(value) for value in made[1][0][:2]] == sides[:2]
        assert len(made[1][0]) == 4 * 6
    elif result == "selection":
        assert made[2][0] == 1
        assert np.allclose(made[2][1:], sides, atol=1)
    assert bool(made[0]) + bool(made[1]) + made[2][0] == (result != "tell")
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


def test_parts_are_ticked_in_a_list_and_seen_in_the_picture(shown: Windows, opened: Opener, photo: Plane) -> None:
    """Each person has a number and a colour; what is ticked there is selected."""
    dialog = opened("maskwright-select-parts", "Clothes, Face and Body Parts", parts="clothes")
    dialog.wait_found(2)
    wait_until(dialog.still, "all of it", pause=0.2)
    dialog.shot("parts")
    assert dialog.finish("Return")[0] == "success"
    assert selected(shown.gimp).any()
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")
