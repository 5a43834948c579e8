"""Results as documents with a layer for each found thing: PSD and OpenRaster."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import PixelRect

from . import raster
from .colours import Colours, over, rescaled
from .formats import WriteOptions
from .result import Array, Result

_MOST_PSD = 30_000  # pixels a side
_THUMBNAIL = 256


@dataclass
class Layer:
    """``pixels``: ``(H, W, 4)`` uint8 or uint16, straight alpha; its first is at ``left``, ``top`` of the document."""

    name: str
    left: int
    top: int
    pixels: Array


def layers(result: Result, options: WriteOptions, colours: Colours) -> list[Layer]:
    """One for each instance, the first on top, or one of the whole where there are no instances.

    Where the answer has clean colours they are taken, else the picture's own seen through the mask.
    """
    found = []
    for one in result.instances:
        if one.box.width and one.box.height:
            pixels = colours.masked(one.mask, one.box) if one.cutout is None else colours.painted(one.cutout, one.box)
            found.append(Layer(one.name, one.box.x, one.box.y, pixels))
    if not result.instances:
        found = _whole(result, colours)
    if not found:  # neither format is read everywhere without a layer
        found = [Layer("Nothing", 0, 0, np.zeros((1, 1, 4), colours.base.dtype))]
    if options.background:
        behind = over(np.zeros((1, 1, 4), colours.base.dtype), options.background)
        sheet = np.broadcast_to(behind, (result.height, result.width, 4))
        whole = PixelRect(0, 0, result.width, result.height)
        found.append(Layer("Background", 0, 0, colours.painted(np.ascontiguousarray(sheet), whole)))
    for one in found:
        if options.depth:
            one.pixels = rescaled(one.pixels, np.dtype(np.uint16 if options.depth == 16 else np.uint8))
    return _named_apart(found)


def _whole(result: Result, colours: Colours) -> list[Layer]:
    alpha = result.mask if result.cutout is None else result.cutout[:, :, 3]
    if alpha is None or not alpha.any():
        return []
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    box = PixelRect(
        int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
    )  # fmt: skip
    window = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
    if result.cutout is None:
        return [Layer("Selection", box.x, box.y, colours.masked(alpha[window], box))]
    return [Layer("Cut-out", box.x, box.y, colours.painted(result.cutout[window], box))]


def _named_apart(found: list[Layer]) -> list[Layer]:
    """``dog``, ``dog`` -> ``dog``, ``dog 2``."""
    used: set[str] = set()
    for one in found:
        name, number = one.name, 1
        while one.name in used:
            number += 1
            one.name = f"{name} {number}"
        used.add(one.name)
    return found


def merged(parts: Sequence[Layer], width: int, height: int, dtype: np.dtype) -> Array:
    """All layers over each other, the first on top: ``(height, width, 4)`` of ``dtype``, straight alpha."""
    full = np.float32(np.iinfo(dtype).max)
    out = np.zeros((height, width, 4), dtype)
    for one in reversed(parts):
        high, wide = one.pixels.shape[:2]
        place = out[one.top : one.top + high, one.left : one.left + wide]
        behind = place[:, :, 3:].any()
        if not behind:
            place[:] = one.pixels
            continue
        above, below = (pixels.astype(np.float32) / full for pixels in (one.pixels, place))
        rest = below[:, :, 3:] * (1 - above[:, :, 3:])
        alpha = above[:, :, 3:] + rest
        colour = above[:, :, :3] * above[:, :, 3:] + below[:, :, :3] * rest
        colour = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
        place[:] = np.round(np.concatenate([colour, alpha], axis=2) * full)
    return out


def encode_psd(result: Result, options: WriteOptions, name: str) -> bytes:
    """In the picture's own colours and depth. Raises ``BadInput`` for what is too large."""
    from psd_tools import PSDImage
    from psd_tools.api import numpy_io
    from psd_tools.constants import Resource
    from psd_tools.psd.image_resources import ImageResource

    if max(result.width, result.height) > _MOST_PSD:
        raise BadInput(
            f"PSD files have at most {_MOST_PSD} pixels a side; this one has {result.width}x{result.height}.",
            "Write .ora or .tif.",
        )
    colours = Colours(result)
    parts = layers(result, options, colours)
    dtype = parts[0].pixels.dtype
    psd = PSDImage.new("RGBA", (result.width, result.height), depth=16 if dtype == np.uint16 else 8)
    for one in reversed(parts):
        psd.create_pixel_layer_from_array(one.pixels, name=one.name, top=one.top, left=one.left)
    if colours.icc_profile is not None:
        key = Resource.ICC_PROFILE
        psd.image_resources[key] = ImageResource(key=key, data=colours.icc_profile)
    _note_resolution(psd, result)
    record: Any = psd._record
    info = record.layer_and_mask_information.layer_info
    if info is not None:
        info.layer_count = -abs(info.layer_count)  # the merged picture's fourth channel is its transparency
    # What ``save`` would compute again from the layers.
    flat = rescaled(merged(parts, result.width, result.height, dtype), np.dtype(np.float32))
    planes = numpy_io.encode_image_data(psd, flat[:, :, :3], flat[:, :, 3:])
    record.image_data.set_data(planes, record.header)
    file = io.BytesIO()
    record.write(file)
    return file.getvalue()


def _note_resolution(psd: Any, result: Result) -> None:
    if result.picture is None or result.picture.dpi is None:
        return
    from psd_tools.constants import Resource
    from psd_tools.psd.image_resources import ImageResource, ResoulutionInfo

    across, down = (round(one * 65536) for one in result.picture.dpi)
    info: Any = ResoulutionInfo(
        horizontal=across, horizontal_unit=1, width_unit=1, vertical=down, vertical_unit=1, height_unit=1
    )  # fmt: skip
    psd.image_resources[Resource.RESOLUTION_INFO] = ImageResource(key=Resource.RESOLUTION_INFO, data=info)


def encode_ora(result: Result, options: WriteOptions, name: str) -> bytes:
    """OpenRaster 0.0.6: PNG files in a zip file, in sRGB, which is all that it knows."""
    colours = Colours(result, srgb=True)
    parts = layers(result, options, colours)
    dtype = parts[0].pixels.dtype
    image = ElementTree.Element("image", version="0.0.6", w=str(result.width), h=str(result.height))
    if result.picture is not None and result.picture.dpi is not None:
        across, down = result.picture.dpi
        image.attrib.update(xres=str(round(across)), yres=str(round(down)))
    stack = ElementTree.SubElement(image, "stack")
    flat = merged(parts, result.width, result.height, dtype)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", "image/openraster")
        for number, one in enumerate(parts):
            source = f"data/layer{number}.png"
            ElementTree.SubElement(
                stack, "layer", name=one.name, src=source, x=str(one.left), y=str(one.top), opacity="1.0",
                visibility="visible", attrib={"composite-op": "svg:src-over"},
            )  # fmt: skip
            archive.writestr(source, raster.png(raster.Flat(one.pixels)))
        archive.writestr("mergedimage.png", raster.png(raster.Flat(flat)))
        archive.writestr("Thumbnails/thumbnail.png", raster.png(raster.Flat(_small(flat))))
        archive.writestr("stack.xml", ElementTree.tostring(image, "UTF-8", xml_declaration=True))
    return file.getvalue()


def _small(pixels: Array) -> Array:
    """At most 256 pixels a side, 8 bits."""
    import cv2

    high, wide = pixels.shape[:2]
    scale = min(1.0, _THUMBNAIL / max(high, wide))
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    # Multiplied by alpha, so that what is seen through does not colour the edges.
    values = rescaled(pixels, np.dtype(np.float32))
    values[:, :, :3] *= values[:, :, 3:]
    values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    np.divide(values[:, :, :3], values[:, :, 3:], out=values[:, :, :3], where=values[:, :, 3:] > 0)
    return rescaled(values, np.dtype(np.uint8))
