"""Light HQ-SAM as its authors' own code computes it; the differences are printed.

The weights are MobileSAM's trained ones, on which it was built, and numbers without meaning for what it adds.
``vectors/light_hq_sam.npz`` holds what SysCV/sam-hq (fb181f8, ``build_sam_vit_t``, float32, on a processor) answered
with them about ``test_mobile_sam``'s picture: every eighth channel of every fourth cell of the embedding, and for each
prompt every sixteenth logit of its four masks, each with the fine mask added, with their scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskwright.models import catalogue
from maskwright.models.install.convert import convert
from maskwright.models.runtime.pool import ModelPool
from tests.parity import clicks
from tests.parity.test_mobile_sam import ASKED, picture
from tests.shared_data import MODELS, needs_eval, needs_models

VECTORS = Path(__file__).parent / "vectors" / "light_hq_sam.npz"
PASS = 1e-4  # of logits that reach 13
ADDED = {
    "hf_token.weight": (1, 256),
    **{f"hf_mlp.layers.{i}.weight": (256, 256) for i in (0, 1)},
    "hf_mlp.layers.2.weight": (32, 256),
    "compress_vit_feat.0.weight": (160, 256, 2, 2),
    "compress_vit_feat.1.weight": (256,),
    "compress_vit_feat.3.weight": (256, 32, 2, 2),
    "embedding_encoder.0.weight": (256, 64, 2, 2),
    "embedding_encoder.1.weight": (64,),
    "embedding_encoder.3.weight": (64, 32, 2, 2),
    "embedding_maskfeature.0.weight": (64, 32, 3, 3),
    "embedding_maskfeature.1.weight": (64,),
    "embedding_maskfeature.3.weight": (32, 64, 3, 3),
}
BIASES = {
    **{f"hf_mlp.layers.{i}.bias": count for i, count in enumerate((256, 256, 32))},
    **{f"compress_vit_feat.{i}.bias": count for i, count in ((0, 256), (1, 256), (3, 32))},
    **{f"embedding_encoder.{i}.bias": count for i, count in ((0, 64), (1, 64), (3, 32))},
    **{f"embedding_maskfeature.{i}.bias": count for i, count in ((0, 64), (1, 64), (3, 32))},
}


def weights() -> dict[str, torch.Tensor]:
    """Under the authors' names, as in ``sam_hq_vit_tiny.pth``."""
    stored = torch.load(MODELS / "mobile-sam" / "mobile_sam.pt", weights_only=True)
    shapes: dict[str, tuple[int, ...]] = {**ADDED, **{name: (count,) for name, count in BIASES.items()}}
    for number, (name, shape) in enumerate(sorted(shapes.items())):
        raw = np.random.Philox(key=number).random_raw(int(np.prod(shape))).reshape(shape)
        spread = ((raw >> np.uint64(11)) * 2.0**-53 * 2 - 1).astype(np.float32)
        inside = int(np.prod(shape[1:])) if len(shape) > 1 else 16
        scaled = spread * np.float32(np.sqrt(3 / inside))
        stored[f"mask_decoder.{name}"] = torch.from_numpy(scaled + (name.endswith(".1.weight") and len(shape) == 1))
    return stored


@pytest.mark.parametrize("prefix", ["", "module."])
@needs_models
@needs_eval
def test_clicks_are_the_authors(prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sam-hq-vit-tiny"
    folder.mkdir()
    torch.save({prefix + name: tensor for name, tensor in weights().items()}, folder / "light.pth")
    convert(folder / "light.pth", folder / "sam_hq_vit_tiny.safetensors")
    (folder / "light.pth").unlink()
    vectors = np.load(VECTORS)
    model: Any = ModelPool([tmp_path], "cpu", 1, known=catalogue.built_in()).segmenter("sam-hq-vit-tiny")
    embedding = model.embed(picture())
    data = embedding.data["image"].numpy()
    found = {"embedding": float(np.abs(data[0, ::8, :48:4, ::4] - vectors["embedding"]).max())}
    found |= clicks.differences(model, embedding, ASKED, vectors, step=16)
    with capsys.disabled():
        for case, value in found.items():
            print(f"\n  parity: sam-hq-vit-tiny {case}: max |diff| {value:.1e}", end="")
    assert all(value < PASS for value in found.values()), found
