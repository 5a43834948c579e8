"""Freed memory stays with a process as long as it says so."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import os
from maskwright.memory import give_freed_blocks_back, keep_all_freed_blocks, keep_freed_blocks

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

def use():
    blocks = [bytearray(size << 20) for size in (60, 20, 60)]
    del blocks

keep_freed_blocks(longest=32, total=128)
before = held()
use()
print(held() - before)
keep_all_freed_blocks()
use()
print(held() - before)
keep_freed_blocks(longest=32, total=128)
give_freed_blocks_back()
print(held() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_large_blocks_stay_while_a_batch_runs_and_go_back_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    usual, batch, after = (int(line) for line in done.stdout.split())
    assert usual < 30
    assert batch >= 120
    assert after < 10
