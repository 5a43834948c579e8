"""One client's conversation without any sockets: bytes in, messages out through ``send``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from maskwright.images.store import ImageStore
from maskwright.jobs.scheduler import Scheduler
from maskwright_protocol import __version__, bulk, codec
from maskwright_protocol.digest import STRIP_ROWS
from maskwright_protocol.errors import BadMessage, InternalError, MaskwrightError, VersionMismatch
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
    ImageNeed,
    ImageReady,
    ImageSlice,
    Job,
    Message,
    ModelPull,
    ModelRemove,
    ModelsRequest,
    Shutdown,
    StatusRequest,
    Welcome,
)

from .downloads import Downloads
from .validate import check_job, check_raster

log = logging.getLogger(__name__)

SLICE_BYTES = 256 * 1024
MAX_PART_BYTES = 256 * 1024 * 1024


class CloseConnection(Exception):
    """The conversation cannot go on; the last message told why."""


@dataclass
class Services:
    """What all sessions share."""

    store: ImageStore
    scheduler: Scheduler
    status: Callable[[str], Message]
    models: Callable[[str], Message]
    shutdown: Callable[[], None]
    downloads: Downloads = field(default_factory=Downloads)


class ClientSession:
    """``send`` takes messages for this client, also later, when jobs end. Not thread-safe."""

    def __init__(self, name: str, services: Services, send: Callable[[Message], None]) -> None:
        self.name = name
        self.client = ""
        self._services = services
        self._send = send
        self._greeted = False
        self.parts = bulk.PartStore(MAX_PART_BYTES)

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
            if not self._greeted:
                raise CloseConnection from error
        except CloseConnection:
            raise
        except Exception:
            log.exception("a message could not be handled")
            error = InternalError("Something went wrong inside Maskwright.")
            self._send(Failed.from_error(identity, error))

    def closed(self) -> None:
        """The client is gone."""
        self._services.store.abort(self.name)
        self._services.scheduler.drop_session(self.name)
        self._services.downloads.drop_session(self.name)

    def _handle(self, message: Message) -> None:
        services = self._services
        if isinstance(message, Hello):
            self._greet(message)
        elif not self._greeted:
            raise BadMessage("The first message must be a greeting.")
        elif isinstance(message, Job):
            self._submit(message)
        elif isinstance(message, Cancel):
            self.parts.discard(message.id)
            services.scheduler.cancel(self.name, message.id)
            services.downloads.leave(self.name, message.id)
        elif isinstance(message, BulkPart):
            self.parts.add(message)
        elif isinstance(message, ImageBegin):
            check_raster(message, services.store.max_pixels)
            self._send(ImageNeed(message.id, message.key, services.store.begin(self.name, message)))
        elif isinstance(message, ImageSlice):
            services.store.receive(self.name, message)
        elif isinstance(message, ImageEnd):
            services.store.end(self.name, message.key)
            self._send(ImageReady(message.id, message.key))
        elif isinstance(message, StatusRequest):
            self._send(services.status(message.id))
        elif isinstance(message, ModelsRequest):
            self._send(services.models(message.id))
        elif isinstance(message, ModelPull):
            services.downloads.join(self.name, message, self._send)
        elif isinstance(message, ModelRemove):
            services.downloads.remove(message, self._send)
        elif isinstance(message, Shutdown):
            self._send(Done(message.id))
            services.shutdown()

    def _greet(self, hello: Hello) -> None:
        if hello.version != PROTOCOL_VERSION:
            raise VersionMismatch(
                f"This program speaks protocol version {hello.version}, the server {PROTOCOL_VERSION}.",
                version=PROTOCOL_VERSION,
                server_version=__version__,
            )
        self._greeted = True
        self.client = hello.client
        log.info("session opened", extra={"session": self.name, "client": hello.client})
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
        self._services.scheduler.submit(self.name, job, self._send)
        log.debug("job queued", extra={"session": self.name, "job": job.id, "ms": (time.monotonic() - started) * 1e3})


def _id_in(data: bytes) -> str:
    """The id of a message that did not pass validation, so that its sender can be told; empty if there is none."""
    try:
        value = codec.decode_map(data).get("id", "")
    except MaskwrightError:
        return ""
    return value if isinstance(value, str) and len(value) <= 64 else ""
