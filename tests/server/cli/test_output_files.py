"""What the commands write, as their user sees it: the format of the name, the picture's own colours, no source lost."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from psd_tools import PSDImage

from tests.server.conftest import Server
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``street.jpg``, small, and ``cat.png`` with a wide profile."""
    folder = tmp_path_factory.mktemp("photos")
    Image.open(EVAL / "photos/bus.jpg").convert("RGB").resize((405, 540)).save(folder / "street.jpg", quality=95)
    profile = imagecodecs.cms_profile("adobergb")
    wide = ImageCms.profileToProfile(
        Image.open(EVAL / "photos/chelsea.png").convert("RGB"), ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
    )  # fmt: skip
    assert wide is not None
    wide.save(folder / "cat.png", icc_profile=profile, dpi=(240, 240))
    return folder


def test_a_cutout_has_the_numbers_and_the_profile_of_its_photo(server: Server, photos: Path, tmp_path: Path) -> None:
    run = server.cli("cutout", photos / "cat.png", "-o", tmp_path / "cut.tif")
    assert run.returncode == 0, run.stderr
    with Image.open(photos / "cat.png") as source, Image.open(tmp_path / "cut.tif") as cut:
        assert cut.info["icc_profile"] == source.info["icc_profile"]
        assert cut.info["dpi"] == pytest.approx((240, 240), rel=1e-3)
        own, found = np.asarray(source), np.asarray(cut)
    inside = found[:, :, 3] == 255
    assert inside.mean() > 0.3
    assert np.array_equal(found[inside][:, :3], own[inside])
    assert not found[found[:, :, 3] == 0].any()


def test_found_things_are_layers_paths_and_annotations(server: Server, photos: Path, tmp_path: Path) -> None:
    for name in ("a.psd", "a.svg", "a.coco.json"):
        run = server.cli("select", photos / "street.jpg", "--text", "bus; person", "-o", tmp_path / name, "--json")
        assert run.returncode == 0, run.stderr
    labels = [one["label"] for one in json.loads(run.stdout)["instances"]]
    assert len(labels) >= 2
    layers = [layer.name for layer in PSDImage.open(tmp_path / "a.psd")]
    assert [name.split()[0] for name in reversed(layers)] == labels
    assert [path[0].text for path in ElementTree.parse(tmp_path / "a.svg").getroot()] == labels
    coco = json.loads((tmp_path / "a.coco.json").read_text())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    assert [names[one["category_id"]] for one in coco["annotations"]] == labels


def test_a_photo_is_not_overwritten_and_nothing_is_computed_for_what_cannot_be_written(
    server: Server, photos: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes((photos / "street.jpg").read_bytes())
    for out, words in ((photo, "--overwrite"), (tmp_path / "a.bmp", ".webp"), (tmp_path / "a.jpg", "--background")):
        run = server.cli("cutout", photo, "-o", out)
        assert run.returncode == 2
        assert words in " ".join(run.stderr.split())
        assert run.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
    assert photo.read_bytes() == (photos / "street.jpg").read_bytes()
