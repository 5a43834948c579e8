"""From what a user chose and means to the jobs of the wire: the only place that builds them for the clients."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, List, Optional, Sequence

from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import (
    Cutout,
    Detect,
    Distance,
    Everything,
    Example,
    Flats,
    Mask,
    Outline,
    Parse,
    Point,
    PostProcess,
    Prefetch,
    Rect,
    Refine,
    Select,
    Similar,
    Stroke,
)

from . import body_parts
from .body_parts import BodyPart
from .coordinates import rect_of
from .detector_options import read as read_detector_options

AUTO = "auto"
LINE_ART = "line-art"  # a recipe without models
# The roles whose models a user may choose for a verb. A refiner is a matting model that works from a trimap.
ROLES = {
    "select": ("detector", "segmenter"),
    "detect": ("detector",),
    "cutout": ("matting", "refiner", "detector", "segmenter"),
    "refine": ("matting", "refiner"),
    "parse": ("parser", "refiner"),
}
_DRAWS = ("segmenter",)  # what a selection needs without words
_EDGES = ("matting", "refiner")  # what a cut-out needs without a prompt
_NOTHING_SELECTED = tr("Nothing is selected.")


@dataclass
class Edge:
    """How an edge is found again, as image editors know it and ``EdgeJob`` names it; lengths are image pixels."""

    edge_width: float = 0.0  # of the band to work in; 0 lets the server choose
    hair: bool = False
    smooth: float = 0.0
    contrast: float = 0.0  # 0..1
    shift_edge: float = 0.0  # -1..1, within the edge's own softness


@dataclass
class Prompt:
    """What is meant: words, clicks, strokes, boxes, examples and a rough mask, in any combination."""

    text: str = ""
    exclude: str = ""  # words for what to leave out
    pick: str = "all"  # "all", "best" or a 1-based number in order of score
    points: List[Point] = field(default_factory=list)
    boxes: List[Rect] = field(default_factory=list)
    examples: List[Example] = field(default_factory=list)
    strokes: List[Stroke] = field(default_factory=list)
    mask: Optional[Mask] = None

    def fields(self) -> Dict[str, Any]:
        """What ``Select`` and ``Cutout`` have in common."""
        return {
            "text": self.text.strip(),
            "exclude_text": self.exclude.strip(),
            "pick": self.pick.strip() or "all",
            "points": self.points,
            "strokes": self.strokes,
            "boxes": self.boxes,
        }


@dataclass
class Cut(Prompt):
    """What to cut out, the subject without a prompt, and how it is to look."""

    edge: Edge = field(default_factory=Edge)
    outline: float = 0.0
    outline_colour: str = "#ffffff"
    background: str = ""  # a colour to put behind; empty for none
    shadow: bool = False
    clean: bool = True  # take the background's colour out of soft edges

    @property
    def painted(self) -> bool:
        """Only the server can make its colours."""
        return bool(self.outline or self.background or self.shadow)


@dataclass
class JobOptions:
    """How things are found and finished, whatever is asked for. Its methods build the jobs; lengths and areas are image
    pixels."""

    recipes: Dict[str, str] = field(default_factory=dict)  # verb -> recipe, where the user chose one
    models: Dict[str, str] = field(default_factory=dict)  # role -> model id, where the user chose one
    detector_options: str = ""  # settings of the detector in one line, as ``detector_options.read`` takes it
    precise: str = "auto"  # one of ``choices.LOOKS_CLOSELY``
    tiles: str = "auto"  # one of ``choices.USES_TILES``
    gap: Optional[float] = None  # line art: gaps in lines that count as closed; None leaves it to the server
    threshold: Optional[float] = None  # 0..1; None keeps soft edges
    fill_holes: bool = False
    min_area: float = 0.0
    smooth: float = 0.0
    grow: float = 0.0
    feather: float = 0.0
    invert: bool = False
    mask_depth: int = 8

    def on_line_art(self) -> "JobOptions":
        """The same for what lies inside the lines of a drawing."""
        return replace(self, recipes={**self.recipes, "select": LINE_ART}, models={})

    def post(self) -> PostProcess:
        return PostProcess(
            threshold=self.threshold,
            fill_holes=self.fill_holes,
            min_area=self.min_area,
            smooth=self.smooth,
            grow=self.grow,
            feather=self.feather,
            invert=self.invert,
        )

    def _how(self, verb: str, roles: Sequence[str] = ()) -> Dict[str, Any]:
        """Recipe and models of a verb, of its usual roles or of these alone."""
        wanted = roles or ROLES[verb]
        models = {role: model for role, model in self.models.items() if role in wanted}
        return {"recipe": self.recipes.get(verb, AUTO), "models": models}

    @property
    def _gap(self) -> Optional[float]:
        """Where it means something."""
        return self.gap if self.recipes.get("select") == LINE_ART else None

    def _masks(self) -> Dict[str, Any]:
        """How masks come back."""
        return {"mask_depth": self.mask_depth, "post": self.post()}

    # ------------------------------------------------------------ selecting

    def select(self, prompt: Prompt, region: Optional[Mask] = None) -> Select:
        """Everything that is meant, together and one by one. A mask says roughly where it is; ``region`` limits.

        Raises ``EmptyPrompt``, ``BadInput``.
        """
        roles = (*ROLES["select"], *(("parser",) if self.recipes.get("select") == "parts" else ()))
        job = Select(
            "",
            tool="select",
            merge=True,
            examples=prompt.examples,
            precise=self.precise,
            tiles=self.tiles,
            gap=self._gap,
            start=prompt.mask,
            region=region,
            **self._how("select", roles),
            **self._masks(),
            **prompt.fields(),
            **read_detector_options(self.detector_options),
        )
        if prompt.mask is not None:
            job.boxes = [*prompt.boxes, rect_of(prompt.mask)]
        if not (job.text or job.detector_options or job.points or job.strokes or job.boxes or job.examples):
            raise EmptyPrompt(tr("There is nothing to look for."))
        return job

    def select_distance(self, distance: Distance, region: Optional[Mask] = None) -> Select:
        """Everything within a range of distances; ``region`` limits."""
        how = self._how("select", ("depth",))
        return Select("", tool="select", merge=True, distance=distance, region=region, **how, **self._masks())

    def select_object(self, rough: Optional[Mask]) -> Select:
        """The object that an existing selection is drawn around. Raises ``EmptyPrompt``."""
        if rough is None:
            raise EmptyPrompt(_NOTHING_SELECTED, tr("Draw a rectangle or a lasso around the object first."))
        return Select(
            "",
            tool="select",
            pick="best",
            boxes=[rect_of(rough)],
            precise=self.precise,
            start=rough,
            **self._how("select", _DRAWS),
            **self._masks(),
        )

    def select_points(
        self,
        points: List[Point],
        boxes: List[Rect],
        region: Optional[Mask] = None,
        preview: bool = False,
        seed: str = "",
        examples: Sequence[Example] = (),
        strokes: Sequence[Stroke] = (),
    ) -> Select:
        """Clicks, strokes and a box around one thing, or examples of all that is wanted.

        ``preview`` is for hovering: nothing is refined, nothing waits for it. ``seed`` names the object that the clicks
        go on from, or that is meant when there are none.
        """
        job = Select(
            "",
            tool="hover" if preview else "click",
            points=points,
            strokes=list(strokes),
            boxes=boxes,
            examples=list(examples),
            pick="all" if examples else "best",
            merge=bool(examples),
            continue_from=seed,
            precise="off" if preview else self.precise,
            gap=self._gap,
            region=region,
            **self._how("select", _DRAWS),
            **self._masks(),
        )
        if preview:
            job.post = PostProcess()
        return job

    def similar(self, to: str, mask: Optional[Mask]) -> Similar:
        """What is like an object, which ``mask`` shows when the server has forgotten it. Raises ``EmptyPrompt``."""
        if not to and mask is None:
            raise EmptyPrompt(_NOTHING_SELECTED, tr("Select one of the things first."))
        how = self._how("select", _DRAWS)
        return Similar("", tool="select", to=to, merge=True, mask=mask, **how, **self._masks())

    def prefetch(self) -> Prefetch:
        return Prefetch("", tool="prefetch", **self._how("select", _DRAWS))

    def everything(self) -> Everything:
        """All objects, found while nothing else is to be done."""
        return Everything("", tool="map", priority="background", gap=self._gap, **self._how("select", _DRAWS))

    def flats(self, colours: str, min_area: float = 0.0) -> Flats:
        """Flat colours for all regions of line art; ``colours`` is their pixel format."""
        return Flats("", tool="flats", recipe=LINE_ART, gap=self.gap, min_area=min_area, format=colours)

    def detect(self, text: str) -> Detect:
        """Where things are. Raises ``BadInput``."""
        found = read_detector_options(self.detector_options)
        return Detect("", tool="detect", text=text.strip(), tiles=self.tiles, **self._how("detect"), **found)

    # ------------------------------------------------------------ parts of people

    def parts(
        self, wanted: Sequence[BodyPart], exact: bool, one_by_one: bool = False, region: Optional[Mask] = None
    ) -> Parse:
        """Parts of people, of each person apart when one is meant alone or each part is to be had by itself."""
        apart = one_by_one or body_parts.need_people_apart(wanted)
        return Parse(
            "",
            tool="select",
            parts=body_parts.names(wanted),
            per_person=apart,
            refine=exact,
            merge=not apart,
            region=region,
            **self._how("parse"),
            **self._masks(),
        )

    def parts_draft(self) -> Parse:
        """What parts there are to choose from, quickly."""
        return Parse("", tool="parts", per_person=True, draft=True, **self._how("parse"))

    # ------------------------------------------------------------ cutting out

    def subject(self) -> Cutout:
        """The main subject's alpha, without colours."""
        return Cutout("", tool="select", foreground=False, **self._how("cutout", _EDGES), **self._masks())

    def cut_out(self, cut: Cut, colours: str) -> Cutout:
        """``colours``: the pixel format in which to send the cut-out's colours, empty for none."""
        prompted = cut.text.strip() or cut.points or cut.strokes or cut.boxes or cut.mask is not None
        job = Cutout(
            "",
            tool="cutout",
            foreground=bool(colours),
            outline=cut.outline,
            outline_colour=cut.outline_colour,
            background=cut.background,
            shadow=cut.shadow,
            mask=cut.mask,
            **self._how("cutout", () if prompted else _EDGES),
            **self._masks(),
            **cut.fields(),
            **asdict(cut.edge),
        )
        if colours:
            job.format, job.colours = colours, "auto" if cut.clean else "own"
        return job

    # ------------------------------------------------------------ edges of a selection

    def refine(self, mask: Optional[Mask], edge: Edge, clean_up: bool = True) -> Refine:
        """A selection's edge found again, then cleaned up as other masks are, if wanted. Raises ``EmptyPrompt``."""
        if mask is None:
            raise EmptyPrompt(_NOTHING_SELECTED, tr("Select something roughly, then refine it."))
        job = Refine("", tool="refine", mask=mask, **asdict(edge), **self._how("refine"), **self._masks())
        if not clean_up:
            job.post = PostProcess()
        return job

    def inpaint(self, mask: Optional[Mask], grow: float, feather: float, context: float) -> Refine:
        """The selection grown and feathered, 0 by what suits its size, and the surroundings that an inpainting tool
        should look at. Raises ``EmptyPrompt``."""
        if mask is None:
            raise EmptyPrompt(_NOTHING_SELECTED, tr("Select what is to be filled anew first."))
        return Refine(
            "",
            tool="refine",
            recipe="inpaint",
            context=context,
            post=PostProcess(grow=grow, feather=feather),
            mask_depth=self.mask_depth,
            mask=mask,
        )


def outline(masks: List[Mask]) -> Outline:
    """Smooth paths around masks, which need no picture."""
    return Outline("", tool="outline", masks=masks)
