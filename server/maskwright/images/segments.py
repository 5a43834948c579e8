"""Memory that the server and its worker share: segments with names, which hold no descriptor while they are mapped.

On Linux a segment is a file in /dev/shm or, when that is full, small or read-only, in the runtime directory. It is
allocated whole when it is created: a page that is taken later, from a file system that has become full, would end the
process that touches it (SIGBUS). macOS has no /dev/shm, so segments are files in the runtime directory that are filled
with zeros; Windows has named memory, which counts against the page file at once and goes with its last user.

A server that is killed leaves its files behind. Their names begin with that of a file which it keeps locked while it
lives; the next server removes the files of those that do not.
"""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from maskwright_protocol.discovery import prepare_runtime_directory, runtime_directory
from maskwright_protocol.language import tr

SHM = Path("/dev/shm")  # noqa: S108 - names in it are random, and files are created anew
RESERVE = 256 << 20  # bytes left to other programs, or an eighth of the file system if that is less


@dataclass
class Segment:
    """``buf``: its bytes; they are unmapped when the last view of them is gone. ``name`` is for ``attach``."""

    name: str
    buf: memoryview

    @property
    def lost(self) -> bool:
        """Whether another program removed the name, so that no new worker can map it."""
        return sys.platform != "win32" and not os.path.exists(self.name)

    def unlink(self) -> None:
        """Take the name away and let go of ``buf``; the memory goes back when nobody maps it any more."""
        _unlink(self.name)
        self.buf = memoryview(b"")


if sys.platform == "win32":
    from multiprocessing.shared_memory import SharedMemory

    class _Named(SharedMemory):
        def __del__(self) -> None:
            try:
                super().__del__()
            except BufferError:
                pass  # its last view unmaps it

    def create(size: int) -> Segment:
        """A new segment of ``size`` bytes. Raises ``OSError`` when there is not that much memory."""
        memory = _Named(create=True, size=size)
        assert memory.buf is not None
        return Segment(memory.name, memory.buf[:size])

    def attach(name: str, size: int, writable: bool = False) -> memoryview:
        """The bytes of another process's segment. Raises ``OSError``: it is gone, or there is no room to map it."""
        memory = _Named(name=name)
        assert memory.buf is not None
        return memory.buf[:size] if writable else memory.buf[:size].toreadonly()

    def sweep() -> None:
        """Nothing: named memory does not outlive its processes."""

    def trouble(wanted: int) -> str:
        """Nothing: named memory has no file system that could be short."""
        return ""

    def _unlink(name: str) -> None:
        pass

else:
    import atexit
    import ctypes
    import fcntl
    import functools
    import itertools
    import mmap
    import re
    import secrets
    import weakref
    from collections.abc import Iterator
    from multiprocessing import resource_tracker

    _LOCK = re.compile(r"(maskwright-[0-9a-f]{16})\.lock")
    _libc = ctypes.CDLL(None, use_errno=True)
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    _libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    _MAP_FAILED = ctypes.c_void_p(-1).value
    _numbers = itertools.count()

    def create(size: int) -> Segment:
        """A new segment of ``size`` bytes, all of them allocated. Raises ``OSError`` when no place has room for it."""
        reasons: list[int] = []  # not the errors: their tracebacks would hold frames, and those what was freed
        for place in _places():
            try:
                return _create_in(place, size)
            except OSError as error:
                reasons.append(error.errno or errno.EIO)
        raise OSError(reasons[0], os.strerror(reasons[0]))

    def attach(name: str, size: int, writable: bool = False) -> memoryview:
        """The bytes of another process's segment. Raises ``OSError``: it is gone, or there is no room to map it."""
        descriptor = os.open(name, os.O_RDWR if writable else os.O_RDONLY)
        try:
            return _mapped(descriptor, size, writable)
        finally:
            os.close(descriptor)

    def sweep() -> None:
        """Remove the segments of servers that were killed."""
        for place in _places():
            for path in place.glob("maskwright-*.lock"):
                name = _LOCK.fullmatch(path.name)
                try:
                    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
                except OSError:
                    continue  # another user's
                try:
                    if name and os.fstat(lock).st_uid == os.getuid() and _locked(lock):
                        _remove(place, name[1])
                finally:
                    os.close(lock)

    def trouble(wanted: int) -> str:
        """Why /dev/shm cannot hold ``wanted`` bytes more, in sentences; empty if it can, or where there is none."""
        if not SHM.is_dir():
            return ""
        if not os.access(SHM, os.W_OK):
            return tr(
                "Shared memory ({0}) cannot be written to. Pictures are kept in files in {1}, which can be slower.",
                SHM,
                runtime_directory(),
            )
        room = _room(os.statvfs(SHM))
        if room >= wanted:
            return ""
        return tr(
            "Shared memory ({0}) has room for {1} MiB more, and pictures may take {2}. Those that do not fit are kept "
            "in files in {3}, which can be slower. A container can be given more: docker run --shm-size 2g.",
            SHM,
            room >> 20,
            wanted >> 20,
            runtime_directory(),
        )

    def _places() -> Iterator[Path]:
        if SHM.is_dir():
            yield SHM
        yield prepare_runtime_directory()

    def _room(found: os.statvfs_result) -> int:
        """Bytes that may be taken of a file system."""
        total = found.f_blocks * found.f_frsize
        if not total:
            return sys.maxsize  # a tmpfs without a limit
        return max(0, found.f_bavail * found.f_frsize - min(total // 8, RESERVE))

    def _create_in(place: Path, size: int) -> Segment:
        name = f"{_claim(place)}-{next(_numbers)}"
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            if size > _room(os.fstatvfs(descriptor)):  # an attempt would take all that is left, for a moment
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            getattr(os, "posix_fallocate", _write_zeros)(descriptor, 0, size)
            segment = Segment(name, _mapped(descriptor, size, writable=True))
        except BaseException:
            os.unlink(name)
            raise
        finally:
            os.close(descriptor)
        if place == SHM:  # a process of Python's own removes it when the server and its worker were killed
            resource_tracker.register(f"/{Path(name).name}", "shared_memory")
        return segment

    def _write_zeros(descriptor: int, start: int, size: int) -> None:
        with open(descriptor, "wb", closefd=False) as file:
            for done in range(0, size, 1 << 20):
                file.write(bytes(min(1 << 20, size - done)))

    def _mapped(descriptor: int, size: int, writable: bool) -> memoryview:
        """A view of a file. Python's own ``mmap`` would keep a descriptor open for it."""
        if os.fstat(descriptor).st_size < size:
            raise OSError(errno.EINVAL, "the segment is too short")
        access = mmap.PROT_READ | mmap.PROT_WRITE if writable else mmap.PROT_READ
        address = _libc.mmap(None, size, access, mmap.MAP_SHARED, descriptor, 0)
        if address == _MAP_FAILED:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        owner = (ctypes.c_ubyte * size).from_address(address)
        weakref.finalize(owner, _libc.munmap, address, size).atexit = False
        view = memoryview(owner).cast("B")
        return view if writable else view.toreadonly()

    def _unlink(name: str) -> None:
        Path(name).unlink(missing_ok=True)
        if Path(name).parent == SHM:
            resource_tracker.unregister(f"/{Path(name).name}", "shared_memory")

    @functools.cache
    def _claim(place: Path) -> str:
        """The path with which this process's segments there begin; its lock says that they are in use."""
        while True:
            name = f"maskwright-{secrets.token_hex(8)}"
            lock = os.open(place / f"{name}.lock", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            if _locked(lock) and os.fstat(lock).st_nlink:
                atexit.register(_remove, place, name)
                return str(place / name)
            os.close(lock)  # another server's sweep was quicker

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _remove(place: Path, name: str) -> None:
        for path in [*place.glob(f"{name}-*"), place / f"{name}.lock"]:
            path.unlink(missing_ok=True)
