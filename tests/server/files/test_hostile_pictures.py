"""Picture files made to harm, and damaged ones: a sentence that names the file, and nothing else happens."""

from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageCms, features

from maskwright.files import picture
from maskwright.files.reading import read_picture
from maskwright_protocol.errors import BadImage

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 30\n%%EndComments\n0 0 40 30 rectfill\nshowpage\n%%EOF\n"
# The same behind the header that DOS programs write.
DOS_POSTSCRIPT = struct.pack("<IIIIIIIH", 0xC6D3D0C5, 32, len(POSTSCRIPT), 0, 0, 0, 0, 0xFFFF) + b"\0\0" + POSTSCRIPT


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Ghostscript is a shell script")
@pytest.mark.parametrize("data", [POSTSCRIPT, DOS_POSTSCRIPT], ids=["plain", "dos"])
def test_no_program_is_started_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    called = tmp_path / "called"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "gs"
    script.write_text(f"#!/bin/sh\n: > '{called}'\nexit 1\n", encoding="utf-8")
    script.chmod(0o700)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # looked for anew
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with Image.open(path) as picture, pytest.raises(Exception, match=r"\S"):
        picture.load()
    assert called.exists(), "this file would prove nothing"
    called.unlink()
    with pytest.raises(BadImage, match=r"photo\.png cannot be used: it is PostScript"):
        read_picture(path)
    assert not called.exists()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def black_png(width: int, height: int, bits: int = 1, rows: int | None = None) -> bytes:
    """A grey PNG of zeros, small however large the picture is; only the first ``rows`` of it."""
    pack = zlib.compressobj(1)
    row = bytes(1 + (width * bits + 7) // 8)
    packed = b"".join(pack.compress(row) for _ in range(rows or height)) + pack.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


LARGE: dict[str, Callable[[], bytes]] = {
    "png": lambda: black_png(20_001, 20_000),
    "deep png": lambda: black_png(20_001, 20_000, bits=16, rows=9),
    "larger png": lambda: black_png(29_000, 27_000, rows=9),
    "bmp": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 20_001, 20_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "ppm": lambda: b"P6 20001 20000 255\n",
    "gif": lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
}  # fmt: skip


def long_chunk() -> bytes:
    """A 16-bit PNG that says that its pixels are 4 GB long."""
    data = cv2.imencode(".png", np.zeros((30, 40, 3), np.uint16))[1].tobytes()
    return data.replace(data[33:41], b"\xfa\0\0\0IDAT")


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory as Unix does")
def test_what_is_refused_takes_no_memory(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from maskwright.files.reading import read_picture\n"
        "from maskwright_protocol.errors import BadImage\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_picture(Path(name)); print('read')\n"
        "    except BadImage as error: print(error.message)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    paths = []
    for name, make in {**LARGE, "long chunk": long_chunk}.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(make())
        paths.append(str(path))
    run = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=False)
    *sentences, last, grown = run.stdout.splitlines()
    assert "long chunk.png cannot be read" in last
    assert sentences == [f"{name}.png has too many pixels." for name in LARGE], run.stderr
    assert run.stderr == "", "nothing but our sentence"
    assert int(grown) < 100_000, "kilobytes"


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadImage, match=r"long\.png .* GB"):
        read_picture(path)


def samples() -> dict[str, bytes]:
    """A small picture in every format and way of packing that is read."""
    y, x = np.mgrid[0:30, 0:40]
    colour = np.stack([x * 6, y * 8, x + y], axis=2).astype(np.uint8)
    picture = Image.fromarray(colour)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    made: dict[str, bytes] = {}

    def save(name: str, image: Image.Image, kind: str, **more: object) -> None:
        buffer = io.BytesIO()
        image.save(buffer, kind, **more)
        made[name] = buffer.getvalue()

    save("png", picture, "PNG", exif=exif, icc_profile=profile)
    save("png palette", picture.quantize(16), "PNG", transparency=0)
    save("jpeg", picture, "JPEG", exif=exif, icc_profile=profile)
    save("jpeg progressive", picture, "JPEG", progressive=True)
    save("jpeg cmyk", picture.convert("CMYK"), "JPEG")
    save("webp", picture, "WEBP", exif=exif)
    save("webp lossless", picture.convert("RGBA"), "WEBP", lossless=True)
    for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        save(f"tiff {packing}", picture, "TIFF", compression=packing, exif=exif)
    save("gif", picture.quantize(16), "GIF", save_all=True, append_images=[picture.rotate(90).quantize(16)])
    save("bmp", picture, "BMP")
    save("bmp palette", picture.quantize(16), "BMP")
    save("ppm", picture, "PPM")
    if "avif" in features.get_supported():
        save("avif", picture, "AVIF", exif=exif)
    deep = np.random.default_rng(1).integers(0, 65536, (30, 40, 3), np.uint16)
    for kind in ("png", "tiff"):
        made[f"{kind} deep"] = cv2.imencode(f".{kind}", deep)[1].tobytes()
    return made


SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_give_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Cut anywhere, and bytes changed at random: a picture, or a sentence with the file's name."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000_000)  # damaged sizes may be large, which takes time
    monkeypatch.setattr(picture, "MAX_PIXELS", 2_000_000)
    good, path = SAMPLES[name], tmp_path / "damaged.png"
    path.write_bytes(good)
    assert read_picture(path).pixels.shape[:2] in ((30, 40), (40, 30))
    chance = random.Random(name)

    def flipped() -> bytes:
        data = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 8, 40))):
            # The beginning has the sizes and tables.
            data[chance.randrange(chance.choice((64, len(data)))) % len(data)] = chance.randrange(256)
        return bytes(data)

    damaged = [good[:end] for end in range(0, len(good), max(1, len(good) // 50))]
    damaged += [flipped() for _ in range(200)]
    refusals = []
    for data in damaged:
        path.write_bytes(data)
        try:
            pixels = read_picture(path).pixels
        except BadImage as error:
            refusals.append(error.message)
        else:
            assert pixels.dtype in (np.uint8, np.uint16)
            assert pixels.ndim == 3
            assert pixels.shape[2] in (1, 3, 4)
    assert len(refusals) > 10
    assert all("damaged.png" in sentence and sentence.endswith(".") for sentence in refusals)
    assert not any("\n" in sentence or "OpenCV" in sentence for sentence in refusals)
