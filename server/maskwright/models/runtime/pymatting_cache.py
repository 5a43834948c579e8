"""PyMatting's machine code, compiled once on a computer, before anybody has to wait for it.

PyMatting compiles its loops when they are first used and keeps what it made; that takes a core one to three minutes. It
is done in a process of its own, at low priority, when the first worker starts. Until it is done the automatic choice
does without PyMatting; who asks for it by name waits.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from maskwright.models.catalogue.entries import Entry

PACKAGE = "pymatting"


def is_ready() -> bool:
    """Whether PyMatting is installed and what it needs has been compiled on this computer."""
    marker = _marker()
    return marker is not None and marker.exists()


def pending(entry: Entry) -> bool:
    """Whether loading this model would take minutes, since PyMatting is not compiled yet."""
    return PACKAGE in entry.requires and not is_ready()


def start() -> subprocess.Popen[bytes] | None:
    """Compile in a background process if that is still to be done; returns it at once.

    The process ends by itself. Where two run, the second waits for the first.
    """
    marker = _marker()
    if marker is None or marker.exists():
        return None
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def ensure() -> None:
    """Compile now, or wait for the process that does. Raises ``ImportError`` where PyMatting is not installed."""
    marker = _marker()
    if marker is None:
        raise ImportError(f"{PACKAGE} is not installed", name=PACKAGE)
    if marker.exists():
        return
    from filelock import FileLock

    marker.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(marker.with_suffix(".lock")):
        if not marker.exists():
            _use_everything()
            marker.touch()


def _use_everything() -> None:
    """Call every function of PyMatting that the families and the foreground colours of cut-outs use."""
    import numpy as np
    import pymatting

    image = np.linspace(0, 1, 32 * 32 * 3).reshape(32, 32, 3)
    trimap = np.full((32, 32), 0.5)
    trimap[:8], trimap[-8:] = 0, 1
    pymatting.estimate_alpha_cf(image, trimap)
    pymatting.estimate_alpha_knn(image, trimap)
    pymatting.estimate_foreground_ml(image.astype(np.float32), trimap.astype(np.float32))


def _marker() -> Path | None:
    """The file whose presence says that this installation, in these versions, is compiled; None without PyMatting."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    try:
        versions = [version(name) for name in (PACKAGE, "numba", "numpy")]
    except PackageNotFoundError:
        return None
    file = os.stat(found.origin)  # a new installation of the package has to be compiled again
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    name = "-".join([PACKAGE, *versions, python, f"{file.st_ino:x}", f"{int(file.st_mtime):x}"])
    return platformdirs.user_cache_path("maskwright") / f"{name}.compiled"


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    ensure()
