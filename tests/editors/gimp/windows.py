"""GIMP's windows as a user sees and works them, under Xvfb."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..chroot import Lab, wait_until
from ..server import Server
from .asking import Plane
from .driver import Gimp
from .pictures import HEIGHT, WIDTH

PICTURES = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
MAIN = "480x640.*GIMP"  # the image window's title tells the size
INTERACTIVE = "run_mode=Gimp.RunMode.INTERACTIVE"
BACKDROP = (0x26, 0x26, 0x2A)  # beside the picture in our dialogs
TINT = (64, 140, 255)  # the current object's outline


class Windows:
    """The screen as a user sees it."""

    def __init__(self, lab: Lab, gimp: Gimp, server: Server) -> None:
        self.lab, self.gimp, self.server = lab, gimp, server

    def windows(self, title: str) -> list[str]:
        done = self.lab.run(["xdotool", "search", "--onlyvisible", "--name", title], check=False)
        return done.stdout.split()

    def wait_for(self, title: str) -> str:
        try:
            return wait_until(lambda: self.windows(title), f"a window {title!r}")[-1]
        except AssertionError:
            path = self.lab.screenshot("missing.png")
            log = self.gimp.log()[-1500:]
            raise AssertionError(f"no window {title!r}; the screen: {path}\n{log}") from None

    def wait_gone(self, title: str) -> None:
        wait_until(lambda: not self.windows(title), f"the window {title!r} to close")

    def close_messages(self) -> None:
        for window in self.windows("GIMP Message"):
            self.lab.xdotool("windowactivate", "--sync", window, "key", "Escape")
            self.wait_gone("GIMP Message")

    def place(self, window: str) -> tuple[int, int, int, int]:
        lines = self.lab.run(["xwininfo", "-id", window]).stdout.splitlines()
        values = dict(line.strip().split(":", 1) for line in lines if ":" in line)
        names = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
        return tuple(int(values[name]) for name in names)  # type: ignore[return-value]

    def picture(self, name: str, window: str = "") -> Plane:
        """What the screen shows now; kept for the guide when pictures are wanted."""
        crop = ""
        if window:
            x, y, width, height = self.place(window)
            crop = f"{width}x{height}+{x}+{y}"
        path = self.lab.screenshot(f"{name}.png", crop)
        if PICTURES and not name.startswith("_"):
            Image.open(path).convert("RGB").quantize(255).save(Path(PICTURES) / f"gimp-{name}.png", optimize=True)
        return np.asarray(Image.open(path).convert("RGB")).astype(int)

    def open(self, name: str, title: str, **options: object) -> tuple[str, str]:
        """Call a procedure as its menu entry does; ``(call, window)``."""
        arguments = "".join(f", {key}={value!r}" for key, value in options.items())
        call = self.gimp.start(f"out = call({name!r}, image, [layer], {INTERACTIVE}{arguments})")
        window = self.wait_for(title)
        self.lab.xdotool("windowactivate", "--sync", window)
        return call, window

    def drawn(self, window: str, name: str = "_drawn") -> bool:
        """Whether a dialog's picture area is there; what the screen shows before is what lies behind it."""
        return int((self.picture(name, window) == np.array(BACKDROP)).all(axis=2).sum()) > 20_000

    def undo(self) -> None:
        window = self.wait_for(MAIN)
        self.lab.xdotool("windowactivate", "--sync", window)
        self.lab.xdotool("key", "ctrl+z")

    def unchanged(self) -> bool:
        return self.gimp.run("out = state(image) == before")


class Clicks:
    """The Click to Select dialog: document coordinates in, screen coordinates out."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self.lab = windows, windows.lab
        self.call, self.window = windows.open("maskwright-click-to-select", "Click to Select")
        self.find_picture()

    def find_picture(self) -> None:
        """Look where the picture is, once it has stopped moving."""
        wait_until(self._found, "the picture in the dialog")

    where = (0, 0, 0, 0)

    def _found(self) -> bool:
        """Where the picture is: between the dark bars left and right of it, in the view's frame."""
        x, y, _, _ = self.windows.place(self.window)
        shot = self.windows.picture("_find", self.window)
        dark = np.abs(shot - np.array((0x26, 0x26, 0x2A))).max(axis=2) == 0
        rows = np.nonzero(dark.sum(axis=1) > 150)[0]
        if len(rows) < 300:
            return False
        row = (rows[0] + rows[-1]) // 2
        columns = np.nonzero(dark[row])[0]
        gaps = np.nonzero(np.diff(columns) > 100)[0]
        if len(gaps) != 1:
            return False
        left, right = int(columns[gaps[0]]) + 1, int(columns[gaps[0] + 1])
        bars = left - int(columns[0]), int(columns[-1]) + 1 - right
        if abs(bars[0] - bars[1]) > 2:
            return False
        before, self.where = self.where, (left, right, int(rows[0]), int(rows[-1]))
        self.scale = (int(rows[-1]) + 1 - int(rows[0])) / HEIGHT  # it fills the frame's height
        self.left = float(x + (int(columns[0]) + int(columns[-1]) + 1) / 2 - WIDTH * self.scale / 2)
        self.top = float(y + int(rows[0]))
        return before == self.where  # it has stopped moving

    def at(self, x: float, y: float) -> tuple[int, int]:
        return round(self.left + x * self.scale), round(self.top + y * self.scale)

    def outline(self) -> int:
        shot = self.windows.picture("_outline", self.window)
        return int((np.abs(shot - np.array(TINT)).max(axis=2) <= 2).sum())

    def click(self, x: float, y: float, button: int = 1) -> None:
        self.lab.xdotool("mousemove", *self.at(x, y), "click", button)

    def drag(self, x0: float, y0: float, x1: float, y1: float, button: int = 1) -> None:
        self.lab.xdotool("mousemove", *self.at(x0, y0), "mousedown", button)
        self.lab.xdotool("mousemove", *self.at((x0 + x1) / 2, (y0 + y1) / 2))
        self.lab.xdotool("mousemove", *self.at(x1, y1), "mouseup", button)

    def draw(self, path: Sequence[tuple[float, float]]) -> None:
        """Press, go along the places and let go."""
        self.lab.xdotool("mousemove", *self.at(*path[0]), "mousedown", 1)
        for place in path[1:]:
            self.lab.xdotool("mousemove", *self.at(*place))
        self.lab.xdotool("mouseup", 1)

    def finish(self, key: str) -> str:
        self.lab.xdotool("key", key)
        return self.windows.gimp.finish(self.call)[0]

    def press(self, x: int, y: int) -> None:
        """Click at a place of the window."""
        left, top, _, _ = self.windows.place(self.window)
        self.lab.xdotool("mousemove", left + x, top + y, "click", 1, "mousemove", 5, 5)

    def stop_button(self, quiet: Plane) -> tuple[int, int]:
        """Where *Stop* is: the left one of the two buttons above the picture that differ from ``quiet``, when neither
        could be pressed."""
        x, y, _, _ = self.windows.place(self.window)
        shot = self.windows.picture("_busy", self.window)
        above = self.where[2] - 4
        columns = np.nonzero((shot[:above] != quiet[:above]).any(axis=(0, 2)))[0]
        rows = np.nonzero((shot[:above] != quiet[:above]).any(axis=(1, 2)))[0]
        assert len(columns), "no button became live"
        return x + int(columns[0]) + 8, y + int(rows.mean())

    def settled(self) -> None:
        """Wait until nothing in the dialog has moved for some looks (a spinner turns while the server works)."""
        shots: list[Plane] = []

        def still() -> bool:
            shots.append(self.windows.picture("_settled", self.window))
            return len(shots) > 4 and all(np.array_equal(shots[-1], shot) for shot in shots[-4:-1])

        wait_until(still, "the dialog to be still", pause=0.15)
