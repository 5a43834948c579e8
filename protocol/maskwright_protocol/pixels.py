"""Pixel formats as the editors hold them. The sender names the format and never converts; the server does."""

from dataclasses import dataclass
from typing import Dict

TRANSFERS = ("srgb", "linear")  # gamma-encoded with the sRGB curve, or light-linear


@dataclass(frozen=True)
class PixelFormat:
    """Packed channels, little endian, straight (not premultiplied) alpha.

    ``channels`` is the order in memory: "BGRA", "RGB", "Y", "YA", ...; ``kind`` is "uint" (0..2^bits-1 is 0..1) or
    "float" (0..1, values outside are clipped).
    """

    name: str
    channels: str
    channel_bytes: int
    kind: str

    @property
    def pixel_bytes(self) -> int:
        return len(self.channels) * self.channel_bytes

    def image_bytes(self, width: int, height: int) -> int:
        return width * height * self.pixel_bytes


def _table() -> Dict[str, PixelFormat]:
    names = {"RGBA": "RGBA", "BGRA": "BGRA", "RGB": "RGB", "GRAY": "Y", "GRAYA": "YA"}
    depths = (("8", 1, "uint"), ("16", 2, "uint"), ("16F", 2, "float"), ("32F", 4, "float"))
    return {
        base + suffix: PixelFormat(base + suffix, channels, size, kind)
        for base, channels in names.items()
        for suffix, size, kind in depths
    }


FORMATS: Dict[str, PixelFormat] = _table()
