"""SVG, GeoJSON and COCO outlines say what the masks say: read by resvg, scikit-image and COCO's own tools."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from PIL import Image
from pycocotools import mask as coco
from pycocotools.coco import COCO
from skimage.measure import grid_points_in_poly

from maskwright.files.picture import Picture
from maskwright.files.result import Result, ResultInstance
from maskwright.files.writing import write
from maskwright.masks.curves import fitted
from maskwright.masks.outlines import CURVE_TOLERANCE, shapes, signed_area
from maskwright_protocol.messages import PixelRect

from .made_masks import masks, solid

MASKS = masks()
HEIGHT, WIDTH = MASKS["disc"].shape


def _of(mask: np.ndarray, name: str = "dog", left: int = 3, top: int = 5) -> Result:
    """The mask as an instance that does not begin at the picture's corner."""
    height, width = mask.shape
    box = PixelRect(left, top, width, height)
    picture = Picture(np.zeros((height + top + 2, width + left + 4, 3), np.uint8), path=Path("in/a photo.jpg"))
    return Result(
        width + left + 4, height + top + 2, instances=[ResultInstance(name, 0.75, box, mask)], picture=picture
    )


def _whole(result: Result) -> np.ndarray:
    """The instances' masks together in the picture's frame."""
    plane = np.zeros((result.height, result.width), np.uint8)
    for one in result.instances:
        box = one.box
        part = plane[box.y : box.y + box.height, box.x : box.x + box.width]
        np.maximum(part, one.mask, out=part)
    return plane


def _json(result: Result, path: Path) -> Any:
    write(result, path)
    return json.loads(path.read_text(encoding="utf-8"))


def _inside(rings: list[Any], result: Result) -> np.ndarray:
    """Pixels whose centres are inside of an odd number of rings."""
    found = np.zeros((result.height, result.width), bool)
    for ring in rings:
        found ^= grid_points_in_poly(found.shape, np.asarray(ring)[:, ::-1] - 0.5)
    return found


def _flat(curves: np.ndarray) -> np.ndarray:
    t = np.linspace(0, 1, 16)[None, :, None]
    p = curves[:, :, None].transpose(1, 0, 2, 3)
    return ((1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]).reshape(-1, 2)


def _away(points: np.ndarray, ring: np.ndarray) -> float:
    """The farthest that any point is from the closed ring."""
    return float(_distances(points, ring).max())


def _distances(points: np.ndarray, ring: np.ndarray) -> np.ndarray:
    start, step = ring, np.roll(ring, -1, axis=0) - ring
    along = ((points[:, None] - start) * step).sum(2) / np.maximum((step * step).sum(1), 1e-12)
    nearest = start + np.clip(along, 0, 1)[..., None] * step
    return np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1)


def _farthest(pixels: np.ndarray, mask: np.ndarray) -> float:
    """How far the centre of any of these pixels is from the mask's outline, in pixels."""
    centres = np.argwhere(pixels)[:, ::-1] + 0.5
    rings = [ring for shape in shapes(mask, 3, 5) for ring in (shape.outer, *shape.holes)]
    if not len(centres):
        return 0.0
    assert rings
    return float(np.min([_distances(centres, ring) for ring in rings], axis=0).max())


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_outlines_hold_just_the_pixels_that_are_selected(name: str, dtype: type) -> None:
    mask = MASKS[name].astype(dtype) * dtype(257 if dtype is np.uint16 else 1)
    result = _of(mask)
    found = shapes(mask, 3, 5)
    rings = [ring for shape in found for ring in (shape.outer, *shape.holes)]
    assert np.array_equal(_inside(rings, result), solid(_whole(result)))
    assert all(signed_area(shape.outer) > 0 for shape in found)
    assert all(signed_area(hole) < 0 for shape in found for hole in shape.holes)
    for shape in found:  # a hole lies in its own piece
        outer = _inside([shape.outer], result)
        assert all((_inside([hole], result) <= outer).all() for hole in shape.holes)


@pytest.mark.parametrize("name", MASKS)
def test_geojson_has_closed_rings_near_the_mask_s_edge(tmp_path: Path, name: str) -> None:
    result = _of(MASKS[name], "Hund & Katze")
    document = _json(result, tmp_path / "a.geojson")
    assert document["type"] == "FeatureCollection"
    if name == "empty":
        assert document["features"] == []
        return
    (feature,) = document["features"]
    assert feature["properties"]["name"] == "Hund & Katze"
    assert feature["properties"]["area"] == solid(MASKS[name]).sum()
    pieces = feature["geometry"]["coordinates"]
    pieces = [pieces] if feature["geometry"]["type"] == "Polygon" else pieces
    rings = [np.array(ring) for piece in pieces for ring in piece]
    assert all(len(ring) >= 4 and np.array_equal(ring[0], ring[-1]) for ring in rings)
    wrong = _inside([ring[:-1] for ring in rings], result) != solid(_whole(result))
    assert _farthest(wrong, MASKS[name]) <= 0.26


@pytest.mark.parametrize("name", MASKS)
def test_coco_is_what_coco_s_own_tools_make_of_the_mask(tmp_path: Path, name: str) -> None:
    result = _of(MASKS[name])
    truth = solid(_whole(result))
    document = _json(result, tmp_path / "a.coco.json")
    assert document["images"] == [
        {"id": 1, "file_name": "a photo.jpg", "width": result.width, "height": result.height}
    ]  # fmt: skip
    if name == "empty":
        assert document["annotations"] == []
        return
    api = COCO(str(tmp_path / "a.coco.json"))
    (one,) = api.loadAnns(api.getAnnIds(catIds=api.getCatIds(catNms=["dog"])))
    packed = coco.encode(np.asfortranarray(truth.astype(np.uint8)))
    assert one["area"] == coco.area(packed)
    assert one["bbox"] == coco.toBbox(packed).tolist()
    found = api.annToMask(one).astype(bool)
    if isinstance(one["segmentation"], dict):
        assert np.array_equal(found, truth)
        lengths: Any = one["segmentation"]
        assert coco.frPyObjects(lengths, result.height, result.width)["counts"] == packed["counts"]
    else:  # its tools draw polygons in fifths of a pixel
        assert _farthest(found != truth, MASKS[name]) <= 0.75


@pytest.mark.parametrize("name", MASKS)
def test_svg_paths_look_as_the_mask(tmp_path: Path, name: str) -> None:
    result = _of(MASKS[name])
    write(result, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    drawn = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text))))
    assert drawn.size == (result.width, result.height)
    alpha = np.asarray(drawn.convert("RGBA"))[:, :, 3]
    wrong = (alpha > 127) != solid(_whole(result))
    assert _farthest(wrong, MASKS[name]) <= 0.55


@pytest.mark.parametrize("name", [name for name in MASKS if name != "empty"])
def test_curves_stay_within_half_a_pixel_of_the_outline(name: str) -> None:
    total = count = 0
    for shape in shapes(MASKS[name]):
        for ring in (shape.outer, *shape.holes):
            if len(ring) <= 12:
                continue
            curves = fitted(ring, CURVE_TOLERANCE)
            assert np.array_equal(curves[:, 3], np.roll(curves[:, 0], -1, axis=0))
            flat = _flat(curves)
            assert _away(flat, ring) <= 0.5
            assert _away(ring, flat) <= 0.5
            total, count = total + len(ring), count + len(curves)
    if name in ("disc", "soft", "ring"):
        assert count < total / 5  # curves, not a staircase


def test_things_have_their_names_in_every_format(tmp_path: Path) -> None:
    square = np.full((9, 9), 255, np.uint8)
    names = ["dog", "dog", "2 cats & <birds>", "", "\x00犬"]
    things = [ResultInstance(one, 0.5, PixelRect(10 * at, 2, 9, 9), square) for at, one in enumerate(names)]
    result = Result(60, 20, instances=things)
    write(result, tmp_path / "a.svg")
    paths = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert [path.get("id") for path in paths] == ["dog", "dog-2", "_2-cats-birds", "object", "犬"]
    assert [path[0].text for path in paths] == ["dog", "dog", "2 cats & <birds>", None, "犬"]
    assert [one["properties"]["name"] for one in _json(result, tmp_path / "a.geojson")["features"]] == names
    document = _json(result, tmp_path / "a.coco.json")
    labels = {one["id"]: one["name"] for one in document["categories"]}
    assert [labels[one["category_id"]] for one in document["annotations"]] == names
    assert len(labels) == 4


def test_without_instances_the_whole_is_the_one_thing(tmp_path: Path) -> None:
    result = Result(WIDTH, HEIGHT, mask=MASKS["disc"])
    (feature,) = _json(result, tmp_path / "a.geojson")["features"]
    assert feature["properties"]["area"] == solid(MASKS["disc"]).sum()
    cut = np.dstack([np.zeros((HEIGHT, WIDTH, 3), np.uint8), MASKS["disc"]])
    assert _json(Result(WIDTH, HEIGHT, cutout=cut), tmp_path / "b.geojson")["features"] == [feature]
