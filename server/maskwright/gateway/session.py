"""One client's conversation without any sockets: bytes in, messages out through ``send``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from maskwright.images.store import ImageStore
from maskwright.jobs.scheduler import JobDesk, failed
from maskwright_protocol import __version__, bulk, codec
from maskwright_protocol.digest import STRIP_ROWS
from maskwright_protocol.errors import BadInput, BadMessage, InternalError, MaskwrightError, VersionMismatch
from maskwright_protocol.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Done,
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
    Part,
    Shutdown,
    StatusRequest,
    Welcome,
)

from .downloads import Downloads
from .validate import check_mask, check_raster, parse

log = logging.getLogger("maskwright.session")

SLICE_BYTES = 256 * 1024
MAX_PART_BYTES = 256 * 1024 * 1024


class CloseConnection(Exception):
    """The conversation cannot go on; the last message told why."""


@dataclass
class Services:
    """What all sessions share."""

    store: ImageStore
    desk: JobDesk
    status: Callable[[str], Message]
    models: Callable[[str], Message]
    shutdown: Callable[[], None]
    pulls: Downloads = field(default_factory=Downloads)


class Session:
    """``send`` takes messages for this client, also later, when jobs end. Not thread-safe."""

    def __init__(self, name: str, services: Services, send: Callable[[Message], None]) -> None:
        self.name = name
        self.client = ""
        self._services = services
        self._send = send
        self._greeted = False
        self._parts = bulk.PartStore(MAX_PART_BYTES)

    def receive(self, data: bytes) -> None:
        """Handle one message. Every failure is answered by ``failed``; raises ``CloseConnection`` after a bad hello."""
        identity = ""
        try:
            message = parse(data, codec.MAX_MESSAGE)
            identity = getattr(message, "id", "")
            self._handle(message)
        except MaskwrightError as error:
            identity = identity or _id_in(data)
            self._parts.discard(identity)
            self._send(failed(identity, error))
            if not self._greeted:
                raise CloseConnection from error
        except CloseConnection:
            raise
        except Exception:
            log.exception("a message could not be handled")
            self._send(failed(identity, InternalError("Something went wrong inside Maskwright.")))

    def closed(self) -> None:
        """The client is gone."""
        self._services.store.abort(self.name)
        self._services.desk.drop_session(self.name)
        self._services.pulls.drop_session(self.name)

    def _handle(self, message: Message) -> None:
        services = self._services
        if isinstance(message, Hello):
            self._greet(message)
        elif not self._greeted:
            raise BadMessage("The first message must be a greeting.")
        elif isinstance(message, Job):
            self._submit(message)
        elif isinstance(message, Cancel):
            self._parts.discard(message.id)
            services.desk.cancel(self.name, message.id)
            services.pulls.leave(self.name, message.id)
        elif isinstance(message, Part):
            self._parts.add(message)
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
            services.pulls.join(self.name, message, self._send)
        elif isinstance(message, ModelRemove):
            services.pulls.remove(message, self._send)
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
        if not job.id:
            raise BadInput("A request has no id.")
        self._parts.attach(job)
        for item in bulk.bulk_fields(job):
            check_mask(item, self._services.store.max_pixels)  # the worker inflates it: that may take a while
        assert job.picture is not None
        for raster in job.picture.rasters:
            check_raster(raster, self._services.store.max_pixels)
        started = time.monotonic()
        self._services.desk.submit(self.name, job, self._send)
        log.debug("job queued", extra={"session": self.name, "job": job.id, "ms": (time.monotonic() - started) * 1e3})


def _id_in(data: bytes) -> str:
    """The id of a message that did not pass validation, so that its sender can be told; empty if there is none."""
    try:
        value = codec.decode_map(data).get("id", "")
    except MaskwrightError:
        return ""
    return value if isinstance(value, str) and len(value) <= 64 else ""
