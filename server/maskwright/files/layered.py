"""Documents of layers: Photoshop (PSD, PSB), OpenRaster and Krita's own. Their merged picture, or one layer by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np

from .picture import CHANNELS, MAX_BYTES, Array, Space, Stored, Unreadable, check_frame, check_size

_PSD_SPACES: dict[str, Space] = {
    **dict.fromkeys(("BITMAP", "GRAYSCALE", "DUOTONE"), "gray"),
    **dict.fromkeys(("RGB", "INDEXED"), "rgb"),
    "CMYK": "cmyk",
    "LAB": "lab",
}
_SAVE_MERGED = "Save it with maximized compatibility, or flattened."


def read_psd(data: bytes, frame: int, layer: str) -> Stored:
    """Layers are given in their place on the canvas, without effects, whether they are shown or hidden."""
    check_frame(frame, 1)
    height, width = int.from_bytes(data[14:18], "big"), int.from_bytes(data[18:22], "big")
    check_size(width, height)
    check_size(width * height, max(1, int.from_bytes(data[12:14], "big") // 8))
    from psd_tools import PSDImage
    from psd_tools.constants import Resource

    psd = PSDImage.open(io.BytesIO(data))
    space = _PSD_SPACES.get(psd.color_mode.name)
    if space is None:
        raise Unreadable("its channels have inks of their own", "Save it as RGB, CMYK, Lab or grey.")
    stored = _psd_layer(psd, layer, space) if layer else _psd_merged(psd, space)
    stored.icc_profile = psd.image_resources.get_data(Resource.ICC_PROFILE) or None
    resolution = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
    if resolution is not None:
        stored.dpi = (resolution.horizontal / 65536, resolution.vertical / 65536)
    return stored


def _psd_merged(psd: Any, space: Space) -> Stored:
    if not psd.has_preview():
        raise Unreadable("it was saved without its merged picture", _SAVE_MERGED)
    values = psd.numpy()
    count = CHANNELS[space]
    colour = _psd_colours(values[:, :, :count], space, psd.depth)
    from psd_tools.api.utils import get_transparency_index, has_transparency

    if not has_transparency(psd):  # further channels are saved selections
        return Stored(colour, space)
    at = get_transparency_index(psd)
    alpha = _psd_colours(values[:, :, at : at + 1] if at >= 0 else values[:, :, -1:], "gray", psd.depth)
    return Stored(np.concatenate([colour, alpha], axis=2), space, "straight")


def _psd_colours(values: Array, space: Space, depth: int) -> Array:
    """0..1 as psd-tools gives it -> the file's depth."""
    if depth == 32:
        return values.astype(np.float32)
    if space == "cmyk":
        values = 1 - values  # Photoshop stores how much of the paper is seen
    if space == "lab" and depth == 16:
        values = values * np.float32([1, 257 / 256, 257 / 256])
    full = 65535 if depth == 16 else 255
    return np.round(np.clip(values, 0, 1) * full).astype(np.uint16 if depth == 16 else np.uint8)


def _psd_layer(psd: Any, name: str, space: Space) -> Stored:
    one = _named(name, [(layer.name, layer) for layer in psd.descendants()])
    check_size(max(1, one.width), max(1, one.height))
    if one.is_group():
        raise Unreadable(f"{name!r} is a group of layers", "Name a layer within it.")
    count = CHANNELS[space]
    kind = np.float32 if psd.depth == 32 else np.uint16 if psd.depth == 16 else np.uint8
    canvas = np.zeros((psd.height, psd.width, count + 1), kind)
    colour, shape = one.numpy("color"), one.numpy("shape")
    if colour is not None and colour.size:
        parts = _psd_colours(colour[:, :, :count], space, psd.depth)
        cover = np.ones((*colour.shape[:2], 1), np.float32) if shape is None else shape
        _place(canvas, np.concatenate([parts, _psd_colours(cover, "gray", psd.depth)], axis=2), one.left, one.top)
    return Stored(canvas, space, "straight")


def _named(name: str, layers: list[tuple[str, Any]]) -> Any:
    """The layer of that name; raises ``Unreadable`` with the names that there are."""
    found = next((one for known, one in layers if known == name), None)
    if found is None:
        found = next((one for known, one in layers if known.casefold() == name.casefold()), None)
    if found is None:
        names = ", ".join(repr(known) for known, _ in layers[:20]) or "none"
        raise Unreadable(f"it has no layer {name!r}", f"Its layers are: {names}.")
    return found


def _place(canvas: Array, part: Array, left: int, top: int) -> None:
    """Lay ``part`` on the canvas; what is beyond its borders is cut."""
    rows = slice(max(0, top), min(canvas.shape[0], top + part.shape[0]))
    columns = slice(max(0, left), min(canvas.shape[1], left + part.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        canvas[rows, columns] = part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def read_zip(data: bytes, frame: int, layer: str, picture_of: Callable[[bytes], Stored]) -> Stored:
    """OpenRaster and Krita's files hold pictures in a zip; ``picture_of`` reads one."""
    check_frame(frame, 1)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        kind = _member(archive, "mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, KeyError):
        raise Unreadable("it is an archive", "Unpack it and name the pictures.") from None
    if kind not in ("image/openraster", "application/x-krita", "application/x-kra"):
        raise Unreadable("it is a document, not a picture", "Export it as PNG or TIFF first.")
    if layer and kind != "image/openraster":
        raise Unreadable("layers of Krita's own files are not read", "Save it as OpenRaster or PSD.")
    with archive:
        if layer:
            return _openraster_layer(archive, layer, picture_of)
        try:
            return picture_of(_member(archive, "mergedimage.png"))
        except KeyError:
            raise Unreadable("it was saved without its merged picture", "Save it again with it.") from None


def _openraster_layer(archive: zipfile.ZipFile, name: str, picture_of: Callable[[bytes], Stored]) -> Stored:
    text = _member(archive, "stack.xml")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("its list of layers is not plain")
    root = ElementTree.fromstring(text)  # noqa: S314 (without entities, nothing grows)
    width, height = int(root.get("w", 0)), int(root.get("h", 0))
    check_size(width, height)
    one = _named(name, [(layer.get("name", ""), layer) for layer in root.iter("layer")])
    left, top = int(float(one.get("x", 0))), int(float(one.get("y", 0)))
    for above in _stacks_of(root, one):
        left, top = left + int(float(above.get("x", 0))), top + int(float(above.get("y", 0)))
    part = picture_of(_member(archive, one.get("src", "")))
    if not part.alpha:
        full = np.iinfo(part.pixels.dtype).max
        cover = np.full((*part.pixels.shape[:2], 1), full, part.pixels.dtype)
        part.pixels, part.alpha = np.concatenate([part.pixels, cover], axis=2), "straight"
    canvas = np.zeros((height, width, part.pixels.shape[2]), part.pixels.dtype)
    _place(canvas, part.pixels, left, top)
    part.pixels = canvas
    return part


def _stacks_of(root: Any, layer: Any) -> list[Any]:
    return [stack for stack in root.iter("stack") if any(one is layer for one in stack.iter("layer"))]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file in the archive, which may not grow beyond what is read of files. Raises ``KeyError``."""
    with archive.open(name) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES >> 30} GB")
    return content
