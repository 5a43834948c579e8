"""What the user set for the plug-in as a whole; a small file in GIMP's own folder, outside the plug-in's."""

import json
import os
from pathlib import Path
from typing import Any, Dict

from maskwright_client.settings import read_settings
from maskwright_protocol.language import tr
from maskwright_protocol.whole_file import write_whole

PLACE = tr("Filters > Maskwright > Server and Models")  # where the user sees and changes them
FILE_NAME = "maskwright.json"
DEFAULTS: Dict[str, Any] = {"command": "", "start_server": True}


def load(folder: str) -> Dict[str, Any]:
    """The settings; defaults for what is missing or unreadable."""
    try:
        with open(os.path.join(folder, FILE_NAME), encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        text = ""
    return read_settings(text, DEFAULTS)


def save(folder: str, values: Dict[str, Any]) -> None:
    """Write the settings; the old file stays until the new one is whole."""
    text = json.dumps({name: values.get(name, default) for name, default in DEFAULTS.items()}, indent=1)
    write_whole(Path(folder, FILE_NAME), text.encode())
