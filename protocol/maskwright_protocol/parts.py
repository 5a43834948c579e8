"""What messages are made of: rectangles, rasters, masks, instances and reports.

Coordinates are the document's pixels, scores and alphas 0..1; see ``messages`` for all conventions.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from .fields import BULK, at_least, one_of
from .pixels import FORMATS, TRANSFERS

EDGE_KINDS = ("hair", "hard", "inside", "outside")


@dataclass
class Rect:
    """A box in document coordinates, sides may be fractional."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class PixelRect:
    """A box of whole document pixels; ``x`` and ``y`` may be negative (layers reach outside the canvas)."""

    x: int
    y: int
    width: int
    height: int


@dataclass
class Point:
    """A click; ``include`` is False for "not this"."""

    x: float
    y: float
    include: bool = True


@dataclass
class Stroke:
    """A line that a brush of ``width`` drew over what is meant; ``include`` is False for "not this".

    ``path`` has x and y of its places in turn. A ``closed`` one goes round what is meant, or what is not: a lasso.
    """

    path: List[float]
    include: bool = True
    width: float = field(default=0.0, metadata=at_least(0))
    closed: bool = False


@dataclass
class Example:
    """A box around one thing of a kind; ``include`` is False for "nothing like this"."""

    x: float
    y: float
    width: float
    height: float
    include: bool = True


@dataclass
class EdgeStroke:
    """A stroke of the edge brush: what is said of every place within ``width / 2`` of the line through ``path``.

    "hair": the edge is to be found anew there, however wide; "hard": it has no softness there; "inside" and "outside":
    these places are. Of strokes that cross the later one counts.
    """

    path: List[float]  # x and y by turns
    kind: str = field(metadata=one_of(EDGE_KINDS))
    width: float = field(metadata=at_least(0))


@dataclass
class Viewport:
    """The part of the document that is seen, and in how many pixels: at most as many as it has."""

    box: PixelRect
    width: int
    height: int


@dataclass
class Distance:
    """A range of distances on the picture's own scale: 0 is its nearest place, 1 its farthest, evenly in inverse depth.

    With ``at`` the range goes by that place: all that is nearer, as far away or farther, itself included.
    """

    near: float = 0.0
    far: float = 1.0
    softness: float = 0.02  # over how much beyond the range it fades out
    at: Optional[Point] = None
    than: str = field(default="nearer", metadata=one_of(("nearer", "same", "farther")))
    reach: float = 0.03  # how much nearer and farther than the place still counts as its own distance


@dataclass
class Raster:
    """Pixels that cover ``box`` of the document, at any scale (``width`` x ``height`` may be smaller than the box).

    ``key`` names the content (see ``digest.image_key``); with ``data`` the pixels travel along, without it the
    server must know the key already, else it answers ``unknown_image``. Rows are packed, top to bottom.
    """

    key: str
    width: int
    height: int
    format: str = field(metadata=one_of(FORMATS))
    box: PixelRect
    transfer: str = field(default="srgb", metadata=one_of(TRANSFERS))
    data: Optional[bytes] = None


@dataclass
class Picture:
    """What the user looks at: its extent in the document and the rasters that show it.

    ``rasters[0]`` shows the whole ``box`` (usually as a proxy of long side 1024); more rasters may show parts of it
    at full resolution.
    """

    box: PixelRect
    rasters: List[Raster] = field(default_factory=list)


@dataclass
class Mask:
    """A soft mask (0 outside, full scale inside), cropped to ``box``; everything outside ``box`` is 0.

    ``depth`` is 8 or 16 (little endian). ``encoding`` is "raw" or "zlib". The bytes are in ``data``, or, when
    ``blob`` is set, in the ``part`` messages of that number which were sent before this message.
    """

    box: PixelRect
    depth: int = 8
    encoding: str = "raw"
    blob: Optional[int] = None
    data: Optional[bytes] = None


@dataclass
class Pixels:
    """Colours with straight alpha that cover ``box`` at document resolution; bytes as in ``Mask``."""

    box: PixelRect
    format: str
    encoding: str = "raw"
    blob: Optional[int] = None
    data: Optional[bytes] = None


@dataclass
class PostProcess:
    """The one post-processing chain, applied in the order of the fields. Lengths and areas in document pixels."""

    threshold: Optional[float] = None  # hard cut; None keeps the soft mask
    levels_low: float = 0.0  # alpha at or below becomes 0 ...
    levels_high: float = 1.0  # ... at or above becomes 1, linear between
    fill_holes: bool = False
    max_hole_area: float = 0.0  # 0 fills holes of any size
    min_area: float = 0.0  # connected parts smaller than this are removed
    smooth: float = 0.0  # radius within which corners and jaggies are rounded
    grow: float = 0.0  # Euclidean; negative shrinks
    feather: float = 0.0  # standard deviation of a Gaussian
    invert: bool = False


@dataclass
class Instance:
    """One found object. ``id`` is stable within a picture and tool: a refined instance keeps it."""

    id: str
    label: str
    score: float  # how much of it, and only it, the mask is likely to show: an estimate of their IoU
    box: Rect
    source: str  # the model ids that made it, joined by "+"
    alternatives: List["Alternative"] = field(default_factory=list, metadata=BULK)
    text: str = ""  # what is written there, from models that read
    quad: List[Point] = field(default_factory=list)  # the corners of a line of writing, clockwise from its start
    part: str = ""  # parse: the label or group
    person: int = 0  # parse: of which person or face, counted from the left; 0 when they are not told apart
    confidence: Optional[float] = None  # how sure the model that found it by words is that it is that
    doubtful: bool = False  # worth a look: its IoU is probably below 0.7
    mask: Optional[Mask] = field(default=None, metadata=BULK)


@dataclass
class Alternative:
    """Another hypothesis for an instance (part, whole, larger), the smaller first. ``id`` is for ``continue_from``."""

    score: float
    id: str = ""
    mask: Optional[Mask] = field(default=None, metadata=BULK)


@dataclass
class MappedObject:
    """An object of an ``object.map``, which a later ``select`` or ``similar`` can name by its ``id``.

    The map's pixels hold the ``number`` of the smallest object that covers them. The whole object is what carries its
    number or that of an object below it, by ``parent``.
    """

    number: int
    id: str
    score: float
    area: float  # document pixels that it covers, with the objects below it
    box: Rect
    parent: int = 0  # number of the smallest object that holds this one; 0 is none
    name: str = ""  # what it is: "person", "sky"; empty where nothing tells
    clicked: int = 0  # number of what a click takes where this one is the smallest: itself, or one that holds it


@dataclass
class Report:
    """How an answer was made."""

    recipe: str
    models: List[str]
    device: str  # "cpu", "cuda:0", ...
    device_reason: str = ""  # why this device, for instance "no GPU build of ONNX Runtime is installed"
    timings: Dict[str, float] = field(default_factory=dict)  # stage -> milliseconds, in the order they ran
    notes: List[str] = field(default_factory=list)  # sentences for the user
    offer: str = ""  # id of a model that is not installed and would have understood more of the words


@dataclass
class ModelInfo:
    id: str
    family: str
    roles: List[str]
    title: str
    summary: str
    licence: str
    commercial: str  # "yes", "no" or "ask"
    installed: bool
    embedded: bool = False
    resident: bool = False
    licence_url: str = ""
    gated: bool = False  # the source gives it only to accounts that asked for it
    size: int = 0  # bytes to download, 0 when unknown
    memory: int = 0  # bytes while it runs
    downloadable: bool = False
    recommended: bool = False  # for a first installation
    seconds: float = 0.0  # for one picture on a device of the kind that would run it here; 0 where nobody measured
    measured_on: str = ""  # which device that was, for instance "one core of a server's processor"
    problem: str = ""  # a sentence when its files are there and cannot be right
    labels: List[str] = field(default_factory=list)  # parsers: the parts that ``parse`` can be asked for
    groups: List[str] = field(default_factory=list)  # parsers: names for several labels together
    parts_of: str = ""  # parsers: "person" or "face"


@dataclass
class OptionInfo:
    """A setting that a family of detectors takes in ``detector_options``."""

    name: str
    kind: str  # "number", "integer", "switch", "choice" or "text"
    title: str  # a sentence for the user
    default: Any = None  # absent leaves it to the model
    low: Optional[float] = None  # smallest and largest number allowed
    high: Optional[float] = None
    choices: List[str] = field(default_factory=list)


@dataclass
class RecipeInfo:
    name: str
    title: str
    verb: str  # "select", "cutout", "refine"
    models: List[str]
    takes_text: bool = False
    takes_points: bool = False
    available: bool = True
    missing: str = ""  # what to install when not available


@dataclass
class DownloadInfo:
    """A model that is on its way, whoever asked for it; ``models.pull`` joins in."""

    model: str
    stage: str
    fraction: float
    text: str


@dataclass
class ClientInfo:
    """A connected client. ``token`` is the name of the token that it came in by, "local" for the endpoint file's."""

    program: str
    token: str


@dataclass
class WorkerInfo:
    device: str
    state: str  # "stopped", "starting", "idle", "busy"
    device_reason: str = ""
    pid: Optional[int] = None
    memory_bytes: int = 0
    models: List[str] = field(default_factory=list)
    restarts: int = 0


@dataclass
class SavedRecipe:
    """A recipe that the user keeps, as plain data; ``maskwright_client.recipe`` reads it."""

    name: str  # of its file, without the suffix
    title: str = ""
    description: str = ""
    recipe: Dict[str, Any] = field(default_factory=dict)  # empty when it cannot be used
    problem: str = ""  # why it cannot be used, as a sentence
    hint: str = ""
