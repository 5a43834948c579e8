"""Parts of people as the user ticks them. Knows neither Krita nor Qt."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from maskwright_protocol.messages import Instance


class Part(NamedTuple):
    """``person`` counts from the left; 0 is everybody."""

    name: str
    person: int = 0


def people(parts: Sequence[Part]) -> bool:
    """Whether people must be told apart for these."""
    return any(part.person for part in parts)


def names(parts: Sequence[Part]) -> List[str]:
    """Each name once, in order."""
    return list(dict.fromkeys(part.name for part in parts))


def rows(instances: Sequence[Instance]) -> List[Tuple[Part, Instance]]:
    """What there is to choose from: each part of each person, from the left."""
    found = [(Part(one.part or one.label, one.person), one) for one in instances if one.mask is not None]
    return sorted(found, key=lambda row: row[0].person)


def chosen(instances: Sequence[Instance], parts: Sequence[Part]) -> List[Instance]:
    """The instances that are meant, of an answer that tells people apart."""
    wanted: Dict[str, List[int]] = {}
    for part in parts:
        wanted.setdefault(part.name, []).append(part.person)

    def meant(one: Instance) -> bool:
        persons = wanted.get(one.part or one.label, [])
        return 0 in persons or one.person in persons

    return [one for one in instances if meant(one)]
