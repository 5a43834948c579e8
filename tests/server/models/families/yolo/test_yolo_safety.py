"""What a YOLO checkpoint and the package that builds it can do to the computer: nothing.

In plain processes, since Ultralytics keeps still when it sees pytest.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from maskwright.models.install.convert import convert
from maskwright_protocol.errors import ModelBroken

pytestmark = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")
ROOT = Path(__file__).parents[5]

# Loads the converted model and finds things with it, as a worker does, and prints what the interpreter saw.
WATCHED = """
import json, os, sys
events = []
def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.")):
        events.append([event, repr(arguments)[:200]])
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        events.append(["write", os.fspath(arguments[0]) if not isinstance(arguments[0], int) else ""])
    if event in ("os.mkdir", "os.rename", "os.remove"):
        events.append(["write", os.fspath(arguments[0])])
sys.addaudithook(watch)
import numpy as np
from pathlib import Path
from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.runtime.pool import ModelPool
assert "ultralytics" not in sys.modules and "torch" not in sys.modules
entry = Entry.model_validate(json.loads(sys.argv[2]))
pool = ModelPool([Path(sys.argv[1])], known=Catalogue(model=(entry,)), threads=1)
found = pool.detector(entry.id).detect(np.zeros((64, 96, 3), np.uint8), "", min_score=0.01)
assert "ultralytics" in sys.modules and "pytest" not in sys.modules
from ultralytics.utils import SETTINGS, ONLINE, SAFE_LOAD
from ultralytics.utils.events import events as telemetry
state = {"sync": SETTINGS["sync"], "online": ONLINE, "safe": SAFE_LOAD, "telemetry": telemetry.enabled,
         "torchvision": "torchvision" in sys.modules}
print(json.dumps({"events": events, "found": len(found), "state": state}))
"""


def watched(folder: Path, home: Path, **environment: str) -> dict[str, Any]:
    from tests.server.models.families import yolo_files

    entry = yolo_files.entry("tiny.safetensors").model_dump(mode="json")
    names = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV")
    plain = {name: os.environ[name] for name in names if name in os.environ}
    (home / "brief").mkdir(
        exist_ok=True
    )  # for files that are gone again, as dill's, which torch imports if it is there
    plain |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "TMPDIR": str(home / "brief")}
    plain |= {"OMP_NUM_THREADS": "1", **environment}
    plain["PYTHONPATH"] = os.pathsep.join([str(ROOT / "server"), str(ROOT / "protocol"), *environment.values()])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(folder.parent), json.dumps(entry)],
        env=plain, cwd=home, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.server.models.families import yolo_files

    return yolo_files.converted(tmp_path_factory.mktemp("safe") / "tiny-yolo", "yolo11-seg").parent


def test_it_talks_to_nobody_installs_nothing_and_writes_in_our_folder_only(folder: Path, tmp_path: Path) -> None:
    told = watched(folder, tmp_path)
    ours = str(tmp_path / "data" / "maskwright")
    odd = [e for e in told["events"] if e[0] != "write" or not (e[1].startswith(ours) or e[1] in ("", os.devnull))]
    brief = str(tmp_path / "brief")
    odd = [e for e in odd if e != ["write", str(tmp_path / "data")] and "__pycache__" not in e[1]]
    odd = [e for e in odd if not (e[0] == "write" and e[1].startswith(brief))]
    assert odd == []
    assert told["found"] > 0
    assert told["state"] == {"sync": False, "online": False, "safe": True, "telemetry": False, "torchvision": False}
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.startswith(os.path.join("data", "maskwright")) for path in written), written
    settings = json.loads((tmp_path / "data" / "maskwright" / "Ultralytics" / "settings.json").read_text())
    assert settings["sync"] is False


def test_an_installed_torchvision_is_neither_needed_nor_touched(folder: Path, tmp_path: Path) -> None:
    """One that breaks when it is imported, as a build for another torch does."""
    place = tmp_path / "packages"
    (place / "torchvision").mkdir(parents=True)
    (place / "torchvision" / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (place / "torchvision-0.28.0.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n"
    (place / "torchvision-0.28.0.dist-info" / "METADATA").write_text(metadata)
    told = watched(folder, tmp_path, EXTRA=str(place))
    assert told["found"] > 0
    assert told["state"]["torchvision"] is False


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def infected(folder: Path, place: str, payload: Any) -> Path:
    """A whole checkpoint with the payload somewhere in it."""
    from tests.server.models.families import yolo_files

    folder.mkdir()
    network = yolo_files.model("yolov8").half()
    content: dict[str, Any] = {"epoch": -1, "model": network, "ema": None, "train_args": {}}
    if place == "module":
        network.model[3].note = payload
    elif place == "description":
        network.yaml["activation"] = payload
    elif place == "names":
        network.names = payload
    else:
        content[place] = payload
    path = folder / "tiny.pt"
    torch.save(content, path)
    return path


@pytest.mark.parametrize("place", ["train_args", "module", "description", "names", "ema"])
def test_a_malicious_checkpoint_executes_nothing(tmp_path: Path, place: str) -> None:
    marker = tmp_path / "executed"
    path = infected(tmp_path / "tiny-yolo", place, Evil(marker))
    with pytest.raises(ModelBroken) as refused:
        convert(path, path.with_suffix(".safetensors"))
    assert not marker.exists()
    assert any("system" in call for call in refused.value.details["calls"])
    assert not path.with_suffix(".safetensors").exists()
    torch.load(path, weights_only=False)  # what others do with it
    assert marker.exists(), "this file would prove nothing"


def test_an_activation_is_a_name_and_no_code(tmp_path: Path) -> None:
    """The package evaluates that part of the description."""
    from maskwright.models.families.yolo.inference import model as yolo
    from maskwright.models.runtime.setup import Setup
    from tests.server.models.families import yolo_files

    network = yolo_files.model("yolov8").half()
    for activation in (f"open({str(tmp_path / 'executed')!r}, 'w') and nn.SiLU()", "nn.SiLU(print())", ["nn.SiLU()"]):
        network.yaml["activation"] = activation
        torch.save({"model": network, "ema": None}, tmp_path / "tiny.pt")
        convert(tmp_path / "tiny.pt", tmp_path / "tiny.safetensors")
        with pytest.raises(ModelBroken, match="made of parts that Maskwright does not know"):
            yolo.load(yolo_files.entry("tiny.safetensors"), tmp_path, Setup("cpu", 1))
    assert not (tmp_path / "executed").exists()


class Builds:
    """Calls a class that a restricted loader would have to allow: building it fetches weights."""

    def __reduce__(self) -> Any:
        from ultralytics.nn.modules.block import TorchVision

        return TorchVision, (3, "resnet18", "DEFAULT")


def test_classes_of_the_package_are_not_called_either(tmp_path: Path) -> None:
    path = infected(tmp_path / "tiny-yolo", "train_args", Builds())
    with pytest.raises(ModuleNotFoundError, match="torchvision"):  # it would have run
        torch.load(path, weights_only=False)
    assert convert(path, path.with_suffix(".safetensors")).tensors > 100


def test_the_inert_reader_itself_runs_nothing(tmp_path: Path) -> None:
    """Without the list of opcodes before it."""
    import zipfile

    from maskwright.models.install import whole_models

    marker = tmp_path / "executed"
    for payload in (
        Evil(marker),
        {"model": Evil(marker)},
        b"cbuiltins\neval\n(V__import__('os').system('touch " + str(marker).encode() + b"')\ntR.",
        b"cmaskwright.models.install.whole_models\nrebuild_tensor\n}(V__code__\nNu\x86b.",
        b"\x80\x02\x82\x01.",
    ):
        path = tmp_path / "evil.pt"
        with zipfile.ZipFile(path, "w") as archive:
            data = payload if isinstance(payload, bytes) else pickle.dumps(payload, protocol=2)
            archive.writestr("archive/data.pkl", data)
        with path.open("rb") as file, pytest.raises(Exception) as caught:  # noqa: PT011
            whole_models.read(file)
        assert not isinstance(caught.value, SystemExit)
        assert not marker.exists()
    assert "__code__" not in vars(whole_models.rebuild_tensor)


def test_a_tensor_cannot_claim_more_than_is_there(tmp_path: Path) -> None:
    from maskwright.models.install import whole_models

    with pytest.raises(ValueError, match="larger than what is stored"):
        whole_models.rebuild_tensor(torch.zeros(4), 0, (10**6, 10**6), (0, 0))
    with pytest.raises(RuntimeError):
        whole_models.rebuild_tensor(torch.zeros(4), 2, (4,), (1,))


def test_a_class_of_other_code_is_told_to_be_no_yolo(tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    source = textwrap.dedent(
        """
        import sys, torch
        class Net(torch.nn.Module): pass
        Net.__module__ = "models.yolo"
        sys.modules["models"] = sys.modules["models.yolo"] = sys.modules[__name__]
        torch.save({"model": Net()}, sys.argv[1])
        """
    )
    subprocess.run([sys.executable, "-c", source, str(path)], check=True, timeout=120)
    with pytest.raises(ModelBroken, match="whole model"):
        convert(path, tmp_path / "own.safetensors")
