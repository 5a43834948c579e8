"""Writes the user's own entries into ``models.toml``. What else is in the file stays as it is."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from filelock import FileLock

from maskwright.models import catalogue
from maskwright_protocol.errors import BadInput
from maskwright_protocol.whole_file import write_whole

_ENTRY = re.compile(r"^\s*\[\[\s*model\s*\]\]", re.MULTILINE)


def write(table: dict[str, Any]) -> None:
    """Put an entry into the file, in place of the one with its id if there is one. Raises ``BadInput`` for a file that
    is no TOML."""
    _change(str(table["id"]), table)


def remove(model_id: str) -> None:
    """Take the entry of that id out of the file. Raises ``BadInput`` as ``write``."""
    _change(model_id, None)


def _change(model_id: str, table: dict[str, Any] | None) -> None:
    path = catalogue.user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=10):
        parts = _without(read(), model_id)
        if table is not None:
            parts.append("\n".join(["[[model]]", *(f"{name} = {_toml(value)}" for name, value in table.items())]))
        write_whole(path, ("\n\n".join(part for part in parts if part) + "\n").encode())


def read() -> str:
    """The text of the file, "" where there is none. Raises ``BadInput`` where entries cannot be written into it."""
    path = catalogue.user_file()
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        _without(text, "")
        tomllib.loads(f"{text}\n[[model]]\n")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        problem = f"The file {path.name}, which lists your models, cannot be changed: {error}."
        raise BadInput(problem, f"Correct {path}, or move it away.") from error
    return text


def _without(text: str, model_id: str) -> list[str]:
    """The parts of the file, one for each entry, but for those of that id; comments below an entry stay."""
    tomllib.loads(text)
    starts = [match.start() for match in _ENTRY.finditer(text)]
    parts = [text[: starts[0]] if starts else text]
    for start, end in zip(starts, [*starts[1:], len(text)][: len(starts)], strict=True):
        part = text[start:end]
        if tomllib.loads(part)["model"][0].get("id") == model_id:
            lines = part.rstrip().split("\n")
            last = max(
                number for number, line in enumerate(lines) if not line.lstrip().startswith("#") and line.strip()
            )
            part = "\n".join(lines[last + 1 :])
        parts.append(part)
    return [part.strip() for part in parts]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
