"""Builds and installs the GIMP plug-in: one folder ``maskwright`` whose ``maskwright.py`` is executable.

The folder carries everything it needs, so that any Python from 3.8 on runs it: the plug-in's own package, the protocol
package, and the pure-Python part of msgpack.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskwright_protocol import __version__

from . import bundle

NAME = "maskwright"
SCRIPT = f"{NAME}.py"
EXECUTABLE = 0o755
OLDEST = (3, 0)


def contents() -> Iterator[tuple[str, bytes]]:
    """``(path inside the folder, bytes)`` of every file, in a fixed order."""
    own = bundle.sources("plugin_gimp", SCRIPT)
    yield SCRIPT, (own / SCRIPT).read_bytes()
    yield from bundle.package_files(own / "maskwright_gimp", "maskwright_gimp")
    yield from bundle.vendored("vendor")


def write_folder(parent: Path) -> Path:
    """Write ``parent/maskwright``, whole or not at all; what an older version left there is gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / NAME
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{NAME}-") as temporary:
        fresh = Path(temporary) / NAME
        for name, data in contents():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (fresh / SCRIPT).chmod(EXECUTABLE)
        if target.exists():
            target.rename(Path(temporary) / "old")
        fresh.rename(target)
    return target


def build(folder: Path) -> Path:
    """``maskwright-gimp-VERSION.zip`` in ``folder``: to be unpacked into GIMP's ``plug-ins`` folder. Returns its path.

    Two builds of the same files are the same bytes. The zip keeps the executable bit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"maskwright-gimp-{__version__}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents():
            info = zipfile.ZipInfo(f"{NAME}/{name}", bundle.ZIP_TIME)
            info.create_system = 3  # Unix, so that the mode below is honoured
            info.external_attr = (stat.S_IFREG | (EXECUTABLE if name == SCRIPT else 0o644)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


# ---------------------------------------------------------------- where GIMP looks


def roots(environment: Mapping[str, str], platform: str, home: Path) -> list[Path]:
    """Folders that hold one profile a version (``3.0``, ``3.2``): the platform's own first, then packaged GIMPs."""
    if platform == "win32":
        return [Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "GIMP"]
    if platform == "darwin":
        return [home / "Library" / "Application Support" / "GIMP"]
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        config / "GIMP",  # the distribution's GIMP, the AppImage, and Flathub's, which may see this folder
        home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP",
        home / "snap" / "gimp" / "current" / ".config" / "GIMP",
    ]


def _version(folder: Path) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in folder.name.split("."))
    except ValueError:
        return None


def plug_in_folders(
    environment: Mapping[str, str] | None = None, platform: str = sys.platform, home: Path | None = None
) -> list[Path]:
    """The ``plug-ins`` folder of every GIMP 3 profile of this user.

    ``GIMP3_DIRECTORY`` names one profile and excludes the others, as it does for GIMP. A user who has never started
    GIMP 3 gets the folder that GIMP 3.0 will make.
    """
    environment = os.environ if environment is None else environment
    home = home or Path.home()
    if environment.get("GIMP3_DIRECTORY"):
        return [Path(environment["GIMP3_DIRECTORY"]) / "plug-ins"]
    found = []
    for root in roots(environment, platform, home):
        profiles = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
        versions = sorted((version, folder) for folder in profiles if (version := _version(folder)) is not None)
        found += [folder / "plug-ins" for version, folder in versions if OLDEST <= version < (4,)]
    return found or [roots(environment, platform, home)[0] / "3.0" / "plug-ins"]


def install(folder: Path | None = None) -> list[Path]:
    """Put the plug-in into ``folder`` (a ``plug-ins`` folder), or into every GIMP 3 profile; the folders written."""
    return [write_folder(parent) for parent in ([folder] if folder is not None else plug_in_folders())]


def uninstall(folder: Path | None = None) -> list[Path]:
    """Take it out again; the folders removed."""
    removed = []
    for parent in [folder] if folder is not None else plug_in_folders():
        target = parent / NAME
        if (target / SCRIPT).is_file():
            shutil.rmtree(target)
            removed.append(target)
    return removed
