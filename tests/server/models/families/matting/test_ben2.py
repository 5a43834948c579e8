"""BEN2: a network exported as the authors' is, with an output in half precision, loaded as a server does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import ModelBroken
from tests.server.models.families.parsing.test_parsers import photo, save_onnx
from tests.server.recipes import tiny_models


class Half(nn.Module):
    """The answer is told by the colour, no surer than 0.6."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 1, 5, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (0.6 * self.conv(x).mul(4).sigmoid()).half()


def test_the_picture_is_shown_as_the_authors_do_and_never_stretched(tmp_path: Path, monkeypatch) -> None:
    network = Half()
    save_onnx(network, (1, 3, 1024, 1024), tmp_path / "ben2" / "BEN2_Base.onnx", monkeypatch)
    matting = ModelPool([tmp_path], "cpu", 1, known=tiny_models.known()).matting("ben2")
    image = photo(512, 700)
    small = np.asarray(Image.fromarray(image).resize((1024, 1024), Image.Resampling.LANCZOS), np.float32) / 255
    with torch.no_grad():
        shown = network(torch.from_numpy(small.transpose(2, 0, 1)[None]))[0, 0].float().numpy()
    expected = np.asarray(Image.fromarray(shown).resize((700, 512), Image.Resampling.BOX))
    alpha = matting.matte(image)
    assert alpha.shape == (512, 700)
    assert np.ptp(expected) > 0.1
    assert np.abs(alpha - expected).mean() < 0.01
    assert alpha.max() < 0.62
    trimap = np.full((512, 700), 0.5, np.float32)
    trimap[:100] = 1
    assert (matting.matte(image, trimap)[:100] == 1).all()


def test_another_network_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Half):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)[..., ::2]

    save_onnx(Other(), (1, 3, 1024, 1024), tmp_path / "ben2" / "BEN2_Base.onnx", monkeypatch)
    matting = ModelPool([tmp_path], "cpu", 1, known=tiny_models.known()).matting("ben2")
    with pytest.raises(ModelBroken, match="outputs of the model ben2 are not"):
        matting.matte(photo(64, 64))
