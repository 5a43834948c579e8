"""BiRefNet: tiny random networks in the published layout, loaded as a server does, and the straightforward way."""

from __future__ import annotations

import json
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskwright.models import catalogue, matting_common
from maskwright.models.catalogue.entries import Catalogue, Entry, Precision
from maskwright.models.families.birefnet.inference import decoder, deform, matting, network, swin
from maskwright.models.families.birefnet.inference.matting import BiRefNet
from maskwright.models.families.birefnet.inference.network import Network
from maskwright.models.families.birefnet.inference.swin import Shape
from maskwright.models.install import convert
from maskwright.models.roles import MattingModel
from maskwright.models.runtime.pool import ModelPool
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from tests.parity import plain
from tests.parity.birefnet import filled
from tests.server.models.families.tiny_matting import TINY
from tests.shared_data import PARITY, needs_parity


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        keys = Network(TINY).state_dict()
    return {key: filled("tiny", key, list(value.shape), TINY.window) for key, value in keys.items()}


def entry(file: str = "model.safetensors", side: int = 64, **options: Any) -> Entry:
    return Entry.model_validate(
        {
            "id": "tiny", "family": "birefnet", "roles": ("matting",), "title": "Tiny", "summary": "-", "licence": "-",
            "commercial": "yes", "source": "", "revision": "-", "files": ({"name": file},), "parameters": 0,
            "memory": 1, "input_size": side, "options": options,
        }
    )  # fmt: skip


def loaded(folder: Path, one: Entry) -> BiRefNet:
    pool = ModelPool([folder], "cpu", 1, known=Catalogue(model=(one,)))
    model = pool.matting("tiny")
    assert isinstance(model, MattingModel)
    assert isinstance(model, BiRefNet)
    assert not model.needs_trimap
    return model


def saved(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
    (folder / "tiny").mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "tiny" / "model.safetensors")
    return folder


def straightforward(weights: dict[str, torch.Tensor], planes: np.ndarray, order: Any = "c_hg_wg") -> np.ndarray:
    reference = Network(TINY, order)
    reference.load_state_dict(weights)
    with torch.inference_mode():
        return plain.forward(reference.eval(), torch.from_numpy(planes))[0, 0].sigmoid().numpy()


def photo(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + k) + np.cos(y / (7 + 3 * k)) for k in range(3)]
    return np.clip(128 + 50 * np.stack(waves, -1), 0, 255).astype(np.uint8)


def planes_of(image: np.ndarray) -> np.ndarray:
    pixels = (image.astype(np.float32) / 255 - matting.MEAN) / matting.DEVIATION
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


@pytest.mark.parametrize("order", ["c_hg_wg", "wg_hg_c"])
@pytest.mark.parametrize("size", [(64, 64), (96, 160), (32, 32)])
def test_the_network_is_the_straightforward_one(order, size, weights, tmp_path, monkeypatch) -> None:
    model = loaded(saved(tmp_path, weights), entry(patch_order=order))
    planes = planes_of(photo(*size))
    expected = straightforward(weights, planes, order)
    assert np.ptp(expected) > 0.2
    assert np.abs(model.opacity(planes) - expected).max() < 2e-5
    # Nothing depends on how much is done at a time.
    monkeypatch.setitem(deform.CHUNK, "cpu", 100_000)
    monkeypatch.setitem(swin.CHUNK, "cpu", 5000)
    monkeypatch.setitem(decoder.STRIPE, "cpu", 5 * 64 * 4 * size[1])
    assert np.abs(model.opacity(planes) - expected).max() < 2e-5


def test_the_patch_orders_differ(weights, tmp_path) -> None:
    planes = planes_of(photo(64, 64))
    answers = [straightforward(weights, planes, order) for order in ("c_hg_wg", "wg_hg_c")]
    assert np.abs(answers[0] - answers[1]).max() > 0.01


@needs_parity
@pytest.mark.parametrize("size", ["lite", "large"])
def test_the_keys_are_the_published_ones(size) -> None:
    keys = json.loads((PARITY / "birefnet" / size / "keys.json").read_text())["keys"]
    tensors = {key: torch.empty(about["shape"], device="meta") for key, about in keys.items()}
    shape = Shape.of(tensors)
    assert shape.window == {"lite": 7, "large": 12}[size]
    with torch.device("meta"):
        own = Network(shape).state_dict()
    assert {key: list(value.shape) for key, value in own.items()} == {k: v["shape"] for k, v in keys.items()}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("decoder.lateral_block3.conv.bias", None),
        ("bb.patch_embed.proj.weight", None),
        ("bb.layers.2.blocks.0.attn.relative_position_bias_table", None),
        ("decoder.refiner.weight", torch.zeros(1)),
        ("decoder.conv_out1.0.bias", torch.zeros(2)),
    ],
)
def test_wrong_keys_are_named(key, value, weights, tmp_path) -> None:
    others = {name: tensor for name, tensor in weights.items() if name != key}
    damaged = others if value is None else {**others, key: value}
    with pytest.raises(ModelBroken, match=key.replace(".", r"\.")):
        loaded(saved(tmp_path, damaged), entry())


@pytest.mark.parametrize("rename", [True, False])
def test_a_pickle_of_a_parallel_compiled_training_loads_once_converted(rename, weights, tmp_path) -> None:
    pickle = tmp_path / "birefnet_finetuned_toonout.pth"
    torch.save({f"module._orig_mod.{key}": value for key, value in weights.items()}, pickle)
    planes = planes_of(photo(64, 64))
    expected = straightforward(weights, planes)
    published = catalogue.built_in().get("toonout").files[0].pickle
    assert published is not None
    assert published.name == pickle.name
    folder = tmp_path / "tiny"
    folder.mkdir()
    convert.convert(pickle, folder / "model.safetensors", rename=published.rename if rename else ())
    assert load_file(folder / "model.safetensors").keys() == weights.keys()
    assert np.abs(loaded(tmp_path, entry()).opacity(planes) - expected).max() < 2e-5


def test_half_precision_keeps_the_places_exact(weights, tmp_path) -> None:
    planes = planes_of(photo(64, 96))
    expected = straightforward(weights, planes)
    halves = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    stored_in_half = loaded(saved(tmp_path, halves), entry())
    assert np.abs(stored_in_half.opacity(planes) - expected).max() < 5e-3
    limits: dict[Precision, float] = {"fp16": 1e-2, "bf16": 5e-2}
    for precision, limit in limits.items():
        setup = Setup("cpu", 1, precision)
        built = network.build(weights, "c_hg_wg", entry(), setup)
        kinds = {name: parameter.dtype for name, parameter in built.named_parameters()}
        exact = {name for name, kind in kinds.items() if kind == torch.float32}
        assert exact == {name for name in kinds if ".offset_conv." in name or ".modulator_conv." in name}
        with torch.inference_mode():
            logits = built(torch.from_numpy(planes))
        assert logits.dtype == torch.float32
        assert np.abs(logits[0, 0].sigmoid().numpy() - expected).max() < limit
    served: Any = ModelPool([tmp_path], "cpu", 1, known=Catalogue(model=(entry(),)), precision="bf16").matting("tiny")
    assert 0 < np.abs(served.opacity(planes) - expected).max() < limits["bf16"]


def test_what_is_no_number_is_no_answer(weights, tmp_path) -> None:
    damaged = {**weights, "decoder.conv_out1.0.bias": torch.full((1,), torch.nan)}
    with pytest.raises(ModelBroken, match="holds what is no number"):
        loaded(saved(tmp_path, damaged), entry())


def test_pictures_of_all_shapes(weights, tmp_path) -> None:
    model = loaded(saved(tmp_path, weights), entry())
    gray = np.repeat(photo(50, 70)[..., :1], 3, axis=2)
    pictures = [photo(1, 1), photo(3, 5), gray, photo(20, 300), np.zeros((64, 64, 3), np.uint8), photo(500, 400)]
    for image in pictures:
        alpha = model.matte(np.ascontiguousarray(image))
        assert alpha.shape == image.shape[:2]
        assert alpha.dtype == np.float32
        assert np.isfinite(alpha).all()
        assert 0 <= alpha.min() <= alpha.max() <= 1
    same_size = photo(64, 64)
    assert np.array_equal(model.matte(same_size), model.opacity(planes_of(same_size)))


def test_a_trimap_settles_its_sure_places(weights, tmp_path) -> None:
    model = loaded(saved(tmp_path, weights), entry())
    image = photo(80, 100)
    trimap = np.full((80, 100), 0.5, np.float32)
    trimap[:20], trimap[60:] = 0, 1
    free, bound = model.matte(image), model.matte(image, trimap)
    assert not bound[:20].any()
    assert (bound[60:] == 1).all()
    assert np.array_equal(free[20:60], bound[20:60])


@pytest.mark.parametrize(
    ("picture", "seen"),
    [((640, 480), (640, 480)), ((650, 470), (640, 480)), ((100, 50), (512, 256)), ((8000, 6000), (2304, 1728)),
     ((5000, 200), (2304, 256)), ((16, 16), (256, 256))],
)  # fmt: skip
def test_native_sizes(picture, seen) -> None:
    assert matting.native_size(picture[0], picture[1], 256, 2304) == seen


def test_sizes_by_option(weights, tmp_path) -> None:
    wide = loaded(saved(tmp_path, weights), entry(size=[160, 96]))
    assert wide.seen_size(4000, 3000) == (160, 96)
    assert wide.seen_size(3000, 4000) == (96, 160)
    native = loaded(tmp_path, entry(native=[32, 2304]))
    assert native.seen_size(100, 60) == (96, 64)
    width, height = native.seen_size(8000, 6000)
    assert width * height <= 1.1 * matting.CPU_PIXELS
    assert native.matte(photo(60, 100)).shape == (60, 100)
    with pytest.raises(ModelBroken, match="options"):
        loaded(tmp_path, entry(patch_order="hg_c_wg"))


def test_the_catalogues_options_are_known() -> None:
    entries = [one for one in catalogue.built_in().model if one.family == "birefnet"]
    assert len(entries) > 12
    orders = {one.id: matting.options(one).patch_order for one in entries}
    assert {i for i, order in orders.items() if order == "wg_hg_c"} == {"rmbg-2.0"}
    sides = {one.id: one.input_size for one in entries}
    assert (sides["birefnet"], sides["birefnet-hr"], sides["birefnet-hr-matting"]) == (1024, 2048, 2048)
    assert catalogue.built_in().get("rmbg-2.0").commercial == "no"


# What a computer without a graphics card shows each of a picture of 4000 x 3000, and in which order.
CHECKPOINTS = {
    "birefnet": ((1024, 1024), "c_hg_wg"),
    "birefnet-hr": ((2048, 2048), "c_hg_wg"),
    "birefnet-hr-matting": ((2048, 2048), "c_hg_wg"),
    "birefnet-matting": ((1024, 1024), "c_hg_wg"),
    "birefnet-portrait": ((1024, 1024), "c_hg_wg"),
    "birefnet-dynamic": ((1472, 1120), "c_hg_wg"),
    "birefnet-512": ((512, 512), "c_hg_wg"),
    "birefnet-lite": ((1024, 1024), "c_hg_wg"),
    "birefnet-lite-2k": ((2560, 1440), "c_hg_wg"),
    "birefnet-lite-matting": ((1024, 1024), "c_hg_wg"),
    "toonout": ((1024, 1024), "c_hg_wg"),
    "lucida": ((1024, 1024), "c_hg_wg"),
    "rmbg-2.0": ((1024, 1024), "wg_hg_c"),
}


@pytest.mark.parametrize("model_id", CHECKPOINTS)
def test_every_published_checkpoint_has_its_size_and_order(model_id, weights, tmp_path) -> None:
    published = catalogue.built_in().get(model_id)
    bare = tuple(file.model_copy(update={"size": None, "sha256": None, "also": ()}) for file in published.files)
    saved(tmp_path, weights)
    (tmp_path / "tiny").rename(tmp_path / model_id)
    known = Catalogue(model=(published.model_copy(update={"files": bare}),))
    model: Any = ModelPool([tmp_path], "cpu", 1, known=known).matting(model_id)
    size, order = CHECKPOINTS[model_id]
    assert model.seen_size(4000, 3000) == size
    planes = planes_of(photo(64, 64))
    assert np.abs(model.opacity(planes) - straightforward(weights, planes, order)).max() < 2e-5
    if model_id == "birefnet-dynamic":
        assert matting.native_size(4000, 3000, *model.options.native) == (2304, 1728)


def test_an_enlarged_alpha_follows_the_edges_in_bounded_memory() -> None:
    height, width = 3000, 4000
    y, x = np.mgrid[:height, :width]
    truth = ((x - 2000) ** 2 + (y - 1400) ** 2 < 1000**2).astype(np.float32)
    image = np.where(truth[..., None] > 0, np.array([230, 120, 40]), np.array([20, 60, 90])).astype(np.uint8)
    small = truth.reshape(height // 20, 20, width // 20, 20).mean((1, 3)).astype(np.float32)
    tracemalloc.start()
    alpha = matting_common.enlarged(small, image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < alpha.nbytes + (64 << 20)
    assert np.abs(alpha - truth).mean() < 1e-3
    # Where the picture is all of one colour there is nothing to follow, and nothing is made up.
    plain_answer = matting_common.enlarged(small, np.full((height, width, 3), 90, np.uint8))
    assert np.abs(plain_answer - truth).mean() < 0.02
    assert plain_answer.max() == pytest.approx(1, abs=1e-4)


class Exported(torch.nn.Module):
    """What an export contains."""

    def __init__(self, inner: Network) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return plain.forward(self.inner, image)


class Opacity(torch.nn.Module):
    """An export that ends with the sigmoid."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.mean(1, keepdim=True).sigmoid()


def save_onnx(module: torch.nn.Module, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    # It looks for functions written in another package; there are none.
    monkeypatch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda content, custom: content)
    path.parent.mkdir()
    arguments: dict[str, Any] = {"input_names": ["input_image"], "opset_version": 18, "dynamo": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sample = (torch.zeros(1, 3, 64, 64),)
        torch.onnx.export(module.eval(), sample, str(path), do_constant_folding=False, **arguments)


def test_exports_run_through_onnx_runtime(weights, tmp_path, monkeypatch) -> None:
    inner = Network(TINY)
    inner.load_state_dict(weights)
    save_onnx(Exported(inner), tmp_path / "tiny" / "birefnet.onnx", monkeypatch)
    model = loaded(tmp_path, entry("birefnet.onnx"))
    planes = planes_of(photo(64, 64))
    assert np.abs(model.opacity(planes) - straightforward(weights, planes)).max() < 1e-4
    assert model.matte(photo(90, 70)).shape == (90, 70)


def test_exports_that_give_opacity(tmp_path, monkeypatch) -> None:
    save_onnx(Opacity(), tmp_path / "tiny" / "birefnet.onnx", monkeypatch)
    planes = planes_of(photo(64, 64))
    expected = 1 / (1 + np.exp(-planes[0].mean(0)))
    assert np.abs(loaded(tmp_path, entry("birefnet.onnx", alpha=True)).opacity(planes) - expected).max() < 1e-5
    with pytest.raises(ModelBroken, match="inputs differ"):
        loaded(tmp_path, entry("birefnet.onnx", input="pixel_values"))
