"""A recipe -> TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maskwright_client import recipe
from maskwright_client.recipe import Recipe


def text(one: Recipe) -> str:
    """The TOML file of a recipe; ``reading.parse`` reads it back."""
    data = recipe.as_data(one)
    lines = _pairs({key: value for key, value in data.items() if not isinstance(value, list)})
    for table in ("step", "output"):
        for entry in data.get(table, []):
            lines += ["", f"[[{table}]]", *_pairs(entry)]
    return "\n".join(lines).strip("\n") + "\n"


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # JSON's escapes are TOML's, but for one character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
