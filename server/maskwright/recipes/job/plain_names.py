"""What a model that knows names makes of a query that says more: "the left dog", "a red car", "women". Light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maskwright.models.catalogue.words import Reading, read
from maskwright_protocol.language import tr

from .prompt_language import Choice, Concept, Order, Query

# What boxes tell by themselves.
_PLACES: dict[tuple[str, ...], Order] = {
    ("left",): "left", ("right",): "right", ("left", "hand"): "left", ("right", "hand"): "right",
    ("top",): "top", ("upper",): "top", ("bottom",): "bottom", ("lower",): "bottom",
    ("top", "left"): "top left", ("upper", "left"): "top left", ("top", "right"): "top right",
    ("upper", "right"): "top right", ("bottom", "left"): "bottom left", ("lower", "left"): "bottom left",
    ("bottom", "right"): "bottom right", ("lower", "right"): "bottom right",
    ("middle",): "middle", ("central",): "middle", ("centre",): "middle", ("center",): "middle",
    ("big",): "area", ("large",): "area", ("huge",): "area", ("small",): "small", ("little",): "small",
    ("tiny",): "small", ("tall",): "tall", ("short",): "short", ("wide",): "wide", ("narrow",): "narrow",
}  # fmt: skip
_SAID: dict[Order, str] = {
    "area": tr("the largest"), "small": tr("the smallest"), "tall": tr("the tallest"), "short": tr("the shortest"),
    "wide": tr("the widest"), "narrow": tr("the narrowest"), "middle": tr("the one nearest the middle"),
    "left": tr("the one furthest to the left"), "right": tr("the one furthest to the right"),
    "top": tr("the one furthest to the top"), "bottom": tr("the one furthest to the bottom"),
    "top left": tr("the one furthest to the top left"), "top right": tr("the one furthest to the top right"),
    "bottom left": tr("the one furthest to the bottom left"),
    "bottom right": tr("the one furthest to the bottom right"),
}  # fmt: skip


@dataclass(frozen=True)
class Understood:
    """``query`` in names; ``notes``: a sentence for each phrase that names do not say as it is.

    ``lost``: the phrases that another model would understand better.
    """

    query: Query
    notes: tuple[str, ...]
    lost: tuple[str, ...]


def understand(query: Query, names: Sequence[str], title: str) -> Understood:
    """The query in ``names``, the classes of the model called ``title``; what they do not know stays as it is."""
    concepts, notes, lost = [], [], []
    for concept in query.concepts:
        reading = read(concept.phrase, names)
        if reading is None or reading.whole:
            concepts.append(concept)
            continue
        kept, choice = _place(reading, concept)
        concepts.append(replace(concept, phrase=" and ".join(reading.names), choice=concept.choice or choice))
        left_out = " ".join(part for part in (" ".join(kept), reading.after) if part)
        if left_out or not reading.same:
            lost.append(concept.phrase)
        notes.append(_note(title, reading, left_out, choice))
    return Understood(replace(query, concepts=tuple(concepts)), tuple(notes), tuple(lost))


def _place(reading: Reading, concept: Concept) -> tuple[tuple[str, ...], Choice | None]:
    """The words before the thing that are left over, and which one the others mean. A plural means no single one."""
    if concept.choice is not None or reading.plural:
        return reading.before, None
    words = reading.before[1:] if reading.before[:1] == ("far",) else reading.before
    for count in (2, 1):
        if len(words) >= count and (order := _PLACES.get(words[:count])) is not None:
            return words[count:], Choice(order)
    return reading.before, None


def _note(title: str, reading: Reading, left_out: str, choice: Choice | None) -> str:
    text = tr("{0} looked for {1}", title, " and ".join(reading.names[:3]))
    if len(reading.names) > 3:
        text = tr("{0} and others", text)
    if not reading.same:
        text = tr('{0}, which is all it knows of "{1}"', text, reading.word)
    if choice is not None:
        text = tr("{0}, and took {1}", text, _SAID[choice.order])
    return tr('{0}; it left out "{1}".', text, left_out) if left_out else tr("{0}.", text)
