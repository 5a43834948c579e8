"""Every message of the wire, defined once for server, command line and editor plugins.

Conventions: coordinates are the document's pixels (x right, y down, origin at the canvas' top left corner, pixel
``(0, 0)`` covers ``0 <= x < 1``); scores, alphas and thresholds are 0..1; lengths are document pixels; times are
milliseconds unless the name says otherwise. Unknown fields are ignored, so that either side may be newer.
Fields that hold bulk bytes come last, so that a sender can write everything before them as one short prefix.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Optional, Type

from .parts import (  # noqa: F401 - named together with the messages they are parts of
    Alternative,
    Instance,
    MappedObject,
    Mask,
    ModelInfo,
    OptionInfo,
    Picture,
    PixelRect,
    Pixels,
    Point,
    PostProcess,
    Raster,
    RecipeInfo,
    Rect,
    Report,
    WorkerInfo,
)

PROTOCOL_VERSION = 1

PRIORITIES = ("interactive", "batch", "background")


@dataclass
class Message:
    """Base of all messages; ``TYPE`` is the value of the map's ``type`` key."""

    TYPE: ClassVar[str] = ""


@dataclass
class Hello(Message):
    """First message of a client."""

    TYPE: ClassVar[str] = "hello"
    version: int
    client: str  # "krita", "gimp", "cli", ...
    client_version: str = ""


@dataclass
class Welcome(Message):
    TYPE: ClassVar[str] = "welcome"
    version: int
    session: str
    server_version: str
    max_message: int  # bytes of one message
    max_pixels: int  # pixels of one raster
    slice_bytes: int  # longest data of one image.slice
    strip_rows: int


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

    picture: Optional[Picture] = None
    tool: str = ""
    generation: int = 0
    priority: str = "interactive"
    deadline_s: float = 0.0
    recipe: str = "auto"
    models: Dict[str, str] = field(default_factory=dict)  # role -> model id, overrides the recipe's choice
    mask_depth: int = 8


@dataclass
class Prefetch(Job):
    """Compute and keep the picture's embedding, so that the next ``select`` with points is quick."""

    TYPE: ClassVar[str] = "prefetch"


@dataclass
class Select(Job):
    """Text, points, boxes and a mask to start from, in any combination -> ``selection``."""

    TYPE: ClassVar[str] = "select"
    text: str = ""
    exclude_text: str = ""  # what to subtract
    points: List[Point] = field(default_factory=list)
    boxes: List[Rect] = field(default_factory=list)
    pick: str = "all"  # "all", "best" or a 1-based number in order of score
    min_score: Optional[float] = None
    post: PostProcess = field(default_factory=PostProcess)
    merge: bool = False  # also send the union of all instances
    alternatives: int = 0  # how many other hypotheses (part, whole, larger) to send with each instance
    continue_from: str = ""  # id of an instance, an alternative or a mapped object, whose logits seed this click
    precise: str = "auto"  # look again, closely: "auto" at small objects, "on" at all, "off" at none
    detector_options: Dict[str, Any] = field(default_factory=dict)  # as in ``Detect``
    tiles: str = "auto"  # look for small things closer: "on", "off", or "auto": when nothing was found
    start: Optional[Mask] = None  # a mask to start from
    region: Optional[Mask] = None  # limit: nothing is selected outside


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

    Without a prompt the main subjects are cut out. Text, points, boxes or a mask say what is meant instead.
    """

    TYPE: ClassVar[str] = "cutout"
    foreground: bool = True  # also send decontaminated colours
    format: str = "RGBA8"  # in which pixel format to send them
    text: str = ""  # what to cut out
    exclude_text: str = ""  # what to leave out of it
    points: List[Point] = field(default_factory=list)
    boxes: List[Rect] = field(default_factory=list)
    pick: str = "all"  # which of the found things or subjects: "all", "best" or a 1-based number
    subject_at: Optional[Point] = None  # without a prompt: the subject at this place
    min_score: Optional[float] = None
    edges: str = "auto"  # "matte" as the model gives them, "refined" at full resolution, "auto" chooses
    transparency: bool = False  # keep what the model holds for half transparent inside the subject
    paint_out: str = ""  # with a prompt: paint over everything else first: "green", "mean" or "blur"
    colours: str = "auto"  # "own", "fast" (blur fusion), "best" (multi-level); "auto" chooses
    shadow: bool = False  # keep the shadow that the subject casts on a plain background
    outline: float = 0.0  # width in pixels of a border around the subject
    outline_colour: str = "#ffffff"
    background: str = ""  # a colour, "#rrggbb", to put behind; the colours are opaque then
    crop: bool = False  # with a background: fill the subject's box alone, not the whole picture
    post: PostProcess = field(default_factory=PostProcess)
    mask: Optional[Mask] = None  # what to cut out, as a rough mask


@dataclass
class Refine(EdgeJob):
    """A selection and the image -> soft alpha in a band around the selection's edge, as ``selection``.

    With the recipe ``inpaint`` the edge is not found again: the selection is grown and feathered for an inpainting
    tool, by what ``post`` says or, where that is 0, by what suits its size.
    """

    TYPE: ClassVar[str] = "refine"
    context: float = 0.0  # ask for ``Selection.context``, so many times the selection's size on each side
    post: PostProcess = field(default_factory=PostProcess)
    mask: Optional[Mask] = None


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
    region: Optional[Mask] = None  # limit: nothing is selected outside


@dataclass
class Everything(Job):
    """All objects of the picture -> ``object.map``. Send it with the priority "background" while the user looks."""

    TYPE: ClassVar[str] = "everything"
    points_per_side: int = 0  # how dense the grid of clicks that are tried is; 0 leaves it to the server
    layers: int = 0  # how often the picture is looked at in crops too, each time twice as close; at most 2
    min_score: Optional[float] = None
    min_area: float = 0.0  # objects of fewer document pixels are left out


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
    mask: Optional[Mask] = None  # the selection, for when the id is unknown to the server


@dataclass
class Cancel(Message):
    """Cancel the job or download of that id; answered by ``cancelled`` unless its result is on its way already."""

    TYPE: ClassVar[str] = "cancel"
    id: str


@dataclass
class Part(Message):
    """A piece of a bulk field: bytes ``offset``.. of blob number ``blob`` of message ``id``. Sent before it."""

    TYPE: ClassVar[str] = "part"
    id: str
    blob: int
    offset: int
    data: bytes = b""


@dataclass
class ImageBegin(Request):
    """Announce a raster by its strips' digests; answered by ``image.need``."""

    TYPE: ClassVar[str] = "image.begin"
    key: str
    width: int
    height: int
    format: str
    transfer: str
    strips: List[str]


@dataclass
class ImageNeed(Message):
    """Strips (by number) that the server lacks; empty means that the image is complete."""

    TYPE: ClassVar[str] = "image.need"
    id: str
    key: str
    strips: List[int]


@dataclass
class ImageSlice(Message):
    TYPE: ClassVar[str] = "image.slice"
    key: str
    strip: int
    offset: int  # bytes from the strip's start
    data: bytes = b""


@dataclass
class ImageEnd(Request):
    """All needed strips were sent; answered by ``image.ready`` or ``failed``."""

    TYPE: ClassVar[str] = "image.end"
    key: str


@dataclass
class ImageReady(Message):
    TYPE: ClassVar[str] = "image.ready"
    id: str
    key: str


@dataclass
class StatusRequest(Request):
    TYPE: ClassVar[str] = "status"


@dataclass
class Status(Message):
    TYPE: ClassVar[str] = "status.report"
    id: str
    server_version: str
    pid: int
    uptime_s: float
    sessions: int
    queued: int
    running: int
    image_bytes: int
    image_budget: int
    memory_bytes: int
    workers: List[WorkerInfo] = field(default_factory=list)


@dataclass
class ModelsRequest(Request):
    TYPE: ClassVar[str] = "models"


@dataclass
class Models(Message):
    TYPE: ClassVar[str] = "models.report"
    id: str
    models: List[ModelInfo] = field(default_factory=list)
    recipes: List[RecipeInfo] = field(default_factory=list)
    options: Dict[str, List[OptionInfo]] = field(default_factory=dict)  # family -> its ``detector_options``


@dataclass
class ModelPull(Request):
    """Download and install a model; answered by ``progress`` and then ``done``. Who asks for the same joins in.

    ``accept_licence`` is the user's yes to a licence whose ``commercial`` is not "yes".
    """

    TYPE: ClassVar[str] = "models.pull"
    model: str
    accept_licence: bool = False


@dataclass
class ModelRemove(Request):
    """Delete a downloaded model; answered by ``done``."""

    TYPE: ClassVar[str] = "models.remove"
    model: str


@dataclass
class Shutdown(Request):
    """Stop the server after the running jobs were cancelled; answered by ``done``."""

    TYPE: ClassVar[str] = "shutdown"


@dataclass
class Done(Message):
    """Answer to requests that return nothing (``shutdown``, ``prefetch``, ``models.pull``, ``models.remove``)."""

    TYPE: ClassVar[str] = "done"
    id: str
    generation: int = 0


@dataclass
class Progress(Message):
    """Sent at least once a second while a job waits or runs, or a model is downloaded."""

    TYPE: ClassVar[str] = "progress"
    id: str
    generation: int
    stage: str  # "queued", "starting", "load", "detect", "embed", "segment", "matte", "refine", "post", ...
    fraction: float = 0.0
    text: str = ""  # a sentence for the user


@dataclass
class Selection(Message):
    """Answer to ``select``, ``detect`` and ``refine``. No instances is an answer too: ``reason`` says why."""

    TYPE: ClassVar[str] = "selection"
    id: str
    generation: int
    report: Report
    reason: str = ""  # "" or "nothing_found" or "empty_after_post_processing"
    message: str = ""  # the reason as a sentence
    hint: str = ""
    agreement: Optional[float] = None  # refine: how far the model agrees with the selection, 0..1
    route: str = ""  # refine: how the edge was found: "matte", "trimap", "guided"; steps joined by "+"
    context: Optional[PixelRect] = None  # refine: what an inpainting tool should look at
    instances: List[Instance] = field(default_factory=list)
    merged: Optional[Mask] = None


@dataclass
class ObjectMap(Message):
    """Answer to ``everything``. ``labels`` has 16 bits a pixel: an object's number, 0 where there is none.

    Its box is in the overview's pixels: origin 0, the size of the picture's first raster.
    """

    TYPE: ClassVar[str] = "object.map"
    id: str
    generation: int
    report: Report
    reason: str = ""
    message: str = ""
    hint: str = ""
    objects: List[MappedObject] = field(default_factory=list)
    labels: Optional[Mask] = None


@dataclass
class CutoutResult(Message):
    TYPE: ClassVar[str] = "cutout.result"
    id: str
    generation: int
    report: Report
    reason: str = ""
    message: str = ""
    hint: str = ""
    agreement: Optional[float] = None  # how far the matte agrees with what the prompt selected, 0..1
    route: str = ""  # how the edge was found: "matte", "trimap", "guided"; steps joined by "+"
    subjects: List[Instance] = field(default_factory=list)  # without masks; what ``pick`` counts, before picking
    alpha: Optional[Mask] = None
    foreground: Optional[Pixels] = None


@dataclass
class Failed(Message):
    """``code`` is one of ``errors.CODES``; ``message`` and ``hint`` are sentences for the user."""

    TYPE: ClassVar[str] = "failed"
    id: str  # empty when the message that caused it could not be read
    code: str
    message: str
    hint: str = ""
    generation: int = 0
    details: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Cancelled(Message):
    TYPE: ClassVar[str] = "cancelled"
    id: str
    generation: int = 0
    superseded: bool = False


CLIENT_MESSAGES: Dict[str, Type[Message]] = {
    m.TYPE: m
    for m in (
        Hello,
        Prefetch,
        Select,
        Detect,
        Cutout,
        Refine,
        Everything,
        Similar,
        Parse,
        Cancel,
        Part,
        ImageBegin,
        ImageSlice,
        ImageEnd,
        StatusRequest,
        ModelsRequest,
        ModelPull,
        ModelRemove,
        Shutdown,
    )
}
SERVER_MESSAGES: Dict[str, Type[Message]] = {
    m.TYPE: m
    for m in (
        Welcome,
        ImageNeed,
        ImageReady,
        Status,
        Models,
        Done,
        Progress,
        Part,
        Selection,
        ObjectMap,
        CutoutResult,
        Failed,
        Cancelled,
    )
}
