"""ONNX files that are not what they are called: a sentence, not an error of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskwright.models import catalogue
from maskwright.models.roles import SegmentPrompt
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken, NeedsPackage
from tests.server.models.entries import entry_of
from tests.server.models.onnx_files import answering, block, model, value_info, with_weights_in

PICTURE = np.full((40, 60, 3), 128, np.uint8)
SAM = ("image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size")
# Of each file the inputs with their ranks, and the outputs that are asked for by name.
FILES: dict[str, list[tuple[dict[str, int], list[str]]]] = {
    "u2netp": [({"input.1": 4}, ["a"])],
    "birefnet-lite-onnx": [({"input_image": 4}, ["a"])],
    "yolox-nano": [({"images": 4}, ["a"])],
    "yunet": [({"input": 4}, [f"{kind}_{side}" for side in (8, 16, 32) for kind in ("cls", "obj", "bbox")])],
    "deeplab-human": [({"input": 4}, ["a"])],
    "skin-clothes-hair": [({"input": 4}, ["a"])],
    "mobile-sam": [
        ({"input": 4}, ["a"]),
        (dict(zip(SAM, (4, 3, 2, 4, 1, 1), strict=True)), ["iou_predictions", "low_res_masks"]),
    ],
    "yolo": [({"images": 4}, ["a", "b"])],
}
WRONG: list[list[int]] = [[], [0], [1], [1, 1], [1, 2, 3], [1, 1, 2, 2], [2, 3, 4, 5], [1, 1, 1, 1, 1]]


def use(model: Any) -> None:
    if hasattr(model, "embed"):
        model.segment(model.embed(PICTURE), [SegmentPrompt(points=[(5.0, 5.0, True)])])
    elif hasattr(model, "detect"):
        model.detect(PICTURE, "face" if model.model_id == "yunet" else "person")
    elif hasattr(model, "parse"):
        model.parse(PICTURE)
    else:
        model.matte(PICTURE)


def entry_for(model_id: str) -> Any:
    if model_id != "yolo":
        return catalogue.built_in().get(model_id)
    return entry_of("yolo", "yolo.onnx", family="yolo", names=("person",))


@pytest.mark.parametrize("model_id", FILES)
def test_outputs_of_another_shape_are_told(tmp_path: Path, model_id: str) -> None:
    entry = entry_for(model_id)
    for sizes in WRONG:
        for file, (inputs, outputs) in zip(entry.files, FILES[model_id], strict=True):
            (tmp_path / file.name).write_bytes(answering(inputs, outputs, sizes))
        with pytest.raises(ModelBroken) as caught:
            use(entry.facts.load(entry, tmp_path, Setup("cpu", 1)))
        assert model_id in caught.value.message, sizes


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    entry, path = entry_of("a", "m.onnx"), tmp_path / "m.onnx"
    for data in (b"", b"\0" * 100, b"not a model", with_weights_in("x")[:50], answering({}, ["y"], [1])):
        path.write_bytes(data)
        with pytest.raises(ModelBroken):
            OnnxSession(entry, path, ("x",), "cpu", 1)
    path.write_bytes(answering({}, ["y"], [1]))  # without an input, where one of any name is taken
    with pytest.raises(ModelBroken):
        OnnxSession(entry, path, None, "cpu", 1)


def test_outputs_are_given_as_they_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(answering({"x": 1}, ["y", "z"], [1, 3]))
    session = OnnxSession(entry_of("a", "m.onnx"), path, None, "cpu", 1)
    feeds = {"x": np.zeros(2, np.float32)}
    first, second = session.run(["y", "z"], feeds, [(1, 3), (None, None)])
    assert first.tolist() == second.tolist() == [[1, 1, 1]]
    for shapes in ([(1, 3)], [(1, 3), (1, 4)], [(1, 3), (None,)], [(1, 3), (1, 3), (1, 3)]):
        with pytest.raises(ModelBroken, match="outputs of the model a are not"):
            session.run(["y", "z"], feeds, shapes)
    with pytest.raises(ModelBroken):
        session.run(["w"], feeds, [(1, 3)])


@pytest.mark.parametrize(("version", "safe"), [("1.20.1", False), ("1.24.0", False), ("1.24.1", True), ("2.0", True)])
def test_a_runtime_that_reads_anything_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, safe: bool
) -> None:
    """Builds for graphics cards are packages of their own, which our package's floor does not reach."""
    monkeypatch.setattr(onnxruntime, "__version__", version)
    path = tmp_path / "m.onnx"
    path.write_bytes(answering({"x": 1}, ["y"], [1]))
    if safe:
        assert OnnxSession(entry_of("a", "m.onnx"), path, None, "cpu", 1).inputs == ["x"]
        return
    with pytest.raises(NeedsPackage, match=f"{version} is too old"):
        OnnxSession(entry_of("a", "m.onnx"), path, None, "cpu", 1)


def test_a_graph_in_half_precision_is_asked_and_answers_in_single(tmp_path: Path) -> None:
    twice = block(1, block(1, b"x"), block(1, b"x"), block(2, b"y"), block(4, b"Add"))
    path = tmp_path / "half.onnx"
    path.write_bytes(model(twice, value_info(11, "x", [4], 10), value_info(12, "y", [4], 10)))
    session = OnnxSession(entry_of("half", path.name), path, ("x",), "cpu", 1)
    (answer,) = session.run(["y"], {"x": np.array([0.5, 1, -2, 100], np.float32)}, [(4,)])
    assert answer.dtype == np.float32
    assert answer.tolist() == [1, 2, -4, 200]
