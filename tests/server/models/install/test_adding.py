"""Models that users add: tried before they are installed, whatever they are called, and corrected by adding again.

What is tried runs in the process that ``models add`` starts, with tiny models of the real classes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.config import default_model_folder
from maskwright.models import catalogue
from maskwright.models.family import Family
from maskwright.models.install import remove, scan, user_models
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import BadInput, MaskwrightError, ModelBroken
from tests.server.models import onnx_files
from tests.server.models.families import tiny_matting
from tests.server.models.families import tiny_sams as sams
from tests.server.models.families import yolo_files as yolos
from tests.shared_data import MODELS, needs_models

needs_ultralytics = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")


def left() -> list[str]:
    """All that is in the model folder, hidden things too."""
    folder = default_model_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def detector_file(path: Path) -> Path:
    """An export of YOLO of two classes, which sees one of them in all of its four places."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(onnx_files.answering({"images": 4}, ["output0"], (1, 6, 4)))
    return path


NAMES = {"names": ["cat", "dog"]}


@needs_ultralytics
def test_a_pickle_of_any_name_is_converted_recognised_tried_and_ready(home: Path) -> None:
    path = home / "Bilder" / "my face (1).pt"
    path.parent.mkdir()
    shutil.copy(yolos.checkpoint(home / "made", "yolo11-seg"), path)
    told: list[str] = []
    done = user_models.add([path], report=told.append)
    assert (done.entry.id, done.entry.family, done.replaced) == ("my-face-1", "yolo", False)
    assert done.names == done.entry.names == tuple(yolos.NAMES.values())
    assert done.entry.draws
    assert [text.split()[0] for text in told if text] == ["Converting", "Looking", "Loading", "Trying"]
    found = scan.scan([default_model_folder()])["my-face-1"]
    scan.verify(found)
    detector = ModelPool([default_model_folder()], "cpu", 1).detector("my-face-1")
    assert all(one.label == "face" for one in detector.detect(sams.picture(64, 64), "face"))
    assert left() == ["my-face-1"]
    # From the same file again, whatever it is called now: it is that model, not a second one.
    again = user_models.add([path.rename(path.with_name("other.pt"))], more={"title": "Faces"})
    assert (again.entry.id, again.replaced, again.entry.title) == ("my-face-1", True, "Faces")
    assert [entry.title for entry in catalogue.load().model if entry.own] == ["Faces"]


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("my face (1).onnx", "my-face-1"), ("顔.onnx", "my-yolo"), ("Größe 2.ONNX", "gr-e-2"),
        ("..hidden.onnx", "hidden"),
        (f"{'x' * 200}.onnx", "x" * 60), ("_a.onnx", "a"), ("runs/hands/weights/best.onnx", "hands"),
        ("yolo11n.onnx", "my-yolo11n"),
    ],
)  # fmt: skip
def test_any_name_of_a_file_will_do(home: Path, name: str, identity: str) -> None:
    path = detector_file(home / name)
    done = user_models.add([path], family="yolo", more=NAMES)
    assert done.entry.id == identity
    assert not scan.scan([default_model_folder()])[identity].problem


def test_paths_of_every_kind_lead_to_the_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = detector_file(home / "given" / "cats.onnx")
    (home / "given" / "README.md").write_text("about cats")
    (home / "link.onnx").symlink_to(path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "given")
    for given, identity in (
        (Path("cats.onnx"), "cats"),
        (Path("~/given/cats.onnx"), "cats"),
        (home / "link.onnx", "cats"),  # the same file again
        (home / "given", "cats"),
    ):
        done = user_models.add([given], family="yolo", more=NAMES)
        assert done.entry.id == identity
        assert [file.name for file in done.entry.files] == [given.name if given.suffix else "cats.onnx"]
        assert not (done.folder / done.entry.files[0].name).is_symlink()
    assert path.exists()


def test_a_family_that_needs_a_trimap_gets_one(home: Path) -> None:
    tiny_matting.save(home / "edges")
    done = user_models.add([home / "edges" / "model.safetensors"])
    assert (done.entry.id, done.entry.family, done.entry.needs_trimap) == ("edges", "vitmatte", True)
    assert {file.name for file in done.entry.files} >= {"config.json", "model.safetensors", "preprocessor_config.json"}
    assert ModelPool([default_model_folder()], "cpu", 1).best("matting", needs_trimap=True) == "edges"


def test_a_wrong_family_is_refused_and_the_right_one_named(home: Path) -> None:
    folder = sams.saved(sams.sam2(), home / "clicks")
    with pytest.raises(ModelBroken) as caught:
        user_models.add([folder], family="sam_hq")
    assert "It looks like SAM 2: add it with --family sam2" in caught.value.hint
    assert left() == []
    assert not catalogue.user_file().exists()


@needs_models
def test_what_is_corrected_replaces_what_was_wrong(home: Path) -> None:
    shutil.copy(MODELS / "yolox-nano" / "yolox_nano.onnx", home / "ms.onnx")
    first = user_models.add([home / "ms.onnx"], "ms2", "yolox", {"title": "Wrong"})
    second = user_models.add([home / "ms.onnx"], "ms2", "yolox", {"title": "Right"})
    assert (first.replaced, second.replaced) == (False, True)
    assert [(e.id, e.title) for e in catalogue.load().model if e.own] == [("ms2", "Right")]
    assert scan.scan([default_model_folder()])["ms2"].problem == ""
    third = user_models.add([home / "ms.onnx"], "ms3", "yolox")
    assert third.twins == ("ms2",)
    for name in ("ms2", "ms3"):  # each is installed in its own folder, though the files are the same
        assert scan.scan([default_model_folder()])[name].folder == default_model_folder() / name
    remove.remove(catalogue.load().get("ms2"), default_model_folder())
    assert [e.id for e in catalogue.load().model if e.own] == ["ms3"]
    assert left() == [".downloads", "ms3"]


@needs_models
def test_a_published_model_is_known_again(home: Path) -> None:
    with pytest.raises(BadInput, match="knows as yolox-nano") as caught:
        user_models.add([MODELS / "yolox-nano"])
    embedded = catalogue.built_in().get("yolox-nano").embedded
    assert ("built in" if embedded else "maskwright models pull yolox-nano --from") in caught.value.hint


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _damage(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        save_file({name: change(value).contiguous() for name, value in load_file(path).items()}, path)

    return damage


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut, "no safetensors file that can be read"),
        (_damage(lambda t: torch.full_like(t, torch.nan)), "no number"),
        (_damage(lambda t: t.reshape(-1)), "clicks"),
        (_damage(lambda t: t[:1]), "clicks"),
        (lambda path: save_file({"a": torch.zeros(1)}, path), "clicks"),
        (lambda path: path.write_bytes(b""), "(empty|lacks|no model)"),
        (lambda path: path.with_name("config.json").write_text("{"), "config.json cannot be read"),
        (lambda path: path.with_name("config.json").write_text('{"model_type": "clip"}'), "'clip'"),
    ],
)
def test_nothing_is_left_of_a_model_that_does_not_work(
    home: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    folder = sams.saved(sams.sam2(), home / "clicks")
    damage(folder / "model.safetensors")
    with pytest.raises(MaskwrightError, match=sentence) as caught:
        user_models.add([folder])
    assert caught.value.hint
    assert "Remove the model's folder" not in caught.value.hint
    assert left() == []
    assert not catalogue.user_file().exists()


def _onnx(outputs: tuple[int, ...]) -> bytes:
    return onnx_files.answering({"images": 4}, ["output0"], outputs)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"), (b"no model", "no ONNX model that can be read"), (_onnx((1, 6, 4))[:-20], "no ONNX model"),
        (_onnx((1, 9, 4)), "outputs"), (_onnx((2, 2)), "outputs"),
        (_onnx((1, 6, 4)).replace(np.float32(1).tobytes(), np.float32(np.nan).tobytes()), "no numbers"),
    ],
)  # fmt: skip
def test_exports_that_do_not_fit_say_so(home: Path, data: bytes, sentence: str) -> None:
    (home / "x.onnx").write_bytes(data)
    with pytest.raises(MaskwrightError, match=sentence):
        user_models.add([home / "x.onnx"], family="yolo", more=NAMES)
    assert left() == []


def test_who_is_asked_decides(home: Path) -> None:
    path = home / "odd.onnx"
    path.write_bytes(onnx_files.answering({"in": 4}, ["out"], (1, 6, 4)))
    asked: list[str] = []

    def choose(possible: Sequence[Family]) -> str:
        asked.extend(family.name for family in possible)
        return "yolo"

    assert user_models.add([path], more=NAMES, choose=choose).entry.family == "yolo"
    assert {"yolo", "yolox", "u2net"} <= set(asked)
    assert "sam3" not in asked


def test_what_takes_too_long_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_models, "TRY_S", 0.05)
    with pytest.raises(ModelBroken, match="did not answer"):
        user_models.add([detector_file(home / "cats.onnx")], family="yolo", more=NAMES)
    assert left() == []


def test_a_failed_correction_leaves_what_there_was(home: Path) -> None:
    good, bad = detector_file(home / "good.onnx"), home / "bad.onnx"
    bad.write_bytes(b"no model")
    user_models.add([good], "mine", "yolo", NAMES)
    before = catalogue.user_file().read_text(encoding="utf-8")
    with pytest.raises(ModelBroken):
        user_models.add([bad], "mine", "yolo", NAMES)
    assert catalogue.user_file().read_text(encoding="utf-8") == before
    assert not scan.scan([default_model_folder()])["mine"].problem


def test_paths_that_lead_nowhere_say_so(home: Path) -> None:
    (home / "empty").mkdir()
    two = home / "two"
    detector_file(two / "a.onnx")
    detector_file(two / "b.onnx")
    (home / "x.zip").write_bytes(b"PK")
    for given, sentence in (
        (home / "nowhere.onnx", "There is no file"),
        (home / "empty", "no model in the folder"),
        (two, "several models: a.onnx, b.onnx"),
        (home / "x.zip", "no model that can be read"),
        (Path("\0.onnx"), "cannot be read|no file"),
    ):
        with pytest.raises(BadInput, match=sentence):
            user_models.add([given])
    assert left() == []


def test_the_users_file_keeps_what_else_is_in_it(home: Path) -> None:
    text = "# my models\n\n[[model]]\nid = 'other'\nfamily = 'yolo'\nfiles = [{ name = 'o.onnx' }]\n# below\n"
    catalogue.user_file().write_text(text, encoding="utf-8")
    user_models.add([detector_file(home / "cats.onnx")], family="yolo", more={**NAMES, "title": 'A "cat"\\ 猫'})
    assert [(e.id, e.title) for e in catalogue.load().model if e.own] == [("other", "other"), ("cats", 'A "cat"\\ 猫')]
    user_models.add([home / "cats.onnx"], family="yolo", more=NAMES)
    remove.remove(catalogue.load().get("cats"), default_model_folder())
    assert catalogue.user_file().read_text(encoding="utf-8").split() == text.split()
    catalogue.user_file().write_text("[[model", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be changed"):
        user_models.add([home / "cats.onnx"], family="yolo", more=NAMES)
    assert left() == [".downloads"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_named(home: Path) -> None:
    default_model_folder().mkdir(parents=True)
    default_model_folder().chmod(0o500)
    with pytest.raises(BadInput, match="cannot be written to"):
        user_models.add([detector_file(home / "cats.onnx")], family="yolo", more=NAMES)
    default_model_folder().chmod(0o700)
