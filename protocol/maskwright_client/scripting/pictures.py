"""What a script hands over, a path, bytes, an array or a Pillow image, as pixels and as masks of the wire."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple, Union

from maskwright_client.ask import PictureSource, RasterData, raster_data
from maskwright_protocol.errors import BadImage, BadInput
from maskwright_protocol.masks import pack
from maskwright_protocol.messages import Mask, PixelRect

from . import packages

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Array = np.ndarray[Any, Any]
    Picture = Union[str, "os.PathLike[str]", bytes, bytearray, Array, Image.Image]

Read = Callable[[Any], Any]  # a Path or bytes -> an array, or what has one as its ``pixels``
_GROUP = "maskwright.read"  # the entry point by which an installed package offers to read picture files
_CHANNELS = {1: "GRAY", 2: "GRAYA", 3: "RGB", 4: "RGBA"}
_DEPTHS = {"uint8": "8", "uint16": "16", "float16": "16F", "float32": "32F"}
_FLOATS = "Values above 1 were taken as white: floats are 0 to 1."


class ArraySource(PictureSource):
    """``pixels`` is ``(H, W, C)``, C 1 to 4 (grey, with alpha, RGB, with alpha), uint8, uint16, float16 or float32
    (0..1), encoded as sRGB. ``path`` is where it came from, if anywhere; ``notes`` are sentences about it."""

    def __init__(self, pixels: "Array", path: Optional[str] = None) -> None:
        self.pixels = pixels
        self.path = path
        self.height, self.width = pixels.shape[:2]
        self.box = PixelRect(0, 0, self.width, self.height)
        self.format = _CHANNELS[pixels.shape[2]] + _DEPTHS[pixels.dtype.name]
        bright = pixels.dtype.kind == "f" and bool((pixels > 1).any())
        self.notes: List[str] = [_FLOATS] if bright else []
        self._overview: Optional[RasterData] = None

    def overview(self) -> RasterData:
        if self._overview is None:
            size = self.overview_size()
            small = self.pixels if size == (self.width, self.height) else scaled(self.pixels, size)
            self._overview = self._raster(small, self.box)
        return self._overview

    def detail(self, box: PixelRect) -> RasterData:
        left, top = max(0, box.x), max(0, box.y)
        right, bottom = min(self.width, box.x + box.width), min(self.height, box.y + box.height)
        return self._raster(self.pixels[top:bottom, left:right], PixelRect(left, top, right - left, bottom - top))

    def _raster(self, pixels: "Array", box: PixelRect) -> RasterData:
        height, width = pixels.shape[:2]
        data = packages.numpy().ascontiguousarray(pixels).data.cast("B")
        return raster_data(data, width, height, self.format, box)


def scaled(pixels: "Array", size: Tuple[int, int]) -> "Array":
    """``(H, W, C)`` at another ``(width, height)``, each new pixel the mean of those that it covers."""
    np, pillow = packages.numpy(), packages.pillow()
    if pixels.dtype == np.uint8:
        planes = [pillow.fromarray(np.ascontiguousarray(pixels[..., i])) for i in range(pixels.shape[2])]
        return np.stack([np.asarray(plane.resize(size, pillow.Resampling.BOX)) for plane in planes], axis=-1)
    planes = [pillow.fromarray(pixels[..., i].astype(np.float32)) for i in range(pixels.shape[2])]
    found = np.stack([np.asarray(plane.resize(size, pillow.Resampling.BOX)) for plane in planes], axis=-1)
    return (np.rint(found) if pixels.dtype.kind == "u" else found).astype(pixels.dtype)


# ---------------------------------------------------------------- reading


def read(picture: "Picture", reader: Optional[Read] = None) -> ArraySource:
    """The picture that is meant. ``reader`` reads files and bytes; without one, a package that is installed and offers
    to (Maskwright's server does), else Pillow. Raises ``BadImage``, ``BadInput``."""
    if isinstance(picture, (str, os.PathLike, bytes, bytearray)):
        content = bytes(picture) if isinstance(picture, (bytes, bytearray)) else Path(picture)
        found = (reader or _installed_reader() or _read_with_pillow)(content)
        path = str(content) if isinstance(content, Path) else None
        source = ArraySource(as_pixels(getattr(found, "pixels", found)), path)
        source.notes += list(getattr(found, "notes", ()))
        return source
    if is_pillow(picture):
        return ArraySource(_pillow_pixels(picture))
    return ArraySource(as_pixels(picture))


def is_pillow(value: Any) -> bool:
    """Whether it is a Pillow image; if Pillow was not imported yet it cannot be."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _installed_reader() -> Optional[Read]:
    from importlib import metadata

    found: Any = metadata.entry_points()
    offers = found.select(group=_GROUP) if hasattr(found, "select") else found.get(_GROUP, ())
    for offer in offers:
        return offer.load()
    return None


def as_pixels(value: Any) -> "Array":
    """An array as ``(H, W, C)`` of a type that can travel. Raises ``BadInput``."""
    np = packages.numpy()
    pixels = np.asarray(value)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4 or 0 in pixels.shape:
        raise BadInput(
            f"An array of shape {np.shape(value)} is not a picture.", "Use (height, width) or (height, width, 1 to 4)."
        )
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.name not in _DEPTHS:
        if pixels.dtype.kind == "f":
            return pixels.astype(np.float32)
        raise BadInput(f"Pixels of type {pixels.dtype} are not understood.", "Use uint8, uint16, or float from 0 to 1.")
    return pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)


def _read_with_pillow(content: Union[Path, bytes]) -> "Array":
    """A file as the eye sees it: upright, in sRGB."""
    pillow = packages.pillow()
    from PIL import ImageOps

    name = "The picture" if isinstance(content, bytes) else content.name
    try:
        with pillow.open(io.BytesIO(content) if isinstance(content, bytes) else content) as opened:
            return _pillow_pixels(ImageOps.exif_transpose(opened))
    except FileNotFoundError:
        raise BadImage(f"There is no file {name}.", "Check the name.") from None
    except pillow.UnidentifiedImageError:
        raise BadImage(f"{name} is not a picture that Pillow can read.", "Read it yourself, pass the array.") from None
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise BadImage(f"{name} cannot be read: {error}.", "The file may be damaged.") from error


def _pillow_pixels(image: Any) -> "Array":
    """A Pillow image in sRGB, upright as it is."""
    np = packages.numpy()
    if image.mode.startswith("I;16"):
        return as_pixels(np.asarray(image).astype(np.uint16))
    if image.mode == "I":
        return as_pixels(np.asarray(image).clip(0, 65535).astype(np.uint16))
    if image.mode == "F":
        return as_pixels(np.asarray(image))
    transparent = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    mode = {"1": "L", "L": "L", "LA": "LA", "La": "LA"}.get(image.mode, "RGBA" if transparent else "RGB")
    mode = {"L": "LA"}.get(mode, mode) if transparent else mode
    return as_pixels(np.asarray(_srgb(image, mode)))


def _srgb(image: Any, mode: str) -> Any:
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        from PIL import ImageCms

        try:
            source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            wanted = "RGBA" if image.mode == "RGBA" else "RGB"
            return ImageCms.profileToProfile(image, source, target, outputMode=wanted) or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: the numbers as they are
    return image.convert(mode)


# ---------------------------------------------------------------- masks


def mask(given: Any, source: ArraySource, reader: Optional[Read] = None) -> Mask:
    """A mask of the picture's size: an answer of this client, an array (bool, 0..255, 0..65535, float 0..1, or of 0 and
    1), a Pillow image or a file, by its alpha if that is used, else by its brightness. Raises ``BadInput``."""
    np = packages.numpy()
    given = given if hasattr(given, "__array__") else getattr(given, "mask", given)
    if getattr(getattr(given, "dtype", None), "kind", "") == "i":
        given = np.asarray(given).clip(0, 255).astype(np.uint8)
    plane = _plane(read(given, reader).pixels)
    if plane.shape != (source.height, source.width):
        raise BadInput(
            f"The mask is {plane.shape[1]}x{plane.shape[0]}, the picture {source.width}x{source.height}.",
            "Use a mask of the picture's size.",
        )
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not len(rows):
        raise BadInput("The mask is empty.", "It has to show something.")
    top, left = int(rows[0]), int(columns[0])
    part = np.ascontiguousarray(plane[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1])
    box = PixelRect(left, top, part.shape[1], part.shape[0])
    return pack(box, part.astype(part.dtype.newbyteorder("<")).tobytes(), depth=8 * part.itemsize)


def _plane(pixels: "Array") -> "Array":
    """``(H, W)`` uint8 or uint16."""
    np = packages.numpy()
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    channels = pixels.shape[2]
    if channels in (2, 4) and bool((pixels[..., -1] < full).any()):
        plane = pixels[..., -1]
    elif channels >= 3:
        grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
        plane = (np.rint(grey) if pixels.dtype.kind == "u" else grey).astype(pixels.dtype)
    else:
        plane = pixels[..., 0]
    if plane.dtype.kind == "f":
        return np.rint(np.clip(np.nan_to_num(plane), 0, 1) * 65535).astype(np.uint16)
    return plane * plane.dtype.type(full) if plane.max() <= 1 else plane
