"""What can be written, and which of it a file's name asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from maskwright_protocol.errors import BadInput

from .result import Result


@dataclass(frozen=True)
class WriteOptions:
    """``format``: one of ``FORMATS``, for a target whose name does not tell; empty for what the name says.

    ``depth``: bits a channel, 8, 16, or 32 for floats; 0 keeps what mask and picture have as far as the format can.
    ``quality``: 1..100 where a format may lose something; None loses nothing, and as little as JPEG can.
    ``background``: ``#rrggbb`` to put behind a cut-out. ``overwrite``: also what is in ``sources``, the identities of
    all files that the command reads, as ``writing.identities`` gives them.
    """

    format: str = ""
    depth: int = 0
    quality: int | None = None
    background: str = ""
    overwrite: bool = False
    sources: frozenset[tuple[int, int] | str] = field(default=frozenset(), repr=False)

    def settings(self) -> dict[str, Any]:
        """What decides the bytes of an output."""
        return {"format": self.format, "depth": self.depth, "quality": self.quality, "background": self.background}


@dataclass(frozen=True)
class Format:
    """``depths``: bits a channel that it holds. ``lossy``: whether ``quality`` means something. ``encoder``: module and
    function that makes the bytes; imported when first used."""

    title: str
    suffixes: tuple[str, ...]
    encoder: str
    depths: tuple[int, ...] = (8,)
    lossy: bool = False

    @property
    def flat(self) -> bool:
        """Whether it holds one picture, and not things one by one."""
        return self.encoder.startswith("raster:")

    def encode(self, result: Result, options: WriteOptions) -> bytes:
        """Raises ``BadInput`` for options that it cannot follow."""
        name = self.suffixes[0][1:]
        if options.depth not in (0, 8, 16, 32):
            raise BadInput("Files have 8, 16 or 32 bits a channel.", "Use --depth 8, 16, or 32 for floats.")
        if options.depth and self.depths and options.depth not in self.depths:
            able = ", ".join(one.title for one in FORMATS.values() if options.depth in one.depths)
            raise BadInput(f"{self.title} does not hold {options.depth} bits a channel.", f"These do: {able}.")
        if options.quality is not None and not (self.lossy and 1 <= options.quality <= 100):
            able = ", ".join(one.title for one in FORMATS.values() if one.lossy)
            what = "--quality goes from 1 to 100." if self.lossy else f"{self.title} has no quality: nothing is lost."
            raise BadInput(what, f"Give it, or leave it out, with {able}." if self.lossy else f"{able} have one.")
        module, _, function = self.encoder.partition(":")
        make: Callable[[Result, WriteOptions, str], bytes] = getattr(import_module(f"{__package__}.{module}"), function)
        return make(result, options, name)


FORMATS: dict[str, Format] = {
    "png": Format("PNG", (".png",), "raster:encode", (8, 16)),
    "webp": Format("WebP", (".webp",), "raster:encode", lossy=True),
    "tiff": Format("TIFF", (".tif", ".tiff"), "raster:encode", (8, 16, 32)),
    "avif": Format("AVIF", (".avif",), "raster:encode", lossy=True),
    "jxl": Format("JPEG XL", (".jxl",), "raster:encode", (8, 16), lossy=True),
    "jpeg": Format("JPEG", (".jpg", ".jpeg"), "raster:encode", lossy=True),
    "psd": Format("PSD", (".psd",), "layer_files:encode_psd", (8, 16)),
    "ora": Format("OpenRaster", (".ora",), "layer_files:encode_ora", (8, 16)),
    "svg": Format("SVG outlines", (".svg",), "outline_files:encode_svg", ()),
    "geojson": Format("GeoJSON outlines", (".geojson",), "outline_files:encode_geojson", ()),
    "coco.json": Format("COCO JSON", (".coco.json",), "outline_files:encode_coco", ()),
}


def extension(name: str) -> str:
    """A format as a user may name it (``tif``, ``.JPG``, ``coco``) -> the suffix to write, without its first dot.

    Raises ``BadInput``.
    """
    wanted = name.lower().lstrip(".")
    for key, one in FORMATS.items():
        if wanted in (key, key.partition(".")[0]) or f".{wanted}" in one.suffixes:
            return one.suffixes[0][1:]
    raise BadInput(f"{name!r} is no format that can be written.", f"Use one of {_listed()}.")


def of_name(name: str) -> Format:
    """The format that a file's name says. Raises ``BadInput``."""
    lower = name.lower()
    for one in FORMATS.values():
        if lower.endswith(one.suffixes):
            return one
    suffix = Path(name).suffix
    problem = f"{suffix} files cannot be written" if suffix else "Its name does not say what kind of file to write"
    hint = "" if suffix else ", or a slash after the name of a folder"
    raise BadInput(f"{name}: {problem[0].lower()}{problem[1:]}.", f"Use one of {_listed()}{hint}.")


def no_transparency() -> BadInput:
    return BadInput(
        "JPEG holds no transparency.", "Give --background COLOUR, or write .png, .webp, .tif, .avif or .jxl."
    )


def check_transparent(target: Path) -> None:
    """Raises ``BadInput`` for the name of a file that cannot hold a cut-out without a background."""
    if target.name.lower().endswith(FORMATS["jpeg"].suffixes):
        raise no_transparency()


def by_format(name: str) -> Format:
    """Raises ``BadInput``."""
    suffix = f".{extension(name)}"
    return next(one for one in FORMATS.values() if suffix in one.suffixes)


def split(name: str) -> tuple[str, str]:
    """``x.coco.json`` -> ``x``, ``coco.json``."""
    for one in FORMATS.values():
        for suffix in one.suffixes:
            if name.lower().endswith(suffix) and len(name) > len(suffix):
                return name[: -len(suffix)], name[-len(suffix) + 1 :]
    stem, _, rest = name.rpartition(".")
    return (stem, rest) if stem else (name, "")


def _listed() -> str:
    return ", ".join(suffix for one in FORMATS.values() for suffix in one.suffixes)
