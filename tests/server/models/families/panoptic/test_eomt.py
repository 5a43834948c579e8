"""EoMT: the production path against transformers' own processing.

With weights that the authors' code made (width 64, 4 layers on DINOv3, 20 queries) what is loaded here gave the same
logits, bit for bit, and with intermediate masks switched on within 2e-5 of 3.8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil

from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import LogitMap
from maskwright.models.coco import COCO_PANOPTIC
from maskwright.models.families.panoptic.inference import eomt
from maskwright.models.roles import PanopticModel
from maskwright_protocol.errors import ModelBroken, UnknownWord
from tests.server.models.families import tiny_detectors, tiny_panoptic

torch.set_num_threads(1)
IMAGE = np.kron(np.random.default_rng(1).integers(0, 256, (9, 15, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
KINDS = ("EomtDinov3", "Eomt")
STUFF = [2, 3]


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("eomt") / request.param.lower()
    return tiny_panoptic.eomt(place, request.param, tiny_panoptic.NAMES)


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return tiny_detectors.detector(folder, "eomt", roles=["detector", "panoptic"])


def outputs(folder: Path) -> Any:
    """What the library's network says of what its own processing shows it."""
    import json

    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    network = getattr(tiny_panoptic.tf, kind).from_pretrained(folder).eval()
    images = EomtImageProcessorPil.from_pretrained(folder)
    with torch.inference_mode():
        return network(pixel_values=images(images=IMAGE, return_tensors="pt")["pixel_values"])


def test_the_network_is_the_librarys(folder: Path, model: Any) -> None:
    output = outputs(folder)
    scores, numbers = output.class_queries_logits[0].softmax(-1).max(-1)
    seen = (numbers < 4) & (scores > 0.5)
    with torch.inference_mode():
        own_scores, own_numbers, masks, (right, bottom) = model._run(IMAGE, 0.5)
    assert seen.sum() >= 5
    assert own_numbers.tolist() == numbers[seen].tolist()
    # A picture of 150 x 90 is shown with 64 x 38 pixels: 16 cells, and 9.5 of the 16 rows.
    theirs = output.masks_queries_logits[0][seen][:, :10, :16]
    worst = max(float((masks - theirs).abs().max()), float((own_scores - scores[seen]).abs().max()))
    print(f"{folder.name}: worst difference {worst:.1e}")
    assert worst < 1e-4
    assert (right, round(bottom, 1)) == (150, 94.7)


def test_regions_share_no_place(model: Any) -> None:
    found = model.detect(IMAGE, "", min_score=0.5)
    assert len(found) >= 2
    assert np.stack([one.logits.values > 0 for one in found]).sum(0).max() == 1
    assert [one.stuff for one in found] == [one.label in ("sky", "grass") for one in found]
    height, width = IMAGE.shape[:2]
    for one in found:
        assert 0 <= one.box.x0 < one.box.x1 <= width
        assert 0 <= one.box.y0 < one.box.y1 <= height


def smooth(places: list[tuple[float, float, float]], cells: int = 40) -> torch.Tensor:
    """Mask logits of discs ``(x, y, radius)``, in shares of the picture."""
    y, x = (torch.arange(cells) + 0.5)[:, None] / cells, (torch.arange(cells) + 0.5) / cells
    return torch.stack([(r - torch.hypot(x - cx, y - cy)) * 60 for cx, cy, r in places])


def test_queries_become_regions_as_the_library_says() -> None:
    """Overlaps, a query that loses its mask, one that is too unsure, and two queries of the same sky."""
    masks = smooth([
        (0.3, 0.3, 0.2), (0.45, 0.3, 0.2), (0.31, 0.31, 0.2), (0.7, 0.7, 0.15), (0.8, 0.75, 0.18), (0.2, 0.8, 0.1),
    ])  # fmt: skip
    masks = torch.cat([masks, -masks.amax(0, keepdim=True)])  # grass everywhere else
    numbers = torch.tensor([0, 1, 0, 2, 2, 4, 3])  # the one before the last sees nothing
    scores = torch.tensor([0.95, 0.9, 0.85, 0.9, 0.95, 0.99, 0.97])
    chances = torch.zeros(7, 5)
    chances[torch.arange(7), numbers] = scores
    chances += (1 - scores)[:, None] / 4 * (chances == 0)
    images = EomtImageProcessorPil(size={"shortest_edge": 160, "longest_edge": 160})
    outputs = type("Outputs", (), {
        "masks_queries_logits": masks[None], "class_queries_logits": chances.log()[None], "patch_offsets": None,
    })  # fmt: skip
    told = images.post_process_panoptic_segmentation(outputs, [(160, 160)], threshold=0.8, stuff_classes=STUFF)[0]
    seen = numbers < 4
    ours = eomt._apart(scores[seen], numbers[seen], masks[seen], lambda number: number in STUFF)
    assert [(one.number, round(one.score, 2)) for one in ours] == [(0, 0.95), (2, 0.95), (3, 0.97)]
    assert [one["label_id"] for one in told["segments_info"]] == [0, 2, 3]
    whole = PixelBox(0, 0, 160, 160)
    for one, other in zip(ours, told["segments_info"], strict=True):
        area = told["segmentation"].numpy() == other["id"]
        shown = LogitMap(one.logits.numpy(), 0, 0, 160, 160).sample(whole) > 0
        assert np.count_nonzero(shown ^ area) < 0.03 * np.count_nonzero(area)


def test_words_choose_among_the_regions(model: Any) -> None:
    everything = model.detect(IMAGE, "", min_score=0.5)
    for text, labels in (("clouds", {"sky"}), ("a lawn; the sky", {"grass", "sky"}), ("woman", {"person"})):
        found = model.detect(IMAGE, text, min_score=0.5)
        assert [d.label for d in found] == [d.label for d in everything if d.label in labels]
    with pytest.raises(UnknownWord):
        model.detect(IMAGE, "unicorn")
    assert [d.score for d in model.regions(IMAGE)] == [d.score for d in model.detect(IMAGE, "", min_score=0.8)]
    assert isinstance(model, PanopticModel)


def test_made_up_names_of_133_classes_are_cocos(tmp_path: Path) -> None:
    model: Any = tiny_detectors.detector(tiny_panoptic.eomt(tmp_path / "tiny-eomt"), "eomt")
    assert model.labels == COCO_PANOPTIC
    assert model.labels[119] == "sky"


def test_other_architectures_and_lost_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_panoptic.eomt(tmp_path / "tiny-eomt")
    path = folder / "model.safetensors"
    tensors = load_file(path)
    del tensors["query.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"missing: query\.weight"):
        tiny_detectors.detector(folder, "eomt")
    other = tiny_panoptic.eomt(tmp_path / "other-eomt")
    config = other / "config.json"
    config.write_text(config.read_text().replace("EomtDinov3ForUniversalSegmentation", "EomtModel"))
    with pytest.raises(ModelBroken, match="none that this family knows"):
        tiny_detectors.detector(other, "eomt")
