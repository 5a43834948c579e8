"""The model families there is code for. Light: no file that is read here imports a model library.

Each file of this package, and of the folders in it, describes one family as ``FAMILY``. What runs the models lies in
folders called ``inference`` and is imported when a model is loaded.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from maskwright.models.family import Family

_RUNNING = "inference"


@cache
def known() -> dict[str, Family]:
    """All families by name, in the order of their names."""
    found = {}
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        if not module.ispkg and f".{_RUNNING}." not in module.name:
            family = importlib.import_module(module.name).FAMILY
            found[family.name] = family
    return dict(sorted(found.items()))


def get(name: str) -> Family:
    """The family of that name. Raises ``KeyError``."""
    return known()[name]
