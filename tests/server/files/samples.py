"""Picture files for tests, written by other libraries than those that read them, or byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]
HEIGHT, WIDTH = 48, 72


def colours(height: int = HEIGHT, width: int = WIDTH) -> Array:
    """A picture that is different in each corner and channel: ``(H, W, 3)`` float64 0..1."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x / (width - 1), y / (height - 1), (x / width + y / height) / 2.5 + 0.1], axis=2)


def as_depth(values: Array, dtype: Any) -> Array:
    """0..1 over the whole range of an integer type, or as floats."""
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return np.round(values * np.iinfo(dtype).max).astype(dtype)


def fraction(pixels: Array) -> Array:
    """uint8 or uint16 -> 0..1."""
    return pixels / np.iinfo(pixels.dtype).max


def wide_gamut() -> bytes:
    """A profile like Adobe RGB (1998): wider primaries, gamma 2.2."""
    return imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329, 1], primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1], gamma=2.2
    )


def wide_gamut_to_srgb(values: Array) -> Array:
    """The same by its definition: 0..1 -> 0..1."""
    to_xyz = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
    to_srgb = np.array([[3.24097, -1.53738, -0.49861], [-0.96924, 1.87597, 0.04156], [0.05563, -0.20398, 1.05697]])
    return srgb_curve(np.clip(values**2.2 @ to_xyz.T @ to_srgb.T, 0, 1))


def linear_grey() -> bytes:
    """A grey profile without a curve."""
    return imagecodecs.cms_profile("gray", gamma=1.0)


def srgb_curve(linear: Array) -> Array:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def lookup_profile(space: bytes, corner: dict[tuple[int, ...], tuple[float, float, float]]) -> bytes:
    """An ICC profile of version 2 with a table of two steps a channel: ``corner`` has the Lab of each of them."""
    channels = len(next(iter(corner)))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    order = np.ndindex(*[2] * channels)
    table = bytes(v for one in order for v in _lab_bytes(corner[one]))
    lut = b"mft1\0\0\0\0" + bytes([channels, 3, 2, 0]) + matrix + ramp * channels + table + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text\0\0\0\0made up\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"made up\0" + bytes(78)
    tags = {b"desc": description, b"cprt": text, b"wtpt": white, b"A2B0": lut}
    body, entries, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        entries += name + struct.pack(">II", at + len(body), len(content))
        body += padded
    header = struct.pack(">I", at + len(body)) + bytes(4) + b"\x02\x20\0\0" + b"prtr" + space + b"Lab " + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + body


def _lab_bytes(lab: tuple[float, float, float]) -> tuple[int, int, int]:
    return round(lab[0] * 2.55), round(lab[1] + 128), round(lab[2] + 128)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values: Array, bits: int, *chunks: tuple[bytes, bytes], colour_type: int | None = None) -> bytes:
    """``(H, W, C)`` whole numbers of ``bits`` bits; ``chunks`` go before the pixels."""
    height, width, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour_type is None else colour_type
    if bits == 16:
        rows = values.astype(">u2").tobytes()
    else:
        flat = values.reshape(height, -1).astype(np.uint8)
        split = np.unpackbits(flat[:, :, None], axis=2)[:, :, 8 - bits :].reshape(height, -1)
        rows = np.packbits(split, axis=1).tobytes()
    step = len(rows) // height
    packed = zlib.compress(b"".join(b"\0" + rows[i : i + step] for i in range(0, len(rows), step)))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    middle = b"".join(png_chunk(*one) for one in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + middle + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def png_profile(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"made up\0\0" + zlib.compress(profile)


def exif(orientation: int) -> bytes:
    """TIFF bytes with an orientation and nothing else."""
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)


def jpeg_with_exif(data: bytes, orientation: int) -> bytes:
    part = b"Exif\0\0" + exif(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part + data[2:]


def stored_for(upright: Array, orientation: int) -> Array:
    """How a camera that was held so stores what is ``upright``: the inverse of what EXIF's numbers say, by Pillow."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    planes = [Image.fromarray(np.ascontiguousarray(upright[:, :, c]).astype(np.int32)) for c in range(upright.shape[2])]
    turned = [plane if undo is None else plane.transpose(undo) for plane in planes]
    return np.stack([np.asarray(plane) for plane in turned], axis=2).astype(upright.dtype)


_OIIO_NAMES = {"float32": "float", "float16": "half", "uint32": "uint"}


def openimageio(path: Path, pixels: Array, profile: bytes | None = None, tile: int = 0, **attributes: Any) -> Path:
    """Written by OpenImageIO; ``__`` in the names of attributes stands for a colon."""
    import OpenImageIO

    height, width, channels = pixels.shape
    oiio: Any = OpenImageIO  # its stubs are not right
    spec = oiio.ImageSpec(width, height, channels, _OIIO_NAMES.get(pixels.dtype.name, pixels.dtype.name))
    if channels in (2, 4) and attributes.get("tiff__PhotometricInterpretation") != 5:
        spec.alpha_channel = channels - 1
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    if profile is not None:
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), np.frombuffer(profile, np.uint8))
    if tile:
        spec.tile_width = spec.tile_height = tile
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(pixels), out.geterror()
    out.close()
    return path


def psd(
    planes: Array,
    mode: int,
    alpha: bool = False,
    layers: list[tuple[str, int, int, Array]] | None = None,
    profile: bytes | None = None,
    colour_table: bytes = b"",
    large: bool = False,
) -> bytes:
    """A Photoshop document: ``planes`` ``(C, H, W)``, big-endian as they are; ``mode`` 1 grey, 3 RGB, 4 CMYK, 9 Lab.

    ``layers``: name, left, top and ``(4, h, w)`` planes R, G, B and alpha each.
    """
    count, height, width = planes.shape
    depth = 8 * planes.dtype.itemsize
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2 if large else 1, count, height, width, depth, mode)
    resources = b""
    if profile is not None:
        resources = b"8BIM" + struct.pack(">HHI", 1039, 0, len(profile)) + profile + bytes(len(profile) % 2)
    info = _psd_layers(layers or [], alpha, large) if layers or alpha else b""
    size = ">Q" if large else ">I"
    section = struct.pack(size, len(info)) + info + struct.pack(">I", 0) if info else b""
    out = head + struct.pack(">I", len(colour_table)) + colour_table + struct.pack(">I", len(resources)) + resources
    out += struct.pack(size, len(section)) + section
    return out + struct.pack(">H", 0) + planes.astype(planes.dtype.newbyteorder(">")).tobytes()


def _psd_layers(layers: list[tuple[str, int, int, Array]], alpha: bool, large: bool) -> bytes:
    size = ">hQ" if large else ">hI"
    records, pixels = b"", b""
    for name, left, top, planes in layers:
        _, height, width = planes.shape
        data = [struct.pack(">H", 0) + one.astype(one.dtype.newbyteorder(">")).tobytes() for one in planes]
        records += struct.pack(">iiiiH", top, left, top + height, left + width, 4)
        records += b"".join(struct.pack(size, i, len(one)) for i, one in zip((0, 1, 2, -1), data, strict=True))
        title = bytes([len(name)]) + name.encode()
        title += bytes(-len(title) % 4)
        extra = struct.pack(">II", 0, 0) + title
        records += b"8BIMnorm" + bytes([255, 0, 0, 0]) + struct.pack(">I", len(extra)) + extra
        pixels += b"".join(data)
    out = struct.pack(">h", -len(layers) if alpha else len(layers)) + records + pixels
    return out + bytes(len(out) % 2)


def buffer(image: Image.Image, kind: str, **more: Any) -> bytes:
    """What Pillow writes."""
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()
