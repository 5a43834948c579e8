"""Whether a process has ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from maskwright_protocol.processes import has_ended, identity, is_running

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the identity of processes is Linux's")


def test_a_process_that_ends() -> None:
    process = subprocess.Popen(["sleep", "60"])
    known = identity(process.pid)
    try:
        assert known
        assert not has_ended(process.pid, known)
        assert is_running(process.pid, known)
    finally:
        process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    assert has_ended(process.pid, known)
    assert not is_running(process.pid, known)
    process.wait()
    assert has_ended(process.pid, known)


def test_a_later_process_with_the_same_number() -> None:
    namespace, _, started = identity(os.getpid()).partition(" ")
    assert has_ended(os.getpid(), f"{namespace} {int(started) - 1}")


def test_where_nothing_is_certain() -> None:
    namespace, _, started = identity(os.getpid()).partition(" ")
    assert not has_ended(2**22 + 1, "")
    assert not has_ended(2**22 + 1, f"{int(namespace) + 1} {started}"), "a process of another container"
    assert not has_ended(0, "")
    assert not is_running(os.getpid(), "")


def test_a_name_with_brackets_and_spaces() -> None:
    """The fields of /proc/PID/stat come after the program's name, whatever that is."""
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b') S 1 (x'); print(end='ready', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.read(5)
        assert not has_ended(process.pid, identity(process.pid))
        assert identity(process.pid)
        process.communicate(b"\n")
