"""A recipe's TOML file -> a recipe. What is wrong is told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskwright_client import recipe
from maskwright_client.recipe import Recipe
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

MAX_BYTES = 64 * 1024
SUFFIX = ".toml"
_TABLE = re.compile(r"\s*\[\[\s*[\"']?([A-Za-z]+)[\"']?\s*\]\]")
_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*=")


def read(path: Path) -> Recipe:
    """Raises ``BadInput`` with the line, for a file that is not there too."""
    return parse(_text(path), path.name)


def _text(path: Path) -> str:
    if path.is_dir():
        raise BadInput(tr("{0} is a folder, not a recipe.", path), tr("Name a recipe file, like portrait.toml."))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadInput(
            tr("There is no recipe file {0}.", path), tr("'maskwright recipes list' shows the saved ones.")
        ) from None
    except OSError as error:
        raise BadInput(tr("{0} cannot be read: {1}.", path, error.strerror), tr("Check the file.")) from None
    if len(data) > MAX_BYTES:
        raise BadInput(tr("{0} is longer than a recipe can be.", path.name), tr("At most {0} KB.", MAX_BYTES // 1024))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(tr("{0} is not a text file in UTF-8.", path.name), tr("Save it as UTF-8.")) from None


def parse(text: str, name: str) -> Recipe:
    """``name`` is the file's, for messages and for a recipe without a name. Raises ``BadInput``."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(*_not_toml(error, name), file=name) from None
    except RecursionError:
        raise BadInput(
            tr("{0} is nested too deeply.", name), tr("A recipe has steps and outputs, and lists of texts.")
        ) from None
    try:
        return recipe.read(data, Path(name).stem)
    except BadInput as error:
        where = error.details.get("where", [])
        line = line_of(text, where)
        place = f"{name}, line {line}" if line else name
        raise BadInput(f"{place}: {error.message}", error.hint, file=name, line=line, where=where) from None


def _not_toml(error: tomllib.TOMLDecodeError, name: str) -> tuple[str, str]:
    """A sentence and a hint for what is no TOML."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
    if match is None:
        return f"{name} is not TOML: {error}.", _QUOTES
    line = f", line {match[2]}" if match[2] else ""
    return f"{name}{line} is not TOML: {match[1]}.", _QUOTES


_QUOTES = 'Texts stand in quotes: text = "dog". Switches are true or false, without quotes.'


def line_of(text: str, where: Sequence[Any]) -> int:
    """The line, from 1, of a path such as ``["step", 1, "grow"]``: of the key, else of its table; 0 when unknown.

    Tables written as ``[[step]]`` are found, inline ones are not.
    """
    wanted = where[0] if len(where) > 1 and isinstance(where[1], int) else None
    key = str(where[-1]) if where and isinstance(where[-1], str) else None
    table, count, header = None, -1, 0
    for number, line in enumerate(text.split("\n"), 1):
        opened = _TABLE.match(line)
        if opened:
            table = opened[1]
            count += table == (wanted or key)
            if table == (wanted or key) and count == (where[1] if wanted else 0):
                header = number
                if key is None or not wanted:
                    return number
            continue
        named = _KEY.match(line)
        here = table == wanted and (wanted is None or count == where[1])
        if named and here and named[1].replace("_", "-") == (key or "").replace("_", "-"):
            return number
    return header
