"""The catalogue: every checkpoint that Maskwright knows. Light: no array library here.

It is read from the TOML files beside this one, one a role (see ``README.md`` there), and from the user's own
``models.toml`` in the configuration folder. ``Catalogue.problems`` tells what is wrong in the user's file; the rest of
it is used.
"""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maskwright.models import families

from .entries import Catalogue, Entry

FILES = ("matting", "segmenters", "detectors", "parsers", "depth", "absent")
USER_FILE = "models.toml"


def parse(text: str) -> Catalogue:
    """A catalogue from TOML. Raises ``tomllib.TOMLDecodeError`` or ``pydantic.ValidationError``."""
    return Catalogue.model_validate(tomllib.loads(text))


@cache
def built_in() -> Catalogue:
    """The catalogue that comes with this version."""
    return parse("\n".join(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8") for name in FILES))


def user_file() -> Path:
    """Where the user's own entries are."""
    from maskwright.config import config_file

    return config_file().parent / USER_FILE


def load() -> Catalogue:
    """The built-in catalogue and the user's own entries, as they are now."""
    path = user_file()
    try:
        status = path.stat()
    except OSError:
        return built_in()
    return _merged(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _merged(path: Path, _mtime_ns: int, _size: int) -> Catalogue:
    try:
        return merge(built_in(), path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        return built_in().model_copy(update={"problems": (f"The file {path.name} cannot be read: {error}.",)})


def merge(known: Catalogue, text: str, name: str = USER_FILE) -> Catalogue:
    """``known`` and the sound entries of a user's file. Never raises; what is wrong is in ``problems``."""
    entries, problems = list(known.model), []
    taken = {entry.id for entry in (*known.model, *known.absent)}
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else error
        return known.model_copy(update={"problems": (f"The file {name} is not TOML: {reason}.",)})
    tables = raw.get("model", [])
    strange = sorted(set(raw) - {"model"})
    if strange or not isinstance(tables, list):
        problems.append(f"The file {name} may hold [[model]] tables only.")
    for number, table in enumerate(tables if isinstance(tables, list) else [], 1):
        label = table.get("id") if isinstance(table, dict) else None
        label = label if isinstance(label, str) else f"number {number}"
        try:
            entry = own_entry(table)
        except (ValidationError, ValueError, RecursionError) as error:
            problems.append(f"The model {label} in {name} is left out: {first_problem(error)}.")
            continue
        if entry.id in taken:
            problems.append(f"The model {label} in {name} is left out: that id is taken already.")
            continue
        taken.add(entry.id)
        entries.append(entry)
    return Catalogue(model=tuple(entries), absent=known.absent, problems=tuple(problems))


def own_entry(table: Any) -> Entry:
    """An entry of a user's file, where much may be left out. Raises ``ValidationError`` or ``ValueError``."""
    if not isinstance(table, dict):
        raise ValueError("it is not a table")
    known = sorted(families.known())
    if table.get("family") not in known:
        raise ValueError(f"its family must be one of {', '.join(known)}")
    like = next((e for e in built_in().model if e.family == table["family"]), None)
    files = table.get("files")
    sizes = [f.get("size") for f in files if isinstance(f, dict)] if isinstance(files, list) else []
    defaults: dict[str, Any] = {
        "title": table.get("id"),
        "summary": "Added by you.",
        "licence": "unknown",
        "commercial": "ask",
        "source": "",
        "revision": "yours",
        "parameters": 0,
        "memory": max(64 << 20, 3 * sum(s for s in sizes if isinstance(s, int))),
        "input_size": like.input_size if like is not None else None,
    }
    entry = Entry.model_validate({**defaults, **table, "own": True, "embedded": False, "recommended": False})
    if not entry.files:
        raise ValueError("it names no files")
    if not set(entry.roles) <= set(entry.facts.roles):
        raise ValueError(f"the family {entry.family} is made for: {', '.join(entry.facts.roles)}")
    if not entry.facts.fits([file.name for file in entry.files]):
        layouts = " or ".join(entry.facts.layouts) or "none"
        raise ValueError(f"the files of a model of the family {entry.family} are called {layouts}")
    return entry


def first_problem(error: Exception) -> str:
    """What is wrong with an entry, for a sentence."""
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])
