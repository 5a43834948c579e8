"""Sapiens2: tiny random networks in the published layout, loaded as a server does, and the library's own.

The published layout has the tensors' names of the authors' code. With weights made by that code (width 64, 18 layers,
keys and values shared in two of them) what is loaded here gave its logits within 8e-6 of 0.37, with the positions in
single precision; in its default, bfloat16, within 0.005.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.masks.opencv import cv2
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families import tiny_sapiens2
from tests.server.recipes import tiny_models

PARTS, MATTING = "sapiens2-parts-0.4b", "sapiens2-matting-1b"
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def known() -> Catalogue:
    torch.set_num_threads(1)
    return tiny_models.known()


def photo(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + k) + np.cos(y / (7 + 3 * k)) for k in range(3)]
    return np.clip(128 + 50 * np.stack(waves, -1), 0, 255).astype(np.uint8)


def shown(image: np.ndarray, method: int) -> torch.Tensor:
    """What the authors' code shows the network: 48 x 64 pixels, whatever the shape."""
    small = cv2.resize(image, (48, 64), interpolation=method) / 255
    return torch.from_numpy(((small - MEAN) / DEVIATION).transpose(2, 0, 1)[None]).float()


@pytest.mark.parametrize(("size", "method"), [((120, 90), cv2.INTER_AREA), ((40, 30), cv2.INTER_CUBIC)])
def test_parts_are_the_librarys(size: tuple[int, int], method: int, known: Catalogue, tmp_path: Path) -> None:
    network = tiny_sapiens2.save(tmp_path / PARTS, labels.SAPIENS.labels)
    assert "backbone.blocks.0.attn.wq.weight" in load_file(tmp_path / PARTS / "model.safetensors")
    parser = ModelPool([tmp_path], "cpu", 1, known=known).parser(PARTS)
    assert parser.table is labels.SAPIENS
    image = photo(*size)
    ours = parser.parse(image)
    with torch.no_grad():
        theirs = network(pixel_values=shown(image, method)).logits.softmax(1)[0].numpy()
    assert ours.shape == (29, 64, 48)
    assert np.ptp(theirs) > 0.2
    print(f"worst difference {np.abs(ours - theirs).max():.1e}")
    assert np.abs(ours - theirs).max() < 1e-5


def test_opacity_is_the_librarys_and_keeps_to_the_trimap(known: Catalogue, tmp_path: Path) -> None:
    network = tiny_sapiens2.save(tmp_path / MATTING)
    matting = ModelPool([tmp_path], "cpu", 1, known=known).matting(MATTING)
    assert not matting.needs_trimap
    image = photo(64, 48)
    with torch.no_grad():
        theirs = network(pixel_values=shown(image, cv2.INTER_AREA)).alphas[0, 0].numpy()
    assert np.ptp(theirs) > 0.2
    assert np.abs(matting.matte(image) - theirs).max() < 1e-5
    trimap = np.full((64, 48), 0.5, np.float32)
    trimap[:8], trimap[-8:] = 0, 1
    alpha = matting.matte(image, trimap)
    assert (alpha[:8] == 0).all()
    assert (alpha[-8:] == 1).all()
    large = matting.matte(photo(200, 300))
    assert large.shape == (200, 300)
    assert 0 <= large.min() < large.max() <= 1


def test_other_labels_are_told(known: Catalogue, tmp_path: Path) -> None:
    names = list(labels.SAPIENS.labels)
    names[4], names[22] = names[22], names[4]
    tiny_sapiens2.save(tmp_path / PARTS, tuple(names))
    with pytest.raises(ModelBroken, match="label 4 is 'Torso'"):
        ModelPool([tmp_path], "cpu", 1, known=known).parser(PARTS)


def test_lost_weights_are_told_by_name(known: Catalogue, tmp_path: Path) -> None:
    tiny_sapiens2.save(tmp_path / PARTS, labels.SAPIENS.labels)
    path = tmp_path / PARTS / "model.safetensors"
    tensors = load_file(path)
    del tensors["decode_head.conv_seg.bias"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"missing: decode_head\.predictor\.bias"):
        ModelPool([tmp_path], "cpu", 1, known=known).parser(PARTS)


def test_a_broken_preprocessor_is_told(known: Catalogue, tmp_path: Path) -> None:
    tiny_sapiens2.save(tmp_path / MATTING)
    (tmp_path / MATTING / "preprocessor_config.json").write_text("[]")
    with pytest.raises(ModelBroken, match=r"preprocessor_config\.json"):
        ModelPool([tmp_path], "cpu", 1, known=known).matting(MATTING)


def test_words_for_parts() -> None:
    for word, classes in (
        ("left hand", {"Left-hand"}), ("hands", {"Left-hand", "Right-hand"}), ("lips", {"Lower-lip", "Upper-lip"}),
        ("her jacket", {"Upper-clothing"}), ("jeans", {"Lower-clothing"}), ("neck", {"Face-Neck"}),
        ("glasses", {"Eyeglass"}), ("teeth", {"Lower-teeth", "Upper-teeth"}), ("torso", {"Torso"}),
        ("right arm", {"Right-upper-arm", "Right-lower-arm", "Right-hand"}),
    ):  # fmt: skip
        part = labels.find(labels.SAPIENS, word)
        assert part is not None, word
        assert {labels.SAPIENS.labels[number] for number in part.classes} == classes
    assert labels.find(labels.SAPIENS, "wheel") is None
    covered = {label for group in labels.SAPIENS.groups.values() for label in group}
    assert covered == set(labels.SAPIENS.parts)
