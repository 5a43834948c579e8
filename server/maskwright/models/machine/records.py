"""What was recorded on this computer about models: digests of files, revisions, memory, licences that were agreed to,
and what failed.

One JSON file in the user's data folder, replaced atomically. Losing it costs a download's check, never a model.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from maskwright.models.catalogue.entries import Content
from maskwright_protocol.whole_file import write_whole

FILE_NAME = "models.json"


def path() -> Path:
    from maskwright.config import default_model_folder

    return default_model_folder().parent / FILE_NAME


def _read() -> dict[str, Any]:
    try:
        value = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _get(section: str, key: str) -> Any:
    table = _read().get(section)
    return table.get(key) if isinstance(table, dict) else None


def _put(section: str, key: str, value: Any) -> None:
    from filelock import FileLock

    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock"), timeout=10):
        records = _read()
        table = records.get(section)
        table = {**(table if isinstance(table, dict) else {}), key: value}
        records[section] = {name: known for name, known in table.items() if known is not None}
        write_whole(target, json.dumps(records, indent=1, sort_keys=True).encode(), private=True)


def content(model: str, file: str) -> Content | None:
    """Size and digest of a file as recorded at its first download."""
    value = _get("files", f"{model}/{file}")
    try:
        return Content.model_validate(value) if value else None
    except ValueError:
        return None


def record_content(model: str, file: str, found: Content) -> None:
    _put("files", f"{model}/{file}", found.model_dump())


def digest(file: str, size: int, mtime_ns: int) -> str | None:
    """The SHA-256 of a file from an earlier reading, unless its size or time has changed since."""
    value = _get("digests", file)
    known = isinstance(value, list) and len(value) == 3 and value[:2] == [size, mtime_ns]
    return str(value[2]) if known else None


def record_digest(file: str, size: int, mtime_ns: int, sha256: str) -> None:
    _put("digests", file, [size, mtime_ns, sha256])


def revision(model: str, hub: str) -> str | None:
    """The commit of a hub repository that the model's first download took, where the catalogue names none."""
    value = _get("revisions", f"{model}@{hub}")
    return value if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{40}", value) else None


def record_revision(model: str, hub: str, commit: str) -> None:
    _put("revisions", f"{model}@{hub}", commit)


def licence_accepted(model: str, licence: str) -> bool:
    """Whether the user said yes to that licence of that model."""
    return _get("licences", model) == licence


def accept_licence(model: str, licence: str) -> None:
    _put("licences", model, licence)


def memory(model: str, device: str) -> int | None:
    """Bytes that the model took when it was measured on that kind of device ("cpu", "cuda")."""
    value = _get("memory", f"{model}@{device}")
    return value if isinstance(value, int) and value > 0 else None


def record_memory(model: str, device: str, nbytes: int) -> None:
    _put("memory", f"{model}@{device}", nbytes)


def failures() -> dict[str, tuple[str, str]]:
    """By model what was tried, as ``record_failure`` was told, and why it failed, a sentence."""
    table = _read().get("failures")
    found = table.items() if isinstance(table, dict) else ()
    return {model: (value[0], value[1]) for model, value in found if _is_pair(value)}


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def record_failure(model: str, tried: str, sentence: str) -> None:
    """``tried``: a digest of what was tried, so that anything else is tried again. Without a sentence it did not fail
    any more."""
    _put("failures", model, [tried, sentence] if sentence else None)
