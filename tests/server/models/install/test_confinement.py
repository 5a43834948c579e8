"""What code could do that gets hold of the process that reads pickles: nothing but write into its own folder.

The code runs where torch's reader would have been deceived: in the real process, in place of ``torch.load``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwright.models.install import convert

from .pickles import saved

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")
pytest.importorskip("safetensors", reason="safetensors is not installed")

# Names: ``home`` has .ssh/key and kept, ``place`` is the folder of the result, ``other`` the number of a process.
READING = {
    "read": "open(home + '/.ssh/key').read()",
    "read a memory of another": "open(f'/proc/{other}/environ').read()",
    "list": "os.listdir(home)",
    "map": "torch.UntypedStorage.from_file(home + '/kept', False, 4)",
}
WRITING = {
    "write": "open(home + '/new', 'w')",
    "write by the way back": "open(place + '/../home/newer', 'w')",
    "write by a number": "os.open('new', os.O_WRONLY | os.O_CREAT, dir_fd=os.open(home, os.O_PATH))",
    "truncate": "os.truncate(home + '/kept', 0)",
    "map for writing": "torch.UntypedStorage.from_file(home + '/kept', True, 4)",
    "torch.save": "torch.save([], home + '/saved')",
    "sqlite": "sqlite3.connect(home + '/base').execute('create table a (b)')",
    "mode": "os.chmod(home + '/kept', 0o777)",
    "time": "os.utime(home + '/kept', (0, 0))",
    "attribute": "os.setxattr(home + '/kept', 'user.a', b'')",
    "remove": "os.remove(home + '/kept2')",
    "link": "os.link(home + '/kept', place + '/link')",
    "symbolic link": "os.symlink(home + '/kept', place + '/symbolic')",
    "pipe": "os.mkfifo(place + '/pipe')",
}
BESIDE = {
    "fork": "os.fork() or os._exit(0)",
    "process": "subprocess.run(['true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "system": "os.system('true') and 1 / 0",
    "socket": "socket.socket()",
    "pair": "socket.socketpair()",
    "store": "torch.distributed.TCPStore('127.0.0.1', 0, is_master=True, wait_for_workers=False)",
    "ask": "os.kill(other, 0)",
    "kill": "os.kill(other, 15)",
    "limit": "resource.prlimit(other, resource.RLIMIT_NOFILE, (9, 9))",
    "nice": "os.setpriority(os.PRIO_PROCESS, other, 19)",
    "memory file": "os.memfd_create('a')",
    "watch": "os.pidfd_open(other)",
    "trace": "libc.ptrace(0x4206, other, 0, 0) and 1 / 0",  # SEIZE
    "ring": "libc.syscall(425, 8, bytes(120)) < 0 and 1 / 0",  # io_uring, which goes by other calls
}
ATTEMPTS = READING | WRITING | BESIDE
# What an unconfined process here may not be able to do either.
DOUBTFUL = {"ring", "attribute", "trace"}

_PROGRAM = """
import ctypes, json, os, resource, socket, sqlite3, subprocess, sys, threading
import torch, torch.distributed
from maskwright.models.install import confinement, pickle_reader
home, place, other, walls, attempts = json.loads(sys.argv[1])
libc = ctypes.CDLL(None)

def run(*_, **__):
    outcomes = {}
    for name, code in attempts.items():
        try:
            exec(code, globals())
            outcomes[name] = "done"
        except BaseException as error:
            outcomes[name] = type(error).__name__
    with open(place + "/outcomes", "w") as file:
        json.dump(outcomes, file)
    return {"a": torch.zeros(1)}

if walls == "kernel":
    confinement.by_hook = lambda place: None
if walls == "hook":
    confinement.by_kernel = lambda place: ()
if walls == "none":
    run()
else:
    torch.load = run
    pickle_reader.main(sys.argv[2:])
"""


@pytest.fixture
def other() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def outcomes(tmp_path: Path, other: int, walls: str, attempts: dict[str, str]) -> dict[str, str]:
    home, place, source = tmp_path / "home", tmp_path / "place", tmp_path / "model.pt"
    (home / ".ssh").mkdir(parents=True)
    place.mkdir()
    (home / ".ssh" / "key").write_text("secret", encoding="utf-8")
    (home / "kept").write_text("four", encoding="utf-8")
    (home / "kept2").write_text("", encoding="utf-8")
    source.write_bytes(saved({"a": torch.zeros(1)}))
    wanted = {"key": "", "sha256": convert.digest(source), "allow": [], "rename": [], "drop": ""}
    told = json.dumps([str(home), str(place), other, walls, attempts])
    held, end = os.pipe()  # the process ends when its standard input does
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, told, str(source), str(place / "out"), json.dumps(wanted)],
        stdin=held, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    os.close(held)
    os.close(end)
    if walls != "none":
        assert json.loads(run.stdout) == {"tensors": 1}, run.stderr
    return json.loads((place / "outcomes").read_text(encoding="utf-8"))


def undone(found: dict[str, str]) -> set[str]:
    return {name for name, outcome in found.items() if outcome != "done"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these walls")
def test_the_kernel_lets_nothing_out(tmp_path: Path, other: int) -> None:
    found = outcomes(tmp_path, other, "kernel", ATTEMPTS | {"check": "assert len(os.listdir(place)) == 0"})
    assert found.pop("check") == "done", "in its own folder it can do what it needs"
    assert undone(found) == set(ATTEMPTS), found
    assert sorted(p.name for p in (tmp_path / "home").iterdir()) == [".ssh", "kept", "kept2"]
    assert (tmp_path / "home" / "kept").read_text(encoding="utf-8") == "four"
    assert Path(f"/proc/{other}").exists()
    assert sorted(p.name for p in (tmp_path / "place").iterdir()) == ["out", "outcomes"]


@pytest.mark.skipif(sys.platform != "linux", reason="tries what Linux has")
def test_without_walls_all_of_it_works(tmp_path: Path, other: int) -> None:
    assert undone(outcomes(tmp_path, other, "none", ATTEMPTS)) <= DOUBTFUL


def test_the_hook_stops_the_ordinary_ways(tmp_path: Path, other: int) -> None:
    ordinary = WRITING.keys() - {"map", "map for writing", "torch.save", "pipe"} | {"fork", "process", "socket", "kill"}
    found = outcomes(tmp_path, other, "hook", {name: ATTEMPTS[name] for name in sorted(ordinary)})
    assert undone(found) == ordinary, found


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_memory_and_files_are_limited(tmp_path: Path) -> None:
    program = (
        "import sys, torch; from maskwright.models.install import confinement\n"
        "confinement.limit(1000)\n"
        "try: torch.zeros(confinement.ROOM // 4 + (1 << 28)); print('all')\n"
        "except RuntimeError: print('limited')\n"
        "file = open(sys.argv[1], 'wb')\n"
        "try: file.truncate(confinement.ROOM + 4001); print('all')\n"
        "except OSError: print('limited')\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "large")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout == "limited\nlimited\n", run.stderr
