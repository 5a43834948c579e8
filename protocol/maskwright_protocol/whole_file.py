"""Files that are whole, or as they were before, whenever the process that writes them ends."""

import os
import secrets
import sys
from pathlib import Path
from typing import Set, Union

PREFIX, SUFFIX = ".maskwright-", ".part"
_ATTEMPTS = 5
_swept: Set[str] = set()  # folders in which this process has looked for what others left


def write_whole(path: Path, data: Union[bytes, bytearray, memoryview], private: bool = False) -> None:
    """Write the file aside, then put it in the place of ``path``; ``private`` closes it to other users from its start.

    A link is followed; a pipe or device is written to as it is. What a process that was killed left in the folder is
    removed at the next one's first write there. Raises ``OSError``; the folder must exist.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    folder = str(target.parent)
    if folder not in _swept:
        _swept.add(folder)
        sweep(target.parent)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _write(target, data, 0o600 if private else 0o666)
            return
        except FileNotFoundError:  # swept by another process between its making and its lock
            if attempt == _ATTEMPTS or not target.parent.is_dir():
                raise


def sweep(folder: Path) -> None:
    """Remove what writers that have ended left behind; that of a living one is locked."""
    try:
        with os.scandir(folder) as entries:
            left = [e.path for e in entries if e.name.startswith(PREFIX) and e.name.endswith(SUFFIX)]
    except OSError:
        return
    for path in left:
        try:
            if sys.platform == "win32":  # an open file cannot be removed there
                os.unlink(path)
                continue
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                _lock(handle, wait=False)
                os.unlink(path)
            finally:
                os.close(handle)
        except OSError:
            continue


def _write(target: Path, data: Union[bytes, bytearray, memoryview], mode: int) -> None:
    part = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(str(part), flags, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            try:
                _lock(handle, wait=True)
            except OSError:
                pass  # a file system without locks: nothing is swept there either
            file.write(data)
            if sys.platform != "win32":  # where an open file cannot be renamed
                file.flush()
                os.replace(part, target)
        if sys.platform == "win32":
            os.replace(part, target)
    except BaseException:
        try:
            part.unlink()
        except OSError:
            pass
        raise


def _lock(handle: int, wait: bool) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
