"""The user's own models: their files are copied into the model folder, their entries go into ``models.toml``.

A pickle among the files is converted first; what is copied and listed is the safetensors file made from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maskwright.models import catalogue
from maskwright_protocol.errors import BadInput

from . import download
from .convert import convert

SUFFIXES = (".onnx", ".safetensors", ".json", ".txt")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


def add(files: Sequence[Path], identity: str, family: str, more: dict[str, Any], key: str = "") -> Path:
    """Copy ``files`` into the model folder and write the entry; ``more``: further fields of it. Returns the folder.

    ``key``: which part of a pickle holds the tensors. Raises ``BadInput`` for what cannot be an entry, and for a pickle
    what ``convert`` raises; nothing is changed then.
    """
    with tempfile.TemporaryDirectory(prefix="maskwright-add-") as place:
        sound = [_converted(path, Path(place), key) if path.suffix.lower() in PICKLES else path for path in files]
        return _add(sound, identity, family, more)


def _converted(path: Path, place: Path, key: str) -> Path:
    return convert(path, place / f"{path.stem}.safetensors", key=key).out


def _add(files: Sequence[Path], identity: str, family: str, more: dict[str, Any]) -> Path:
    described = []
    for path in files:
        if path.suffix.lower() not in SUFFIXES:
            raise BadInput(f"{path.name} is neither ONNX nor safetensors.", "Export the model to one of these first.")
        try:
            with path.open("rb") as data:
                digest = hashlib.file_digest(data, "sha256").hexdigest()
            described.append({"name": path.name, "size": path.stat().st_size, "sha256": digest})
        except OSError as error:
            raise BadInput(f"{path.name} cannot be read: {error.strerror or error}.", "Check the path.") from error
    table = {"id": identity, "family": family, **more, "files": described}
    try:
        entry = catalogue.own_entry(table)
    except (ValidationError, ValueError) as error:
        text = f"This cannot be a model's entry: {catalogue.first_problem(error)}."
        raise BadInput(text, "Correct that option of the command.") from error
    known = catalogue.load()
    if entry.id in {other.id for other in (*known.model, *known.absent)}:
        raise BadInput(f"There is a model called {entry.id} already.", "Choose another --id.")
    from maskwright.config import default_model_folder

    folders = sorted({path.resolve().parent for path in files})
    if len(folders) == 1:
        folder = download.pull(entry, [], default_model_folder(), origin=folders[0])
    else:
        folder = download.pull(entry, folders, default_model_folder())  # found by their content
    _append(table)
    return folder


def _append(table: dict[str, Any]) -> None:
    path = catalogue.user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [before.rstrip(), "", "[[model]]"] if before.strip() else ["[[model]]"]
    lines += [f"{name} = {_toml(value)}" for name, value in table.items()]
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
