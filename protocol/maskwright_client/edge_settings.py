"""The sliders and brushes of a live edge panel: what there is, in which units, and what it means for a job."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Dict, NamedTuple, Tuple

from maskwright_protocol.language import tr
from maskwright_protocol.messages import PostProcess

from .jobs import Edge


class Slider(NamedTuple):
    """``unit``: "px", pixels of the picture, or "%". ``zero``: shown in place of 0, if anything is."""

    name: str
    title: str
    low: float
    high: float
    unit: str
    tip: str
    zero: str = ""


SLIDERS = (
    Slider(
        "edge_width", tr("Edge width"), 0, 250, "px",
        tr("How wide a band around the edge is looked at; hair needs a wide one."), tr("automatic"),
    ),
    Slider("smooth", tr("Smooth"), 0, 100, "px", tr("Rounds the outline within this.")),
    Slider("feather", tr("Feather"), 0, 100, "px", tr("Softens the whole edge.")),
    Slider("contrast", tr("Contrast"), 0, 100, "%", tr("Makes the edge steeper; 100 % leaves no softness.")),
    Slider("shift_edge", tr("Shift edge"), -100, 100, "%", tr("Moves the edge in (-) or out within its own softness.")),
    Slider("grow", tr("Grow"), -100, 100, "px", tr("Makes the selection larger, or smaller (-).")),
    Slider("threshold", tr("Hard cut"), 0, 100, "%", tr("Cuts the soft edge hard at this value."), tr("off")),
)  # fmt: skip
HAIR_TITLE = tr("Hair and fur")
HAIR_TIP = tr("Works further out where hair or fur reaches out of the edge.")


class Brush(NamedTuple):
    """``kind`` as ``EdgeStroke`` names it; ``colour`` (red, green, blue) of its marks; ``other``: its opposite."""

    kind: str
    title: str
    tip: str
    colour: Tuple[int, int, int]
    other: str


BRUSHES = (
    Brush(
        "hair", tr("Hair here"), tr("Paint where hair or fur is: the edge is found anew there."), (255, 170, 40), "hard"
    ),
    Brush("hard", tr("Hard edge here"), tr("Paint along an edge that has no softness."), (70, 150, 255), "hair"),
    Brush("inside", tr("Inside"), tr("Paint what belongs to the selection."), (50, 200, 90), "outside"),
    Brush("outside", tr("Outside"), tr("Paint what does not belong to the selection."), (230, 60, 60), "inside"),
)


def brush_of(kind: str) -> Brush:
    """The brush of that kind."""
    return next(brush for brush in BRUSHES if brush.kind == kind)


@dataclass(frozen=True)
class EdgeSettings:
    """Values of the sliders in their units: image pixels and percent. 0 changes nothing; an edge width of 0 lets the
    server choose, a hard cut of 0 makes none."""

    edge_width: float = 0.0
    smooth: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    shift_edge: float = 0.0
    grow: float = 0.0
    threshold: float = 0.0
    hair: bool = False

    def edge(self) -> Edge:
        """As jobs have it."""
        return Edge(self.edge_width, self.hair, self.smooth, self.contrast / 100, self.shift_edge / 100)

    def post(self, base: PostProcess) -> PostProcess:
        """``base`` with the lengths and the hard cut that were set here."""
        cut = self.threshold / 100 if self.threshold > 0 else None
        return replace(base, grow=self.grow, feather=self.feather, threshold=cut)

    def to_dict(self) -> Dict[str, Any]:
        """To be kept by the editor."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Any) -> "EdgeSettings":
        """What was kept; whatever cannot be used is left at 0."""
        found = cls()
        ranges = {slider.name: (slider.low, slider.high) for slider in SLIDERS}
        for field in fields(cls):
            value = kept.get(field.name) if isinstance(kept, dict) else None
            if field.name == "hair":
                found = replace(found, hair=value is True)
            elif isinstance(value, (int, float)) and ranges[field.name][0] <= value <= ranges[field.name][1]:
                found = replace(found, **{field.name: float(value)})
        return found
