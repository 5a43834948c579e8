"""AVIF, HEIC, JPEG XL and JPEG 2000.

These turn their pixels by a property of their own, which their decoders obey; EXIF's orientation says the same once
more and is not followed.
"""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

from .metadata import upright_exif, upright_xmp
from .picture import Array, Stored, check_frame, check_size
from .plain import from_pillow
from .values import whole_range

_CODESTREAM = b"\xff\x4f\xff\x51"  # how JPEG 2000's begins


def avif_frames(data: bytes) -> int:
    """How many frames an AVIF sequence has. Raises what Pillow raises for damaged files."""
    with Image.open(io.BytesIO(data), formats=["AVIF"]) as picture:
        return int(getattr(picture, "n_frames", 1))


def read_avif(data: bytes, frame: int) -> Stored:
    """Pillow reports the file's own turn as EXIF orientation, whatever the EXIF says; imagecodecs does not turn."""
    with Image.open(io.BytesIO(data), formats=["AVIF"]) as picture:
        check_size(*picture.size)
        count = int(getattr(picture, "n_frames", 1))
        check_frame(frame, count)
        picture.seek(frame - 1)
        stored = from_pillow(picture)
    stored.frames = count
    bits = _avif_bits(data)
    # imagecodecs does not read single frames of sequences.
    if bits > 8 and count == 1:
        import imagecodecs

        stored.pixels = _with_channels(whole_range(imagecodecs.avif_decode(data), bits))
        stored.space = "gray" if stored.pixels.shape[2] <= 2 else "rgb"
        stored.alpha = "straight" if stored.pixels.shape[2] in (2, 4) else ""
    return stored


def _avif_bits(data: bytes) -> int:
    """What the first decoder configuration says: 8, 10 or 12 bits."""
    at = data.find(b"av1C")
    flags = data[at + 6] if 0 <= at < len(data) - 6 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def heic_frames(data: bytes) -> int:
    """How many pictures a HEIC file holds beside previews and depth."""
    import pillow_heif

    return len(pillow_heif.open_heif(io.BytesIO(data)))


def read_heic(data: bytes, frame: int) -> Stored:
    """The first frame is the one that the file calls its primary picture."""
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    check_frame(frame, len(file))
    others = [number for number in range(len(file)) if number != file.primary_index]
    image = file[[file.primary_index, *others][frame - 1]]
    check_size(*image.size)
    pixels = np.asarray(image)
    bits = int(image.info.get("bit_depth", 8))
    if pixels.dtype == np.uint16:  # its values are shifted up
        pixels = whole_range(pixels >> (16 - bits), bits) if 8 < bits < 16 else pixels
    pixels = _with_channels(pixels)
    exif = Image.Exif()
    if image.info.get("exif"):
        exif.load(image.info["exif"])
    alpha = "premultiplied" if image.premultiplied_alpha else "straight"
    return Stored(
        pixels,
        "gray" if pixels.shape[2] <= 2 else "rgb",
        alpha if pixels.shape[2] in (2, 4) else "",
        icc_profile=image.info.get("icc_profile") or None,
        exif=upright_exif(exif),
        xmp=upright_xmp(image.info.get("xmp")),
        frames=len(file),
    )


def read_jpeg_xl(data: bytes, frame: int) -> Stored:
    """The first frame of an animation. The profile comes from pillow-jxl-plugin, the pixels from imagecodecs."""
    import imagecodecs
    import pillow_jxl

    width, height, animated = _jxl_header(data)
    check_size(width, height)
    check_frame(frame, 1)
    pixels = _with_channels(imagecodecs.jpegxl_decode(data, index=0))
    pixels = whole_range(pixels, 8 * pixels.itemsize)
    stored = Stored(pixels, "gray" if pixels.shape[2] <= 2 else "rgb", "straight" if pixels.shape[2] in (2, 4) else "")
    jpeg, _, packed, profile, boxes = pillow_jxl.Decoder(num_threads=0)(data)
    exif = Image.Exif()
    if jpeg:
        with Image.open(io.BytesIO(packed), formats=["JPEG"]) as picture:
            profile, exif = picture.info.get("icc_profile"), picture.getexif()
    for box in boxes:
        if bytes(box.box_type) == b"Exif" and len(box.data) > 8:
            exif.load(bytes(box.data)[4:])
        elif bytes(box.box_type) == b"xml ":
            stored.xmp = upright_xmp(bytes(box.data))
    stored.icc_profile, stored.exif = profile or None, upright_exif(exif)
    if animated:
        stored.notes.append("It is an animation: its first frame is used.")
    return stored


def _jxl_header(data: bytes) -> tuple[int, int, bool]:
    """Width, height and whether it is an animation (ISO/IEC 18181-1, SizeHeader and ImageMetadata)."""
    start = data.find(b"\xff\x0a", 0 if data[:2] == b"\xff\x0a" else 12)
    if not 0 <= start < len(data) - 8:
        raise ValueError("it is shorter than it says")
    value, position = int.from_bytes(data[start + 2 : start + 40], "little"), 0

    def bits(count: int) -> int:
        nonlocal position
        position += count
        return value >> (position - count) & ((1 << count) - 1)

    def side(small: int) -> int:
        return 8 * (bits(5) + 1) if small else bits((9, 13, 18, 30)[bits(2)]) + 1

    def size() -> tuple[int, int]:
        small = bits(1)
        height, ratio = side(small), bits(3)
        over, under = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio]
        return (height * over // under if ratio else side(small)), height

    width, height = size()
    if bits(1) or not bits(1):  # all as usual; no further fields
        return width, height, False
    turned = bits(3) >= 4
    if bits(1):
        size()  # the size that it likes to be shown at
    animated = not bits(1) and bool(bits(1))  # a preview would have to be read first
    return (height, width, animated) if turned else (width, height, animated)


def read_jpeg_2000(data: bytes, frame: int) -> Stored:
    """Pillow reads 8 bits, with palettes and YCC; imagecodecs what is deeper."""
    check_frame(frame, 1)
    with Image.open(io.BytesIO(data), formats=["JPEG2000"]) as picture:
        check_size(*picture.size)
        bits = _jp2_bits(data)
        stored = from_pillow(picture)
    if bits > 8:
        import imagecodecs

        # The codestream alone: with the whole file, it would convert by the profile.
        numbers = imagecodecs.jpeg2k_decode(data[max(0, data.find(_CODESTREAM)) :])
        pixels = _with_channels(whole_range(numbers, bits))
        if pixels.shape[2] == 2 or pixels.shape[2] >= stored.pixels.shape[2]:
            stored.pixels = pixels
            if stored.space != "cmyk":
                stored.space = "gray" if pixels.shape[2] <= 2 else "rgb"
                stored.alpha = "straight" if pixels.shape[2] in (2, 4) else ""
    profile = re.search(rb"colr\x02..(?=(.{4}))", data[:65536], re.DOTALL)
    if profile:
        length = int.from_bytes(profile.group(1), "big")
        stored.icc_profile = data[profile.end() : profile.end() + length]
    return stored


def _jp2_bits(data: bytes) -> int:
    """The depth of the first component, from the codestream's SIZ marker."""
    at = data.find(_CODESTREAM)
    return (data[at + 42] & 0x7F) + 1 if 0 <= at < len(data) - 42 else 8


def _with_channels(pixels: Array) -> Array:
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
