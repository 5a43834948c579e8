"""Tuning of the C library's allocator. Fresh pages for every mask would cost more than the arithmetic on it."""

from __future__ import annotations

import ctypes
import sys

MIB = 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_freed_blocks(longest: int, total: int) -> None:
    """Reuse freed blocks of up to ``longest`` MiB (32 at most), keeping up to ``total`` MiB of them.

    Only glibc listens; elsewhere this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, min(longest, 32) * MIB)
    mallopt(_M_TRIM_THRESHOLD, total * MIB)
