"""Settings as they were saved: whatever cannot be used gives way to its default."""

import json
from typing import Any, Container, Dict, Mapping, Optional


def read_settings(
    text: str, defaults: Mapping[str, Any], choices: Optional[Mapping[str, Container[Any]]] = None
) -> Dict[str, Any]:
    """The settings of a JSON object that are known, are of their default's type (a number, where that is None), and are
    one of the ``choices`` where there are some; the defaults for all others."""
    try:
        saved = json.loads(text)
    except ValueError:
        saved = {}
    found = dict(defaults)
    for name, default in defaults.items() if isinstance(saved, dict) else ():
        value = saved.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and not isinstance(default, int):
            value = float(value)
        usable = isinstance(value, type(default)) or (default is None and isinstance(value, float))
        if usable and value in (choices or {}).get(name, (value,)):
            found[name] = value
    return found
