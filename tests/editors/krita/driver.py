"""Starts the real Krita in a lab, runs code in it, and drives it with mouse and keyboard."""

import ast
import itertools
import textwrap
import zipfile
from pathlib import Path
from typing import Any

from ..chroot import Lab, suite, wait_until

HERE = Path(__file__).parent
RESOURCES = ("home", ".local", "share", "krita")
SETTINGS = {
    "": {"canvasState": "OPENGL_NOT_TRIED", "MDIView": "1"},
    "python": {"enable_maskwright_krita": "true", "enable_maskwright_testbridge": "true"},
    "theme": {"Theme": "Krita dark"},
}


def qt() -> str:
    return "PyQt6" if suite() == "krita6" else "PyQt5"


def install(lab: Lab, plugin_zip: Path) -> None:
    """Install the plugin's zip and the test bridge in the lab's Krita profile, both enabled."""
    resources = lab.path(*RESOURCES)
    with zipfile.ZipFile(plugin_zip) as archive:
        for name in archive.namelist():
            folder = resources / ("actions" if name.endswith(".action") else "pykrita")
            archive.extract(name, folder)
    lab.put(HERE / "bridge", *RESOURCES, "pykrita")
    lines = []
    for group, values in SETTINGS.items():
        lines += [f"[{group}]"] * bool(group) + [f"{key}={value}" for key, value in values.items()]
    lab.path("home", ".config", "kritarc").write_text("\n".join(lines) + "\n")


def choose_theme(lab: Lab, theme: str) -> None:
    """Before Krita starts."""
    config = lab.path("home", ".config", "kritarc")
    config.write_text(config.read_text().replace(SETTINGS["theme"]["Theme"], theme))


class Krita:
    """One running Krita. ``run`` executes code in it; ``xdotool`` of the lab clicks and types."""

    def __init__(self, lab: Lab, env: dict[str, str] | None = None) -> None:
        self.lab = lab
        self.folder = lab.path("bridge", "x").parent
        for left in self.folder.iterdir():
            left.unlink()
        self._numbers = itertools.count(1)
        self.process = lab.start(
            ["krita", "--nosplash"],
            "krita.log",
            {"MASKWRIGHT_TESTBRIDGE": lab.within(self.folder), "QT_QPA_PLATFORM": "xcb", **(env or {})},
        )
        self.wait_file("window.out", 300.0)  # the first start makes the resource database
        self.run(
            f"""
            from {qt()}.QtCore import *
            from {qt()}.QtGui import *
            from {qt()}.QtWidgets import *
            """
        )
        self.run("K.setBatchmode(True)")
        self.wait("K.activeWindow() is not None", "the main window")
        self.run("K.activeWindow().qwindow().showMaximized()")

    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_file(self, name: str, seconds: float) -> Path:
        def there() -> bool:
            assert self.alive(), f"Krita ended with {self.process.returncode}:\n{self.log()[-3000:]}"
            return (self.folder / name).exists()

        wait_until(there, f"an answer of Krita ({name})", seconds, pause=0.005)
        return self.folder / name

    def log(self) -> str:
        return self.lab.path("out", "krita.log").read_text(errors="replace")

    def run(self, source: str, seconds: float = 90.0) -> Any:
        """Run code on Krita's main thread; the value of its ``out``."""
        name = f"c{next(self._numbers):06d}"
        part = self.folder / f"{name}.part"
        part.write_text(textwrap.dedent(source))
        part.rename(self.folder / f"{name}.py")

        def answered() -> Path | None:
            assert self.alive(), f"Krita ended with {self.process.returncode}:\n{self.log()[-3000:]}"
            for kind in ("out", "err"):
                if (self.folder / f"{name}.{kind}").exists():
                    return self.folder / f"{name}.{kind}"
            return None

        path = wait_until(answered, "Krita to run: " + source.strip()[:200], seconds, pause=0.005)
        assert path is not None
        text = path.read_text()
        path.unlink()
        assert path.suffix == ".out", text
        return ast.literal_eval(text)

    def get(self, expression: str) -> Any:
        return self.run(f"out = ({expression})")

    def wait(self, expression: str, what: str = "", seconds: float = 90.0) -> Any:
        """Poll an expression in Krita until it is true; its value."""
        return wait_until(lambda: self.get(expression), what or expression, seconds)

    def key(self, *keys: str) -> None:
        self.lab.xdotool("key", *keys)

    def quit(self) -> None:
        """Quit as the user would, without questions about unsaved documents."""
        if not self.alive():
            return
        self.run("[document.setModified(False) for document in K.documents()]")
        self.run("QTimer.singleShot(0, K.action('file_quit').trigger)")
        try:
            self.process.wait(15.0)
        finally:
            self.lab.stop(self.process)


def runner(lab: Lab, source: str, timeout: float = 300.0, env: dict[str, str] | None = None) -> None:
    """Run code in ``kritarunner`` (the real libkis without a window); fails with its traceback."""
    body = textwrap.indent(textwrap.dedent(source), "        ")
    script = f"""import os, sys, traceback
def main(arguments):
    try:
{body}
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # the interpreter's own end may crash in some versions
"""
    lab.path("runner", "maskwright_script.py").write_text(script)
    folder = f"{lab.inside}/runner:{lab.inside}/home/.local/share/krita/pykrita"
    lab.run(
        ["kritarunner", "-s", "maskwright_script", "-f", "main"],
        timeout,
        {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": folder, **(env or {})},
    )
