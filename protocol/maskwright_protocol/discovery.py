"""How clients find the running server: a 0600 file in the user's runtime directory with address and token."""

import json
import os
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from .errors import ServerAbsent
from .language import tr
from .processes import has_ended

FILE_NAME = "server.json"
MAX_BYTES = 64 * 1024


@dataclass
class Endpoint:
    """Where a server listens. ``token`` is the secret that both sides prove to know; it is never sent."""

    host: str
    port: int
    token: str
    pid: int = 0
    version: int = 0  # protocol version
    tls: bool = False
    ca_file: str = ""  # certificate authority to trust instead of the system's, for a studio's own certificate
    fingerprint: str = ""  # SHA-256 of the one certificate to trust, in hexadecimal, instead of any authority
    process: str = ""  # ``processes.identity`` of the server


def runtime_directory() -> Path:
    """The directory for the endpoint and lock files; ``MASKWRIGHT_RUNTIME_DIR`` overrides the platform's own."""
    override = os.environ.get("MASKWRIGHT_RUNTIME_DIR")
    if override:
        return Path(override)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "Maskwright" / "run"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Maskwright" / "run"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "maskwright"
    return Path(tempfile.gettempdir()) / f"maskwright-{os.getuid()}"


def prepare_runtime_directory() -> Path:
    """Make the runtime directory private (0700) and return it.

    Raises ``PermissionError`` when it belongs to someone else or is a link: then a token in it would not be secret.
    """
    directory = runtime_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        found = os.lstat(directory)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{directory} is not a directory of this user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            os.chmod(directory, 0o700)
    return directory


def write_endpoint(endpoint: Endpoint) -> Path:
    """Write the endpoint file atomically with mode 0600; returns its path."""
    path = prepare_runtime_directory() / FILE_NAME
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=".server-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(endpoint), file)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path


def remove_endpoint(endpoint: Endpoint) -> None:
    """Remove the endpoint file if it is still ours."""
    current = read_endpoint()
    if current is not None and current.token == endpoint.token:
        _unlink()


def read_endpoint() -> Optional[Endpoint]:
    """The endpoint of a server of this user, or None. The file of one whose process has ended is removed.

    Only a plain file is believed, of this user, in a directory of this user, both closed to everybody else.
    """
    try:
        value = json.loads(_read_private(runtime_directory(), FILE_NAME))
        endpoint = Endpoint(
            host=str(value["host"]),
            port=int(value["port"]),
            token=str(value["token"]),
            pid=int(value.get("pid", 0)),
            version=int(value.get("version", 0)),
            tls=bool(value.get("tls", False)),
            ca_file=str(value.get("ca_file", "")),
            fingerprint=str(value.get("fingerprint", "")),
            process=str(value.get("process", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if has_ended(endpoint.pid, endpoint.process):
        _unlink()  # should a new server have written it just now, that one writes it again
        return None
    return endpoint


def find_server() -> Endpoint:
    """The running server's endpoint; raises ``ServerAbsent`` when there is none."""
    endpoint = read_endpoint()
    if endpoint is None:
        raise ServerAbsent(tr("The Maskwright server is not running."))
    return endpoint


def _unlink() -> None:
    try:
        (runtime_directory() / FILE_NAME).unlink()
    except OSError:
        pass


def _read_private(directory: Path, name: str) -> bytes:
    """A file's bytes; raises ``PermissionError`` when another user may have had a hand in it.

    On Windows only links are refused: there the user's own folders are closed to others by default.
    """
    if sys.platform == "win32":
        if not stat.S_ISREG(os.lstat(directory / name).st_mode):
            raise PermissionError(f"{directory / name} is not a plain file")
        with open(directory / name, "rb") as file:
            return file.read(MAX_BYTES)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(directory, flags | os.O_DIRECTORY)
    try:
        _check_private(folder, stat.S_IFDIR)
        handle = os.open(name, flags | os.O_NONBLOCK, dir_fd=folder)  # a pipe must not block
    finally:
        os.close(folder)
    with os.fdopen(handle, "rb") as file:
        _check_private(handle, stat.S_IFREG)
        return file.read(MAX_BYTES)


def _check_private(handle: int, kind: int) -> None:
    found = os.fstat(handle)
    if stat.S_IFMT(found.st_mode) != kind or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError("not a private file of this user")
