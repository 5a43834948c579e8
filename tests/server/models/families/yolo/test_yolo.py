"""YOLO: the production path against Ultralytics' own functions; exports; safety."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.families.yolo.inference import model as yolo
from maskwright.models.roles import Detection, Detector
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import BadInput, ModelBroken, NeedsPackage, UnknownWord
from tests.server.models.families import yolo_files as files

pytestmark = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")
torch.set_num_threads(1)
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
SETUP = Setup("cpu", 1)


def library(path: Path, **how: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows (x0, y0, x1, y1, score, class) and masks of Ultralytics' own steps, in the image's and the mask's pixels."""
    from ultralytics.data.augment import LetterBox
    from ultralytics.nn.tasks import load_checkpoint
    from ultralytics.utils import nms, ops

    network, _ = load_checkpoint(str(path), fuse=True)
    boxed: Any = LetterBox(128, auto=True, stride=32)(image=IMAGE)
    planes = torch.from_numpy(boxed.transpose(2, 0, 1).copy())[None].float() / 255
    with torch.inference_mode():
        output = network(planes)[0]
    protos = output[1] if isinstance(output, tuple) else None
    suppress: Any = nms.non_max_suppression
    (rows,) = suppress(output, how.pop("conf"), nc=3, **how)
    masks = None
    if protos is not None:
        masks = ops.process_mask(protos[0], rows[:, 6:], rows[:, :4], planes.shape[2:]).numpy()
    scaled: Any = ops.scale_boxes((planes.shape[2], planes.shape[3]), rows[:, :6].clone(), IMAGE.shape[:2])
    return scaled.numpy(), masks


def as_rows(found: list[Detection]) -> np.ndarray:
    numbers = {name: number for number, name in files.NAMES.items()}
    return np.array([[d.box.x0, d.box.y0, d.box.x1, d.box.y1, d.score, numbers[d.label]] for d in found])


@pytest.fixture(scope="module", params=list(files.ARCHITECTURES))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    seed = 2 if "world" in request.param else 0  # with which each class is found
    return files.converted(tmp_path_factory.mktemp("yolo") / "tiny-yolo", request.param, seed)


def load(path: Path, **more: Any) -> Detector:
    """By the production path."""
    known = Catalogue(model=(files.entry(path.name, **more),))
    return ModelPool([path.parent], known=known, threads=1).detector("tiny-yolo")


def test_equal_to_the_library(checkpoint: Path) -> None:
    model = load(checkpoint)
    for how, asked in (
        ({"conf": 0.25, "iou_thres": 0.7}, {}),
        ({"conf": 0.25, "iou_thres": 0.3, "max_det": 7}, {"iou": 0.3, "max_det": 7}),
        ({"conf": 0.25, "iou_thres": 0.5, "agnostic": True}, {"iou": 0.5, "agnostic": True}),
        ({"conf": 0.25, "iou_thres": 0.7, "classes": [0, 2]}, {"classes": "0,2"}),
    ):
        theirs, _ = library(checkpoint.with_suffix(".pt"), **how)
        ours = as_rows(model.detect(IMAGE, "", min_score=how["conf"], options=asked))
        assert len(theirs) >= 5
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_masks_are_the_librarys_before_they_are_cut_off(tmp_path: Path) -> None:
    path = files.converted(tmp_path / "tiny-yolo", "yolo11-seg", seed=3)
    rows, masks = library(path.with_suffix(".pt"), conf=0.3, iou_thres=0.5)
    assert masks is not None
    found = load(path).detect(IMAGE, "", min_score=0.3, options={"iou": 0.5})
    assert len(found) == len(rows)
    seen = 0
    for one, mask, row in zip(found, masks, rows, strict=True):
        if one.logits is None:
            assert mask.mean() < 0.01
            continue
        values, (cell_x, cell_y) = one.logits.values, one.logits.cell
        assert values.shape == mask.shape
        y, x = np.mgrid[: values.shape[0], : values.shape[1]]
        x, y = one.logits.x0 + (x + 0.5) * cell_x, one.logits.y0 + (y + 0.5) * cell_y
        inside = (x > row[0] + cell_x) & (x < row[2] - cell_x) & (y > row[1] + cell_y) & (y < row[3] - cell_y)
        outside = (x < row[0] - cell_x) | (x > row[2] + cell_x) | (y < row[1] - cell_y) | (y > row[3] + cell_y)
        visible = (x > 0) & (x < IMAGE.shape[1]) & (y > 0) & (y < IMAGE.shape[0])  # boxes are cut at the image's edge
        assert ((values > 0) == mask.astype(bool))[inside].all()
        assert not (values > 0)[outside & visible].any()
        assert len(np.unique(values)) > 100
        seen += int(inside.sum())
    assert seen > 200


@pytest.mark.parametrize(
    ("architecture", "end_to_end"),
    [
        ("yolov8", False),
        ("yolo11-seg", False),
        ("yolo26", True),
        ("yolo26-seg", True),
        ("yolo26-seg", False),
        ("yolov8-worldv2", False),
        ("yoloe-11-seg", False),
    ],
)
def test_exports_are_equal_to_the_network(tmp_path: Path, architecture: str, end_to_end: bool) -> None:
    path = tmp_path / "tiny-yolo" / "tiny.onnx"
    path.parent.mkdir()
    network = files.exported(path, architecture, end_to_end=end_to_end)
    model = load(path)
    planes = np.random.default_rng(2).random((1, 3, 128, 128), np.float32)
    assert isinstance(model, yolo.Yolo)
    output, protos = model.network(planes)
    with torch.inference_mode():
        theirs: Any = network(torch.from_numpy(planes))
    theirs = theirs if isinstance(theirs, (tuple, list)) else (theirs, None)
    order = slice(None)
    if end_to_end:
        assert output.shape[1] == 6 + (0 if protos is None else len(protos))
    np.testing.assert_allclose(output[order], theirs[0][0].numpy(), atol=2e-3)
    if protos is not None:
        np.testing.assert_allclose(protos, theirs[1][0].numpy(), atol=1e-3)
    found = model.detect(IMAGE, "faces; person", min_score=0.15)
    assert found
    assert {d.label for d in found} <= {"face", "person"}
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    assert all(0 <= d.box.x0 <= d.box.x1 <= 150 and 0 <= d.box.y0 <= d.box.y1 <= 90 for d in found)


@pytest.mark.parametrize("architecture", ["yolov8", "yolo11-seg"])
def test_an_export_with_suppression_in_it_gives_what_is_left(tmp_path: Path, architecture: str) -> None:
    path = tmp_path / "tiny-yolo" / "tiny.onnx"
    path.parent.mkdir()
    network = files.exported(path, architecture, nms=True)
    model = load(path)
    assert isinstance(model, yolo.Yolo)
    planes = np.random.default_rng(2).random((1, 3, 128, 128), np.float32)
    output, protos = model.network(planes)
    with torch.inference_mode():
        theirs: Any = network(torch.from_numpy(planes))
    theirs = theirs[0] if isinstance(theirs, (tuple, list)) else theirs
    assert output.shape == (files.MOST, 6 + (0 if protos is None else len(protos)))
    np.testing.assert_allclose(output, theirs[0].numpy(), atol=2e-3)
    found = model.detect(IMAGE, "", min_score=0.0)
    assert 3 < len(found) < files.MOST, "rows that only fill up are no finds"
    assert all(d.score > 0.1 and d.box.x1 > d.box.x0 for d in found)
    assert (protos is None) == all(d.logits is None for d in found)


@pytest.mark.parametrize("task", ["obb", "pose", "classify", "semantic", "depth", "something new"])
def test_exports_for_other_tasks_say_what_they_are(tmp_path: Path, task: str) -> None:
    path = tmp_path / "tiny-yolo" / "tiny.onnx"
    path.parent.mkdir()
    files.exported(path, "yolov8", task=task)
    with pytest.raises(ModelBroken, match=rf"(?i)cannot be used\. It .*({task}|no YOLO that detects)") as caught:
        yolo.load(files.entry(path.name), path.parent, SETUP)
    assert "detects or segments" in caught.value.hint


def test_words_and_numbers_are_matched_against_the_files_own_names(tmp_path: Path) -> None:
    model = load(files.converted(tmp_path / "tiny-yolo", "yolov8"))
    everything = model.detect(IMAGE, "", min_score=0.2)
    assert {d.label for d in everything} == set(files.NAMES.values())
    for text, options, labels in (
        ("Left_Hands", {}, {"left hand"}),
        ("a woman", {}, {"person"}),
        ("face, left hand", {}, {"face", "left hand"}),
        ("", {"classes": "1-2"}, {"left hand", "person"}),
        ("face", {"classes": "person"}, {"face", "person"}),
    ):
        assert {d.label for d in model.detect(IMAGE, text, min_score=0.2, options=options)} == labels
    with pytest.raises(UnknownWord) as unknown:
        model.detect(IMAGE, "fase")
    assert unknown.value.details["near"][0] == "face"
    assert "left hand" in unknown.value.hint
    for wrong in ("3", "2-1", "0-99"):
        with pytest.raises(BadInput):
            model.detect(IMAGE, "", options={"classes": wrong})


def test_the_size_option_changes_what_the_network_sees(tmp_path: Path) -> None:
    model = load(files.converted(tmp_path / "tiny-yolo", "yolov8"))
    assert isinstance(model, yolo.Yolo)
    seen: list[tuple[int, ...]] = []
    inner = model.network
    model.network = lambda planes: (seen.append(planes.shape), inner(planes))[1]
    for size in (None, 200, 256):
        model.detect(IMAGE, "", options={"size": size} if size else {})
    assert seen == [(1, 3, 96, 128), (1, 3, 160, 224), (1, 3, 160, 256)]


def test_wrong_files_are_refused_with_reasons(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = files.converted(tmp_path / "tiny-yolo", "yolov8")
    tensors = load_file(path)
    plain = path.with_name("plain.safetensors")
    save_file(tensors, plain)
    with pytest.raises(ModelBroken, match="how the model is built"):
        yolo.load(files.entry("plain.safetensors"), path.parent, SETUP)

    def changed(**values: Any) -> str:
        import json

        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            told = {**file.metadata(), **{name: json.dumps(value) for name, value in values.items()}}
        save_file(tensors, plain, told)
        return "plain.safetensors"

    for values, reason in (
        ({"kind": "ultralytics.nn.tasks.PoseModel"}, "joints of bodies"),
        ({"kind": "ultralytics.nn.tasks.OBBModel"}, "turned boxes"),
        ({"kind": "ultralytics.nn.tasks.ClassificationModel"}, "names whole pictures"),
        ({"kind": "ultralytics.nn.tasks.RTDETRDetectionModel"}, "no YOLO that detects"),
        ({"kind": "ultralytics.nn.tasks.WorldModel"}, "no words are saved"),
        ({"kind": "evil.nn.tasks.DetectionModel"}, "no YOLO that detects"),
        ({"description": {"backbone": [[-1, 1, "TorchVision", [1, "resnet18"]]], "head": []}}, "parts that"),
        ({"description": {"backbone": [[-1, 1, "os.system", ["true"]]], "head": []}}, "parts that"),
        ({"names": {"0": "a"}}, "names of its classes"),
        ({"names": ["a", 3]}, "names of its classes"),
    ):
        with pytest.raises(ModelBroken, match=reason):
            yolo.load(files.entry(changed(**values)), path.parent, SETUP)
    lost = dict(list(tensors.items())[3:])
    tensors.clear()
    tensors.update(lost)
    with pytest.raises(ModelBroken, match=r"missing: model\.0"):
        yolo.load(files.entry(changed()), path.parent, SETUP)


def test_a_model_for_words_needs_some_and_is_no_prompt_free_one(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = files.converted(tmp_path / "tiny-yolo", "yoloe-11-seg")
    with safe_open(path, "pt") as file:
        told = file.metadata()
    tensors = load_file(path)
    for changed, reason in (
        ({**tensors, "words": tensors["words"][:, :2].contiguous()}, "no words are saved"),
        ({**tensors, "words": tensors["words"][0].contiguous()}, "no words are saved"),
        ({key: value for key, value in tensors.items() if key != "words"}, "no words are saved"),
        ({**tensors, "model.23.lrpc.0.vocab.weight": torch.zeros(1)}, "prompt-free"),
    ):
        save_file(changed, path, told)
        with pytest.raises(ModelBroken, match=reason) as caught:
            yolo.load(files.entry(path.name), path.parent, SETUP)
        assert "Grounding DINO" in caught.value.hint or "ONNX" in caught.value.hint


def test_a_layer_that_the_installed_package_builds_otherwise_is_refused(tmp_path: Path) -> None:
    import json

    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = files.converted(tmp_path / "tiny-yolo", "yolov8")
    with safe_open(path, "pt") as file:
        told = dict(file.metadata())
    modules = json.loads(told["modules"])
    modules["model.2.m.0"][1]["add"] = not modules["model.2.m.0"][1]["add"]
    save_file(load_file(path), path, {**told, "modules": json.dumps(modules)})
    with pytest.raises(ModelBroken, match="version of ultralytics") as caught:
        load(path)
    assert caught.value.details["differs"] == ["add"]


def test_a_package_that_is_too_old_is_to_be_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ultralytics

    path = files.converted(tmp_path / "tiny-yolo", "yolov8")
    monkeypatch.setattr(ultralytics, "__version__", "8.4.163")
    with pytest.raises(NeedsPackage, match=r"ultralytics 8\.4\.163 is too old") as caught:
        load(path)
    assert "--upgrade" in caught.value.hint
    monkeypatch.setattr(ultralytics, "__version__", "8.4.164")
    assert load(path).detect(IMAGE, "", min_score=0.2)


def test_an_activation_of_its_own_stays_with_its_model(tmp_path: Path) -> None:
    for architecture in ("yolov6", "yolov8"):
        path = files.converted(tmp_path / architecture, architecture)
        assert yolo.load(files.entry(path.name), path.parent, SETUP).detect(IMAGE, "", min_score=0.01)


def test_an_export_that_tells_no_names_takes_the_catalogues(tmp_path: Path) -> None:
    path = tmp_path / "tiny-yolo" / "tiny.onnx"
    path.parent.mkdir()
    files.exported(path, "yolov8", tells=False)
    with pytest.raises(ModelBroken, match="names of its classes"):
        load(path)
    model = load(path, names=["hat", "shoe", "bag"])
    assert {d.label for d in model.detect(IMAGE, "", min_score=0.2)} <= {"hat", "shoe", "bag"}
    fewer = load(path, names=["hat", "shoe"])
    with pytest.raises(ModelBroken, match="not those of a YOLO detector"):
        fewer.detect(IMAGE, "")
