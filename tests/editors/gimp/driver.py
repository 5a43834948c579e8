"""Starts the real GIMP in a lab, with or without windows, and runs code in it."""

import ast
import itertools
import json
import textwrap
from pathlib import Path
from typing import Any

from maskwright.plugins import gimp

from ..chroot import Lab, suite, wait_until

HERE = Path(__file__).parent


def install(lab: Lab) -> Path:
    """Install the plug-in in the lab's GIMP profile; the profile's folder."""
    profile = lab.path("profile", "gimprc").parent
    gimp.install(profile / "plug-ins")
    version = lab.run(["gimp-console", "--version"]).stdout.strip().rsplit(" ", 1)[-1]
    lab.path("profile", "gimprc").write_text(
        f'(config-version "{version}")\n(show-welcome-dialog no)\n(check-updates no)\n'
    )
    if suite() != "trixie":
        _without_sandbox(lab)
    return profile


def _without_sandbox(lab: Lab) -> None:
    """Newer gdk-pixbuf loads icons in a sandbox, which cannot be made inside a chroot: run the loader alone."""
    shim = lab.path("bin", "bwrap")
    shim.write_text(
        "#!/bin/sh\n"
        'while [ $# -gt 1 ]; do case "$1" in /usr/libexec/*) [ "$2" = --dbus-fd ] && exec "$@" ;; esac; shift; done\n'
        "exit 1\n"
    )
    shim.chmod(0o755)
    lab.environment["PATH"] = f"{lab.inside}/bin:{lab.environment['PATH']}"


class Gimp:
    """One running GIMP. ``run`` executes code in it; ``inside.py`` says what the code may use."""

    def __init__(self, lab: Lab, windows: bool = False, files: tuple[str, ...] = (), **env: str) -> None:
        self.lab = lab
        self.name = "windows" if windows else "console"
        self.folder = lab.path(f"bridge-{self.name}", "x").parent
        for left in self.folder.iterdir():
            left.unlink()
        self._numbers = itertools.count(1)
        script = lab.put(HERE / "inside.py", f"inside-{self.name}.py")
        program = ["gimp", "--no-splash"] if windows else ["gimp-console", "-i"]
        batch = ["--batch-interpreter", "python-fu-eval", "-b", f"exec(open({script!r}).read())"]
        self.process = lab.start(
            [*program, *batch, *files],
            f"gimp-{self.name}.log",
            {
                "GIMP3_DIRECTORY": f"{lab.inside}/profile",
                "MASKWRIGHT_TESTBRIDGE": lab.within(self.folder),
                "NO_AT_BRIDGE": "1",
                "BABL_TOLERANCE": "0",  # conversions that are the same in every process
                "GTK_THEME": "Adwaita:dark",
                **env,
            },
        )
        self._wait("ready", 90.0)

    def log(self) -> str:
        return self.lab.path("out", f"gimp-{self.name}.log").read_text(errors="replace")

    def _wait(self, name: str, seconds: float) -> Path:
        def there() -> bool:
            assert self.process.poll() is None, f"GIMP ended:\n{self.log()[-3000:]}"
            return (self.folder / name).exists()

        wait_until(there, f"an answer of GIMP ({name})", seconds, pause=0.005)
        return self.folder / name

    def start(self, source: str) -> str:
        """Begin to run code in GIMP; ``finish`` gives what it leaves in ``out``."""
        name = f"{next(self._numbers):05d}"
        part = self.folder / f"{name}.part"
        part.write_text(textwrap.dedent(source))
        part.rename(self.folder / f"{name}.py")
        return name

    def finish(self, name: str, seconds: float = 60.0) -> Any:
        path = self._wait(f"{name}.out", seconds)
        answer = path.read_text()
        path.unlink()
        assert answer.startswith("ok"), f"in GIMP: {answer[2:]}\n{self.log()[-1500:]}"
        return ast.literal_eval(answer[2:])

    def finished(self, name: str) -> bool:
        return (self.folder / f"{name}.out").exists()

    def run(self, source: str, seconds: float = 60.0) -> Any:
        """Run code in GIMP; the value of its ``out``."""
        return self.finish(self.start(source), seconds)

    def call(self, name: str, image: str = "image", drawables: str = "[layer]", **options: Any) -> "Called":
        """Call one of our procedures with variables of the session."""
        arguments = ", ".join(f"{key}={value!r}" for key, value in options.items())
        return Called(*self.run(f"out = call({name!r}, {image}, {drawables}, {arguments})"))

    def close(self) -> None:
        if self.process.poll() is None:
            self.start("raise SystemExit")
        self.lab.stop(self.process)


class Called:
    """What a procedure returned."""

    def __init__(self, status: str, count: int, report: str, error: str) -> None:
        self.status, self.count, self.error = status, count, error
        self.report: dict[str, Any] = json.loads(report) if report else {}

    def ok(self) -> "Called":
        assert self.status == "success", f"{self.status}: {self.error}"
        return self
