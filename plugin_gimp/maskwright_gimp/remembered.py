"""What the plug-in remembers of recipes in GIMP's own folder: the saved ones, for the menus at GIMP's next start, and
what was done last. Read in the phase in which GIMP asks what there is, so it imports next to nothing."""

import json
import os
import re
import unicodedata
from typing import Any, Dict, List, Optional

from .procedures import BY_NAME, Procedure, of_recipe

SAVED, LAST = "maskwright-recipes.json", "maskwright-last.json"
PREFIX = "maskwright-recipe-"  # of the procedures of saved recipes
MOST = 200


def saved(folder: str) -> List[Dict[str, Any]]:
    """The saved recipes that can be used, as plain data; none where the file cannot be read."""
    found = _load(folder, SAVED)
    usable = [one for one in found if isinstance(one, dict) and not one.get("problem")] if found else []
    return [one for one in usable if all(isinstance(one.get(key), str) for key in ("name", "title", "description"))]


def procedures(folder: str) -> Dict[str, Dict[str, Any]]:
    """A procedure's name for each saved recipe; GIMP allows small letters, digits and hyphens."""
    found: Dict[str, Dict[str, Any]] = {}
    for one in saved(folder)[:MOST]:
        letters = unicodedata.normalize("NFKD", one["name"]).encode("ascii", "ignore").decode().lower()
        plain = re.sub("[^a-z0-9]+", "-", letters).strip("-") or "recipe"
        name, number = PREFIX + plain, 1
        while name in found:
            number += 1
            name = f"{PREFIX}{plain}-{number}"
        found[name] = one
    return found


def procedure(folder: str, name: str) -> Procedure:
    """The procedure of that name, be it of a saved recipe."""
    if name in BY_NAME:
        return BY_NAME[name]
    one = procedures(folder).get(name, {"name": name[len(PREFIX) :]})
    return of_recipe(name, one["name"], one.get("title", one["name"]), one.get("description", ""))


def last(folder: str) -> Optional[Dict[str, Any]]:
    """What was done last: ``recipe`` and ``notes``, or ``problem`` and ``hint``; None for nothing yet."""
    found = _load(folder, LAST)
    return found if isinstance(found, dict) else None


def keep(folder: str, file: str, value: Any) -> bool:
    """Write one of the two files when it says something new; whether it did."""
    text = json.dumps(value)
    if _text(folder, file) == text:
        return False
    from pathlib import Path

    from maskwright_protocol.whole_file import write_whole

    try:
        write_whole(Path(folder, file), text.encode())
    except OSError:
        return False  # then it is not in the menus
    if file == SAVED:
        _have_gimp_ask()
    return True


def _have_gimp_ask() -> None:
    """GIMP asks a plug-in what there is when its script is newer than at the last time, and not at each start."""
    try:
        os.utime(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "maskwright.py"))
    except OSError:
        pass  # installed for all users: then the recipe is in Run Recipe only


def _text(folder: str, file: str) -> str:
    try:
        with open(os.path.join(folder, file), encoding="utf-8") as opened:
            return opened.read()
    except (OSError, ValueError):
        return ""


def _load(folder: str, file: str) -> Any:
    try:
        return json.loads(_text(folder, file))
    except ValueError:
        return None
