"""Which language Krita speaks; the plugin speaks the same."""

from typing import Any, List

from .qt import QLocale, QSettings, QStandardPaths

_CHOSEN = "klanguageoverridesrc"  # where KDE's programs keep the language that the user chose


def of_krita() -> List[str]:
    """The languages that Krita was asked to speak, the preferred one first: the user's choice, else the system's."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    chosen = QSettings(f"{folder}/{_CHOSEN}", QSettings.Format.IniFormat).value("Language/krita")
    names = _text(chosen).split(":")
    return [name for name in names if name] or list(QLocale.system().uiLanguages())


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return bytes(value).decode("utf-8", "replace")
