"""PSD and OpenRaster: one named layer for each thing in its place, and a merged picture that is right.

psd-tools' own composite, Pillow and plain zip and PNG readers tell.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.composite import composite

from maskwright.files import profiles
from maskwright.files.picture import Picture
from maskwright.files.reading import read_picture
from maskwright.files.result import Result, ResultInstance
from maskwright.files.writing import WriteOptions, write
from maskwright_protocol.messages import PixelRect

from .made_masks import masks

MASKS = masks()
HEIGHT, WIDTH = 80, 100
ADOBE = imagecodecs.cms_profile("adobergb")


def _picture(depth: int, profile: bytes | None = None, alpha: bool = False) -> Picture:
    top = 65536 if depth == 16 else 256
    own = np.random.default_rng(4).integers(0, top, (HEIGHT, WIDTH, 3)).astype(np.uint16 if depth == 16 else np.uint8)
    seen = profiles.to_srgb(own, "rgb", profile)
    if alpha:
        seen = np.dstack([seen, np.full((HEIGHT, WIDTH), top // 2, own.dtype)])
    return Picture(seen, icc_profile=profile, own=own if profile else None, dpi=(240, 240))


def _result(names: list[str], picture: Picture) -> Result:
    """Each mask as an instance, one a little further to the lower right than the other."""
    found = []
    for at, name in enumerate(names):
        mask = MASKS[name][: HEIGHT - 4 * at - 1, : WIDTH - 5 * at]
        box = PixelRect(5 * at, 4 * at, mask.shape[1], mask.shape[0])
        found.append(ResultInstance(name, 0.9, box, mask))
    return Result(WIDTH, HEIGHT, instances=found, picture=picture)


def _layered_over(result: Result, base: np.ndarray, own_alpha: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """What the layers give, computed the slow and sure way: colours and alpha, float64 0..1."""
    colour, alpha = np.zeros((HEIGHT, WIDTH, 3)), np.zeros((HEIGHT, WIDTH, 1))
    for one in reversed(result.instances):
        box, cover = one.box, np.zeros((HEIGHT, WIDTH, 1))
        cover[box.y : box.y + box.height, box.x : box.x + box.width, 0] = one.mask / 255 * own_alpha
        together = cover + alpha * (1 - cover)
        mixed = base * cover + colour * alpha * (1 - cover)
        colour, alpha = np.divide(mixed, together, out=np.zeros_like(mixed), where=together > 0), together
    return colour, alpha


SETS = [
    ["disc"], ["ring", "soft"], ["soft", "half", "disc"], ["one pixel", "thin"], ["noise", "full"], ["empty", "disc"],
    ["hair", "hair", "hair"],
]  # fmt: skip


@pytest.mark.parametrize("names", SETS, ids="+".join)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("profile", [None, ADOBE], ids=["sRGB", "Adobe"])
def test_psd(tmp_path: Path, names: list[str], depth: int, profile: bytes | None) -> None:
    picture = _picture(depth, profile)
    result, full = _result(names, picture), 65535 if depth == 16 else 255
    base = (picture.pixels if picture.own is None else picture.own) / full
    write(result, tmp_path / "a.psd")
    psd = PSDImage.open(tmp_path / "a.psd")
    assert (psd.width, psd.height, psd.depth) == (WIDTH, HEIGHT, depth)
    layers = list(psd)[::-1]  # psd-tools begins at the bottom
    assert [layer.name.partition(" ")[0] for layer in layers] == [name.partition(" ")[0] for name in names]
    assert len({layer.name for layer in layers}) == len(names)
    for layer, one in zip(layers, result.instances, strict=True):
        box = one.box
        assert (layer.left, layer.top, layer.width, layer.height) == (box.x, box.y, box.width, box.height)
        found, shape = layer.numpy("color"), layer.numpy("shape")
        assert found is not None
        assert shape is not None
        cover = shape[:, :, 0]
        assert np.abs(cover - one.mask / 255).max() < 1e-6
        shown = base[box.y : box.y + box.height, box.x : box.x + box.width]
        assert np.abs((found - shown)[cover > 0]).max(initial=0) < 1e-6
    colour, alpha = _layered_over(result, base)
    merged = psd.numpy()
    assert np.abs(merged[:, :, 3:] - alpha).max() <= 1 / full
    # Photoshop's convention has white behind what is half seen, which takes from the precision.
    assert (np.abs(merged[:, :, :3] - colour) * alpha).max() <= 2.5 / full
    rendered, _, cover = composite(psd)
    assert np.abs(cover - alpha).max() <= 1 / full
    assert (np.abs(rendered - colour) * alpha).max() <= 2.5 / full


@pytest.mark.parametrize("names", SETS, ids="+".join)
@pytest.mark.parametrize("depth", [8, 16])
def test_open_raster(tmp_path: Path, names: list[str], depth: int) -> None:
    picture = _picture(depth, ADOBE)  # which OpenRaster does not know: converted
    result, full = _result(names, picture), 65535 if depth == 16 else 255
    write(result, tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert (image.get("w"), image.get("h"), image.get("xres")) == (str(WIDTH), str(HEIGHT), "240")
        layers = image.findall("./stack/layer")
        assert [layer.get("name", "").partition(" ")[0] for layer in layers] == [n.partition(" ")[0] for n in names]
        for layer, one in zip(layers, result.instances, strict=True):
            pixels = imagecodecs.png_decode(archive.read(layer.get("src", "")))
            assert (int(layer.get("x", "")), int(layer.get("y", ""))) == (one.box.x, one.box.y)
            assert pixels.dtype == picture.pixels.dtype
            assert np.array_equal(pixels[:, :, 3], one.mask.astype(pixels.dtype) * (257 if depth == 16 else 1))
        merged = imagecodecs.png_decode(archive.read("mergedimage.png")) / full
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
    colour, alpha = _layered_over(result, picture.pixels / full)
    assert np.abs(merged[:, :, 3:] - alpha).max() <= 1 / full
    assert (np.abs(merged[:, :, :3] - colour) * alpha).max() <= 2.5 / full
    assert thumbnail.size == (WIDTH, HEIGHT)
    assert max(thumbnail.size) <= 256


@pytest.mark.parametrize("suffix", ["psd", "ora"])
def test_clean_colours_are_taken_where_there_are_some(tmp_path: Path, suffix: str) -> None:
    mask = MASKS["soft"]
    clean = np.dstack([np.full((*mask.shape, 3), (10, 200, 30), np.uint8), mask])
    one = ResultInstance("thing", 1.0, PixelRect(0, 0, mask.shape[1], mask.shape[0]), mask, clean)
    write(Result(WIDTH, HEIGHT, instances=[one], picture=_picture(8)), tmp_path / f"a.{suffix}")
    found = read_picture(tmp_path / f"a.{suffix}", layer="thing").pixels[: mask.shape[0], : mask.shape[1]]
    assert np.array_equal(found[mask > 0], clean[mask > 0])


@pytest.mark.parametrize("suffix", ["psd", "ora"])
def test_the_picture_s_own_alpha_counts(tmp_path: Path, suffix: str) -> None:
    result = _result(["disc"], _picture(8, alpha=True))
    write(result, tmp_path / f"a.{suffix}")
    found = read_picture(tmp_path / f"a.{suffix}").pixels[:, :, 3]
    _, alpha = _layered_over(result, np.zeros((HEIGHT, WIDTH, 3)), 128 / 255)
    assert np.abs(found - 255 * alpha[:, :, 0]).max() <= 1


@pytest.mark.parametrize("suffix", ["psd", "ora"])
def test_a_whole_without_instances_is_one_layer_as_large_as_what_is_seen(tmp_path: Path, suffix: str) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:31, 40:70] = 200
    write(Result(WIDTH, HEIGHT, mask=mask, picture=_picture(8)), tmp_path / f"a.{suffix}")
    found = read_picture(tmp_path / f"a.{suffix}", layer="Selection").pixels
    assert np.array_equal(found[:, :, 3], mask)
    write(Result(WIDTH, HEIGHT, mask=mask * 0, picture=_picture(8)), tmp_path / f"b.{suffix}")  # and none of nothing
    assert not read_picture(tmp_path / f"b.{suffix}").pixels[:, :, 3].any()


@pytest.mark.parametrize("suffix", ["psd", "ora"])
def test_depth_that_is_asked_for(tmp_path: Path, suffix: str) -> None:
    write(_result(["soft"], _picture(16)), tmp_path / f"a.{suffix}", WriteOptions(depth=8))
    write(_result(["soft"], _picture(8)), tmp_path / f"b.{suffix}", WriteOptions(depth=16))
    assert read_picture(tmp_path / f"a.{suffix}").pixels.dtype == np.uint8
    assert read_picture(tmp_path / f"b.{suffix}").pixels.dtype == np.uint16
