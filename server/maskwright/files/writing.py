"""Results -> files, of the kind that their names say."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from maskwright_protocol import whole_file
from maskwright_protocol.errors import BadInput, DiskFull, MaskwrightError

from . import formats, raster
from .formats import WriteOptions
from .result import Array, Result

__all__ = ["WriteOptions", "check_target", "identities", "write", "write_file", "write_png", "write_whole"]

_PLAIN = WriteOptions()
_ELSEWHERE = "Choose another place with -o."
_REASONS = {
    errno.EACCES: "nothing may be written there",
    errno.EPERM: "nothing may be written there",
    errno.EROFS: "nothing may be written there",
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EEXIST: "a part of its path is a file, not a folder",
    errno.EISDIR: "that is a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EFBIG: "the file would be larger than files may be there",
}


def write(result: Result, target: Path | BinaryIO, options: WriteOptions = _PLAIN) -> list[Path]:
    """Write what the target's name or ``options.format`` asks for; gives what was written, nothing for a stream.

    A flat picture has the cut-out, or the mask where there is none; the other formats have the instances, or the whole
    where there are none. Raises ``BadInput`` for a name or options that make no sense, and where a source would be
    overwritten; ``DiskFull``; ``NeedsPackage``.
    """
    if not isinstance(target, Path):
        target.write(formats.by_format(options.format or "png").encode(result, options))
        return []
    kind = check_target(target, options, result.picture.path if result.picture is not None else None)
    write_file(target, kind.encode(result, options))
    return [target]


def check_target(target: Path, options: WriteOptions, source: Path | None = None) -> formats.Format:
    """The format that ``write`` will use; to be called before the work is done. Raises ``BadInput`` as ``write``."""
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):  # a pipe or a device
        return formats.by_format(options.format or "png")
    kind = formats.of_name(target.name)
    if options.format and formats.by_format(options.format) is not kind:
        raise BadInput(
            f"{target.name} is the name of a {kind.title} file, and --format says {options.format}.", "Leave one out."
        )
    if os.path.isdir(target):
        raise BadInput(f"{target} is a folder.", _ELSEWHERE)
    if not options.overwrite:
        sources = options.sources | identities([source] if source is not None else [])
        if identities([target]) & sources:
            raise BadInput(
                f"{target} is one of the pictures that are read.",
                f"{_ELSEWHERE[:-1]}, or add --overwrite to replace it.",
            )
    return kind


def identities(paths: Iterable[Path]) -> frozenset[tuple[int, int] | str]:
    """What the same file has in common under all its names: links of both kinds, other spellings, upper and lower case.

    Files that are not there have none.
    """
    found: set[tuple[int, int] | str] = set()
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            continue
        # Some file systems have no numbers for files.
        found.add((about.st_dev, about.st_ino) if about.st_ino else os.path.normcase(os.path.realpath(path)))
    return frozenset(found)


def write_png(path: Path, pixels: Array) -> None:
    """Grey, RGB or RGBA, 8 or 16 bits. Raises ``BadInput`` or ``DiskFull`` when the file cannot be written."""
    write_file(path, raster.png(raster.Flat(pixels)))


def write_file(path: Path, data: bytes) -> None:
    """``write_whole`` with failures as sentences. Raises ``BadInput`` or ``DiskFull``."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise _told(path, error) from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file and the folders it lies in; whole or not at all. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write_whole(path, data)


def _told(path: Path, error: OSError) -> MaskwrightError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{path} cannot be written: the disk is full.", "Make room, or choose another place with -o.")
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    return BadInput(f"{path} cannot be written: {reason}.", _ELSEWHERE)
