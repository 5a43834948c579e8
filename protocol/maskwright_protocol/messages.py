"""Every message of the wire, defined once for server, command line and editor plugins.

Conventions: coordinates are the document's pixels (x right, y down, origin at the canvas' top left corner, pixel
``(0, 0)`` covers ``0 <= x < 1``); scores, alphas and thresholds are 0..1; lengths are document pixels; times are
milliseconds unless the name says otherwise. Unknown fields are ignored, so that either side may be newer.
Fields that hold bulk bytes come last, so that a sender can write everything before them as one short prefix.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Optional, Type

from .errors import MaskwrightError
from .fields import BULK, one_of
from .jobs import (  # noqa: F401 - all messages can be had from here
    PRIORITIES,
    Cutout,
    Detect,
    EdgeJob,
    Everything,
    Flats,
    Job,
    Message,
    Outline,
    Parse,
    Prefetch,
    Refine,
    Request,
    Select,
    Similar,
)
from .parts import (  # noqa: F401 - named together with the messages they are parts of
    Alternative,
    ClientInfo,
    Distance,
    DownloadInfo,
    EdgeStroke,
    Example,
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
    SavedRecipe,
    Stroke,
    Viewport,
    WorkerInfo,
)
from .pixels import FORMATS, TRANSFERS

PROTOCOL_VERSION = 1


@dataclass
class Hello(Message):
    """First message of a client."""

    TYPE: ClassVar[str] = "hello"
    version: int
    client: str  # "krita", "gimp", "cli", ...
    client_version: str = ""
    language: str = ""  # what sentences in the answers are said in: "ja", "pt-BR", ...; English by default


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
class Cancel(Message):
    """Cancel the job or download of that id; answered by ``cancelled`` unless its result is on its way already."""

    TYPE: ClassVar[str] = "cancel"
    id: str


@dataclass
class BulkPart(Message):
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
    format: str = field(metadata=one_of(FORMATS))
    transfer: str = field(metadata=one_of(TRANSFERS))
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
class ImageForget(Message):
    """Rasters that this client is done with: their memory is free unless another client has used them too."""

    TYPE: ClassVar[str] = "image.forget"
    keys: List[str]


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
    downloads: List[DownloadInfo] = field(default_factory=list)
    problems: List[str] = field(default_factory=list)
    clients: List[ClientInfo] = field(default_factory=list)


@dataclass
class ModelsRequest(Request):
    TYPE: ClassVar[str] = "models"


@dataclass
class Models(Message):
    TYPE: ClassVar[str] = "models.report"
    id: str
    models: List[ModelInfo] = field(default_factory=list)
    recipes: List[RecipeInfo] = field(default_factory=list)
    detector_options: Dict[str, List[OptionInfo]] = field(default_factory=dict)  # by family of detectors


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
class RecipesRequest(Request):
    TYPE: ClassVar[str] = "recipes"


@dataclass
class RecipeSave(Request):
    """Keep a recipe, as plain data, under a name; answered by ``recipes.report`` with it alone."""

    TYPE: ClassVar[str] = "recipes.save"
    name: str
    recipe: Dict[str, Any]
    overwrite: bool = False  # else a recipe of that name is refused


@dataclass
class Recipes(Message):
    TYPE: ClassVar[str] = "recipes.report"
    id: str
    recipes: List[SavedRecipe] = field(default_factory=list)  # by name


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
    edge_method: str = ""  # refine: how the edge was found: "matte", "trimap", "guided"; steps joined by "+"
    context: Optional[PixelRect] = None  # refine: what an inpainting tool should look at
    instances: List[Instance] = field(default_factory=list, metadata=BULK)
    merged: Optional[Mask] = field(default=None, metadata=BULK)


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
    labels: Optional[Mask] = field(default=None, metadata=BULK)


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
    edge_method: str = ""  # how the edge was found: "matte", "trimap", "guided"; steps joined by "+"
    score: Optional[float] = None  # an estimate of the IoU with what is meant, 0..1
    doubtful: bool = False  # whether the result is worth a look
    subjects: List[Instance] = field(default_factory=list, metadata=BULK)  # what ``pick`` counts; without masks
    alpha: Optional[Mask] = field(default=None, metadata=BULK)
    foreground: Optional[Pixels] = field(default=None, metadata=BULK)


@dataclass
class FlatsResult(Message):
    """Answer to ``flats``. ``colours`` are opaque wherever there is a region; each region has another one."""

    TYPE: ClassVar[str] = "flats.result"
    id: str
    generation: int
    report: Report
    reason: str = ""
    message: str = ""
    hint: str = ""
    count: int = 0  # regions
    gap: float = 0.0  # pixels of the gaps that were closed
    colours: Optional[Pixels] = field(default=None, metadata=BULK)


@dataclass
class Outlines(Message):
    """Answer to ``outline``: for each mask the data of an SVG path, in document pixels, empty where there is nothing.

    Cubic curves along where the mask is half full; holes by the even-odd rule.
    """

    TYPE: ClassVar[str] = "outlines"
    id: str
    generation: int
    report: Report
    paths: List[str] = field(default_factory=list)


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

    @classmethod
    def from_error(cls, id: str, error: MaskwrightError, generation: int = 0) -> "Failed":
        """The message for an error; ``errors.from_code`` is the way back."""
        return cls(id, error.code, error.message, error.hint, generation, error.details)


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
        Flats,
        Outline,
        Cancel,
        BulkPart,
        ImageBegin,
        ImageSlice,
        ImageEnd,
        ImageForget,
        StatusRequest,
        ModelsRequest,
        ModelPull,
        ModelRemove,
        RecipesRequest,
        RecipeSave,
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
        Recipes,
        Done,
        Progress,
        BulkPart,
        Selection,
        ObjectMap,
        CutoutResult,
        FlatsResult,
        Outlines,
        Failed,
        Cancelled,
    )
}
