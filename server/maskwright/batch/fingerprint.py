"""What names a result: the content of the picture and its masks, the settings, and the models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from maskwright.files.writing import WriteOptions
from maskwright_client.jobs import ROLES
from maskwright_protocol.messages import Models

from .task import Task

_SIZE = 16  # bytes of a digest


def of_settings(task: Task, options: WriteOptions, models: Models, server_version: str) -> str:
    """The settings of a task and what would compute it: the server's version, the installed models of its roles and the
    recipes that they allow."""
    roles = {"parser", *(role for verb in task.verbs for role in ROLES[verb])}
    value = {
        "settings": task.settings(),
        "options": options.settings(),
        "server": server_version,
        "models": sorted((m.id, m.size, m.problem) for m in models.models if m.installed and roles & set(m.roles)),
        "recipes": sorted(r.name for r in models.recipes if r.available and r.verb in task.verbs),
    }
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_SIZE).hexdigest()


def of_files(settings: str, picture: Path, masks: Sequence[Path]) -> str:
    """The files' content together with the settings. Raises ``OSError``."""
    digest = hashlib.blake2b(settings.encode("utf-8", "surrogateescape"), digest_size=_SIZE)
    for path in (picture, *masks):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_SIZE)).digest())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
