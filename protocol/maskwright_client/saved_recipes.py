"""The recipes that the user keeps, as editors see them: asked of the server, and remembered for when there is none."""

import json
from dataclasses import asdict
from typing import Any, Dict, List, NamedTuple

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import RecipeSave, RecipesRequest, SavedRecipe

from . import recipe
from .ask import Steps
from .client import Client
from .recipe import Recipe, Step

DEFAULT_NAME = tr("My recipe")
# What a recipe can be run on in an editor, beside the one picture that is open.
NO_PIXELS = ("map", "boxes", "flats")  # outputs that no picture can take


class Asked(NamedTuple):
    """What was asked for last, as plain data: the recipe that does it again, and what is worth knowing of that."""

    recipe: Dict[str, Any]
    notes: List[str]


def listed(client: Client) -> Steps:
    """Steps that end with the list of ``SavedRecipe``."""
    report = yield client.submit(RecipesRequest(""))
    return report.recipes


def saved(client: Client, name: str, data: Dict[str, Any], overwrite: bool = False) -> Steps:
    """Steps that end with the ``SavedRecipe``. Raises ``BadInput``, with ``details["exists"]`` for a name that is
    taken."""
    report = yield client.submit(RecipeSave("", name.strip(), data, overwrite))
    return report.recipes[0]


def read(one: SavedRecipe) -> Recipe:
    """The recipe, for running it in an editor. Raises ``BadInput`` when it cannot be used."""
    if one.problem:
        raise BadInput(one.problem, one.hint)
    made = recipe.read(one.recipe, one.name)
    if all(output.what in NO_PIXELS for output in made.outputs):
        raise BadInput(
            tr('The recipe "{0}" makes nothing that could be put into an image.', one.title),
            tr("It lists boxes or objects: run it on files, with 'maskwright run'."),
        )
    return made


def is_painted(step: Step) -> bool:
    """Its colours are the server's own: an outline, a background or a shadow."""
    return any(step.options.get(name) for name in ("outline", "background", "shadow"))


# ---------------------------------------------------------------- remembered


def to_text(recipes: List[SavedRecipe]) -> str:
    return json.dumps([asdict(one) for one in recipes])


def of_text(text: str) -> List[SavedRecipe]:
    """What ``to_text`` made; whatever cannot be used is left out."""
    try:
        found = json.loads(text)
        return [
            SavedRecipe(
                str(one["name"]), str(one["title"]), str(one["description"]), dict(one["recipe"]), str(one["problem"]),
                str(one["hint"]),
            )
            for one in found
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return []
