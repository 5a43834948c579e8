"""What a file says beside its pixels: EXIF and XMP of the picture as it is read, upright."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
MOST_XMP = 1 << 20  # bytes; more is no description, but a hidden picture
_TURNED = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)[1-8]")


def upright_exif(exif: Image.Exif) -> bytes | None:
    """EXIF whose orientation is 1, as what is read is upright; None without any, or if it cannot be written again."""
    try:
        if not len(exif):
            return None
        exif[ORIENTATION] = 1
        return exif.tobytes()
    except Exception:  # damaged EXIF fails in many ways, and is no part of the picture
        return None


def upright_xmp(packet: Any) -> bytes | None:
    """An XMP packet (ISO 16684-1) whose orientation is 1; None for what is none, or too long."""
    data = packet.encode() if isinstance(packet, str) else packet
    if not isinstance(data, bytes) or len(data) > MOST_XMP or (b"xmpmeta" not in data and b"rdf:RDF" not in data):
        return None
    return _TURNED.sub(rb"\g<1>1", data)
