"""How a picture and a job become an answer: which pixels travel, and what is sent again when the server lacks it.

The steps are generators that yield tickets, so that one description serves a thread that may block (``run``) and a
user interface that must not (``step`` through them from a done-callback). Pixels are read in the thread that drives
the generator, as editors demand.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Generator, List, Optional, Set, Tuple, Union

from maskwright_protocol.digest import image_key, strip_digests, strip_spans
from maskwright_protocol.errors import BadMessage, ConnectionLost, MorePixelsNeeded, UnknownImage
from maskwright_protocol.language import tr
from maskwright_protocol.masks import INLINE_BYTES
from maskwright_protocol.messages import (
    ImageBegin,
    ImageEnd,
    ImageNeed,
    ImageSlice,
    Job,
    Picture,
    PixelRect,
    Progress,
    Raster,
)
from maskwright_protocol.pixels import FORMATS

from .client import Client, Ticket
from .link import BULK

Buffer = Union[bytes, bytearray, memoryview]
Steps = Generator[Any, Any, Any]  # what they may yield: see ``steps``

PROXY_SIDE = 1024  # what a SAM encoder looks at
THIN = 6  # sides in proportion, beyond which models are shown a picture in parts:
THIN_SHORT, THIN_PIXELS = 256, 4 << 20  # its overview's short side, and at most so many pixels
MAX_ROUNDS = 6  # for overview and detail: once by key, once with pixels, once more after a server restart


def overview_side(width: int, height: int) -> int:
    """How long an overview of a picture may be: so that of a long and thin one, too, something can be seen."""
    long, short = max(width, height), max(1, min(width, height))
    if long <= THIN * short:
        return PROXY_SIDE
    side = max(PROXY_SIDE, THIN_SHORT * long // short)
    return max(PROXY_SIDE, min(side, int((THIN_PIXELS * long / short) ** 0.5)))


@dataclass
class RasterData:
    """Pixels with their name. Build it with ``raster_data``."""

    raster: Raster
    data: Buffer
    strips: List[str] = field(default_factory=list)


def raster_data(
    data: Buffer, width: int, height: int, format: str, box: PixelRect, transfer: str = "srgb"
) -> RasterData:
    """Name the packed rows ``data`` of an image of ``width`` x ``height`` that shows ``box`` of the document."""
    row_bytes = width * FORMATS[format].pixel_bytes
    strips = strip_digests(data, height, row_bytes)
    key = image_key(width, height, format, transfer, strips)
    return RasterData(Raster(key, width, height, format, box, transfer), data, strips)


class PictureSource:
    """What an editor implements to show the server a layer, a selection of layers or the whole canvas."""

    box: PixelRect

    def overview_size(self) -> Tuple[int, int]:
        """Width and height that ``overview`` has, known before anything is read."""
        scale = min(1.0, overview_side(self.box.width, self.box.height) / max(self.box.width, self.box.height))
        return max(1, round(self.box.width * scale)), max(1, round(self.box.height * scale))

    def prepare(self) -> "Steps":
        """Steps that read what ``overview`` needs, in an editor that must not read it in one go."""
        yield from ()

    def prepare_detail(self, box: PixelRect) -> "Steps":
        """Steps that read what ``detail`` needs."""
        yield from ()

    def overview(self) -> RasterData:
        """The whole ``box``, scaled so that its long side is at most ``overview_side``."""
        raise NotImplementedError

    def detail(self, box: PixelRect) -> RasterData:
        """A part of ``box`` at document resolution."""
        raise NotImplementedError

    def companions(self) -> List[RasterData]:
        """Rasters that each job about the picture takes along from the first."""
        return []


def answer(
    client: Client,
    job: Job,
    source: PictureSource,
    on_progress: Optional[Callable[[Progress], None]] = None,
    hopeful: bool = False,
    keep: bool = True,
) -> Steps:
    """Steps that end with the job's answer; raise its typed error.

    Sends the overview's key alone when the server knows it, its pixels otherwise, and parts at full resolution only
    when the server asks for them. A ``hopeful`` client tries the keys first: that suits one that lives for one
    question and so cannot remember what the server holds, and costs a round trip when the server holds nothing.
    Without ``keep`` the server is told to forget the picture afterwards: that suits one that goes through many.
    """
    yield from source.prepare()
    overview = source.overview()
    details: List[RasterData] = []
    try:
        return (yield from _rounds(client, job, source, on_progress, hopeful, overview, details))
    finally:
        if not keep:
            client.forget(item.raster.key for item in [overview, *details])


def _rounds(
    client: Client,
    job: Job,
    source: PictureSource,
    on_progress: Optional[Callable[[Progress], None]],
    hopeful: bool,
    overview: RasterData,
    details: List[RasterData],
) -> Steps:
    """``answer`` from the first attempt on. ``details`` are filled in when the server asks for them."""
    refused: Set[str] = set()
    for _ in range(MAX_ROUNDS):
        rasters = []
        items = list({item.raster.key: item for item in [overview, *details, *source.companions()]}.values())
        for item in items:
            if hopeful and item.raster.key not in refused:
                rasters.append(item.raster)
            else:
                rasters.append((yield from _travelling(client, item)))
        identity = client.new_id()
        # A job is sent again under a new id: the old id's answer was the failure.
        attempt = replace(job, id=identity, picture=Picture(source.box, rasters))
        try:
            ticket = client.submit(attempt, on_progress)
            result = yield ticket
            client.known_keys.update(item.raster.key for item in items)
            return result
        except UnknownImage as error:
            missing = error.details.get("keys") or [item.raster.key for item in items]
            client.known_keys.difference_update(missing)
            refused.update(missing)
        except MorePixelsNeeded as error:
            client.known_keys.update(item.raster.key for item in items)
            box = _box_of(error)
            yield from source.prepare_detail(box)
            details[:] = [source.detail(box)]
    raise UnknownImage(
        tr("The server keeps forgetting the image."), tr("Its memory budget may be too small for this image.")
    )


def _box_of(error: MorePixelsNeeded) -> PixelRect:
    try:
        x, y, width, height = (int(v) for v in error.details["box"])
    except (KeyError, TypeError, ValueError, OverflowError) as problem:
        raise BadMessage(tr("The server does not say which pixels it needs.")) from problem
    return PixelRect(x, y, width, height)


def _travelling(client: Client, item: RasterData) -> Steps:
    """The raster as the next job should carry it: by key, with its pixels, or by key after an upload."""
    if item.raster.key in client.known_keys:
        return item.raster
    if len(memoryview(item.data).cast("B")) <= INLINE_BYTES:
        return replace(item.raster, data=item.data)  # type: ignore[arg-type]
    try:
        yield from upload(client, item)
    except (ConnectionLost, UnknownImage):
        yield from upload(client, item)  # the server was restarted meanwhile, or gave the upload up
    return item.raster


def upload(client: Client, item: RasterData) -> Steps:
    """Steps that bring a raster to the server, strip by strip, without those that it has."""
    raster = item.raster
    begin = ImageBegin("", raster.key, raster.width, raster.height, raster.format, raster.transfer, item.strips)
    need = yield client.submit(begin)
    view = memoryview(item.data).cast("B")
    row_bytes = raster.width * FORMATS[raster.format].pixel_bytes
    spans = list(strip_spans(raster.height))
    if not isinstance(need, ImageNeed) or not all(0 <= strip < len(spans) for strip in need.strips):
        raise BadMessage(tr("The server's answer does not fit the image."))
    slice_bytes = client.welcome.slice_bytes if client.welcome else 256 * 1024
    for strip in need.strips:
        top, rows = spans[strip]
        content = view[top * row_bytes : (top + rows) * row_bytes]
        for offset in range(0, len(content), slice_bytes):
            piece = content[offset : offset + slice_bytes]
            client.send(ImageSlice(raster.key, strip, offset, piece), BULK)  # type: ignore[arg-type]
    ready = yield client.submit(ImageEnd("", raster.key))
    client.known_keys.add(raster.key)
    return ready


def run(steps: Steps, wait: Callable[[Any], Any] = Ticket.wait) -> Any:
    """Drive steps to their end in this thread. ``wait(ticket)`` returns when the ticket is done (a place to pulse a
    progress bar, or to cancel the ticket)."""
    ticket = None
    try:
        while True:
            ticket = step(steps, ticket)
            if ticket is not None:
                wait(ticket)
    except StopIteration as end:
        return end.value


def step(steps: Steps, awaited: Any) -> Any:
    """Hand steps the answer or error of what they waited for (None at their start, and where that was nothing); what
    they wait for next. Raises ``StopIteration`` with their value."""
    if awaited is None:
        return next(steps)
    try:
        result = awaited.result(0)
    except Exception as error:
        return steps.throw(error)
    return steps.send(result)
