"""Made-up steps: every option with values that it takes."""

from __future__ import annotations

import random
from typing import Any

from maskwright_client.recipe_options import SELECTION, VERBS, Option, Verb

TEXTS = ["dog", "the largest dog - collar", 'a "red" car', "naïve café", "c:\\new\\table", "tab\there", "#2", "[x]"]


def value(option: Option, chance: random.Random) -> Any:
    """One that the option takes, in the form in which it keeps it, and which is not its default."""
    if option.choices:
        picked = chance.choice([one for one in option.choices if one not in ("auto", "8")])
        return int(picked) if option.kind == "count" else picked
    if option.kind == "number":
        low, high = max(option.low, -50.0), min(option.high, 50.0)
        return round(chance.uniform(low, high) or 0.5, 3) or 0.5
    if option.kind == "count":
        return chance.randint(1, int(min(option.high, 9)))
    return {
        "text": lambda: chance.choice(TEXTS),
        "switch": lambda: True,
        "texts": lambda: chance.sample(TEXTS, chance.randint(1, 3)),
        "pick": lambda: chance.choice(["best", "3"]),
        "mask": lambda: SELECTION,
        "points": lambda: [f"{chance.randint(0, 100)}%,{chance.randint(0, 99)}.25%"],
        "boxes": lambda: [f"{chance.randint(0, 50)}%,{chance.randint(0, 50)}%,25%,12.5%"],
        "strokes": lambda: [" ".join(f"{chance.randint(0, 100)}%,{chance.randint(0, 100)}%" for _ in range(3))],
        "settings": lambda: ["iou=0.5"],
        "colour": lambda: f"#{chance.randrange(1 << 24):06x}",
        "distance": lambda: "10,60" if option.name == "range" else "25%,75%",
    }[option.kind]()


def options(verb: Verb, chance: random.Random) -> dict[str, Any]:
    """Some of the verb's options."""
    names = chance.sample(sorted(verb.options), chance.randint(0, len(verb.options)))
    if verb.name == "select":
        far = [name for name in names if verb.options[name].kind == "distance"]
        names = [name for name in names if name not in far[1:]]
        if not far:
            names = [name for name in names if name != "softness"]
    return {name: value(verb.options[name], chance) for name in names}


def steps(chance: random.Random) -> list[dict[str, Any]]:
    """A recipe's steps; masks are of earlier steps where there are some."""
    made: list[dict[str, Any]] = []
    masked: list[str] = []
    for number in range(chance.randint(1, 5)):
        verb = chance.choice(list(VERBS.values()))
        chosen = options(verb, chance)
        for name in chosen:
            if verb.options[name].kind == "mask":
                chosen[name] = chance.choice([*masked, SELECTION])
        name = f"step-{number}"
        made.append({"name": name, "verb": verb.name, **chosen})
        if "mask" in verb.gives:
            masked.append(name)
    return made
