"""The saved recipes: one file each in a folder beside the configuration."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from maskwright.config import config_file
from maskwright_client import recipe
from maskwright_client.recipe import Recipe
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import SavedRecipe
from maskwright_protocol.whole_file import write_whole

from . import reading, writing

MOST = 500  # saved recipes
LISTED = 150_000  # bytes of files that a list tells whole: it has to fit into a message
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # no file can be called so on Windows


def folder() -> Path:
    return config_file().parent / "recipes"


def names() -> list[str]:
    """Of the saved recipes, sorted."""
    try:
        found = [path for path in folder().iterdir() if path.suffix == reading.SUFFIX and path.name[:1] != "."]
    except OSError:
        return []
    return sorted((path.stem for path in found if path.is_file()), key=str.casefold)[:MOST]


def path_of(name: str) -> Path:
    return folder() / f"{name}{reading.SUFFIX}"


def find(word: str) -> Path:
    """The file that a word on the command line means: a path, or the name or title of a saved recipe.

    Raises ``BadInput``.
    """
    path = Path(word)
    if path.suffix == reading.SUFFIX or path.is_file():
        if not path.exists() and path.name == word and path_of(path.stem).is_file():
            return path_of(path.stem)
        return path
    known = names()
    wanted = {word.casefold(), file_name(word, strict=False)}
    for name in known:
        if name.casefold() in wanted:
            return path_of(name)
    hint = recipe.did_you_mean(word, known) if known else tr("Nothing is saved yet: --save-recipe saves a command.")
    raise BadInput(tr("There is no recipe {0}.", word), hint)


def file_name(title: str, strict: bool = True) -> str:
    """What the file of a recipe with that name is called: small letters and digits, with hyphens between.

    Raises ``BadInput`` when nothing is left of it.
    """
    kept = "".join(c if c.isalnum() else "-" for c in unicodedata.normalize("NFC", title).casefold())
    name = re.sub("-+", "-", kept).strip("-")[:60].rstrip("-")
    if _RESERVED.fullmatch(name):
        name += "-recipe"
    if not name and strict:
        raise BadInput(tr("The recipe has no name."), tr("Give it one with letters in it."))
    return name


def load() -> list[SavedRecipe]:
    """All saved recipes; those that cannot be used say why."""
    found, size = [], 0
    for name in names():
        size += _size(name)
        found.append(load_one(name) if size <= LISTED else SavedRecipe(name, name, problem=_TOO_MANY, hint=_DELETE))
    return found


_TOO_MANY, _DELETE = "There are too many recipes to tell this one.", "Delete some that are not needed."


def _size(name: str) -> int:
    try:
        return path_of(name).stat().st_size
    except OSError:
        return 0


def load_one(name: str) -> SavedRecipe:
    try:
        one = reading.read(path_of(name))
    except BadInput as error:
        return SavedRecipe(name, name, problem=error.message, hint=error.hint)
    return SavedRecipe(name, one.name or name, one.description, recipe.as_data(one))


def save(title: str, one: Recipe, overwrite: bool = False) -> str:
    """Write a recipe under its title; the file's name. Raises ``BadInput``, with ``exists`` for one that is there."""
    name = file_name(title)
    one.name = title.strip()
    if not overwrite and path_of(name).exists():
        raise BadInput(
            tr('There is a recipe "{0}" already.', name),
            tr("Choose another name, or say that it is to be replaced."),
            exists=name,
        )
    if len(names()) >= MOST and not path_of(name).exists():
        raise BadInput(tr("There are {0} saved recipes already.", MOST), tr("Delete some in {0}.", folder()))
    write(path_of(name), one)
    return name


def save_data(title: str, data: dict[str, Any], overwrite: bool) -> SavedRecipe:
    """The same from plain data, which a client sent."""
    if len(title) > 100:
        raise BadInput(tr("The recipe's name is too long."), tr("At most 100 letters."))
    return load_one(save(title, recipe.read(data), overwrite))


def write(path: Path, one: Recipe) -> None:
    """Write a file that is whole, or as it was before. Raises ``BadInput``."""
    content = writing.text(one).encode()
    if len(content) > reading.MAX_BYTES:
        raise BadInput(tr("The recipe is too long."), tr("At most {0} KB.", reading.MAX_BYTES // 1024))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise BadInput(tr("{0} cannot be written: {1}.", path, error.strerror), tr("Choose another place.")) from None


def remove(name: str) -> None:
    """Raises ``BadInput``."""
    try:
        path_of(name).unlink()
    except OSError as error:
        raise BadInput(
            tr("{0} cannot be deleted: {1}.", path_of(name), error.strerror), tr("Delete it by hand.")
        ) from None
