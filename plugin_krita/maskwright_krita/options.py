"""What the user chose in the docker. Knows neither Krita nor Qt."""

import json
from dataclasses import asdict, dataclass, field
from typing import List

from maskwright_client.choices import LOOKS_CLOSELY, USES_TILES
from maskwright_client.jobs import JobOptions
from maskwright_client.settings import read_settings
from maskwright_protocol.language import tr

SOURCES = (("layer", tr("Active layer")), ("effects", tr("Layer with effects")), ("image", tr("Visible image")))
MODES = (
    ("replace", tr("Replace selection")),
    ("add", tr("Add to selection")),
    ("subtract", tr("Subtract from selection")),
    ("intersect", tr("Intersect with selection")),
    ("difference", tr("Symmetric difference")),
)
KINDS = (
    ("selection", tr("Selection")),
    ("transparency", tr("Transparency mask")),
    ("layer", tr("New layer")),
    ("selection-mask", tr("Selection mask layer")),
    ("instances", tr("One layer per object")),
    ("fills", tr("Fill layer per object")),
    ("vector", tr("Vector shapes")),
)
CHOICES = {"source": SOURCES, "mode": MODES, "kind": KINDS, "precise": LOOKS_CLOSELY, "tiles": USES_TILES}
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
        values = {option: dict(choices) for option, choices in CHOICES.items()}
        options = cls(**read_settings(text, asdict(cls()), {**values, "mask_depth": (8,)}))
        if options.threshold is not None and not 0.0 <= options.threshold <= 1.0:
            options.threshold = None
        if options.gap is not None and not 0.0 <= options.gap <= 200.0:
            options.gap = None
        options.history = [str(old) for old in options.history][:HISTORY_LENGTH]
        options.models = {str(role): str(model) for role, model in options.models.items()}
        options.recipes = {str(verb): str(recipe) for verb, recipe in options.recipes.items()}
        return options
