"""One client's conversation without any sockets: bytes in, messages out through ``send``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from maskwright.images import segments
from maskwright.images.store import LARGE, ImageStore
from maskwright.jobs.scheduler import Scheduler
from maskwright_protocol import __version__, bulk, codec, language
from maskwright_protocol.digest import STRIP_ROWS
from maskwright_protocol.errors import BadMessage, Busy, InternalError, MaskwrightError, VersionMismatch
from maskwright_protocol.language import tr
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    PROTOCOL_VERSION,
    BulkPart,
    Cancel,
    Done,
    Failed,
    Hello,
    ImageBegin,
    ImageEnd,
    ImageForget,
    ImageNeed,
    ImageReady,
    ImageSlice,
    Job,
    Message,
    ModelPull,
    ModelRemove,
    ModelsRequest,
    Raster,
    RecipeSave,
    RecipesRequest,
    Shutdown,
    StatusRequest,
    Welcome,
)
from maskwright_protocol.pixels import FORMATS

from . import saved_recipes
from .downloads import Deliver, Downloads
from .validate import check_job, check_raster

log = logging.getLogger(__name__)
Result = TypeVar("Result")

SLICE_BYTES = 256 * 1024
MAX_PART_BYTES = 256 * 1024 * 1024  # of one client
MAX_MASKS_TOTAL = 512 * 1024 * 1024  # bytes of parts and of waiting jobs' masks, over all clients
SILENCE_S = 30.0  # an upload or a message's parts that stand still so long are given up
SLOWEST_UPLOAD = 64 * 1024  # bytes a second, on average


class CloseConnection(Exception):
    """The conversation cannot go on; the last message told why."""


@dataclass
class Services:
    """What all sessions share."""

    store: ImageStore
    scheduler: Scheduler
    status: Callable[[str], Message]
    models: Callable[[str, Deliver], None]  # answers later
    shutdown: Callable[[], None]
    downloads: Downloads = field(default_factory=Downloads)
    recipes: Callable[[RecipesRequest | RecipeSave, Deliver], None] = saved_recipes.answer_later
    sessions: dict[str, ClientSession] = field(default_factory=dict)
    allocating: asyncio.Lock = field(default_factory=asyncio.Lock)  # memory for a large picture
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside the sessions."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class ClientSession:
    """``send`` takes messages for this client, also later, when jobs end. Not thread-safe.

    What all clients share goes to whoever asks; where it is short, the client that holds the most has to give up some.
    """

    def __init__(self, name: str, services: Services, send: Callable[[Message], None]) -> None:
        self.name = name
        self.client = ""
        self.token = ""  # the name of the token that it came in by
        self.greeted = False
        self.parts = bulk.PartStore(MAX_PART_BYTES)
        self._services = services
        self.language = language.SOURCE
        self._deliver = send
        self._parts_at = 0.0  # when the last part came, by ``time.monotonic``
        self._upload_begun = self._upload_at = 0.0  # the same of the upload and its last slice

    def receive(self, data: bytes) -> None:
        """Handle one message. Every failure is answered by ``failed``; raises ``CloseConnection`` after a bad hello."""
        identity = ""
        try:
            message = codec.decode(data, CLIENT_MESSAGES, limited=True)
            identity = getattr(message, "id", "")
            self._handle(message)
        except MaskwrightError as error:
            identity = identity or _id_in(data)
            self.parts.discard(identity)
            self._send(Failed.from_error(identity, error))
            if not self.greeted:
                raise CloseConnection from error
        except CloseConnection:
            raise
        except Exception:
            log.exception("a message could not be handled")
            error = InternalError(tr("Something went wrong inside Maskwright."))
            self._send(Failed.from_error(identity, error))

    def _send(self, message: Message) -> None:
        """Send a message, with its sentences in the client's language."""
        self._deliver(message if self.language == language.SOURCE else language.said_in(message, self.language))

    def closed(self) -> None:
        """The client is gone."""
        self._services.sessions.pop(self.name, None)
        self.parts.clear()
        self._services.store.abort(self.name)
        self._services.scheduler.drop_session(self.name)
        self._services.store.leave(self.name)
        self._services.downloads.drop_session(self.name)

    def _handle(self, message: Message) -> None:
        services = self._services
        if isinstance(message, Hello):
            self._greet(message)
        elif not self.greeted:
            raise BadMessage(tr("The first message must be a greeting."))
        elif isinstance(message, Job):
            self._submit(message)
        elif isinstance(message, Cancel):
            self.parts.discard(message.id)
            services.scheduler.cancel(self.name, message.id)
            services.downloads.leave(self.name, message.id)
        elif isinstance(message, BulkPart):
            self.parts.add(message)
            self._parts_at = time.monotonic()
            self._share_masks()
        elif isinstance(message, ImageBegin):
            check_raster(message, services.store.max_pixels)
            if _nbytes(message) > LARGE and message.key not in services.store.rasters:
                services.spawn(self._begin_large(message))
            else:
                self._begin(message)
        elif isinstance(message, ImageSlice):
            services.store.receive(self.name, message)
            self._upload_at = time.monotonic()
        elif isinstance(message, ImageEnd):
            services.store.end(self.name, message.key)
            self._send(ImageReady(message.id, message.key))
        elif isinstance(message, ImageForget):
            services.store.forget(self.name, message.keys)
        else:
            self._administer(message)

    def _administer(self, message: Message) -> None:
        """What is about the server itself: its state, models and recipes."""
        services = self._services
        if isinstance(message, StatusRequest):
            self._send(services.status(message.id))
        elif isinstance(message, ModelsRequest):
            services.models(message.id, self._send)
        elif isinstance(message, ModelPull):
            services.downloads.join(self.name, message, self._send)
        elif isinstance(message, ModelRemove):
            services.downloads.remove(message, self._send)
        elif isinstance(message, (RecipesRequest, RecipeSave)):
            services.recipes(message, self._send)
        elif isinstance(message, Shutdown):
            self._send(Done(message.id))
            services.shutdown()

    def _greet(self, hello: Hello) -> None:
        self.language = language.nearest([hello.language])
        if hello.version != PROTOCOL_VERSION:
            raise VersionMismatch(
                tr("This program speaks protocol version {0}, the server {1}.", hello.version, PROTOCOL_VERSION),
                version=PROTOCOL_VERSION,
                server_version=__version__,
            )
        self.greeted = True
        self.client = hello.client
        log.info("session opened", extra={"session": self.name, "client": hello.client, "token": self.token})
        services = self._services
        self._send(
            Welcome(
                version=PROTOCOL_VERSION,
                session=self.name,
                server_version=__version__,
                max_message=codec.MAX_MESSAGE,
                max_pixels=services.store.max_pixels,
                slice_bytes=SLICE_BYTES,
                strip_rows=STRIP_ROWS,
            )
        )

    def _submit(self, job: Job) -> None:
        self.parts.attach(job)
        check_job(job, self._services.store.max_pixels)
        started = time.monotonic()
        size = sum(_nbytes(raster) for raster in job.rasters if raster.data is not None)
        self._with_room(size, lambda: self._services.scheduler.submit(self.name, job, self._send))
        log.debug("job queued", extra={"session": self.name, "job": job.id, "ms": (time.monotonic() - started) * 1e3})
        self._share_masks()

    # ------------------------------------------------------------ what clients share

    def expire(self, now: float) -> None:
        """Give up an upload and parts that stand still."""
        if self.parts.held and now - self._parts_at > SILENCE_S:
            self._give_up_parts()
        size = self._services.store.uploading(self.name)
        longest = SILENCE_S + size / SLOWEST_UPLOAD
        if size and (now - self._upload_at > SILENCE_S or now - self._upload_begun > longest):
            log.info("an upload stands still and is given up", extra={"session": self.name})
            self._services.store.abort(self.name)

    @property
    def images_held(self) -> int:
        """Bytes of rasters that nobody else can have the room of: being uploaded, or of waiting jobs."""
        services = self._services
        keys = {key for job in services.scheduler.queue.waiting_of(self.name) for key in job.keys}
        return services.store.uploading(self.name) + sum(services.store.rasters[key].size for key in keys)

    @property
    def masks_held(self) -> int:
        """Bytes of masks that wait: parts without their message, and those of waiting jobs."""
        return self.parts.held + sum(job.nbytes for job in self._services.scheduler.queue.waiting_of(self.name))

    def _begin(self, begin: ImageBegin, spare: list[segments.Segment] | None = None) -> None:
        needed = self._with_room(_nbytes(begin), lambda: self._services.store.begin(self.name, begin, spare))
        self._upload_begun = self._upload_at = time.monotonic()
        self._send(ImageNeed(begin.id, begin.key, needed))

    async def _begin_large(self, begin: ImageBegin) -> None:
        """``_begin`` with memory that is taken in a thread, for one upload of all clients at a time."""
        spare: list[segments.Segment] = []
        async with self._services.allocating:
            try:
                if _nbytes(begin) <= self._services.store.budget:
                    spare.append(await asyncio.to_thread(segments.create, _nbytes(begin)))
            except OSError:
                pass  # the store makes room for it
            try:
                if self._services.sessions.get(self.name) is self:
                    self._begin(begin, spare)
            except MaskwrightError as error:
                self._send(Failed.from_error(begin.id, error))
            finally:
                if spare:
                    await asyncio.to_thread(lambda: spare.pop().unlink())

    def _with_room(self, size: int, do: Callable[[], Result]) -> Result:
        """``do()``, which needs ``size`` bytes of the store. Where they lack, who would still hold more gives up."""
        while True:
            try:
                return do()
            except Busy:
                largest = max(self._services.sessions.values(), key=lambda session: session.images_held)
                if largest is self or largest.images_held <= self.images_held + size:
                    raise
                largest.give_up_image()

    def give_up_image(self) -> None:
        """Give up the unfinished upload, or the last of the waiting jobs that have rasters."""
        services = self._services
        if services.store.uploading(self.name):
            services.store.abort(self.name)
        else:
            error = Busy(tr("The server's memory for images is needed by other programs."))
            services.scheduler.refuse(services.scheduler.queue.waiting_of(self.name)[-1], error)

    def _share_masks(self) -> None:
        """Where all masks together are too large, the client with the most loses parts, then waiting jobs."""
        sessions = self._services.sessions.values()
        while sum(session.masks_held for session in sessions) > MAX_MASKS_TOTAL:
            max(sessions, key=lambda session: session.masks_held).give_up_masks()

    def give_up_masks(self) -> None:
        """Give up all parts, or the last of the waiting jobs that have masks."""
        if self.parts.held:
            self._give_up_parts()
        else:
            scheduler = self._services.scheduler
            last = [job for job in scheduler.queue.waiting_of(self.name) if job.nbytes][-1]
            scheduler.refuse(last, Busy(tr("The masks of all waiting jobs are larger than the server has room for.")))

    def _give_up_parts(self) -> None:
        error = Busy(tr("The masks of a message waited too long, or took the room of others."))
        for identity in self.parts.clear():
            self._send(Failed.from_error(identity, error))


def _nbytes(raster: Raster | ImageBegin) -> int:
    return FORMATS[raster.format].image_bytes(raster.width, raster.height)


def _id_in(data: bytes) -> str:
    """The id of a message that did not pass validation, so that its sender can be told; empty if there is none."""
    try:
        value = codec.decode_map(data).get("id", "")
    except MaskwrightError:
        return ""
    return value if isinstance(value, str) and len(value) <= 64 else ""
