"""What the user chose in the docker, and the requests that follow from it. Knows neither Krita nor Qt."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Dict, List, Optional

from maskwright_client import detector_options
from maskwright_protocol.messages import (
    Cutout,
    Everything,
    Mask,
    Parse,
    Point,
    PostProcess,
    Prefetch,
    Rect,
    Refine,
    Select,
    Similar,
)

SOURCES = ("layer", "effects", "image")
MODES = ("replace", "add", "subtract", "intersect", "difference")
KINDS = ("selection", "transparency", "layer", "selection-mask", "instances")
TILES = ("auto", "on", "off")
HISTORY_LENGTH = 20
AUTO = "auto"


@dataclass
class Edge:
    """How an edge is found again, as image editors know it; lengths are image pixels."""

    width: float = 0.0  # of the band to work in; 0 lets the server choose
    hair: bool = False
    smooth: float = 0.0
    contrast: float = 0.0  # 0..1
    shift: float = 0.0  # -1..1, within the edge's own softness

    def fields(self) -> Dict[str, Any]:
        """As the messages name them."""
        return {
            "edge_width": self.width,
            "hair": self.hair,
            "smooth": self.smooth,
            "contrast": self.contrast,
            "shift_edge": self.shift,
        }


@dataclass
class Cut:
    """What to cut out and how it is to look."""

    prompt: str = ""  # empty: the subject
    exclude: str = ""
    pick: str = "all"
    edge: Edge = field(default_factory=Edge)
    outline: float = 0.0
    outline_colour: str = "#ffffff"
    shadow: bool = False

    @property
    def painted(self) -> bool:
        """Only the server can make its colours."""
        return bool(self.outline or self.shadow)


@dataclass
class Options:
    """The docker's settings; they outlive Krita (see ``to_json``)."""

    prompt: str = ""
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
    closely: bool = False  # look again at all objects, not only at small ones
    tiles: str = "auto"  # look for small things in tiles
    finding: str = ""  # settings of the detector, as ``maskwright_client.detector_options`` reads them
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
        choices = {"source": SOURCES, "mode": MODES, "kind": KINDS, "tiles": TILES}
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

    @property
    def precise(self) -> str:
        return "on" if self.closely else "auto"

    def select_text(self, prompt: str, region: Optional[Mask]) -> Select:
        return Select(
            "",
            tool="krita-select",
            text=prompt,
            recipe=self.recipe,
            models=self._models("detector", "segmenter"),
            post=self.post(),
            merge=True,
            precise=self.precise,
            tiles=self.tiles,
            region=region,
            **detector_options.read(self.finding),
        )

    def select_points(
        self,
        points: List[Point],
        boxes: List[Rect],
        region: Optional[Mask] = None,
        preview: bool = False,
        alternatives: int = 0,
        seed: str = "",
    ) -> Select:
        """A click or a box; ``preview`` is for hovering: nothing is refined, nothing waits for it. ``seed`` names the
        object that the clicks go on from, or that is meant when there are none."""
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
            continue_from=seed,
            precise="off" if preview else self.precise,
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
            precise=self.precise,
            start=start,
        )

    def prefetch(self) -> Prefetch:
        return Prefetch("", tool="krita-prefetch", recipe=self.recipe, models=self._models("segmenter"))

    def subject(self) -> Cutout:
        """The main subject's alpha, without colours."""
        return Cutout(
            "", tool="krita-select", foreground=False, models=self._models("matting"), post=self.post()
        )  # fmt: skip

    def everything(self) -> Everything:
        """All objects, found while nothing else is to be done."""
        return Everything("", tool="krita-map", priority="background", models=self._models("segmenter"))

    def similar(self, to: str, mask: Mask) -> Similar:
        """What is like an object, which ``mask`` shows when the server has forgotten it."""
        models = self._models("segmenter")
        return Similar("", tool="krita-select", to=to, models=models, post=self.post(), merge=True, mask=mask)

    def parts_draft(self) -> Parse:
        """What parts there are to choose from, quickly."""
        return Parse("", tool="krita-parts", per_person=True, draft=True, models=self._models("parser"))

    def parts(self, names: List[str], apart: bool, exact: bool, region: Optional[Mask]) -> Parse:
        """Parts of people, of each person one by one when they are to be told apart."""
        return Parse(
            "",
            tool="krita-select",
            parts=names,
            per_person=apart,
            refine=exact,
            models=self._models("parser"),
            post=self.post(),
            merge=not apart,
            region=region,
        )

    def cut_out(self, cut: Cut, foreground: bool) -> Cutout:
        return Cutout(
            "",
            tool="krita-cutout",
            text=cut.prompt,
            exclude_text=cut.exclude,
            pick=cut.pick,
            foreground=foreground,
            format="BGRA8",
            outline=cut.outline,
            outline_colour=cut.outline_colour,
            shadow=cut.shadow,
            models=self._models("matting", *(("detector", "segmenter") if cut.prompt else ())),
            post=self.post(),
            **cut.edge.fields(),
        )

    def inpaint(self, mask: Mask, grow: float, feather: float, context: float) -> Refine:
        """The selection grown and feathered, 0 by what suits its size, and the surroundings to look at."""
        post = PostProcess(grow=grow, feather=feather)
        return Refine("", tool="krita-refine", recipe="inpaint", context=context, post=post, mask=mask)

    def cutout(self, foreground: bool) -> Cutout:
        return Cutout(
            "",
            tool="krita-cutout",
            foreground=foreground,
            format="BGRA8",
            models=self._models("matting"),
            post=self.post(),
        )

    def refine(self, mask: Mask, edge: Edge) -> Refine:
        return Refine("", tool="krita-refine", models=self._models("matting"), mask=mask, **edge.fields())


def labels_of(models: List[Any], role: str) -> List[Any]:
    """The installed models that can play a role."""
    return [model for model in models if model.installed and role in model.roles]
