"""Results as outlines: SVG, GeoJSON and COCO JSON. A thing is where its mask is above one half."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np

from maskwright.masks.outlines import Shape, polygon, shapes
from maskwright.masks.paths import path_data
from maskwright_protocol.messages import PixelRect

from .formats import WriteOptions
from .result import Array, Result, ResultInstance

_SVG = "http://www.w3.org/2000/svg"
_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#46f0f0", "#f032e6", "#008080")


def encode_svg(result: Result, options: WriteOptions, name: str) -> bytes:
    """One closed path for each thing, its holes by the even-odd rule, in pixels of the picture.

    Curves stay within half a pixel of the outline. ``id`` is the name made fit for one, ``title`` the name itself.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.Element(
        f"{{{_SVG}}}svg", width=str(result.width), height=str(result.height),
        viewBox=f"0 0 {result.width} {result.height}",
    )  # fmt: skip
    used: set[str] = set()
    for number, one in enumerate(things(result)):
        data = path_data(one.mask, one.box.x, one.box.y)
        if not data:
            continue
        path = ElementTree.SubElement(
            root, f"{{{_SVG}}}path", id=_id(one.name, used), d=data, fill=_COLOURS[number % len(_COLOURS)],
            attrib={"fill-rule": "evenodd"},
        )  # fmt: skip
        ElementTree.SubElement(path, f"{{{_SVG}}}title").text = _printable(one.name)
    return ElementTree.tostring(root, "UTF-8", xml_declaration=True)


def encode_geojson(result: Result, options: WriteOptions, name: str) -> bytes:
    """A feature for each thing: polygons within a quarter of a pixel, in pixels of the picture, y down.

    Rings are closed and turn as RFC 7946 says if y is taken to go up.
    """
    features = []
    for number, one in enumerate(things(result), 1):
        pieces = []
        for shape in _shapes(one):
            rings = [polygon(ring) for ring in (shape.outer, *shape.holes)]
            pieces.append([[*_rounded(ring), *_rounded(ring[:1])] for ring in rings])
        if pieces:
            single = len(pieces) == 1
            features.append({
                "type": "Feature",
                "id": number,
                "geometry": {
                    "type": "Polygon" if single else "MultiPolygon",
                    "coordinates": pieces[0] if single else pieces,
                },
                "properties": {"name": one.name, "score": round(one.score, 4), "area": _area(one)},
            })  # fmt: skip
    document = {
        "type": "FeatureCollection",
        "properties": {"image": _file_name(result), "width": result.width, "height": result.height},
        "features": features,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def encode_coco(result: Result, options: WriteOptions, name: str) -> bytes:
    """The picture as a data set of its own. Things without holes are polygons, others run lengths (uncompressed)."""
    found = [one for one in things(result) if _area(one)]
    categories = {label: number for number, label in enumerate(dict.fromkeys(one.name for one in found), 1)}
    annotations = []
    for number, one in enumerate(found, 1):
        solid = _solid(one)
        rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
        left, top = one.box.x + int(columns[0]), one.box.y + int(rows[0])
        annotations.append({
            "id": number,
            "image_id": 1,
            "category_id": categories[one.name],
            "segmentation": _segmentation(one, result),
            "area": _area(one),
            "bbox": [left, top, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1],
            "iscrowd": 0,
            "score": round(one.score, 4),
        })  # fmt: skip
    document = {
        "images": [{"id": 1, "file_name": _file_name(result), "width": result.width, "height": result.height}],
        "annotations": annotations,
        "categories": [{"id": number, "name": label} for label, number in categories.items()],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def things(result: Result) -> list[ResultInstance]:
    """The instances, or the whole where there are none."""
    if result.instances:
        return result.instances
    alpha = result.mask if result.cutout is None else result.cutout[:, :, 3]
    if alpha is None:
        return []
    return [ResultInstance("selection", 1.0, PixelRect(0, 0, result.width, result.height), alpha)]


def run_lengths(solid: Array, box: PixelRect, width: int, height: int) -> list[int]:
    """COCO's counts for ``solid`` (bool) at ``box`` of a picture: column by column, beginning with those outside."""
    plane = np.zeros((height, width), bool)
    plane[box.y : box.y + box.height, box.x : box.x + box.width] = solid
    flat = plane.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *counts] if flat[0] else counts


def _segmentation(one: ResultInstance, result: Result) -> Any:
    found = _shapes(one)
    if any(shape.holes for shape in found):
        counts = run_lengths(_solid(one), one.box, result.width, result.height)
        return {"size": [result.height, result.width], "counts": counts}
    return [[value for point in _rounded(polygon(shape.outer)) for value in point] for shape in found]


def _shapes(one: ResultInstance) -> list[Shape]:
    return shapes(one.mask, one.box.x, one.box.y)


def _solid(one: ResultInstance) -> Array:
    return one.mask > np.iinfo(one.mask.dtype).max // 2


def _area(one: ResultInstance) -> int:
    return int(np.count_nonzero(_solid(one)))


def _rounded(ring: Array) -> list[list[float]]:
    return np.round(ring, 2).tolist()


def _id(name: str, used: set[str]) -> str:
    """XML allows no spaces in an id, and none that begins with a digit; each is there once."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "object"
    plain = plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"
    found, number = plain, 1
    while found in used:
        number += 1
        found = f"{plain}-{number}"
    used.add(found)
    return found


def _printable(text: str) -> str:
    """Without what XML has no place for."""
    return "".join(c for c in text if c.isprintable())


def _file_name(result: Result) -> str:
    picture = result.picture
    return picture.path.name if picture is not None and picture.path is not None else ""
