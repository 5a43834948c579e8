"""Builds and installs the Krita plugin: one zip for Krita 5 and 6, in the layout that Krita's own importer expects."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskwright_protocol import __version__, language

from . import bundle

NAME = "maskwright_krita"
SETTING = f"enable_{NAME}"


def contents() -> Iterator[tuple[str, bytes]]:
    """``(path, bytes)`` of every file of the plugin, in a fixed order."""
    own = bundle.sources("plugin_krita", f"{NAME}.desktop")
    yield f"{NAME}.desktop", _desktop((own / f"{NAME}.desktop").read_text(encoding="utf-8")).encode()
    yield f"{NAME}.action", (own / f"{NAME}.action").read_bytes()
    yield f"{NAME}/manual.html", (own / "manual.html").read_bytes()
    yield from bundle.package_files(own / NAME, NAME)
    yield from bundle.vendored(f"{NAME}/vendor")


def _desktop(text: str) -> str:
    """The description of the plugin with its comment in all languages, as Krita's plugin manager reads it."""
    lines = []
    for line in text.splitlines():
        lines.append(line)
        name, _, comment = line.partition("=")
        if name == "Comment":
            said = {one: language.catalogue(one).texts.get(comment) for one in language.available()}
            lines += [f"Comment[{one}]={translated}" for one, translated in said.items() if translated]
    return "\n".join(lines) + "\n"


def build(folder: Path) -> Path:
    """``maskwright-krita-VERSION.zip`` in ``folder``, for *Import Python Plugin from File*. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"maskwright-krita-{__version__}.zip"
    files = list(contents())
    folders = {f"{parent.as_posix()}/" for name, _ in files for parent in Path(name).parents if parent != Path(".")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(folders):  # Krita's importer looks for the module as an entry of its own
            archive.writestr(zipfile.ZipInfo(name, bundle.ZIP_TIME), b"")
        for name, data in files:
            info = zipfile.ZipInfo(name, bundle.ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return path


# ---------------------------------------------------------------- where Krita looks


def places(environment: Mapping[str, str], platform: str, home: Path) -> list[tuple[Path, Path]]:
    """``(resource folder, configuration file)`` of each kind of Krita: the platform's own first, then packaged ones."""
    if platform == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
        found = [(roaming / "krita", local / "kritarc")]
        for store in sorted((local / "Packages").glob("*Krita*")):
            cache = store / "LocalCache"
            found.append((cache / "Roaming" / "krita", cache / "Local" / "kritarc"))
        return found
    if platform == "darwin":
        library = home / "Library"
        return [(library / "Application Support" / "krita", library / "Preferences" / "kritarc")]
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    flatpak = home / ".var" / "app" / "org.kde.krita"
    snap = home / "snap" / "krita" / "current"
    return [
        (data / "krita", config / "kritarc"),  # the distribution's Krita and the AppImage
        (flatpak / "data" / "krita", flatpak / "config" / "kritarc"),
        (snap / ".local" / "share" / "krita", snap / ".config" / "kritarc"),
    ]


def _moved(config: Path) -> Path | None:
    """The resource folder that the user chose in Krita's settings."""
    try:
        lines = config.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "ResourceDirectory" and value.strip():
            return Path(value.strip())
    return None


def resource_folders(
    environment: Mapping[str, str] | None = None, platform: str = sys.platform, home: Path | None = None
) -> list[tuple[Path, Path]]:
    """``(resource folder, configuration file)`` of every Krita that this user has started; when there is none, those
    that the platform's own Krita will use."""
    environment = os.environ if environment is None else environment
    found = [
        (_moved(config) or resources, config)
        for resources, config in places(environment, platform, home or Path.home())
    ]
    used = [(resources, config) for resources, config in found if resources.is_dir() or config.is_file()]
    return used or found[:1]


def _enable(config: Path) -> None:
    """Switch the plugin on in Krita's settings, and leave the rest of the file as it is."""
    text = config.read_text(encoding="utf-8") if config.is_file() else ""
    lines = text.splitlines()
    if any(line.startswith(SETTING + "=") for line in lines):
        return
    if "[python]" in lines:
        lines.insert(lines.index("[python]") + 1, f"{SETTING}=true")
    else:
        lines += ["", "[python]", f"{SETTING}=true"] if lines else ["[python]", f"{SETTING}=true"]
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_into(resources: Path) -> Path:
    """Write the plugin into a resource folder, its module whole or not at all. Returns the module's folder."""
    scripts, actions = resources / "pykrita", resources / "actions"
    scripts.mkdir(parents=True, exist_ok=True)
    actions.mkdir(parents=True, exist_ok=True)
    target = scripts / NAME
    with tempfile.TemporaryDirectory(dir=scripts, prefix=f".{NAME}-") as temporary:
        for name, data in contents():
            path = Path(temporary) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.exists():
            target.rename(Path(temporary) / "old")
        (Path(temporary) / NAME).rename(target)
        os.replace(Path(temporary) / f"{NAME}.desktop", scripts / f"{NAME}.desktop")
        os.replace(Path(temporary) / f"{NAME}.action", actions / f"{NAME}.action")
    return target


def install(folder: Path | None = None) -> list[Path]:
    """Put the plugin into a resource folder, or into that of every Krita of this user, where it is switched on too.

    Returns the module folders written.
    """
    if folder is not None:
        return [write_into(folder)]
    written = []
    for resources, config in resource_folders():
        written.append(write_into(resources))
        _enable(config)
    return written


def uninstall(folder: Path | None = None) -> list[Path]:
    """Take it out again; the module folders removed."""
    removed = []
    for resources in [folder] if folder is not None else [resources for resources, _ in resource_folders()]:
        target = resources / "pykrita" / NAME
        if target.is_dir():
            shutil.rmtree(target)
            (resources / "pykrita" / f"{NAME}.desktop").unlink(missing_ok=True)
            (resources / "actions" / f"{NAME}.action").unlink(missing_ok=True)
            removed.append(target)
    return removed
