"""Uploaded rasters, by content key, in shared memory that the workers map. The least recently used are evicted first.

Bookkeeping without sockets, for one thread; only the memory of large rasters is given back by others. A raster being
uploaded is pinned until its upload ends; rasters of running jobs are pinned by the job.
"""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from maskwright_protocol.digest import STRIP_ROWS, image_key, strip_digest, strip_digests, strip_spans
from maskwright_protocol.errors import BadImage, BadMessage, Busy, TooLarge, UnknownImage
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ImageBegin, ImageSlice, Raster
from maskwright_protocol.pixels import FORMATS

from . import segments

LARGE = 16 << 20  # bytes of a raster; to take or give back the memory of a larger one would stop the server for long


@dataclass
class StoredRaster:
    """``memory`` holds the packed rows, ``size`` bytes."""

    key: str
    width: int
    height: int
    format: str
    transfer: str
    size: int
    memory: segments.Segment
    strips: list[str] = field(default_factory=list)
    pins: int = 0
    users: set[str] = field(default_factory=set)  # sessions whose jobs had it


@dataclass
class _Upload:
    raster: StoredRaster
    missing: dict[int, int]  # strip -> bytes received so far
    damaged: bool = False  # a strip is not what its digest says


class ImageStore:
    """At most ``budget`` bytes over all clients; ``max_pixels`` bounds a single raster."""

    def __init__(self, budget: int, max_pixels: int) -> None:
        self.budget = budget
        self.max_pixels = max_pixels
        self.used = 0
        self.rasters: OrderedDict[str, StoredRaster] = OrderedDict()  # the whole ones, least recently used first
        self._uploads: dict[tuple[str, str], _Upload] = {}  # (session, key)
        self._strips: dict[str, tuple[str, int]] = {}  # digest -> (key, strip)
        self._freeing: list[threading.Thread] = []  # each gives the memory of a large raster back
        self.evicted: list[str] = []  # names of segments that workers may unmap; the reader clears it

    def get(self, key: str) -> StoredRaster:
        """Raises ``UnknownImage``."""
        raster = self.rasters.get(key)
        if raster is None:
            raise UnknownImage(tr("The server does not hold this image."), keys=[key])
        self.rasters.move_to_end(key)
        return raster

    def pin(self, keys: list[str]) -> list[StoredRaster]:
        """Keep rasters until ``unpin``; raises ``UnknownImage`` naming all that are missing."""
        for key in keys:  # what somebody cleaned up, as some systems do at the end of a login, is forgotten
            if key in self.rasters and not self.rasters[key].pins and self.rasters[key].memory.lost:
                self._release(self.rasters.pop(key))
        missing = [key for key in keys if key not in self.rasters]
        if missing:
            raise UnknownImage(tr("The server does not hold this image."), keys=missing)
        rasters = [self.get(key) for key in keys]
        for raster in rasters:
            raster.pins += 1
        return rasters

    def used_by(self, session: str, keys: list[str]) -> None:
        """A job of the session has these rasters."""
        for key in keys:
            self.rasters[key].users.add(session)

    def forget(self, session: str, keys: list[str]) -> None:
        """The session is done with these; what others have used too, or a job needs, stays."""
        for key in keys:
            raster = self.rasters.get(key)
            if raster is None:
                continue
            raster.users.discard(session)
            if not raster.users and not raster.pins:
                self._release(self.rasters.pop(key))

    def leave(self, session: str) -> None:
        """The session is gone; what it used stays for whoever comes back."""
        for raster in self.rasters.values():
            raster.users.discard(session)

    def unpin(self, keys: list[str]) -> None:
        for key in keys:
            if key in self.rasters:
                self.rasters[key].pins -= 1

    def put(self, raster: Raster) -> None:
        """Store a raster that came with its pixels. Raises ``BadImage`` if they are not what its key says."""
        if raster.key in self.rasters:
            self.rasters.move_to_end(raster.key)
            return
        data = raster.data or b""
        self._check_length(raster, len(data))
        strips = strip_digests(data, raster.height, raster.width * FORMATS[raster.format].pixel_bytes)
        if image_key(raster.width, raster.height, raster.format, raster.transfer, strips) != raster.key:
            raise BadImage(tr("The image's pixels do not match its key."))
        stored = self._reserve(raster, strips)
        stored.memory.buf[:] = data
        self._keep(stored)

    # ------------------------------------------------------------ uploads

    def begin(self, session: str, begin: ImageBegin, spare: list[segments.Segment] | None = None) -> list[int]:
        """Start an upload; the strips to send. Strips known from other rasters are copied here.

        ``spare``: a segment of the raster's size, which is taken out of it if it is needed.
        """
        if begin.key in self.rasters:
            self.rasters.move_to_end(begin.key)
            return []
        spans = list(strip_spans(begin.height))
        if len(begin.strips) != len(spans):
            raise BadImage(tr("The image's strips do not match its height."))
        if image_key(begin.width, begin.height, begin.format, begin.transfer, begin.strips) != begin.key:
            raise BadImage(tr("The image's strips do not match its key."))
        self.abort(session)  # one upload a session
        stored = self._reserve(begin, list(begin.strips), spare)
        missing: dict[int, int] = {}
        for strip, digest in enumerate(begin.strips):
            if not self._copy_strip(digest, stored, strip):
                missing[strip] = 0
        self._uploads[session, begin.key] = _Upload(stored, missing)
        return list(missing)

    def receive(self, session: str, piece: ImageSlice) -> None:
        """Take a slice. Slices of an unknown upload are ignored: it was given up. Raises ``BadMessage``."""
        upload = self._uploads.get((session, piece.key))
        if upload is None:
            return
        start, end = self._strip_range(upload.raster, piece.strip)
        done = upload.missing.get(piece.strip)
        if done is None or piece.offset != done or start + done + len(piece.data) > end:
            self.abort(session)
            raise BadMessage(tr("A piece of the image arrived out of order."))
        upload.raster.memory.buf[start + done : start + done + len(piece.data)] = piece.data
        upload.missing[piece.strip] = done = done + len(piece.data)
        if piece.data and start + done == end:  # checked now, since all at the end would take long
            digest = strip_digest(upload.raster.memory.buf[start:end])
            upload.damaged |= digest != upload.raster.strips[piece.strip]

    def end(self, session: str, key: str) -> None:
        """Finish an upload: all strips must be there and be what their digests say."""
        upload = self._uploads.get((session, key))
        if key in self.rasters:  # another client was quicker
            if upload is not None:
                self.abort(session)
            return
        if upload is None:
            raise UnknownImage(tr("The upload of the image was not begun, or was given up."), keys=[key])
        stored = upload.raster
        ends = (self._strip_range(stored, strip) for strip in upload.missing)
        if upload.damaged or [end - start for start, end in ends] != list(upload.missing.values()):
            self.abort(session)
            raise BadImage(tr("The image arrived incomplete or damaged."))
        del self._uploads[session, key]
        self._keep(stored)

    def uploading(self, session: str) -> int:
        """Bytes that the session's unfinished upload takes."""
        return sum(upload.raster.size for name, upload in self._uploads.items() if name[0] == session)

    def abort(self, session: str) -> None:
        """Forget what a session was uploading."""
        for name in [name for name in self._uploads if name[0] == session]:
            self._release(self._uploads.pop(name).raster)

    def clear(self) -> None:
        """Give all shared memory back."""
        for name in list(self._uploads):
            self._release(self._uploads.pop(name).raster)
        while self.rasters:
            self._release(self.rasters.popitem()[1])

    # ------------------------------------------------------------ memory

    def _check_length(self, raster: Raster | ImageBegin, length: int) -> None:
        expected = FORMATS[raster.format].image_bytes(raster.width, raster.height)
        if length != expected:
            raise BadImage(tr("The image has {0} bytes where its size needs {1}.", length, expected))

    def _reserve(
        self, raster: Raster | ImageBegin, strips: list[str], spare: list[segments.Segment] | None = None
    ) -> StoredRaster:
        size = FORMATS[raster.format].image_bytes(raster.width, raster.height)
        if size > self.budget:
            raise TooLarge(
                tr("The image needs {0} MiB, more than the server's {1} MiB for images.", size >> 20, self.budget >> 20)
            )
        idle = sum(stored.size for stored in self.rasters.values() if not stored.pins)
        if self.used - idle + size > self.budget:
            raise Busy(tr("The server's memory for images is taken by running jobs."))
        for key in [key for key, stored in self.rasters.items() if not stored.pins]:
            if self.used + size <= self.budget:
                break
            self._release(self.rasters.pop(key))
        memory = spare.pop() if spare else self._allocate(size)
        self.used += size
        return StoredRaster(
            raster.key, raster.width, raster.height, raster.format, raster.transfer, size, memory, strips
        )

    def _allocate(self, size: int) -> segments.Segment:
        """Memory for ``size`` bytes. While there is none, the least recently used raster is evicted."""
        idle = [key for key, stored in self.rasters.items() if not stored.pins]
        while True:
            try:
                return segments.create(size)
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE) or not (idle or self._freeing):
                    raise Busy(
                        tr("This computer has not enough memory left for the picture."),
                        tr(
                            "Close other programs, or make room on the disk; a container may need more shared memory "
                            "(/dev/shm)."
                        ),
                    ) from error
            if not self._freeing:
                self._release(self.rasters.pop(idle.pop(0)))
            while self._freeing:
                self._freeing.pop().join()

    def _keep(self, stored: StoredRaster) -> None:
        self.rasters[stored.key] = stored
        for strip, digest in enumerate(stored.strips):
            self._strips[digest] = (stored.key, strip)

    def _release(self, stored: StoredRaster) -> None:
        for digest in stored.strips:
            if self._strips.get(digest, ("", 0))[0] == stored.key:
                del self._strips[digest]
        self.used -= stored.size
        self.evicted.append(stored.memory.name)
        memory = [stored.memory]
        del stored.memory
        if stored.size > LARGE:
            self._freeing = [thread for thread in self._freeing if thread.is_alive()]
            self._freeing.append(threading.Thread(target=_free, args=(memory,), name="free-raster"))
            self._freeing[-1].start()
        else:
            _free(memory)

    def _copy_strip(self, digest: str, target: StoredRaster, strip: int) -> bool:
        known = self._strips.get(digest)
        if known is None or known[0] not in self.rasters:
            return False
        source = self.rasters[known[0]]
        from_start, from_end = self._strip_range(source, known[1])
        start, end = self._strip_range(target, strip)
        if from_end - from_start != end - start:
            return False
        target.memory.buf[start:end] = source.memory.buf[from_start:from_end]
        return True

    def _strip_range(self, stored: StoredRaster, strip: int) -> tuple[int, int]:
        row_bytes = stored.width * FORMATS[stored.format].pixel_bytes
        if not 0 <= strip < len(stored.strips):
            raise BadMessage(tr("A piece of the image names a strip that does not exist."))
        top = strip * STRIP_ROWS
        return top * row_bytes, min(top + STRIP_ROWS, stored.height) * row_bytes


def _free(memory: list[segments.Segment]) -> None:
    """The list has the only reference, so that the memory is unmapped here, by whatever thread this is."""
    memory.pop().unlink()
