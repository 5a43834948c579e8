"""Files made to harm: no path of ours, nor of the libraries as we call them, runs what is in them or drowns in it.

Each is first shown to be really bad: loaded as its library would by default, it leaves a mark.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.install import convert, scan, user_models
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import MaskwrightError, ModelBroken
from tests.server.models.entries import entry_of
from tests.server.models.onnx_files import with_weights_in

from .pickles import Calls, reduce, saved, touching

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")
pytest.importorskip("safetensors", reason="safetensors is not installed")


def refused(source: Path) -> ModelBroken:
    with pytest.raises(ModelBroken) as caught:
        convert.convert(source, source.with_name("out.safetensors"))
    assert not source.with_name("out.safetensors").exists()
    return caught.value


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def test_names_that_are_hidden_in_the_memo(tmp_path: Path) -> None:
    """Harmless strings lie on top when a careless reader looks, the bad ones come from the memo."""
    marker = tmp_path / "executed"
    hidden = b"\x80\x04" + text("builtins") + b"\x940" + text("exec") + b"\x940"  # remembered, then popped
    names = text("collections") + b"0" + text("OrderedDict") + b"0" + b"h\x00h\x01\x93"
    evil = hidden + names + text(f"open({str(marker)!r}, 'w').close()") + b"\x85R."
    pickle.loads(evil)
    assert marker.exists(), "this file would prove nothing"
    marker.unlink()
    source = tmp_path / "model.pt"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("archive/data.pkl", evil)
        archive.writestr("archive/version", "3")
    assert refused(source).details["calls"] == ["builtins.exec"]
    split = hidden + b"h\x00N0h\x01\x93" + text("1") + b"\x85R."  # something else lies between them for a moment
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("archive/data.pkl", split)
    assert refused(source).details["calls"] == ["unknown.unknown"]
    assert not marker.exists()


def bomb(nbytes: int) -> bytes:
    """A checkpoint of a few kilobytes whose one tensor unpacks to ``nbytes`` of zeros."""
    whole = io.BytesIO(saved({"a": torch.zeros(4)}))
    packed = io.BytesIO()
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            if not info.filename.endswith("data/0"):
                target.writestr(info.filename, source.read(info))
                continue
            with target.open(info.filename, "w", force_zip64=True) as member:
                for _ in range(nbytes >> 20):
                    member.write(bytes(1 << 20))
    return packed.getvalue()


def test_a_small_file_cannot_take_all_memory(tmp_path: Path) -> None:
    source = tmp_path / "bomb.pt"
    source.write_bytes(bomb(64 << 20))
    assert source.stat().st_size < 1 << 20
    try:  # either it is refused, or what the pickle speaks of is all that comes out
        done = convert.convert(source, tmp_path / "out.safetensors")
        assert done.out.stat().st_size < 1 << 20
    except ModelBroken:
        assert not (tmp_path / "out.safetensors").exists()


def test_every_way_in_refuses_the_same_file(home: Path) -> None:
    """Converting, adding, pulling from a folder, a folder that is looked through, a family's loader."""
    marker = home / "executed"
    source = home / "mine" / "faces" / "model.pt"
    source.parent.mkdir(parents=True)
    source.write_bytes(reduce(marker))
    torch.load(source, weights_only=False)
    assert marker.exists(), "this file would prove nothing"
    marker.unlink()
    refused(source)
    with pytest.raises(MaskwrightError):
        user_models.add([source], "faces", "yolo", {"roles": ["detector"], "input_size": 64})
    table = {"id": "faces", "family": "yolo", "roles": ["detector"], "input_size": 64}
    pickled = [{"name": "model.safetensors", "pickle": {"name": "model.pt"}}]
    entry = catalogue.own_entry({**table, "files": pickled})
    from maskwright.models.install import download

    with pytest.raises(MaskwrightError):
        download.pull(entry, [home / "mine"], home / "models")
    known = Catalogue(model=(entry,))
    assert "converted first" in scan.scan([home / "mine"], known)["faces"].problem
    with pytest.raises(ModelBroken):
        ModelPool([home / "mine"], "cpu", 1, known=known).detector("faces")
    # Renamed, it is no safetensors file.
    source.rename(source.with_name("model.safetensors"))
    with pytest.raises(MaskwrightError):
        ModelPool([home / "mine"], "cpu", 1, known=known).detector("faces")
    assert not marker.exists()


def test_a_pickle_beside_the_weights_is_no_way_into_transformers(tmp_path: Path) -> None:
    """A hub folder with ``pytorch_model.bin`` and code of its own: neither is looked at."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    from maskwright.models.runtime.setup import Setup
    from maskwright.models.runtime.torch_runtime import pretrained

    marker = tmp_path / "executed"
    folder = tmp_path / "m"
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=8
    )
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
    described = (folder / "config.json").read_text(encoding="utf-8")
    code = f"open({str(marker)!r}, 'w').close()\n"
    auto = '{\n  "auto_map": {"AutoModelForSemanticSegmentation": "evil.Model", "AutoConfig": "evil.Config"},'
    (folder / "config.json").write_text(described.replace("{", auto, 1), encoding="utf-8")
    (folder / "evil.py").write_text(code, encoding="utf-8")
    (folder / "pytorch_model.bin").write_bytes(saved({"a": touching(marker)}))
    entry = entry_of("m", "model.safetensors", family="segformer", roles=("parser",))
    kind = transformers.SegformerForSemanticSegmentation
    assert pretrained(kind, entry, folder, Setup("cpu", 1)).config.hidden_sizes == [8, 8, 8, 8]
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelBroken):
        pretrained(kind, entry, folder, Setup("cpu", 1))
    assert not marker.exists()


_MAKE = """
import sys, torch
from tests.server.models.families import yolo_files

class Evil:
    def __reduce__(self):
        return exec, (f"open({sys.argv[2]!r}, 'w').close()",)

good = {"model": yolo_files.model("yolo11"), "ema": None, "epoch": -1, "train_args": {"imgsz": 128, "task": "detect"}}
torch.save(good, sys.argv[1] + ".good")
torch.save({**good, "date": Evil()}, sys.argv[1])
"""
_LIBRARY = """
import sys
from maskwright.models.families.yolo.inference import ultralytics_network
with ultralytics_network.quiet():
    from ultralytics.nn import tasks
tasks.SAFE_LOAD = False  # as the package has it unless it is told otherwise
print(type(tasks.load_checkpoint(sys.argv[1])[0]).__name__)
"""


def test_a_yolo_file_that_runs_code_in_its_own_library_runs_none_here(home: Path) -> None:
    """A checkpoint of the real library's classes with a call slipped in: loaded by the library, it is executed."""
    if find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed")
    marker, source = home / "executed", home / "yolo.pt"

    def python(code: str) -> str:
        command = [sys.executable, "-c", code, str(source), str(marker)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    python(_MAKE)
    assert "DetectionModel" in python(_LIBRARY)
    assert marker.exists(), "this file would prove nothing"
    marker.unlink()
    error = refused(source)
    assert any(call.endswith(".exec") for call in error.details["calls"])
    with pytest.raises(MaskwrightError):
        user_models.add([source], "faces", "yolo", {"roles": ["detector"], "input_size": 128})
    assert not marker.exists()
    good = source.with_name("yolo.pt.good").rename(home / "good.pt")
    folder = user_models.add([good], "faces", "yolo", {"roles": ["detector"], "input_size": 128}).folder
    assert ModelPool([folder], "cpu", 1).detector("faces").device == "cpu"


def test_safetensors_with_lies_in_their_header(tmp_path: Path) -> None:
    def with_header(text: bytes, data: bytes = b"") -> bytes:
        return struct.pack("<Q", len(text)) + text + data

    lies: dict[str, bytes] = {
        "longer": struct.pack("<Q", 1 << 40),
        "outside": with_header(b'{"a":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}', bytes(4)),
        "negative": with_header(b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', bytes(4)),
        "pickle": pickle.dumps({"a": 1}),
        "empty": b"",
    }
    from maskwright.models.runtime.torch_runtime import safetensors

    for name, data in lies.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        with pytest.raises(ModelBroken):
            safetensors(path, entry_of("a", path.name))


def test_an_onnx_file_cannot_read_files_outside_its_folder(tmp_path: Path) -> None:
    """ONNX may keep tensors in files beside it: a path that leads away is refused."""
    import numpy as np

    from maskwright.models.runtime.onnx_session import OnnxSession

    (tmp_path / "m").mkdir()
    secret = np.arange(4, dtype=np.float32).tobytes()
    for place in (tmp_path / "secret", tmp_path / "m" / "beside"):
        place.write_bytes(secret)
    entry, path = entry_of("a", "m.onnx"), tmp_path / "m" / "m.onnx"
    path.write_bytes(with_weights_in("beside"))
    (answer,) = OnnxSession(entry, path, ("x",), "cpu", 1).run(["y"], {"x": np.ones(4, np.float32)}, [(4,)])
    assert answer.tolist() == [1, 2, 3, 4], "this file would prove nothing"
    (tmp_path / "m" / "link").symlink_to(tmp_path / "secret")
    for away in ("../secret", "../m/../secret", str(tmp_path / "secret"), "link"):
        path.write_bytes(with_weights_in(away))
        with pytest.raises(ModelBroken):
            OnnxSession(entry, path, ("x",), "cpu", 1)


def test_the_reader_knows_what_may_be_allowed_and_nothing_else_can_be(tmp_path: Path) -> None:
    from maskwright.models.install.pickle_reader import ALLOWABLE

    for name in ALLOWABLE:
        assert not name.startswith(("builtins", "os", "sys", "subprocess", "ultralytics", "torch.nn"))
    source = tmp_path / "m.pt"
    source.write_bytes(saved({"a": torch.zeros(1), "b": Calls(os.getenv, "HOME")}))
    assert refused(source).details["calls"] == ["os.getenv"]
