"""Runs the real editors in the chroot that ``setup.sh`` makes.

``Lab`` is one test session's folder inside the chroot, with its own home, runtime directory and, when asked for, its
own X display, so that several sessions run side by side. Files go in and out by copying: nothing is mounted.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")

SUITES = ("trixie", "forky", "krita6")
SETUP = Path(__file__).with_name("setup.sh")


def suite() -> str:
    """Which editors: ``MASKWRIGHT_EDITORS_SUITE``."""
    name = os.environ.get("MASKWRIGHT_EDITORS_SUITE", "trixie")
    assert name in SUITES, f"MASKWRIGHT_EDITORS_SUITE must be one of {', '.join(SUITES)}"
    return name


def root() -> Path:
    """The chroot's folder; ``MASKWRIGHT_EDITORS`` overrides it."""
    override = os.environ.get("MASKWRIGHT_EDITORS")
    return Path(override) if override else Path.home() / ".cache" / f"maskwright-editors-{suite()}"


def unusable(editor: str) -> str:
    """Why ``editor`` ("krita" or "gimp") cannot be run here; empty when it can."""
    if os.name != "posix" or os.getuid() != 0:
        return "running an editor in the chroot needs root"
    ready = root() / ".editors-ready"
    if not ready.exists():
        return f"there is no chroot with the editors: run tests/editors/setup.sh {suite()}"
    if not any(line.startswith(editor + " ") for line in ready.read_text().splitlines()):
        return f"the {suite()} chroot has no {editor}"
    return ""


def wait_until(condition: Callable[[], Value], what: str, seconds: float = 30.0, pause: float = 0.02) -> Value:
    """Poll until ``condition()`` is true and return its value; fails with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(pause)


# Alt and the mouse are the editors', not the window manager's.
_WINDOW_MANAGER = "sed 's/button=\"A-/button=\"W-A-/' /etc/xdg/openbox/rc.xml > {0} && exec openbox --config-file {0}"


class Lab:
    """A folder in the chroot with processes that belong to it. Close it, or use it in ``with``."""

    def __init__(self, name: str) -> None:
        labs = root() / "lab"
        labs.mkdir(mode=0o755, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=labs))  # as seen from outside
        self.inside = f"/lab/{self.folder.name}"  # as seen from the chroot
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": f"{self.inside}/home",
            "XDG_RUNTIME_DIR": f"{self.inside}/run",
            "MASKWRIGHT_RUNTIME_DIR": f"{self.inside}/runtime",
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._processes: list[subprocess.Popen[Any]] = []
        for sub in ("home", "run", "runtime", "out"):
            (self.folder / sub).mkdir(mode=0o700)

    # ------------------------------------------------------------ files

    def path(self, *parts: str) -> Path:
        """A path below the lab's folder, seen from outside; its parents exist."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def within(self, path: Path) -> str:
        """The same path as the chroot sees it."""
        return f"{self.inside}/{path.relative_to(self.folder).as_posix()}"

    def put(self, source: Path, *parts: str) -> str:
        """Copy a file or folder in; returns its path inside the chroot."""
        target = self.path(*parts)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
        return self.within(target)

    # ------------------------------------------------------------ processes

    def command(self, command: Sequence[str], env: dict[str, str] | None = None) -> list[str]:
        settings = [f"{name}={value}" for name, value in {**self.environment, **(env or {})}.items()]
        return ["chroot", str(root()), "/usr/bin/env", "-i", *settings, *command]

    def run(
        self, command: Sequence[str], timeout: float = 60.0, env: dict[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end in the chroot; with ``check`` a failure shows the output's tail."""
        done = subprocess.run(
            self.command(command, env), capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
        if check and done.returncode:
            raise AssertionError(
                f"{command[0]} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        return done

    def start(
        self, command: Sequence[str], log: str, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[Any]:
        """Start in the chroot (the process' id is the command's own); its output goes to ``out/LOG``."""
        with self.path("out", log).open("ab") as output:
            process: subprocess.Popen[Any] = subprocess.Popen(
                self.command(command, env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
            )
        self._processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[Any], patience: float = 5.0) -> None:
        """End a process that ``start`` started: asked first, killed after ``patience`` seconds."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self._processes:
            self._processes.remove(process)

    def close(self) -> None:
        """End what was started, last first, and remove the folder (kept with MASKWRIGHT_KEEP_LABS=1)."""
        for process in reversed(list(self._processes)):
            self.stop(process)
        if not os.environ.get("MASKWRIGHT_KEEP_LABS"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ------------------------------------------------------------ the screen

    def open_display(self, width: int = 1400, height: int = 900) -> str:
        """Start Xvfb on a free display with a window manager; every later process of this lab uses it."""
        read, write = os.pipe()
        screen = f"{width}x{height}x24"
        number = b""
        try:
            self.start(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
                "xvfb.log",
                pass_fds=[write],
            )
            os.close(write)
            while not number.endswith(b"\n"):
                piece = os.read(read, 16)
                assert piece, "Xvfb did not start: " + self.path("out", "xvfb.log").read_text()
                number += piece
        finally:
            os.close(read)
        self.environment["DISPLAY"] = f":{number.decode().strip()}"
        self.start(["sh", "-c", _WINDOW_MANAGER.format(self.within(self.path("openbox.xml")))], "openbox.log")
        wait_until(
            lambda: "window id #" in self.run(["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"], check=False).stdout,
            "the window manager",
        )
        return self.environment["DISPLAY"]

    def screenshot(self, name: str, crop: str = "") -> Path:
        """A PNG of the whole screen, or of ``crop`` ("WIDTHxHEIGHT+X+Y"), in the lab's ``out``."""
        target = self.path("out", name)
        options = ["-crop", crop, "+repage"] if crop else []
        self.run(["import", "-window", "root", *options, self.within(target)])
        return target

    def xdotool(self, *arguments: object) -> str:
        return self.run(["xdotool", *(str(argument) for argument in arguments)]).stdout
