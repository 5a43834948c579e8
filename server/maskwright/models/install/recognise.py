"""Which family a user's checkpoint is of, and what else its contents tell of it. Light: no array library here."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskwright.models import families
from maskwright.models.contents import Contents
from maskwright.models.family import Family
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

_MOST_NAMES = 10_000


def family_of(seen: Contents, files: Sequence[str], title: str) -> Family | None:
    """The family, or None where several or none could have made it. ``files``: their names; ``title`` for sentences.

    Raises ``BadInput`` for what is known and cannot be run.
    """
    fitting = []
    for family in families.known().values():
        signs = next((signs for signs in family.signs if signs.fit(seen)), None)
        if signs is not None and signs.why_not:
            raise BadInput(tr("{0} cannot be used. {1}", title, signs.why_not), tr("Nothing was installed."))
        if signs is not None:
            fitting.append(family)
    if not fitting and seen.model_type:
        known = sorted({kind for family in families.known().values() for s in family.signs for kind in s.config})
        text = tr("{0} is a model of the kind {1!r}, which Maskwright cannot run.", title, seen.model_type[:60])
        raise BadInput(text, tr("Kinds that it can run: {0}.", ", ".join(known)))
    named = [family for family in fitting if _is_named(family, files)]
    return fitting[0] if len(fitting) == 1 else named[0] if len(named) == 1 else None


def _is_named(family: Family, files: Sequence[str]) -> bool:
    return any(re.sub(r"[^a-z0-9]", "", family.name) in re.sub(r"[^a-z0-9]", "", name.lower()) for name in files)


def possible(seen: Contents, files: Sequence[str]) -> list[Family]:
    """The families to ask for where ``family_of`` is in doubt: those with these signs, else with files so called."""
    signed = [family for family in families.known().values() if any(signs.fit(seen) for signs in family.signs)]
    return signed or [family for family in families.known().values() if family.fits(files)]


def facts(seen: Contents, family: Family) -> dict[str, Any]:
    """What an entry may say of such a checkpoint: input size, names of the classes, whether it draws."""
    told: dict[str, Any] = {}
    if side := _side(seen):
        told["input_size"] = side
    if family.vocabulary == "checkpoint" and (names := _names(seen)):
        told["names"] = names
    if family.masks == "checkpoint":
        told["draws"] = _draws(seen)
    return told


def _side(seen: Contents) -> int | None:
    """Pixels of the longer side that it looks at, where its graph or its configuration fixes them."""
    sizes = seen.preprocessor.get("size")
    given: list[Any] = list(sizes.values()) if isinstance(sizes, Mapping) else [sizes]
    for line in seen.inputs:
        shape = line.rpartition(" ")[2].split("x")
        if len(shape) == 4 and "3" in shape[1::2]:
            given = shape[2:] if shape[1] == "3" else shape[1:3]
            break
    given += re.findall(r"\d+", str(seen.told.get("imgsz", "")))
    sides = [int(side) for side in given if str(side).isdecimal() and 16 <= int(side) <= 8192]
    return max(sides, default=None)


def _names(seen: Contents) -> list[str]:
    """The names of its classes by number; empty where it tells none that can be used."""
    named: Any = seen.told.get("names") or seen.config.get("id2label")
    if isinstance(named, str):
        try:
            named = json.loads(named)
        except (ValueError, RecursionError):
            named = _literal(named)
    if isinstance(named, Mapping):
        by_number = {int(number): name for number, name in named.items() if str(number).isdecimal()}
        named = [by_number.get(number) for number in range(len(named))]
    sound = isinstance(named, (list, tuple)) and 0 < len(named) < _MOST_NAMES
    return list(named) if sound and all(isinstance(name, str) and name for name in named) else []


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _draws(seen: Contents) -> bool:
    kinds = [seen.told.get("task", ""), seen.told.get("kind", ""), *map(str, seen.config.get("architectures") or ())]
    return any("seg" in kind.lower() for kind in kinds) or _any_starts(seen.outputs, "output1 ")


def _any_starts(lines: Iterable[str], text: str) -> bool:
    return any(line.startswith(text) for line in lines)
