"""What is no picture that can be read is refused in one sentence that is true; frames; and what people sent."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from maskwright.files import raw
from maskwright.files.reading import FileSource, frames_in, read_picture
from maskwright_protocol.errors import BadImage
from maskwright_protocol.messages import PixelRect
from tests import shared_data
from tests.server.files import samples
from tests.server.files.samples import as_depth, fraction
from tests.server.files.test_formats import RGB, openraster

FIELD = shared_data.SHARED / "field"

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "zeros": (bytes(5000), "zeros"),
    "text": (b"What a picture!\n", "it is text"),
    "long text": ("ä picture ".encode() * 1000, "it is text"),
    "noise": (bytes(range(128, 256)) * 9, "no format that is read"),
    "pdf": (b"%PDF-1.7\n", "a PDF document"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
    "dos postscript": (b"\xc5\xd0\xd3\xc6" + bytes(30), "PostScript"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "vector drawing"),
    "svg with a head": (b'<?xml version="1.0"?>\n<!-- made up -->\n<svg width="3">', "vector drawing"),
    "web page": (b"<!DOCTYPE html><html>", "a web page"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "a video"),
    "quicktime": (b"\0\0\0\x14ftypqt  ", "a video"),
    "matroska": (b"\x1a\x45\xdf\xa3" + bytes(30), "a video"),
    "avi": (b"RIFF\0\0\1\0AVI LIST", "a video"),
    "wave": (b"RIFF\0\0\1\0WAVEfmt ", "a sound"),
    "mp3": (b"ID3\4" + bytes(30), "a sound"),
    "xcf": (b"gimp xcf v011\0", "a GIMP image"),
    "exr": (b"\x76\x2f\x31\x01\2\0\0\0", "an OpenEXR"),
    "hdr": (b"#?RADIANCE\n", "a Radiance"),
    "icon": (b"\0\0\1\0\1\0\x10\x10", "an icon|a Windows icon"),
    "gzip": (gzip.compress(b"x"), "an archive"),
    "zip": (b"PK\3\4" + bytes(60), "an archive"),
    "document": (openraster({}, "<x/>", "application/vnd.oasis.opendocument.text"), "a document"),
    "openraster without a picture": (openraster({}, "<image/>"), "without its merged picture"),
    "program": (b"\x7fELF" + bytes(60), "a program"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_is_named(tmp_path: Path, kind: str) -> None:
    data, words = REFUSED[kind]
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with pytest.raises(BadImage, match=words) as refused:
        read_picture(path)
    assert refused.value.message.startswith("photo.png cannot be used: ")
    assert refused.value.message.endswith(".")
    assert refused.value.hint
    if not data.startswith(b"PK"):  # these have one frame, whatever they hold
        with pytest.raises(BadImage, match=words):
            frames_in(path)


def bombs() -> dict[str, bytes]:
    """Small files that say that they are huge."""
    jxl = bytearray(imagecodecs.jpegxl_encode(as_depth(RGB, np.uint8), lossless=True, usecontainer=False))
    jxl[2:12] = (((1 << 29) << 3) | (3 << 1)).to_bytes(10, "little")  # height of 30 bits, and as wide
    jp2 = bytearray(imagecodecs.jpeg2k_encode(as_depth(RGB, np.uint8), level=0))
    at = jp2.index(b"\xff\x4f\xff\x51") + 8
    jp2[at : at + 8] = (60_000).to_bytes(4, "big") * 2
    header = jp2.index(b"ihdr") + 4
    jp2[header : header + 8] = (60_000).to_bytes(4, "big") * 2
    psd = bytearray(samples.psd(as_depth(RGB, np.uint8).transpose(2, 0, 1), 3))
    psd[14:22] = (29_000).to_bytes(4, "big") * 2
    layers = '<image w="90000" h="90000"><stack><layer name="a" src="a.png"/></stack></image>'
    return {"jxl": bytes(jxl), "jp2": bytes(jp2), "psd": bytes(psd), "layer": openraster({"a.png": b""}, layers)}


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory as Unix does")
@pytest.mark.parametrize("kind", ["jxl", "jp2", "psd", "layer"])
def test_a_huge_size_is_refused_before_there_is_memory(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(bombs()[kind])
    program = (
        "import resource, sys; from pathlib import Path; from maskwright.files.reading import read_picture\n"
        "import imagecodecs, pillow_jxl, psd_tools\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_picture(Path(sys.argv[1]), layer=sys.argv[2])\n"
        "except Exception as error: print(error.message)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a"), "a" if kind == "layer" else ""]
    said, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == "a has too many pixels."
    assert int(grown) < 100_000, "kilobytes"


@pytest.mark.parametrize("layer", ["sky", "Sky "])
def test_a_layer_that_is_not_there_is_refused_with_those_that_are(layer: str) -> None:
    with pytest.raises(BadImage, match="no layers"):
        read_picture(samples.png(np.zeros((3, 3, 3)), 8), layer=layer)
    data = samples.psd(
        as_depth(RGB, np.uint8).transpose(2, 0, 1), 3, layers=[("Hills", 0, 0, np.zeros((4, 2, 2), np.uint8))]
    )
    with pytest.raises(BadImage, match="no layer") as refused:
        read_picture(data, layer=layer)
    assert "'Hills'" in refused.value.hint


# ---------------------------------------------------------------- frames

STILLS = [np.full((20, 30, 3), value, np.uint8) for value in (40, 120, 200)]


def animated(kind: str, **more: Any) -> bytes:
    images = [Image.fromarray(one) for one in STILLS]
    return samples.buffer(images[0], kind, save_all=True, append_images=images[1:], duration=100, **more)


ANIMATED: dict[str, Any] = {
    "gif": lambda: animated("GIF"),
    "webp": lambda: animated("WEBP", lossless=True),
    "png": lambda: animated("PNG"),
    "avif": lambda: imagecodecs.avif_encode(np.stack(STILLS), level=100),
    "tiff": lambda: animated("TIFF"),
}


@pytest.mark.parametrize("kind", ANIMATED)
def test_frames(kind: str) -> None:
    data = ANIMATED[kind]()
    assert frames_in(data) == 3
    for number, still in enumerate(STILLS, 1):
        picture = read_picture(data, number)
        assert (picture.frame, picture.frames) == (number, 3)
        assert np.abs(picture.pixels[:, :, :3].astype(int) - still).max() <= 3
    assert "3 frames" in read_picture(data).notes[0]
    assert read_picture(data, 2).notes == []
    for number in (0, 4):
        with pytest.raises(BadImage, match=f"3 frames, and no frame {number}"):
            read_picture(data, number)


def test_pipes_and_bytes_are_read() -> None:
    data = samples.png(as_depth(RGB, np.uint8), 8)
    for source in (data, io.BytesIO(data)):
        assert np.array_equal(read_picture(source).pixels, as_depth(RGB, np.uint8))
        assert FileSource(data).path is None
    with pytest.raises(BadImage, match="The picture cannot be used: it is empty"):
        read_picture(b"")


def test_what_libraries_say_of_damaged_files_stays_out_of_sight(tmp_path: Path) -> None:
    tiff = samples.buffer(Image.fromarray(as_depth(RGB, np.uint8)), "TIFF")
    psd = samples.psd(as_depth(RGB, np.uint8).transpose(2, 0, 1), 3, profile=bytes(40))
    (tmp_path / "a").write_bytes(tiff[:-60])
    (tmp_path / "b").write_bytes(psd.replace(b"8BIM", b"8BXX"))
    program = (
        "import sys; from pathlib import Path; from maskwright.files.reading import read_picture\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_picture(Path(name))\n"
        "    except Exception as error: print(error.message)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a"), str(tmp_path / "b")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("a cannot be read")
    assert run.stderr == ""


# ---------------------------------------------------------------- camera raw


def raw_photo(path: Path) -> Path:
    """A DNG of a made-up camera with a mosaic of red, green and blue."""
    import tifffile

    mosaic = np.full((64, 96), 2000, np.uint16)
    mosaic[:, 48:] = 9000
    rational = np.array([1, 1] * 9)
    matrix = [(v, 10000) for v in (6722, -635, -963, -4287, 12460, 2028, -908, 2162, 5668)]
    flat = tuple(v for one in matrix for v in one)
    assert len(flat) == rational.size
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Made up", True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, (0, 1, 1, 2), True),
        (50721, "2i", 9, flat, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50717, "H", 1, 16383, True),
        (271, "s", 0, "Made up", True),
        (272, "s", 0, "Made up", True),
    ]
    tifffile.imwrite(path, mosaic, photometric=32803, extratags=tags, metadata=None, software=False)
    return path


def test_camera_raw_is_developed(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    picture = read_picture(raw_photo(tmp_path / "a.dng"))
    assert picture.pixels.dtype == np.uint16
    assert picture.pixels.shape[2] == 3
    dark, bright = fraction(picture.pixels[:, :30]).mean(), fraction(picture.pixels[:, -30:]).mean()
    assert bright > 1.5 * dark


def test_without_a_decoder_camera_raw_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw.importlib.util, "find_spec", lambda name: None)
    for data in (raw_photo(tmp_path / "a.dng").read_bytes(), b"FUJIFILMCCD-RAW 0201", b"II*\0\x10\0\0\0CR\2\0"):
        with pytest.raises(BadImage, match="camera raw") as refused:
            read_picture(data)
        assert "maskwright[raw]" in refused.value.hint


def test_damaged_camera_raw_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    with pytest.raises(BadImage, match="camera raw that the decoder refuses"):
        read_picture(b"FUJIFILMCCD-RAW 0201" + bytes(500))


# ---------------------------------------------------------------- what people sent


@pytest.mark.skipif(not FIELD.is_dir(), reason="needs ../shared/field")
@pytest.mark.parametrize(
    ("name", "depth", "tolerance"),
    [
        ("photo.png", 8, 0.0),
        ("rgb16_adobe.png", 16, 0.07),  # some of its colours are beyond sRGB
        ("gray_linear.png", 8, 0.08),
        ("rgb16_orientation6.tif", 16, 0.0),
        ("rgb16_planar.tif", 16, 0.0),
        ("grayfloat.tif", 16, 0.08),
        ("grayalpha16.tif", 16, 0.2),
        ("rgbfloat.tif", 16, 0.01),
        ("rgb_trns.png", 8, 0.0),
    ],
)
def test_pictures_that_people_sent(name: str, depth: int, tolerance: float) -> None:
    photo = fraction(read_picture(FIELD / "photo.png").pixels)
    picture = read_picture(FIELD / name)
    found = fraction(picture.pixels)
    assert picture.pixels.dtype == (np.uint16 if depth == 16 else np.uint8)
    if name.startswith("gray"):
        photo = photo @ np.array([[0.299], [0.587], [0.114]])
    photo = photo[: found.shape[0]]
    assert found.shape[:2] == photo.shape[:2]
    seen = found[:, :, 3] > 0.5 if found.shape[2] == 4 else np.full(found.shape[:2], True)
    assert 0.2 < seen.mean() <= 1
    assert np.percentile(np.abs(found[:, :, : photo.shape[2]] - photo)[seen], 99) <= tolerance + 1e-3
    assert picture.notes == []


@pytest.mark.skipif(not FIELD.is_dir(), reason="needs ../shared/field")
def test_odd_files_that_people_sent() -> None:
    for name, words in {"damaged16.tif": "too many pixels", "eps_named.png": "PostScript"}.items():
        with pytest.raises(BadImage, match=words) as refused:
            read_picture(FIELD / name)
        assert refused.value.message.startswith(name)
    assert not read_picture(FIELD / "all_transparent.png").pixels[:, :, 3].any()
    strip = FileSource(FIELD / "strip_33000x200.png")
    assert (strip.width, strip.height) == (33000, 200)
    overview = strip.overview().raster
    assert overview.box == PixelRect(0, 0, 33000, 200)
    assert overview.width / overview.height == pytest.approx(165, rel=0.05)
