"""What the user chose in the docker, and the requests that follow from it. Knows neither Krita nor Qt."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Dict, List, Optional

from maskwright_protocol.messages import Cutout, Mask, Point, PostProcess, Prefetch, Rect, Refine, Select

SOURCES = ("layer", "effects", "image")
MODES = ("replace", "add", "subtract", "intersect", "difference")
KINDS = ("selection", "transparency", "layer", "selection-mask", "instances")
HISTORY_LENGTH = 20
AUTO = "auto"


@dataclass
class Options:
    """The docker's settings; they outlive Krita (see ``to_json``)."""

    prompt: str = ""
    exclude: str = ""
    recipe: str = AUTO
    models: Dict[str, str] = field(default_factory=dict)  # role -> model id, where the user chose one
    source: str = "layer"
    mode: str = "replace"
    kind: str = "selection"
    limit: bool = False  # an existing selection limits where is searched
    grow: float = 0.0
    feather: float = 0.0
    threshold: Optional[float] = None
    fill_holes: bool = False
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
        choices = {"source": SOURCES, "mode": MODES, "kind": KINDS}
        for item in fields(cls):
            default = getattr(options, item.name)
            value = saved.get(item.name, default)
            if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if item.name == "threshold":
                usable = value is None or (isinstance(value, float) and 0.0 <= value <= 1.0)
            else:
                usable = isinstance(value, type(default)) and value in choices.get(item.name, (value,))
            if usable:
                setattr(options, item.name, value)
        options.history = [str(old) for old in options.history][:HISTORY_LENGTH]
        options.models = {str(role): str(model) for role, model in options.models.items()}
        return options

    # ------------------------------------------------------------ requests

    def post(self) -> PostProcess:
        return PostProcess(
            threshold=self.threshold, fill_holes=self.fill_holes, grow=self.grow, feather=self.feather
        )  # fmt: skip

    def _models(self, *roles: str) -> Dict[str, str]:
        return {role: model for role, model in self.models.items() if role in roles}

    def select_text(self, prompt: str, region: Optional[Mask]) -> Select:
        return Select(
            "",
            tool="krita-select",
            text=prompt,
            exclude_text=self.exclude,
            recipe=self.recipe,
            models=self._models("detector", "segmenter"),
            post=self.post(),
            merge=True,
            region=region,
        )

    def select_points(
        self,
        points: List[Point],
        boxes: List[Rect],
        region: Optional[Mask] = None,
        preview: bool = False,
        alternatives: int = 0,
    ) -> Select:
        """A click or a box; ``preview`` is for hovering: nothing is refined, nothing waits for it."""
        return Select(
            "",
            tool="krita-hover" if preview else "krita-click",
            points=points,
            boxes=boxes,
            pick="best",
            recipe=self.recipe,
            models=self._models("segmenter"),
            post=PostProcess() if preview else self.post(),
            alternatives=alternatives,
            region=region,
        )

    def select_object(self, box: Rect, start: Mask) -> Select:
        """The object that an existing selection means."""
        return Select(
            "",
            tool="krita-select",
            boxes=[box],
            pick="best",
            recipe=self.recipe,
            models=self._models("segmenter"),
            post=self.post(),
            start=start,
        )

    def prefetch(self) -> Prefetch:
        return Prefetch("", tool="krita-prefetch", recipe=self.recipe, models=self._models("segmenter"))

    def subject(self) -> Cutout:
        """The main subject's alpha, without colours."""
        return Cutout(
            "", tool="krita-select", foreground=False, models=self._models("matter"), post=self.post()
        )  # fmt: skip

    def cutout(self, foreground: bool) -> Cutout:
        return Cutout(
            "",
            tool="krita-cutout",
            foreground=foreground,
            format="BGRA8",
            models=self._models("matter"),
            post=self.post(),
        )

    def refine(self, mask: Mask, edge_width: float) -> Refine:
        return Refine("", tool="krita-refine", edge_width=edge_width, models=self._models("matter"), mask=mask)


def labels_of(models: List[Any], role: str) -> List[Any]:
    """The installed models that can play a role."""
    return [model for model in models if model.installed and role in model.roles]
