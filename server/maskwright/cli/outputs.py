"""From flags to where and how files are written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskwright.batch.planning import Wanted
from maskwright.files import formats
from maskwright.files.writing import WriteOptions, identities
from maskwright_protocol.errors import BadInput

from .flags import Pictures


def write_options(pictures: Pictures, sources: Iterable[Path]) -> WriteOptions:
    """How the flags want files written; ``sources`` are all that are read. Raises ``BadInput``."""
    if pictures.depth not in (0, 8, 16, 32):
        raise BadInput("Files have 8 or 16 bits, or 32 for floats.", "Use --depth 8, 16 or 32.")
    name = formats.extension(pictures.format) if pictures.format else ""
    return WriteOptions(name, pictures.depth, pictures.quality, "", pictures.overwrite, identities(sources))


def wanted(pictures: Pictures, several: bool = True) -> Wanted:
    extension = formats.extension(pictures.format or "png")
    return Wanted(pictures.out, extension, pictures.frame, pictures.layer, several)
