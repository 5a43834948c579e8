"""Tuning of the C library's allocator. Fresh pages for every mask would cost more than the arithmetic on it.

Only glibc listens; elsewhere these functions do nothing.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

MIB = 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4  # malloc.h
_MMAPS = 65536  # glibc's own limit of blocks with pages of their own


def keep_freed_blocks(longest: int, total: int) -> None:
    """Reuse freed blocks of up to ``longest`` MiB (32 at most), keeping up to ``total`` MiB of them."""
    _tell(_M_MMAP_MAX, _MMAPS)
    _tell(_M_MMAP_THRESHOLD, min(longest, 32) * MIB)
    _tell(_M_TRIM_THRESHOLD, total * MIB)


def keep_all_freed_blocks() -> None:
    """Reuse freed blocks of any size: between jobs that follow each other, which need the same ones."""
    _tell(_M_MMAP_MAX, 0)
    _tell(_M_TRIM_THRESHOLD, 1024 * MIB)


def give_freed_blocks_back() -> None:
    """Free blocks' pages go back to the system."""
    trim = getattr(_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    except OSError:
        return None


def _tell(setting: int, value: int) -> None:
    mallopt = getattr(_library(), "mallopt", None)
    if mallopt is not None:
        mallopt(setting, value)
