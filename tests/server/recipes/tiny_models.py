"""A folder with a tiny random model of every family that can be made small, each called as the catalogue calls it."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import save_file

from maskwright.models import catalogue
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.families.birefnet.inference.network import Network
from tests.parity.birefnet import filled
from tests.server.models.families import (
    tiny_depth,
    tiny_matting,
    tiny_owlv2,
    tiny_panoptic,
    tiny_parsers,
    tiny_sapiens2,
)
from tests.server.models.families import tiny_detectors as detectors
from tests.server.models.families import tiny_sams as sams
from tests.server.models.families import yolo_files as yolos

MATTING = "birefnet-lite-matting"
DEPTH = "depth-anything-v2-small"
YOLO = "person-yolov8n-seg"


def make(folder: Path) -> Path:
    """Write them all into ``folder``."""
    torch.set_num_threads(1)
    folder.mkdir()
    sams.saved_sam3(sams.sam3(), folder / "sam3")
    sams.saved(sams.sam2(), folder / "sam2.1-tiny")
    sams.saved(sams.sam_hq(), folder / "sam-hq-vit-base")
    sams.saved(sams.sam(), folder / "sam-vit-base")
    detectors.grounding_dino(folder / "grounding-dino-tiny")
    detectors.florence2(folder / "florence-2-base", places=96)  # it answers to the last of them
    tiny_owlv2.owlv2(folder / "owlv2-base")
    detectors.rt_detr(folder / "rt-detr-r18")
    detectors.rf_detr(folder / "rf-detr-seg-small", masks=True)
    tiny_panoptic.eomt(folder / "eomt-dinov3-small", names=tiny_panoptic.NAMES)
    tiny_sapiens2.save(folder / "sapiens2-parts-0.8b", labels.SAPIENS.labels)
    tiny_sapiens2.save(folder / "sapiens2-matting-1b")
    tiny_parsers.save_segformer(folder / "segformer-clothes", labels.CLOTHES.labels, side=64)
    tiny_depth.random(folder / DEPTH)
    tiny_matting.save(folder / "vitmatte-small")
    (folder / MATTING).mkdir()
    save_file(birefnet(), folder / MATTING / "model.safetensors")
    if find_spec("ultralytics") is not None:
        made = yolos.converted(folder / YOLO, "yolov8-seg")
        made.with_suffix(".pt").unlink()
        shutil.move(made, made.with_name("person_yolov8n-seg.safetensors"))
    return folder


def birefnet() -> dict[str, torch.Tensor]:
    """The weights of a tiny one."""
    with torch.device("meta"):
        shapes = Network(tiny_matting.TINY).state_dict()
    return {key: filled("tiny", key, list(value.shape), tiny_matting.TINY.window) for key, value in shapes.items()}


def known() -> Catalogue:
    """The catalogue without the published sizes and digests, which tiny models cannot have."""
    entries = []
    for entry in catalogue.built_in().model:
        files = tuple(file.model_copy(update={"size": None, "sha256": None, "also": ()}) for file in entry.files)
        sides = {MATTING: 64, "owlv2-base": tiny_owlv2.SIDE, DEPTH: tiny_depth.SIDE}
        small = {"input_size": sides[entry.id]} if entry.id in sides else {}
        entries.append(entry.model_copy(update={"files": files, **small}))
    return Catalogue(model=tuple(entries))
