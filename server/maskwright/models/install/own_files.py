"""Which files a user's path means, and what they are called in the model folder. Light."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from maskwright_protocol.errors import BadInput

WEIGHTS = (".onnx", ".safetensors")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
_BESIDE = (".onnx_data", ".data", ".json", ".txt", ".model")
# Of a folder in the hub's layout, those that models are loaded with.
_OF_THE_HUB = re.compile(
    r"(config|generation_config|(pre)?processor_config|(special_|added_)?tokens(_map)?|tokenizer(_config)?|vocab"
    r"|model\.safetensors\.index)\.json|(vocab|merges)\.txt|.*\.model|.*\.onnx_data"
)
_OF_TRAINING = re.compile(r"(optimizer|scheduler|scaler|rng_state.*|training_args|last)\.(pt|pth|bin)")
_HUB_NAMES = ("model.safetensors", "pytorch_model.bin")
_SAY_NOTHING = ("", "model", "pytorch_model", "best", "weights")
_LONGEST = 60


def gather(given: Sequence[Path]) -> list[Path]:
    """The files of one model: those that are given, those of a folder, or those that belong to a file of the hub.

    Raises ``BadInput`` where there is none, or more than one model.
    """
    paths = [path.expanduser() for path in given]
    for path in paths:
        try:
            empty = path.is_file() and not path.stat().st_size
            there = path.exists()
        except (OSError, ValueError) as error:
            raise BadInput(f"{path.name} cannot be read: {error}.", "Check the path.") from error
        if not there:
            raise BadInput(f"There is no file {path}.", "Check the path.")
        if empty:
            raise BadInput(f"{path.name} is empty.", "Get the file again.")
    files = [file for path in paths for file in (_in_folder(path) if path.is_dir() else [path])]
    if len(files) == 1 and files[0].name in _HUB_NAMES and (files[0].parent / "config.json").is_file():
        files += [path for path in _plain(files[0].parent) if _OF_THE_HUB.fullmatch(path.name)]
    for file in files:
        if file.suffix.lower() not in (*WEIGHTS, *PICKLES, *_BESIDE):
            raise BadInput(
                f"{file.name} is no model that can be read.", "ONNX, safetensors, .pt and .pth files can be."
            )
    if not any(file.suffix.lower() in (*WEIGHTS, *PICKLES) for file in files):
        raise BadInput("There is no model among these files.", "Name the ONNX, safetensors, .pt or .pth file.")
    return sorted(dict.fromkeys(files))


def _in_folder(folder: Path) -> list[Path]:
    """The model in a folder; where training has written it, the best of its checkpoints."""
    files = _plain(folder)
    if not any(path.suffix.lower() in (*WEIGHTS, *PICKLES) for path in files) and (folder / "weights").is_dir():
        files = _plain(folder / "weights")
    beside = [path for path in files if _OF_THE_HUB.fullmatch(path.name)]
    for kinds in ((".safetensors",), (".onnx",), PICKLES):
        found = [p for p in files if p.suffix.lower() in kinds and not _OF_TRAINING.fullmatch(p.name)]
        parts = any(path.name == "model.safetensors.index.json" for path in beside)
        pair = len(found) == 2 and {True} == {any(w in p.name for p in found) for w in ("encoder", "decoder")}
        if len(found) > 1 and not parts and not pair:
            names = ", ".join(path.name for path in found[:6])
            raise BadInput(f"{folder.name} holds several models: {names}.", "Name the file of the one that you want.")
        if found:
            return [*found, *beside]
    raise BadInput(f"There is no model in the folder {folder.name}.", "Name the folder with its files, or the file.")


def _plain(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and path.stat().st_size)
    except OSError as error:
        raise BadInput(f"{folder.name} cannot be read: {error.strerror or error}.", "Check the path.") from error


def named(files: Sequence[Path]) -> dict[str, Path]:
    """The files by the names that they get: those of the hub's layout keep theirs, others get one that any system and
    any catalogue can have. A pickle is called as the safetensors file made from it.
    """
    hub = any(path.name == "config.json" for path in files)
    weights = [path for path in files if path.suffix.lower() in (".safetensors", *PICKLES)]
    found: dict[str, Path] = {}
    for path in files:
        suffix = path.suffix.lower()
        if suffix in PICKLES:
            suffix = ".safetensors"
        name = path.name if suffix in _BESIDE else plain_name(path.stem, "model") + suffix
        if hub and path in weights and len(weights) == 1:
            name = "model.safetensors"
        stem, number = name.removesuffix(suffix), 2
        while name in found:
            name, number = f"{stem}-{number}{suffix}", number + 1
        found[name] = path
    return found


def plain_name(text: str, otherwise: str) -> str:
    """A name of ASCII letters, digits, points, dashes and underscores as near to ``text`` as can be."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_LONGEST].strip("-.")
    return name or otherwise


def default_id(files: Sequence[Path], given: Path, family: str) -> str:
    """An id from what the user called it."""
    weights = next(path for path in files if path.suffix.lower() in (*WEIGHTS, *PICKLES))
    own = given.expanduser()
    names = [own.resolve().name] if own.is_dir() else [weights.stem]
    names += [folder.name for folder in weights.resolve().parents]
    telling = next((name for name in names if name not in _SAY_NOTHING), "")
    return plain_name(telling.lower(), f"my-{family.replace('_', '-')}").lstrip("_")
