"""Which editors this user has, and what of Maskwright is in them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maskwright.plugins import gimp, krita
from maskwright_protocol import __version__

_COMMANDS = {"Krita": ("krita",), "GIMP": ("gimp", "gimp-3", "gimp-3.0", "gimp-3.2")}
_APPLICATIONS = {
    "Krita": ("Krita (x64)/bin/krita.exe", "krita.app", "org.kde.krita"),
    "GIMP": ("GIMP 3/bin/gimp.exe", "GIMP.app", "org.gimp.GIMP"),
}


@dataclass(frozen=True)
class Plugin:
    """A profile of an editor. ``version`` is empty when the plug-in is not in it; ``trouble`` is why it cannot run, and
    ``fix`` what to do about that."""

    editor: str
    folder: Path
    version: str = ""
    trouble: str = ""
    fix: str = ""


def profiles() -> Iterator[Plugin]:
    """Every profile of Krita and GIMP 3 that this user has."""
    for resources, config in krita.resource_folders():
        if resources.is_dir() or config.is_file():
            module = resources / "pykrita" / krita.NAME
            version = version_in(module)
            if not version or _enabled(config):
                yield Plugin("Krita", resources, version)
            else:
                fix = "In Krita: Settings > Configure Krita > Python Plugin Manager, tick Maskwright and restart."
                yield Plugin("Krita", resources, version, "Krita has it switched off", fix)
    for folder in gimp.plug_in_folders():
        if folder.parent.is_dir():
            script = folder / gimp.NAME / gimp.SCRIPT
            version = version_in(script.parent) if script.is_file() else ""
            runs = not version or sys.platform == "win32" or os.access(script, os.X_OK)
            if runs:
                yield Plugin("GIMP", folder.parent, version)
            else:
                fix = "Run: maskwright plugins install gimp and restart GIMP."
                yield Plugin("GIMP", folder.parent, version, "its script may not be executed", fix)


def version_in(folder: Path) -> str:
    """The version of an installed plug-in, that of the protocol it brings along; empty when there is none."""
    try:
        text = (folder / "vendor" / "maskwright_protocol" / "version.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def _enabled(config: Path) -> bool:
    try:
        lines = config.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return f"{krita.SETTING}=true" in (line.replace(" ", "") for line in lines)


def programs() -> dict[str, list[str]]:
    """Where the editors themselves are, as far as the usual places tell."""
    roots = [Path(os.environ.get("PROGRAMFILES", "C:/Program Files"))] if sys.platform == "win32" else []
    roots += [Path("/Applications"), Path("/var/lib/flatpak/app"), Path.home() / ".local/share/flatpak/app"]
    found: dict[str, list[str]] = {}
    for editor, commands in _COMMANDS.items():
        paths = [path for command in commands if (path := shutil.which(command))][:1]
        paths += [str(root / name) for root in roots for name in _APPLICATIONS[editor] if (root / name).exists()]
        found[editor] = paths
    return found


def is_current(plugin: Plugin) -> bool:
    return plugin.version == __version__
