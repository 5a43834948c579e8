"""XMP goes through: from every kind of source that has it into every kind of output, with the picture upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from maskwright.files.metadata import MOST_XMP, upright_xmp
from maskwright.files.reading import read_picture
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions, write

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'tiff:Orientation="6" dc:title="A lemur"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)
UPRIGHT = XMP.replace(b'Orientation="6"', b'Orientation="1"')
SOURCES = ("jpg", "png", "webp", "tif", "avif", "heic")
OUTPUTS = ("png", "webp", "tif", "avif", "jpg", "jxl")


def source(folder: Path, suffix: str, packet: bytes = XMP) -> Path:
    path = folder / f"source.{suffix}"
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    if suffix == "tif":
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=[(700, 1, len(packet), packet, True)])
    elif suffix == "heic":
        import pillow_heif

        pillow_heif.from_pillow(Image.fromarray(pixels)).save(path, xmp=packet)
    elif suffix == "png":
        from PIL.PngImagePlugin import PngInfo

        about = PngInfo()
        about.add_itxt("XML:com.adobe.xmp", packet.decode())
        Image.fromarray(pixels).save(path, pnginfo=about)
    else:
        Image.fromarray(pixels).save(path, xmp=packet)
    return path


@pytest.mark.parametrize("suffix", SOURCES)
def test_it_is_read(tmp_path: Path, suffix: str) -> None:
    found = read_picture(source(tmp_path, suffix)).xmp
    assert found is not None
    assert found.rstrip(b"\0") == UPRIGHT


@pytest.mark.parametrize("suffix", OUTPUTS)
@pytest.mark.parametrize("large", [False, True])
def test_it_is_written(tmp_path: Path, suffix: str, large: bool) -> None:
    packet = XMP.replace(b"A lemur", b"A lemur" * 20_000) if large else XMP
    picture = read_picture(source(tmp_path, "tif", packet))
    cutout = np.dstack([picture.pixels, np.full(picture.pixels.shape[:2], 255, np.uint8)])
    result = Result(64, 48, mask=cutout[:, :, 3], cutout=cutout, picture=picture)
    path = tmp_path / f"out.{suffix}"
    write(result, path, WriteOptions())
    if suffix == "jxl":
        assert picture.xmp is not None
        assert picture.xmp in path.read_bytes()
        assert read_picture(path).xmp == picture.xmp
        return
    with Image.open(path) as written:
        found = written.info.get("xmp")
    if suffix == "jpg" and large:
        assert found is None, "a JPEG file has no room for it"
    else:
        found = found.encode() if isinstance(found, str) else found
        assert found == picture.xmp


@pytest.mark.parametrize("packet", [b"", b"nothing", None, 7, b"<x:xmpmeta>" + b" " * MOST_XMP])
def test_what_is_no_packet_is_left_out(packet: object) -> None:
    assert upright_xmp(packet) is None


@pytest.mark.parametrize("turned", range(1, 9))
def test_both_ways_to_write_an_orientation_are_set_upright(turned: int) -> None:
    for form in ('tiff:Orientation="{}"', "tiff:Orientation='{}'", "<tiff:Orientation>{}</tiff:Orientation>"):
        packet = f'<x:xmpmeta>{form.format(turned)} tiff:XResolution="6"</x:xmpmeta>'.encode()
        assert upright_xmp(packet) == f'<x:xmpmeta>{form.format(1)} tiff:XResolution="6"</x:xmpmeta>'.encode()
