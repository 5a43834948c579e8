"""Of which family a checkpoint is, told from its contents alone: every family, in the layouts that are published."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from maskwright.models import families
from maskwright.models.contents import Contents
from maskwright.models.install import own_files, recognise, user_models
from maskwright_protocol.errors import BadInput
from tests.server.models.families import tiny_detectors as detectors
from tests.server.models.families import yolo_files as yolos
from tests.server.recipes import tiny_models as tiny
from tests.shared_data import MODELS, needs_models

# Of the weights in the authors' own files, enough to tell one from another.
AUTHORS = {
    "sam": ["image_encoder.pos_embed", "image_encoder.blocks.0.attn.rel_pos_h", "mask_decoder.iou_token.weight"],
    "sam_hq": [
        "image_encoder.pos_embed", "image_encoder.blocks.0.attn.rel_pos_h", "mask_decoder.iou_token.weight",
        "mask_decoder.hf_token.weight",
    ],
    "mobile_sam_torch": [
        "image_encoder.layers.1.blocks.0.attn.qkv.weight", "image_encoder.norm_head.weight",
        "mask_decoder.iou_token.weight",
    ],
    "sam2": ["image_encoder.trunk.pos_embed", "memory_attention.norm.weight", "sam_mask_decoder.iou_token.weight"],
    "edgetam": ["image_encoder.trunk.body.stages_0.blocks.0.se.fc1.bias", "sam_mask_decoder.iou_token.weight"],
    "sam3": ["detector.backbone.vision_backbone.trunk.pos_embed", "tracker.sam_mask_decoder.iou_token.weight"],
}  # fmt: skip

needs_ultralytics = pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.make(tmp_path_factory.mktemp("tiny") / "models")
    detectors.grounding_dino(folder / "mm-grounding-dino", multimodal=True)
    detectors.d_fine(folder / "d-fine")
    detectors.rt_detr(folder / "rt-detr-v2", "RTDetrV2")
    detectors.rf_detr(folder / "rf-detr")
    return folder


def family_of(*paths: Path) -> tuple[str, Contents]:
    """What is told of files whose names say nothing."""
    files = own_files.named(own_files.gather(paths))
    place = paths[0].parent / f"unnamed-{paths[0].name}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, path in files.items():
        shutil.copy(path, place / name)
    seen = user_models.contents(place)
    found = recognise.family_of(seen, [], "The file")
    return found.name if found is not None else "", seen


@pytest.mark.parametrize(
    ("folder", "family"),
    [
        ("sam3", "sam3"), ("sam2.1-tiny", "sam2"), ("sam-hq-vit-base", "sam_hq"), ("sam-vit-base", "sam"),
        ("grounding-dino-tiny", "grounding_dino"), ("mm-grounding-dino", "grounding_dino"),
        ("florence-2-base", "florence2"), ("rt-detr-r18", "rt_detr"), ("rt-detr-v2", "rt_detr"), ("d-fine", "rt_detr"),
        ("rf-detr", "rt_detr"), ("rf-detr-seg-small", "rt_detr"), ("segformer-clothes", "segformer"),
        ("vitmatte-small", "vitmatte"), (tiny.MATTING, "birefnet"),
        pytest.param(tiny.YOLO, "yolo", marks=needs_ultralytics),
    ],
)  # fmt: skip
def test_every_checkpoint_in_a_published_layout_is_recognised(published: Path, folder: str, family: str) -> None:
    found, seen = family_of(published / folder)
    assert found == family
    facts = recognise.facts(seen, families.get(family))
    if family == "rt_detr":
        assert facts["names"] == list(detectors.LABELS.values())
        assert facts["draws"] == (folder == "rf-detr-seg-small")
        assert facts["input_size"] == (128 if folder.startswith("rf-") else 64)
    if family == "yolo":
        assert facts == {"names": list(yolos.NAMES.values()), "draws": True}


@needs_models
@pytest.mark.parametrize(
    ("folder", "family", "side"),
    [
        ("yolox-nano", "yolox", 416), ("mobile-sam", "mobile_sam", 1024), ("u2netp", "u2net", 320),
        ("yunet", "yunet", 640), ("skin-clothes-hair", "skin_clothes_hair", 512), ("rvm", "rvm", None),
        ("ppocr-det", "pp_ocr", None),
    ],
)  # fmt: skip
def test_every_export_is_recognised_with_its_size(folder: str, family: str, side: int | None, tmp_path: Path) -> None:
    copy = tmp_path / "given"
    shutil.copytree(MODELS / folder, copy, copy_function=shutil.copyfile)
    found, seen = family_of(copy)
    assert found == family
    assert recognise.facts(seen, families.get(family)).get("input_size") == side


@pytest.mark.parametrize("family", sorted(AUTHORS))
def test_the_names_that_authors_give_their_weights_are_recognised(tmp_path: Path, family: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({name: torch.zeros(1) for name in AUTHORS[family]}, path)
    assert family_of(path)[0] == family


def test_every_family_with_files_says_its_signs() -> None:
    untold = {"ben2"}  # its export has one input and one output as others have, of other meanings
    assert {name for name, family in families.known().items() if family.layouts and not family.signs} == untold


@needs_ultralytics
@pytest.mark.parametrize("architecture", ["yolo11", "yolov8-seg"])
def test_exports_of_yolo_tell_names_size_and_whether_they_draw(tmp_path: Path, architecture: str) -> None:
    yolos.exported(tmp_path / "x.onnx", architecture)
    found, seen = family_of(tmp_path / "x.onnx")
    assert found == "yolo"
    draws = architecture.endswith("-seg")
    assert recognise.facts(seen, families.get("yolo")) == {
        "names": list(yolos.NAMES.values()), "draws": draws, "input_size": 128,
    }  # fmt: skip


@pytest.mark.parametrize("task", ["obb", "pose", "classify"])
def test_what_else_ultralytics_trains_is_told_from_detectors(task: str) -> None:
    seen = Contents(inputs=("images 1x3x640x640",), outputs=("output0 1x20x8400",), told={"task": task})
    with pytest.raises(BadInput, match=f"(?i){task}") as caught:
        recognise.family_of(seen, [], "boats.onnx")
    assert "detects or segments" in caught.value.message


def test_models_of_other_programs_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'clip', which Maskwright cannot run"):
        recognise.family_of(Contents(config={"model_type": "clip"}), [], "model.safetensors")


def test_what_nobody_can_tell_is_asked_for() -> None:
    seen = Contents(inputs=("in 1x3x256x256",), outputs=("out 1x7x256x256",))
    assert recognise.family_of(seen, ["x.onnx"], "x.onnx") is None
    names = {family.name for family in recognise.possible(seen, ["x.onnx"])}
    assert {"yolox", "u2net", "birefnet"} <= names
    assert not {"sam3", "segformer", "grabcut"} & names


@pytest.mark.parametrize(
    "names",
    ["['a', 'b']", "{0: 'a', 1: 'b'}", '["a", "b"]', '{"1": "b", "0": "a"}'],
)
def test_names_are_read_as_programs_write_them(names: str) -> None:
    facts = recognise.facts(Contents(told={"names": names}), families.get("yolo"))
    assert facts["names"] == ["a", "b"]


@pytest.mark.parametrize("names", ["", "__import__('os')", "[1, 2]", "{0: 'a', 2: 'b'}", "[" * 5000, "['']"])
def test_names_that_are_none_are_left_to_the_user(names: str) -> None:
    assert "names" not in recognise.facts(Contents(told={"names": names}), families.get("yolo"))
