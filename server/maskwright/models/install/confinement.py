"""Takes from this process what reading a file does not need. Nothing of it can be given back.

What holds for code that runs in the process afterwards, even for native code:

- Linux with landlock (5.13 and later) on x86-64 and ARM64: the kernel lets it read only Python's own libraries and what
  was opened before, write only in one folder, and neither open sockets, start processes, send signals to others nor
  look into them. It can still ask for the names and sizes of files.
- Linux with landlock before 6.2: the same, but files that the user can write can be emptied.
- Linux without landlock: the same, but files can be read, and written, that the user can read and write.
- Elsewhere: nothing. An audit hook stops Python code that takes the ordinary ways to files, processes and sockets; code
  that is out to get around it can.

Memory, CPU time and the size of written files are limited where the system has such limits, which Windows has not.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Any

ROOM = 2 << 30  # bytes that reading may take besides the tensors
_CPU_S = 60  # seconds, and as much more as a large file needs
_CPU_RATE = 4 << 20  # bytes a second
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.kill",
    "os.utime", "os.setxattr", "os.removexattr", "shutil.", "sqlite3.", "ctypes.dlopen", "webbrowser.", "urllib.",
    "ftplib.", "smtplib.", "pty.",
)  # fmt: skip

_NO_NEW_PRIVILEGES = 38
_CREATE_RULES, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ = 1 << 2 | 1 << 3  # files and folders
_WRITE = _READ | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 14  # also to delete, to make plain ones, to shorten
# How many rights on files each version of landlock knows; later ones 16. The network came with 4, signals with 6.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}

# Calls of the kernel that stay. Those that are not listed do not exist for the process: so programs fall back from new
# calls to old ones. Each by its numbers on x86-64 and ARM64; -1: there is none.
_MACHINES = {
    "x86_64": (0xC000003E, 317, 0),  # the name of the machine, the number of seccomp, the column below
    "aarch64": (0xC00000B7, 277, 1),
}
_KEPT = """
    read 0 63, write 1 64, open 2 -1, close 3 57, stat 4 -1, fstat 5 80, lstat 6 -1, lseek 8 62, pread64 17 67,
    pwrite64 18 68, readv 19 65, writev 20 66, access 21 -1, dup 32 23, flock 73 32, fsync 74 82, ftruncate 77 46,
    getcwd 79 17, rename 82 -1, mkdir 83 -1, rmdir 84 -1, unlink 87 -1, readlink 89 -1, statfs 137 43, fstatfs 138 44,
    getdents64 217 61, fadvise64 221 223, openat 257 56, mkdirat 258 34, newfstatat 262 79, unlinkat 263 35,
    renameat 264 38, readlinkat 267 78, faccessat 269 48, renameat2 316 276, statx 332 291, close_range 436 436,
    faccessat2 439 439, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214, mremap 25 216, msync 26 227,
    madvise 28 233, mbind 237 235, poll 7 -1, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139,
    sched_yield 24 124, nanosleep 35 101, getpid 39 172, exit 60 93, uname 63 160, gettimeofday 96 169,
    getrusage 98 165, sysinfo 99 179, times 100 153, getuid 102 174, getgid 104 176, geteuid 107 175, getegid 108 177,
    getppid 110 173, sigaltstack 131 132, gettid 186 178, time 201 -1, futex 202 98, sched_getaffinity 204 123,
    set_tid_address 218 96, restart_syscall 219 128, clock_gettime 228 113, clock_getres 229 114,
    clock_nanosleep 230 115, exit_group 231 94, ppoll 271 73, set_robust_list 273 99, getcpu 309 168,
    getrandom 318 278, membarrier 324 283, rseq 334 293
"""
# Calls that stay for certain values of one argument: their numbers, which argument, its values.
_LIMITED = (
    ((16, 29), 1, (0x5401, 0x5451)),  # ioctl: is it a terminal, close it in children
    ((56, 220), 0, (0x3D0F00,)),  # clone: a thread, as the C library starts it
    ((72, 25), 1, (0, 1, 2, 3, 4, 1030)),  # fcntl: copies and flags of a file
    ((302, 261), 0, (0,)),  # prlimit64: of itself
)
_TGKILL = (234, 131)  # for itself, which is how a process aborts
_ALLOW, _MISSING, _KILL = 0x7FFF0000, 0x00050000 | errno.ENOSYS, 0x80000000


class Forbidden(Exception):
    """What was tried is not possible in a confined process; the text is a sentence."""


def confine(place: Path, size: int) -> None:
    """Confine this process to writing into the folder ``place`` and to what reading a file of ``size`` bytes needs.

    To be called before the file is looked at, after the libraries are imported and before threads are started.
    """
    limit(size)
    by_kernel(place)
    by_hook(place)


def limit(size: int) -> None:
    """Let the process have no more memory, time and space on the disk than a file of ``size`` bytes can need.

    A small file may claim to hold terabytes.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    most = ROOM + 4 * size
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: most}
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted[resource.RLIMIT_CPU] = int(used.ru_utime + used.ru_stime) + _CPU_S + size // _CPU_RATE
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            wanted[resource.RLIMIT_AS] = int(file.read().split()[0]) * resource.getpagesize() + most
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def by_kernel(place: Path) -> tuple[str, ...]:
    """Have the kernel confine this process; returns the names of the walls that hold: "landlock", "seccomp"."""
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return ()
    walls = ("landlock", _landlock(libc, place)), ("seccomp", _seccomp(libc))
    return tuple(name for name, holds in walls if holds)


def _landlock(libc: Any, place: Path) -> bool:
    version = libc.syscall(_CREATE_RULES, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    handled = struct.pack("=QQQ", rights, network, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = libc.syscall(_CREATE_RULES, handled, ctypes.c_size_t(len(handled)), 0)
    if rules < 0:
        return False
    allowed = dict.fromkeys(_libraries(), _READ) | {str(place): _WRITE, "/dev/null": 0b110, "/dev/urandom": 0b100}
    try:
        for path, access in allowed.items():
            try:
                below = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            rule = struct.pack("=Qi", access & rights & (-1 if os.path.isdir(path) else 0b110), below)
            libc.syscall(_ADD_RULE, rules, 1, rule, 0)
            os.close(below)
        return libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def _libraries() -> list[str]:
    """Where Python's own libraries are: some are imported only when they are needed."""
    return [path for path in sys.path if os.path.isabs(path)]


def _seccomp(libc: Any) -> bool:
    if sys.byteorder != "little" or platform.machine() not in _MACHINES:
        return False
    machine, seccomp, column = _MACHINES[platform.machine()]
    limited = (*_LIMITED, (_TGKILL, 0, (os.getpid(),)))
    program = [_load(4), _compare(machine, 1, 0), _answer(_KILL), _load(0)]
    for call in _KEPT.split(","):
        program += [_compare(int(call.split()[1 + column]) & 0xFFFFFFFF, 0, 1), _answer(_ALLOW)]
    for numbers, argument, values in limited:
        program += [_compare(numbers[column], 0, 2 * len(values) + 2), _load(16 + 8 * argument)]
        for value in values:
            program += [_compare(value, 0, 1), _answer(_ALLOW)]
        program.append(_answer(_MISSING))
    program.append(_answer(_MISSING))
    code = ctypes.create_string_buffer(b"".join(program))
    described = struct.pack("@HP", len(program), ctypes.addressof(code))
    every_thread = 1
    return libc.syscall(seccomp, 1, every_thread, described) == 0


# Instructions of the kernel's filter. A call is a table: its number at byte 0, the machine at 4, arguments from 16.
def _load(position: int) -> bytes:
    return struct.pack("=HBBI", 0x20, 0, 0, position)


def _compare(value: int, if_equal: int, if_not: int) -> bytes:
    """How many instructions are skipped if what was loaded equals ``value``, and if not."""
    return struct.pack("=HBBI", 0x15, if_equal, if_not, value)


def _answer(action: int) -> bytes:
    return struct.pack("=HBBI", 0x06, 0, 0, action)


def by_hook(place: Path) -> None:
    """From now on Python code in this process that opens files for writing outside ``place``, or wants sockets or
    processes, gets ``Forbidden``."""
    inside = os.path.realpath(place) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise Forbidden(f"it tried to do something that is forbidden ({event}).")
        if event == "open" and len(arguments) == 3 and isinstance(arguments[2], int):
            writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            path = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
            if writing and path != os.devnull and not os.path.realpath(path).startswith(inside):
                raise Forbidden("it tried to write a file.")

    sys.addaudithook(hook)
