"""Finds the ``maskwright`` command and starts the server in the background, for the command line and the plugins."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from maskwright_protocol.discovery import Endpoint, read_endpoint
from maskwright_protocol.errors import Busy, MaskwrightError, ServerAbsent
from maskwright_protocol.language import tr
from maskwright_protocol.processes import is_running

from .link import hang_up, open_connection

START_TIMEOUT_S = 20.0
EXIT_IDLE_S = 1800  # a server that nobody started by hand ends when nobody was connected for so long
INSTALL_HINT = tr(
    "Install it ('pipx install maskwright' or 'uv tool install maskwright') or tell where it is: {0}.", ""
)
COMMAND_PLACE = "MASKWRIGHT_COMMAND"  # where its path is given, if an editor has no better place


def find_command(setting: str = "") -> Optional[List[str]]:
    """The command that runs Maskwright: the user's setting, ``MASKWRIGHT_COMMAND``, PATH, or pipx' and uv's places."""
    for given in (setting, os.environ.get("MASKWRIGHT_COMMAND", "")):
        if given and os.path.isfile(given):
            return [given]
    found = shutil.which("maskwright")
    if found:
        return [found]
    name = "maskwright.exe" if sys.platform == "win32" else "maskwright"
    home = Path.home()
    places = [home / ".local" / "bin", home / "bin", Path("/opt/homebrew/bin"), Path("/usr/local/bin")]
    if sys.platform == "win32":
        places.append(Path(os.environ.get("APPDATA") or home) / "Python" / "Scripts")
    for place in places:
        if (place / name).is_file():
            return [str(place / name)]
    return None


def clean_environment() -> Dict[str, str]:
    """The environment without what an editor's embedded Python or its bundle would impose on another Python."""
    unwanted = {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "LD_PRELOAD"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    if "APPDIR" in environment:  # an AppImage puts its own libraries first
        environment.pop("LD_LIBRARY_PATH", None)
    return environment


def start(
    command: List[str],
    pause: Callable[[float], None] = time.sleep,
    silent: Optional[Endpoint] = None,
    place: str = COMMAND_PLACE,
) -> Endpoint:
    """Start ``command serve`` detached and wait until it listens; do not call it in a user interface's thread.

    A server that is running already is not an error: its endpoint is returned. ``silent`` is an endpoint that did not
    answer just now. Raises ``ServerAbsent``.
    """
    process: Optional["subprocess.Popen[bytes]"] = None
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        endpoint = read_endpoint()
        if endpoint is not None and endpoint != silent:
            if _answers(endpoint):
                return endpoint
            silent = endpoint
        if process is None:
            process = _spawn(command, place)
        elif process.poll() == 0:  # another server was running: it answers now, or is gone
            silent, process = None, None
        elif process.returncode is not None:
            raise ServerAbsent(
                tr("The server stopped right after its start."), tr("Run 'maskwright serve' in a terminal to see why.")
            )
        pause(0.05)
    raise ServerAbsent(tr("The server did not start in time."), tr("Run 'maskwright serve' in a terminal to see why."))


def _spawn(command: List[str], place: str) -> "subprocess.Popen[bytes]":
    flags: Dict[str, object] = {}
    if sys.platform == "win32":
        flags["creationflags"] = 0x00000008 | 0x00000200 | 0x08000000  # detached, own group, no window
    else:
        flags["start_new_session"] = True
    try:
        return subprocess.Popen(
            [*command, "serve", "--exit-idle-s", str(EXIT_IDLE_S)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            **flags,  # type: ignore[call-overload]
        )
    except OSError as error:
        raise ServerAbsent(
            tr("The server could not be started: {0}.", error.strerror),
            INSTALL_HINT.with_values(place),
            needs="command",
        ) from error


def start_if_absent(setting: str = "", command: Optional[List[str]] = None, place: str = COMMAND_PLACE) -> Endpoint:
    """The running server's endpoint, starting one if there is none: by ``command``, or one that is looked for.

    ``place``: where the user can give ``setting``. Raises ``ServerAbsent`` with what to do.
    """
    endpoint = read_endpoint()
    if endpoint is not None and _answers(endpoint):
        return endpoint
    command = command or find_command(setting)
    if command is None:
        raise ServerAbsent(
            tr("Maskwright is not installed, or not where it is looked for."),
            INSTALL_HINT.with_values(place),
            needs="command",
        )
    return start(command, silent=endpoint, place=place)


def _answers(endpoint: Endpoint) -> bool:
    """Whether that very server is there, and not another program at its port.

    While its process runs, nobody else can listen there; where that cannot be seen, it has to prove itself. (It has to
    again when a client connects, in any case.)
    """
    if is_running(endpoint.pid, endpoint.process):
        return True
    try:
        hang_up(open_connection(endpoint)[0])
    except Busy:
        return True
    except MaskwrightError:
        return False
    return True
