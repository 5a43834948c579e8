"""Whether the process that wrote a file still runs."""

import os
import sys


def identity(pid: int) -> str:
    """Names a running process, also against a later one with the same number; empty where the system does not tell.

    On Linux: its namespace of process numbers, and when it started. Elsewhere always empty.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):  # it has ended, and its parent has not noticed yet
            return ""
        return f"{os.stat('/proc/self/ns/pid').st_ino} {int(fields[19])}"
    except (OSError, ValueError, IndexError):
        return ""


def is_running(pid: int, known: str) -> bool:
    """That very process runs for certain."""
    return bool(known) and identity(pid) == known


def has_ended(pid: int, known: str) -> bool:
    """That process has ended for certain; ``known`` is the ``identity`` that it had.

    A process in another container cannot be seen; it is not said to have ended.
    """
    if pid <= 0:
        return False
    if known:
        mine = identity(os.getpid())
        return mine.split(" ")[0] == known.split(" ")[0] and identity(pid) != known
    if sys.platform == "win32":
        return _has_ended_on_windows(pid)
    if sys.platform.startswith("linux"):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _has_ended_on_windows(pid: int) -> bool:
    import ctypes

    synchronize, wait_timeout, invalid_parameter = 0x00100000, 258, 87
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        return ctypes.get_last_error() == invalid_parameter  # type: ignore[attr-defined]
    try:
        return kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) != wait_timeout
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
