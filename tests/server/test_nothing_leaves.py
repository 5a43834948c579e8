"""The server, the command and every recipe under a trace of system calls: nothing is reported, nothing looked up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from maskwright.privacy import SWITCHES
from tests.server.models.families import tiny_sams as sams
from tests.server.recipes import own_tiny_models
from tests.shared_data import MODELS, REPOSITORY, needs_models

STRACE, UNSHARE, IP = (shutil.which(name) for name in ("strace", "unshare", "ip"))
CALLS = (
    "connect,sendto,sendmsg,sendmmsg,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,"
    "symlink,link"
)
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|^(?:\d+ +)?(?:mkdir|rename|unlink|symlink|link|creat)")
PATH = re.compile(r'"((?:/|\.)[^"]*)"')


def namespaces_work() -> bool:
    command = [UNSHARE or "false", "-rn", STRACE or "false", "-f", "-o", os.devnull, "true"]
    return bool(STRACE and UNSHARE and IP) and subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    needs_models,
    pytest.mark.skipif(not namespaces_work(), reason="needs strace, ip and user namespaces"),
]


def traced(folder: Path, command: list[str], environment: dict[str, str]) -> tuple[str, list[str]]:
    """What the command prints, and its system calls and those of all that it starts; without any route to anywhere."""
    trace = folder / "trace"
    watched = [str(STRACE), "-f", "--seccomp-bpf", "-s", "300", "-e", f"trace={CALLS}", "-o", str(trace)]
    run = subprocess.run(
        [str(UNSHARE), "-rn", *watched, *command],
        env=environment, capture_output=True, text=True, timeout=900, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout, trace.read_text(errors="replace").splitlines()


def environment_in(folder: Path) -> dict[str, str]:
    """A home of its own; none of the switches is set from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "HF_", "XDG_"))}
    for name in SWITCHES:
        kept.pop(name, None)
    (folder / "home").mkdir()
    (folder / "tmp").mkdir()
    return {
        **kept,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "MASKWRIGHT_RUNTIME_DIR": str(folder / "run"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }


def leaks(calls: list[str], own: tuple[str, ...]) -> list[str]:
    """Name look-ups, connections to anywhere but this computer, and files written outside ``own`` folders."""
    found = []
    for call in calls:
        failed = "= -1" in call
        network = re.search(r"\b(connect|sendto|sendmsg|sendmmsg)\(", call)
        if network:
            internet = "AF_INET" in call and 'inet_addr("127.' not in call and '"::1"' not in call
            if internet or "htons(53)" in call or "nscd" in call:
                found.append(call)
        elif "/etc/resolv.conf" in call:
            found.append(call)
        elif not failed and WRITES.search(call):
            paths = [path for path in PATH.findall(call) if path.startswith("/")]
            parents = "mkdir" in call and all(any(f.startswith(f"{path}/") for f in own) for path in paths)
            if not parents and any(not path.startswith((*own, "/dev/", "/proc/")) for path in paths):
                found.append(call)
    return found


def test_every_recipe_keeps_to_this_computer(tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    models = own_tiny_models.install(tmp_path)
    environment["MASKWRIGHT_CONFIG"] = str(tmp_path / "config.toml")
    environment["MASKWRIGHT_MODELS"] = os.pathsep.join([str(models), str(MODELS)])
    photo = tmp_path / "photo.png"
    Image.fromarray(sams.picture(90, 150)).save(photo)
    printed, calls = traced(tmp_path, [sys.executable, "-m", "tests.server.every_recipe", str(photo)], environment)
    told = json.loads(printed.splitlines()[-1])
    assert len(told) > 30
    fine = ("done", "nothing_found", "empty_after_post_processing")
    assert {name: what for name, what in told.items() if what not in fine} == {}
    home = f"{tmp_path}/home/"
    own = (f"{tmp_path}/run", f"{tmp_path}/tmp", f"{home}.local/share/maskwright", f"{home}.cache/maskwright",
           f"{home}.config/maskwright")  # fmt: skip
    assert any("AF_INET" in call and "127.0.0.1" in call for call in calls), "the trace sees connections"
    assert leaks(calls, own) == []


@pytest.mark.parametrize("switched", [True, False])
def test_the_trace_sees_what_a_library_reports(tmp_path: Path, switched: bool) -> None:
    """ONNX Runtime reports to its maker unless it is told not to; without this, the test above would prove little."""
    environment = environment_in(tmp_path)
    model = MODELS / "u2netp" / "u2netp.onnx"
    first = "import maskwright; " if switched else ""
    code = f"{first}import onnxruntime, time; onnxruntime.InferenceSession({str(model)!r}); time.sleep(2)"
    _, calls = traced(tmp_path, [sys.executable, "-c", code], environment)
    found = leaks(calls, (f"{tmp_path}/tmp",))
    if switched:
        assert found == []
    elif not found:
        pytest.skip("this ONNX Runtime reports nothing by itself")
