"""Which words a model knows and whether it draws, told from its entry and its family. Light."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .entries import Entry
from .words import meanings

Understands = Callable[[str, Sequence[str]], object]  # whether names mean a phrase


def says(phrase: str, names: Sequence[str]) -> bool:
    """Whether names say all that the phrase does."""
    return bool(meanings(phrase, names, kinds=False))


def names(entry: Entry) -> tuple[str, ...] | None:
    """The names of a detector's classes; None when it understands any words, or only the loaded file tells."""
    family = entry.facts
    everywhere = family.vocabulary if isinstance(family.vocabulary, tuple) else ()
    return entry.names or everywhere or (() if entry.own else family.usual_names) or None


def draws(entry: Entry) -> bool | None:
    """Whether the detector gives masks besides its boxes; None when the loaded file or what it is asked decides."""
    masks = entry.facts.masks
    if masks == "asked" or (masks == "checkpoint" and entry.own and entry.draws is None):
        return None
    return masks == "checkpoint" and bool(entry.draws)


def knows(entry: Entry, phrase: str, understands: Understands = says) -> bool | None:
    """Whether the detector understands a phrase, all of it unless told otherwise; None when only the loaded file
    tells."""
    if entry.facts.reads_any_words:
        return True
    known = names(entry)
    return None if known is None else bool(understands(phrase, known))
