"""Requests that run a model, and the bases of all messages; see ``messages`` for the conventions."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Optional

from .fields import BULK, at_least, one_of
from .parts import Distance, EdgeStroke, Example, Mask, Picture, Point, PostProcess, Raster, Rect, Stroke, Viewport

PRIORITIES = ("interactive", "batch", "background")


@dataclass
class Message:
    """Base of all messages; ``TYPE`` is the value of the map's ``type`` key."""

    TYPE: ClassVar[str] = ""


@dataclass
class Request(Message):
    """Common to all messages that are answered under their ``id``."""

    id: str


@dataclass
class Job(Request):
    """Common to all requests that run a model.

    A job with the same ``tool`` as an earlier one of this session and a higher ``generation`` supersedes it; an
    empty tool supersedes nothing. ``deadline_s`` counts from arrival; 0 means the server's default.
    """

    LOOKS: ClassVar[bool] = True  # at a picture, which has to be there

    picture: Optional[Picture] = None
    tool: str = ""
    generation: int = 0
    priority: str = field(default="interactive", metadata=one_of(PRIORITIES))
    deadline_s: float = field(default=0.0, metadata=at_least(0))
    recipe: str = "auto"
    models: Dict[str, str] = field(default_factory=dict)  # role -> model id, overrides the recipe's choice
    mask_depth: int = field(default=8, metadata=one_of((8, 16)))

    @property
    def rasters(self) -> List[Raster]:
        """What shows its picture; none without one."""
        return self.picture.rasters if self.picture is not None else []


@dataclass
class Prefetch(Job):
    """Compute and keep the picture's embedding, so that the next ``select`` with points is quick."""

    TYPE: ClassVar[str] = "prefetch"


@dataclass
class Select(Job):
    """Text, examples, points, strokes, boxes and a mask to start from, in any combination -> ``selection``."""

    TYPE: ClassVar[str] = "select"
    text: str = ""
    exclude_text: str = ""  # what to subtract
    points: List[Point] = field(default_factory=list)
    strokes: List[Stroke] = field(default_factory=list)  # over the thing and over what is not meant, or round it
    boxes: List[Rect] = field(default_factory=list)
    examples: List[Example] = field(default_factory=list)  # everything like these; with text, what is both
    pick: str = "all"  # "all", "best" or a 1-based number in order of score
    min_score: Optional[float] = None
    post: PostProcess = field(default_factory=PostProcess)
    merge: bool = False  # also send the union of all instances
    alternatives: int = 0  # how many other hypotheses (part, whole, larger) to send with each instance
    continue_from: str = ""  # id of an instance, an alternative or a mapped object, whose logits seed this click
    precise: str = "auto"  # look again, closely: "auto" at small objects, "on" at all, "off" at none
    detector_options: Dict[str, Any] = field(default_factory=dict)  # as in ``Detect``
    tiles: str = (
        "auto"  # look for small things closer: "on", "off", or "auto": in large pictures, and when nothing was found
    )
    distance: Optional[Distance] = None  # what is so far away; a prompt by itself
    gap: Optional[float] = None  # recipe "line-art": gaps in lines that count as closed; absent: what suits its size
    start: Optional[Mask] = field(default=None, metadata=BULK)  # a mask to start from
    region: Optional[Mask] = field(default=None, metadata=BULK)  # limit: nothing is selected outside


@dataclass
class Detect(Job):
    """Text -> ``selection`` whose instances have boxes and no masks.

    ``detector_options`` are settings of the detector's family by name; ``models.report`` lists them. With some of
    them (a list of classes, a task that reads or captions) the text may be empty.
    """

    TYPE: ClassVar[str] = "detect"
    text: str = ""
    min_score: Optional[float] = None
    detector_options: Dict[str, Any] = field(default_factory=dict)
    tiles: str = "auto"  # as in ``Select``


@dataclass
class EdgeJob(Job):
    """Common to jobs that find an edge again: the settings of that edge, as image editors know them."""

    edge_width: float = 0.0  # width of the band to work in, in pixels; 0 lets the server choose
    hair: bool = False  # let the band grow where hair or fur reaches out of it
    smooth: float = 0.0  # radius in pixels within which the outline is rounded; keeps a soft edge soft
    contrast: float = 0.0  # 0..1: makes the edge steeper; 1 leaves no softness
    shift_edge: float = 0.0  # -1..1: moves the edge within its own softness, inward or outward


@dataclass
class Cutout(EdgeJob):
    """Background removal -> ``cutout.result``. Needs a full-resolution raster when ``foreground`` is asked for.

    Without a prompt the main subjects are cut out. Text, points, strokes, boxes or a mask say what is meant instead.
    """

    TYPE: ClassVar[str] = "cutout"
    foreground: bool = True  # also send decontaminated colours
    format: str = "RGBA8"  # in which pixel format to send them
    text: str = ""  # what to cut out
    exclude_text: str = ""  # what to leave out of it
    points: List[Point] = field(default_factory=list)
    strokes: List[Stroke] = field(default_factory=list)
    boxes: List[Rect] = field(default_factory=list)
    pick: str = "all"  # which of the found things or subjects: "all", "best" or a 1-based number
    subject_at: Optional[Point] = None  # without a prompt: the subject at this place
    min_score: Optional[float] = None
    edges: str = "auto"  # "matte" as the model gives them, "refined" at full resolution, "given" by the mask, or "auto"
    transparency: bool = False  # keep what the model holds for half transparent inside the subject
    paint_out: str = ""  # with a prompt: paint over everything else first: "green", "mean" or "blur"
    colours: str = "auto"  # "own", "fast" (blur fusion), "best" (multi-level); "auto" chooses
    shadow: bool = False  # keep the shadow that the subject casts on a plain background
    outline: float = 0.0  # width in pixels of a border around the subject
    outline_colour: str = "#ffffff"
    background: str = ""  # a colour, "#rrggbb", to put behind; the colours are opaque then
    crop: bool = False  # with a background: fill the subject's box alone, not the whole picture
    post: PostProcess = field(default_factory=PostProcess)
    mask: Optional[Mask] = field(default=None, metadata=BULK)  # what to cut out, as a rough mask


@dataclass
class Refine(EdgeJob):
    """A selection and the image -> soft alpha in a band around the selection's edge, as ``selection``.

    With the recipe ``inpaint`` the edge is not found again: the selection is grown and feathered for an inpainting
    tool, by what ``post`` says or, where that is 0, by what suits its size.
    """

    TYPE: ClassVar[str] = "refine"
    context: float = 0.0  # ask for ``Selection.context``, so many times the selection's size on each side
    edge_strokes: List[EdgeStroke] = field(default_factory=list)  # what was painted by hand, in this order
    keep: bool = False  # the mask's own edge is right, except where there are strokes
    view: Optional[Viewport] = None  # answer quickly, with no more than is seen; the mask is in the view's pixels
    mask_key: str = ""  # of a raster in ``picture`` (GRAY8, the document's pixels) that stands for ``mask``
    post: PostProcess = field(default_factory=PostProcess)
    mask: Optional[Mask] = field(default=None, metadata=BULK)


@dataclass
class Parse(Job):
    """Parts of people (hair, clothes, face, ...) -> ``selection``, one instance for each part, or each person's part.

    People, or faces for a parser of faces, are found first and looked at closely.
    """

    TYPE: ClassVar[str] = "parse"
    parts: List[str] = field(default_factory=list)  # labels, groups or words for them; none: every label seen
    per_person: bool = False  # tell the people apart: instances have ``person``
    person: int = 0  # only of that person or face, counted from the left; 0: of all
    find_people: bool = True  # False looks at the picture as a whole
    refine: bool = False  # find the edges again at full resolution, hair by matting
    draft: bool = False  # never ask for full resolution, for thumbnails
    min_score: Optional[float] = None  # of the detector of people or faces
    post: PostProcess = field(default_factory=PostProcess)
    merge: bool = False  # also send the union of all instances
    region: Optional[Mask] = field(default=None, metadata=BULK)  # limit: nothing is selected outside


@dataclass
class Everything(Job):
    """All objects of the picture -> ``object.map``. Send it with the priority "background" while the user looks."""

    TYPE: ClassVar[str] = "everything"
    points_per_side: int = 0  # how dense the grid of clicks that are tried is; 0 leaves it to the server
    layers: int = 0  # how often the picture is looked at in crops too, each time twice as close; at most 2
    min_score: Optional[float] = None
    min_area: float = 0.0  # objects of fewer document pixels are left out
    gap: Optional[float] = None  # as in ``Select``


@dataclass
class Similar(Job):
    """What is like a selected object -> ``selection``, the object itself first; its scores are the likeness.

    Makes the object map (or takes the one that is there) where the model has no better way.
    """

    TYPE: ClassVar[str] = "similar"
    to: str = ""  # id of an instance, an alternative or a mapped object
    min_score: Optional[float] = None
    pick: str = "all"
    post: PostProcess = field(default_factory=PostProcess)
    merge: bool = False
    mask: Optional[Mask] = field(default=None, metadata=BULK)  # the selection, for when the id is unknown to the server


@dataclass
class Flats(Job):
    """Every region of line art filled with a flat colour of its own -> ``flats.result``. No model is needed."""

    TYPE: ClassVar[str] = "flats"
    gap: Optional[float] = None  # as in ``Select``
    min_area: float = 0.0  # smaller regions, in document pixels, are taken into their neighbours
    format: str = "RGBA8"  # in which pixel format to send the colours: this or "BGRA8"


@dataclass
class Outline(Job):
    """Masks -> ``outlines``: smooth paths around them. It looks at no picture."""

    TYPE: ClassVar[str] = "outline"
    LOOKS: ClassVar[bool] = False
    masks: List[Mask] = field(default_factory=list, metadata=BULK)
