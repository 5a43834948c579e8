"""Parts of people, and their text: ``"hair; skin #2"`` is everybody's hair and the second person's skin."""

import re
from typing import Dict, List, NamedTuple, Sequence, Tuple

from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Instance


class BodyPart(NamedTuple):
    """``person`` counts from the left; 0 is everybody."""

    name: str
    person: int = 0


def read(text: str) -> List[BodyPart]:
    """The parts of a text. Raises ``EmptyPrompt`` without any, ``BadInput`` for a person that is no number."""
    found = []
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        name, sign, number = (piece.strip() for piece in piece.partition("#"))
        if not name or (sign and not (number.isdigit() and int(number) > 0)):
            raise BadInput(
                tr("{0!r} names no part.", piece), tr('Write it as "hair", or "hair #2" for the second person\'s.')
            )
        found.append(BodyPart(name, int(number or 0)))
    if not found:
        raise EmptyPrompt(tr("No part is chosen."), tr("Tick at least one."))
    return found


def write(parts: Sequence[BodyPart]) -> str:
    """The text of parts."""
    return "; ".join(f"{part.name} #{part.person}" if part.person else part.name for part in parts)


def need_people_apart(parts: Sequence[BodyPart]) -> bool:
    """Whether one person is meant alone."""
    return any(part.person for part in parts)


def names(parts: Sequence[BodyPart]) -> List[str]:
    """Each name once, in order."""
    return list(dict.fromkeys(part.name for part in parts))


def chosen(instances: Sequence[Instance], parts: Sequence[BodyPart]) -> List[Instance]:
    """The instances that are meant, of an answer that tells people apart. Capitals and hyphens do not matter."""
    wanted: Dict[str, List[int]] = {}
    for part in parts:
        wanted.setdefault(_key(part.name), []).append(part.person)
    # A word of the user's own is answered under the part's name: then only the person can be compared.
    answered = {_key(_name(instance)) for instance in instances}
    others = [person for name, persons in wanted.items() if name not in answered for person in persons]

    def meant(instance: Instance) -> bool:
        persons = wanted.get(_key(_name(instance)), others)
        return 0 in persons or instance.person in persons

    return [instance for instance in instances if meant(instance)]


def _name(instance: Instance) -> str:
    return instance.part or instance.label


def _key(name: str) -> str:
    """A name for comparison: small letters, single blanks, no punctuation."""
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


# ---------------------------------------------------------------- a list to tick


def rows(instances: Sequence[Instance]) -> List[Tuple[BodyPart, Instance]]:
    """What there is to choose from: each part of each person that has a mask, from the left."""
    found = [(BodyPart(_name(one), one.person), one) for one in instances if one.mask is not None]
    return sorted(found, key=lambda row: row[0].person)


def is_ticked(part: BodyPart, text: str) -> bool:
    """Whether a text names this row of the list: by its person, or for everybody."""
    name = _key(part.name)
    return any(_key(one.name) == name and one.person in (0, part.person) for one in _readable(text))


def with_ticks(text: str, listed: Sequence[BodyPart], ticked: Sequence[BodyPart]) -> str:
    """The text after a tick: the rows that are ticked, and what was typed besides and is not in the list."""
    known = {_key(part.name) for part in listed}
    return write([*ticked, *(part for part in _readable(text) if _key(part.name) not in known)])


def _readable(text: str) -> List[BodyPart]:
    try:
        return read(text)
    except (BadInput, EmptyPrompt):
        return []
