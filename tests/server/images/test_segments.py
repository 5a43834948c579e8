"""Shared segments: no descriptors, views that last, and a sweep that leaves the living alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from maskwright.images import segments

MIB = 1 << 20
HOLD = """
import sys, time
from maskwright.images import segments
print(segments.create(1 << 20).name, flush=True)
time.sleep(60)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and /dev/shm")


@linux
def test_a_mapped_segment_holds_no_descriptor() -> None:
    first = segments.create(MIB)  # the process's lock is a descriptor
    before = psutil.Process().num_fds()
    made = [segments.create(MIB) for _ in range(100)]
    views = [segments.attach(segment.name, MIB) for segment in made]
    assert psutil.Process().num_fds() == before
    for number, segment in enumerate(made):
        segment.buf[-1] = number
    assert [view[-1] for view in views] == list(range(100))
    for segment in [first, *made]:
        segment.unlink()


@linux
def test_bytes_last_as_long_as_a_view_of_them() -> None:
    segment = segments.create(MIB)
    segment.buf[10:13] = b"abc"
    view = segments.attach(segment.name, MIB)[10:13]
    segment.unlink()
    assert view.readonly
    assert bytes(view) == b"abc"
    assert segment.name in Path("/proc/self/maps").read_text()
    del view
    assert segment.name not in Path("/proc/self/maps").read_text()


@linux
def test_all_of_a_segment_is_allocated() -> None:
    segment = segments.create(5 * MIB + 1)
    assert os.stat(segment.name).st_blocks * 512 >= 5 * MIB + 1
    assert os.stat(segment.name).st_mode & 0o777 == 0o600
    segment.unlink()


def test_what_is_not_there_cannot_be_attached() -> None:
    segment = segments.create(MIB)
    writable = segments.attach(segment.name, MIB, writable=True)
    writable[0] = 7
    assert segment.buf[0] == 7
    if sys.platform != "win32":
        with pytest.raises(OSError, match="too short"):
            segments.attach(segment.name, MIB + 1)
    del writable
    segment.unlink()
    with pytest.raises(FileNotFoundError):
        segments.attach(segment.name, MIB)


@linux
def test_the_sweep_takes_what_the_killed_left_only() -> None:
    """Also when somebody planted a lock file whose name would match others' segments."""
    mine = segments.create(MIB)
    planted = segments.SHM / "maskwright-*.lock"
    planted.touch(0o666)
    holders = [subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        names = [Path(holder.stdout.readline().strip()) for holder in holders if holder.stdout]
        assert all(name.exists() for name in names)
        segments.sweep()
        assert all(name.exists() for name in names), "both live"
        lock = names[0].with_name(names[0].name.rpartition("-")[0] + ".lock")
        assert lock.exists()
        holders[0].kill()
        holders[0].wait()
        segments.sweep()
        assert not names[0].exists()
        assert not lock.exists()
        assert names[1].exists()
        assert Path(mine.name).exists()
    finally:
        planted.unlink()
        for holder in holders:
            holder.terminate()
            holder.communicate()
        segments.sweep()
    assert not names[1].exists()
    mine.unlink()


@linux
def test_a_process_that_ends_in_order_leaves_nothing() -> None:
    code = "from maskwright.images import segments; print(segments.create(1 << 20).name)"
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    name = Path(run.stdout.strip())
    assert not list(name.parent.glob(name.name.rpartition("-")[0] + "*"))
