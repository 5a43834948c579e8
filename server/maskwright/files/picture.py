"""What a frame of a picture file is: as it is stored, and as the eye sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

Array = NDArray[Any]
Space = Literal["gray", "rgb", "cmyk", "lab"]
CHANNELS: dict[Space, int] = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}

MAX_PIXELS = 400_000_000
MAX_BYTES = 2 << 30


class TooLarge(ValueError):
    """The file says that it has more pixels than are read."""


class Unreadable(ValueError):
    """What the file is, as a sentence without an end, and a hint what to do about it."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def check_size(width: int, height: int) -> None:
    """To be called before there is memory for pixels. Raises ``TooLarge``."""
    if width * height > MAX_PIXELS:
        raise TooLarge


def check_frame(frame: int, frames: int) -> None:
    """Raises ``Unreadable`` unless there is such a frame."""
    if frames < 1:
        raise ValueError("it has no picture in it")
    if not 1 <= frame <= frames:
        count = "one frame" if frames == 1 else f"{frames} frames"
        raise Unreadable(f"it has {count}, and no frame {frame}", f"Name one of 1 to {frames}." if frames > 1 else "")


@dataclass
class Picture:
    """One frame of a picture file.

    ``pixels``: ``(H, W, C)`` uint8 or uint16, C 1 (grey), 3 (RGB) or 4 (RGBA, straight alpha); upright, sRGB-encoded.
    ``icc_profile``, ``exif`` and ``xmp`` are the file's own (orientations set to upright), ``dpi`` is horizontal and
    vertical; ``frame`` counts from 1; ``notes`` are sentences for the user about how it was read.
    ``own``: ``(H, W, 3)``, the file's numbers in the colours of ``icc_profile``, upright, as deep as ``pixels``; None
    where there is no profile, or one for other colours than RGB. Files are written from it.
    """

    pixels: Array
    path: Path | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    frame: int = 1
    frames: int = 1
    notes: list[str] = field(default_factory=list)
    own: Array | None = None


@dataclass
class Stored:
    """One frame with the numbers that the file has, none of them given a meaning yet.

    ``pixels``: ``(H, W, C)`` uint8, uint16 (both over their whole range) or float32 (as it is), C the channels of
    ``space`` and one more for ``alpha``. CMYK: 0 is no ink. Lab: D50; L, a and b over the whole range with a and b 0 at
    128 of 255 (uint8) or 32896 of 65535 (uint16). ``orientation`` is EXIF's 1..8. ``palette``: the colours were chosen
    from a palette. ``span``: which floats are black and white, where the file says so. ``is_srgb``: the colours were
    converted already, whatever the profile says.
    """

    pixels: Array
    space: Space = "rgb"
    alpha: Literal["", "straight", "premultiplied"] = ""
    icc_profile: bytes | None = None
    orientation: int = 1
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    frames: int = 1
    palette: bool = False
    span: tuple[float, float] | None = None
    is_srgb: bool = False
    notes: list[str] = field(default_factory=list)


def upright(pixels: Array, orientation: int) -> Array:
    """Turned and mirrored as EXIF's ``orientation`` 1..8 says; others change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
