"""What the user chose in the docker. Knows neither Krita nor Qt."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import List

from maskwright_client.jobs import LOOKS_CLOSELY, USES_TILES, JobOptions

SOURCES = ("layer", "effects", "image")
MODES = ("replace", "add", "subtract", "intersect", "difference")
KINDS = ("selection", "transparency", "layer", "selection-mask", "instances")
CHOICES = {"source": SOURCES, "mode": MODES, "kind": KINDS, "precise": LOOKS_CLOSELY, "tiles": USES_TILES,
           "mask_depth": (8,)}  # fmt: skip
HISTORY_LENGTH = 20


@dataclass
class Options(JobOptions):
    """The docker's settings; they outlive Krita (see ``to_json``)."""

    prompt: str = ""
    exclude: str = ""  # words for what to leave out
    source: str = "layer"
    mode: str = "replace"
    kind: str = "selection"
    limit: bool = False  # an existing selection limits where is searched
    hover: bool = True  # preview under the pointer while the click tool is on
    history: List[str] = field(default_factory=list)
    command: str = ""  # path of the maskwright command, when it is not found by itself
    welcomed: bool = False  # the offer of a first set of models was put away
    stop_server: bool = True  # at Krita's end, a server that this Krita started and nobody else uses

    def remember(self, prompt: str) -> None:
        """Put a prompt first in the history."""
        self.prompt = prompt
        self.history = [prompt, *(old for old in self.history if old != prompt)][:HISTORY_LENGTH]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Options":
        """Settings as they were saved; whatever cannot be used is left at its default."""
        options = cls()
        try:
            saved = json.loads(text)
        except ValueError:
            return options
        if not isinstance(saved, dict):
            return options
        for item in fields(cls):
            default = getattr(options, item.name)
            value = saved.get(item.name, default)
            if isinstance(value, int) and not isinstance(value, bool) and not isinstance(default, int):
                value = float(value)
            if item.name == "threshold":
                usable = value is None or (isinstance(value, float) and 0.0 <= value <= 1.0)
            else:
                usable = isinstance(value, type(default)) and value in CHOICES.get(item.name, (value,))
            if usable:
                setattr(options, item.name, value)
        options.history = [str(old) for old in options.history][:HISTORY_LENGTH]
        options.models = {str(role): str(model) for role, model in options.models.items()}
        options.recipes = {str(verb): str(recipe) for verb, recipe in options.recipes.items()}
        return options
