"""What a file is by its first bytes, whatever it is called; and what to say of those that are no pictures."""

from __future__ import annotations

import re

from .picture import Unreadable

_HEAD = 4096
_MAGIC: list[tuple[str, bytes]] = [
    ("plain", rb"\x89PNG\r\n\x1a\n"),
    ("plain", rb"\xff\xd8\xff"),
    ("plain", rb"RIFF....WEBP"),
    ("plain", rb"GIF8[79]a"),
    ("plain", rb"BM.{4}\0{4}"),
    ("plain", rb"P[1-6]\s"),
    ("psd", rb"8BPS\x00[\x01\x02]"),
    ("jpeg xl", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    ("jpeg 2000", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    ("raw", rb"II\*\0....CR\x02|IIRO|IIRS|MMOR|IIU\0|FUJIFILMCCD-RAW|FOVb|\0MRM|....ftypcrx "),
    ("avif", rb"....ftyp(?:avif|avis)"),
    ("heic", rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)"),
    ("tiff", rb"II\*\0|MM\0\*|II\+\0|MM\0\+"),
    ("layers in a zip", rb"PK\x03\x04"),
]
_SAVE_AS = "Save it as PNG, TIFF or JPEG first."
_OTHERS: list[tuple[bytes, str, str]] = [
    (rb"%PDF-", "a PDF document", "Export its page as PNG or TIFF first."),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", "Export it as PNG or TIFF first."),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]",
     "a vector drawing (SVG)", "Export it as PNG first."),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype )?html", "a web page", "Save the picture itself, not the page that shows it."),
    (rb"gimp xcf", "a GIMP image (XCF)", "Export it from GIMP as PNG, TIFF or OpenRaster."),
    (rb"\x76\x2f\x31\x01", "an OpenEXR picture", "Save it as TIFF with 32-bit floats."),
    (rb"#\?(?:RADIANCE|RGBE)", "a Radiance HDR picture", "Save it as TIFF with 32-bit floats."),
    (rb"....ftyp|....moov|....mdat|\x1a\x45\xdf\xa3|RIFF....AVI |\x00\x00\x01[\xba\xb3]|FLV\x01|OggS|\x30\x26\xb2\x75",
     "a video or sound file", "Save one of its frames as PNG."),
    (rb"ID3|fLaC|RIFF....WAVE", "a sound file", _SAVE_AS),
    (rb"\x00\x00\x01\x00[^\x00]\x00", "a Windows icon", _SAVE_AS),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "an archive", "Unpack it and name the pictures."),
    (rb"\x7fELF|MZ", "a program", "Name a picture file."),
    (rb"AT&TFORM", "a DjVu document", _SAVE_AS),
    (rb"version https://git-lfs", "a pointer to a file in Git LFS", "Fetch the file itself with: git lfs pull"),
]  # fmt: skip


def kind(data: bytes | memoryview) -> str:
    """One of the first column of the table above. Raises ``Unreadable`` with what the file is instead."""
    head = bytes(data[:_HEAD])
    for name, pattern in _MAGIC:
        if re.match(pattern, head, re.DOTALL):
            return name
    raise Unreadable(*_what_else(head))


def _what_else(head: bytes) -> tuple[str, str]:
    if not head:
        return "it is empty", "Save or copy it once more."
    if not head.strip(b"\0"):
        return "its beginning is nothing but zeros", "Save or copy it once more."
    for pattern, name, hint in _OTHERS:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            return f"it is {name}", hint
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < _HEAD else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable() or all(c.isprintable() or c in "\t\r\n\f" for c in text):
        return "it is text", "Name a picture file."
    return "its first bytes are those of no format that is read", "Use PNG, JPEG, WebP, TIFF or another picture format."
