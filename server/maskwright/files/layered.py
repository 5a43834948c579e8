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
    record = psd._record
    planes = [_psd_plane(one, psd) for one in record.image_data.get_data(record.header)]
    if psd.color_mode.name == "INDEXED":
        table = np.frombuffer(record.color_mode_data.interleave(), np.uint8).reshape(-1, 3)
        return Stored(table[planes[0]], "rgb", palette=True)
    count = CHANNELS[space]
    at = _psd_transparency(psd, count)
    colour = _psd_colours(np.stack(planes[:count], axis=2), space)
    if at is None:
        return Stored(colour, space)
    return Stored(_without_white(np.concatenate([colour, planes[at][:, :, None]], axis=2), space), space, "straight")


def _psd_plane(data: bytes, psd: Any) -> Array:
    """One channel, ``(height, width)`` in the file's depth; a bitmap's bits are black where they are set."""
    if psd.depth == 1:
        rows = np.frombuffer(data, np.uint8).reshape(psd.height, -1)
        return 255 * (1 - np.unpackbits(rows, axis=1)[:, : psd.width])
    kind = {8: "u1", 16: ">u2", 32: ">f4"}[psd.depth]
    plane = np.frombuffer(data, kind).reshape(psd.height, psd.width)
    return plane.astype(plane.dtype.newbyteorder("="))


def _without_white(pixels: Array, space: Space) -> Array:
    """Photoshop lays merged colours on white paper; this takes it away where something shows through."""
    whole = pixels.dtype.kind == "u"
    full = float(np.iinfo(pixels.dtype).max) if whole else 1.0
    paper = np.full(pixels.shape[2] - 1, 0.0 if space == "cmyk" else full, np.float32)
    if space == "lab":
        paper[1:] = 128 if pixels.dtype == np.uint8 else 32896
    alpha = pixels[:, :, -1:].astype(np.float32) / np.float32(full)
    laid = pixels[:, :, :-1].astype(np.float32) - paper * (1 - alpha)
    colour = np.divide(laid, alpha, out=np.zeros_like(laid), where=alpha > 0)
    colour = np.clip(np.round(colour), 0, full) if whole else colour
    return np.concatenate([colour.astype(pixels.dtype), pixels[:, :, -1:]], axis=2)


def _psd_transparency(psd: Any, colours: int) -> int | None:
    """Which channel of the merged picture is its transparency; others beyond the colours are saved selections."""
    from psd_tools.api.utils import get_transparency_index
    from psd_tools.constants import Tag

    if psd.channels <= colours:
        return None
    at = get_transparency_index(psd)  # by a negative number of layers, or by its identity
    saved = (Tag.SAVING_MERGED_TRANSPARENCY, Tag.SAVING_MERGED_TRANSPARENCY16, Tag.SAVING_MERGED_TRANSPARENCY32)
    if at < 0 and psd.tagged_blocks and any(one in psd.tagged_blocks for one in saved):
        return colours
    return at if at >= 0 else None


def _psd_colours(values: Array, space: Space) -> Array:
    """Photoshop's numbers -> those of ``Stored``."""
    if space == "cmyk":
        return (1 if values.dtype.kind == "f" else np.iinfo(values.dtype).max) - values  # it has the paper that is seen
    if space == "lab" and values.dtype == np.uint16:
        wide = values.astype(np.uint32)
        wide[:, :, 1:] = np.minimum((wide[:, :, 1:] * 257 + 128) // 256, 65535)
        return wide.astype(np.uint16)
    return values


def _psd_layer(psd: Any, name: str, space: Space) -> Stored:
    one = _named(name, [(layer.name, layer) for layer in psd.descendants()])
    check_size(max(1, one.width), max(1, one.height))
    if one.is_group():
        raise Unreadable(f"{name!r} is a group of layers", "Name a layer within it.")
    full, kind = {8: (255, np.uint8), 16: (65535, np.uint16), 32: (1, np.float32)}[psd.depth]
    count = CHANNELS[space]
    canvas = np.zeros((psd.height, psd.width, count + 1), kind)
    colour, shape = one.numpy("color"), one.numpy("shape")
    if colour is not None and colour.size:
        cover = np.ones((*colour.shape[:2], 1), np.float32) if shape is None else shape
        colour, cover = (np.round(part * full).astype(kind) if full > 1 else part for part in (colour, cover))
        _place(canvas, np.concatenate([_psd_colours(colour[:, :, :count], space), cover], axis=2), one.left, one.top)
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
