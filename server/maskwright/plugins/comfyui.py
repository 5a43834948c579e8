"""Builds and installs the nodes for ComfyUI: one folder ``maskwright`` for its ``custom_nodes``."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskwright_protocol import __version__

from . import bundle

NAME = "maskwright"
NODES = "custom_nodes"


def contents() -> Iterator[tuple[str, bytes]]:
    """``(path inside the folder, bytes)`` of every file, in a fixed order."""
    for name, data in bundle.package_files(bundle.sources("comfyui_nodes", "__init__.py"), ""):
        yield name.lstrip("/"), data
    yield from bundle.vendored("vendor", scripting=True)


def build(folder: Path) -> Path:
    """``maskwright-comfyui-VERSION.zip`` in ``folder``: to be unpacked into ``custom_nodes``. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"maskwright-comfyui-{__version__}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents():
            info = zipfile.ZipInfo(f"{NAME}/{name}", bundle.ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return path


def places(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Where ComfyUI usually is: what the environment names, its own command line's and its desktop's folder."""
    named = environment.get("COMFYUI_PATH")
    usual = [home / "ComfyUI", home / "comfy" / "ComfyUI", home / "Documents" / "ComfyUI"]
    return [Path(named)] if named else usual


def node_folders(
    folder: Path | None, environment: Mapping[str, str] | None = None, home: Path | None = None
) -> list[Path]:
    """The ``custom_nodes`` of the ComfyUI in ``folder``, which may be that folder itself, or else of each usual place.

    Raises ``NotFound`` where there is none.
    """
    candidates = [folder] if folder is not None else places(environment or os.environ, home or Path.home())
    found = [one if one.name == NODES else one / NODES for one in candidates]
    found = [one for one in found if one.is_dir()]
    if not found:
        where = f"There is no folder {NODES} in {folder}." if folder is not None else "ComfyUI was not found."
        raise bundle.NotFound(f"{where} Say where ComfyUI is with --to FOLDER.")
    return found


def install(folder: Path | None = None) -> list[Path]:
    """Write the nodes, whole or not at all, in place of an older version; the folders written."""
    return [_write(parent) for parent in node_folders(folder)]


def _write(parent: Path) -> Path:
    target = parent / NAME
    # ComfyUI, should it start just now, takes every folder here for nodes but those of that suffix.
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{NAME}-", suffix=".disabled") as temporary:
        fresh = Path(temporary) / NAME
        for name, data in contents():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.exists():
            target.rename(Path(temporary) / "old")
        fresh.rename(target)
    return target


def uninstall(folder: Path | None = None) -> list[Path]:
    """Take the nodes out again; the folders removed."""
    removed = []
    for parent in node_folders(folder):
        target = parent / NAME
        if (target / "vendor" / "maskwright_client").is_dir():
            shutil.rmtree(target)
            removed.append(target)
    return removed
