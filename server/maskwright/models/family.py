"""What there is to know of a model family before any of its code is imported. Light: standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Family:
    """``name``: as entries of the catalogue call it. ``title``: for people. ``roles``: what its models can be.

    ``load(entry, folder, setup)`` gives an object that plays these roles (see ``roles``); it imports what it needs when
    it is called, and raises ``ModelBroken`` for files that do not fit.
    """

    name: str
    title: str
    roles: tuple[str, ...]
    load: Callable[[Any, Any, Any], Any]
