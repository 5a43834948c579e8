"""Some twenty questions that both editors are asked in the same way, most of which have no good answer: what the user
is told must be the same, word for word, and be what ``maskwright_client.told`` makes of the server's own answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright_client import body_parts, told
from maskwright_client.choices import EMPTY_LAYER
from maskwright_client.client import Client
from maskwright_client.jobs import Edge, JobOptions, Prompt
from maskwright_protocol.errors import MaskwrightError

from .gimp.asking import Pixels, answer

PHOTO, BLANK, EMPTY = "the photo", "a white picture", "the photo below an empty layer, which is selected"


@dataclass(frozen=True)
class Question:
    """``job`` is what is asked; ``gimp`` the procedure with its arguments and ``krita`` the command that ask it.
    ``options`` are those of ``JobOptions``."""

    job: Callable[[JobOptions], Any]
    gimp: tuple[str, dict[str, Any]]
    krita: str
    scene: str = PHOTO
    options: dict[str, Any] = field(default_factory=dict)


def words(text: str, scene: str = PHOTO, but_not: str = "", **options: Any) -> Question:
    """A prompt. ``options`` that GIMP names otherwise are translated."""
    arguments: dict[str, Any] = {"prompt": text, "but_not": but_not, **options}
    if "models" in options:
        arguments["models"] = ", ".join(f"{role}={model}" for role, model in options["models"].items())
    if "recipes" in options:
        arguments["recipe"] = arguments.pop("recipes")["select"]
    return Question(
        lambda how: how.select(Prompt(text, but_not)),
        ("maskwright-select-by-prompt", arguments),
        f"select_by_prompt({text!r}, exclude={but_not!r})",
        scene,
        options,
    )


def parts(text: str, scene: str = PHOTO) -> Question:
    return Question(
        lambda how: how.parts(body_parts.read(text), True),
        ("maskwright-select-parts", {"parts": text}),
        f"select_parts({text!r}, True, 'selection')",
        scene,
    )


IN_PART = "words understood in part"
QUESTIONS = {
    "no words": words(""),
    "words nobody knows": words("a blue chrysanthemum"),
    "a misspelt word": words("persn"),
    "what is not there": words("giraffe"),
    "two things that are not there": words("giraffe; elephant"),
    "more than there are": words("person #99"),
    "what is left of itself": words("person", but_not="person"),
    "nothing that is so sure": words("person", detector_options="min_score=0.999"),
    "a setting that there is not": words("person", detector_options="iuo=1"),
    "no setting at all": words("person", detector_options="nonsense"),
    "a model that there is not": words("person", models={"segmenter": "nothing"}),
    "a recipe that there is not": words("person", recipes={"select": "magic"}),
    "all of it dropped as specks": words("bus", min_area=1e6),
    "words on a white picture": words("person", BLANK),
    "an empty layer": words("bus", EMPTY),
    IN_PART: words("the dirty bus"),
    "the subject of a white picture": Question(
        lambda how: how.subject(), ("maskwright-select-subject", {}), "select_subject()", BLANK
    ),
    "refine nothing": Question(
        lambda how: how.refine(None, Edge()), ("maskwright-select-refine", {}), "refine()"
    ),
    "the object in nothing": Question(
        lambda how: how.select_object(None), ("maskwright-select-object", {}), "select_object()"
    ),
    "fill nothing": Question(
        lambda how: how.inpaint(None, 0.0, 0.0, 0.5),
        ("maskwright-prepare-inpainting", {}),
        "prepare_inpainting(0.0, 0.0, 0.5)",
    ),
    "no part": parts(""),
    "a part that nobody has": parts("tentacle"),
    "hair of nobody": parts("hair", BLANK),
}  # fmt: skip


def expected(client: Client, question: Question, photo: NDArray[Any]) -> str:
    """What is told, whole; empty when there is nothing to tell."""
    picture = np.full_like(photo, 255) if question.scene == BLANK else photo
    try:
        reply = answer(client, question.job(JobOptions(**question.options)), Pixels(picture))
    except MaskwrightError as error:
        return told.of_failure(error).text
    said = told.of_answer(reply, [EMPTY_LAYER] if question.scene == EMPTY else [])
    return said.text if said is not None else ""
