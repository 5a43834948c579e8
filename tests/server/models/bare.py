"""A Python that does not find some packages, as if they were not installed."""

from __future__ import annotations

import os
import subprocess
import sys

_START = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {without!r} else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
"""


def run(code: str, without: tuple[str, ...], *arguments: str, **environment: str) -> str:
    """Standard output of ``code`` where the packages ``without`` cannot be found."""
    command = [sys.executable, "-c", _START.replace("{without!r}", repr(set(without))) + code, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
