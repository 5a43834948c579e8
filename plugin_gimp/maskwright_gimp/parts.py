"""Parts of people as a text: ``"hair; skin #2"`` is everybody's hair and the second person's skin. Plain Python."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Instance


class Part(NamedTuple):
    """``person`` counts from the left; 0 is everybody."""

    name: str
    person: int = 0


def read(text: str) -> List[Part]:
    """The parts of a text. Raises ``EmptyPrompt`` without any, ``BadInput`` for a person that is no number."""
    found = []
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        name, sign, number = (piece.strip() for piece in piece.partition("#"))
        if not name or (sign and not (number.isdigit() and int(number) > 0)):
            raise BadInput(f"{piece!r} names no part.", 'Write it as "hair", or "hair #2" for the second person\'s.')
        found.append(Part(name, int(number or 0)))
    if not found:
        raise EmptyPrompt("No part is chosen.", "Tick at least one.")
    return found


def write(parts: Sequence[Part]) -> str:
    """The text of parts."""
    return "; ".join(f"{part.name} #{part.person}" if part.person else part.name for part in parts)


def people(parts: Sequence[Part]) -> bool:
    """Whether people must be told apart for these."""
    return any(part.person for part in parts)


def names(parts: Sequence[Part]) -> List[str]:
    """Each name once, in order."""
    return list(dict.fromkeys(part.name for part in parts))


def chosen(instances: Sequence[Instance], parts: Sequence[Part]) -> List[Instance]:
    """The instances that are meant, of an answer that tells people apart."""
    wanted: Dict[str, List[int]] = {}
    for part in parts:
        wanted.setdefault(part.name.casefold(), []).append(part.person)
    # A word of the user's own is answered under the part's name: then only the person can be compared.
    answered = {instance.part.casefold() for instance in instances}
    others = [person for name, persons in wanted.items() if name not in answered for person in persons]

    def meant(instance: Instance) -> bool:
        persons = wanted.get(instance.part.casefold(), others)
        return 0 in persons or instance.person in persons

    return [instance for instance in instances if meant(instance)]


def rows(instances: Sequence[Instance]) -> List[Tuple[Part, Instance]]:
    """What there is to choose from: each part of each person, from the left."""
    found = [(Part(instance.part or instance.label, instance.person), instance) for instance in instances]
    return sorted(found, key=lambda row: row[0].person)
