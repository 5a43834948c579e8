"""The model families there is code for. Light: no file that is read here imports a model library.

Each file of this package, and of the folders in it, describes one family as ``FAMILY``. What runs the models lies in
folders called ``inference`` and is imported when a model is loaded.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from maskwright.models.family import Family, Recipe

_RUNS = "inference"


@cache
def known() -> dict[str, Family]:
    """All families by name, in the order of their names."""
    found = [importlib.import_module(module).FAMILY for module in _modules(__path__, __name__)]
    return {family.name: family for family in sorted(found, key=lambda family: family.name)}


def with_recipes(role: str) -> list[tuple[Recipe, Family]]:
    """The recipes that families with that first role give their names to, in order of their ranks."""
    pairs = [(recipe, family) for family in known().values() if family.roles[0] == role for recipe in family.recipes]
    return sorted(pairs, key=lambda pair: pair[0].rank)


def get(name: str) -> Family:
    """The family of that name. Raises ``KeyError``."""
    return known()[name]


def _modules(folders: Iterable[str], package: str) -> Iterator[str]:
    folders = list(folders)
    for found in pkgutil.iter_modules(folders):
        if not found.ispkg:
            yield f"{package}.{found.name}"
        elif found.name != _RUNS:
            yield from _modules([str(Path(folder, found.name)) for folder in folders], f"{package}.{found.name}")
