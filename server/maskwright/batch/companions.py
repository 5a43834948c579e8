"""Masks that belong to pictures: one for all, a folder of them, or a pattern for their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright_protocol.errors import BadInput

PLACES = ("{stem}", "{name}", "{folder}")
_ENDINGS = ("", "-mask")  # how a mask is called in a folder of masks: as its picture, or as this program names masks


@dataclass(frozen=True)
class Companion:
    """``pattern`` is a file, a folder, or a path with ``{stem}``, ``{name}`` or ``{folder}`` of the picture."""

    pattern: str

    @property
    def each(self) -> bool:
        """Whether every picture has its own."""
        return any(place in self.pattern for place in PLACES) or Path(self.pattern).is_dir()

    def of(self, picture: Path | None) -> Path:
        """The mask file of a picture; None is a picture without a name. Raises ``BadInput`` where there is none."""
        if not self.each:
            return Path(self.pattern)
        if picture is None:
            raise BadInput("A picture without a name has no mask of its own.", "Name one mask file.")
        if Path(self.pattern).is_dir():
            return _in_folder(Path(self.pattern), picture)
        text = self.pattern.replace("{folder}", str(picture.parent))
        path = Path(text.replace("{stem}", picture.stem).replace("{name}", picture.name))
        if not path.is_file():
            raise BadInput(f"There is no mask {path} for {picture.name}.", "Check the pattern of the masks' names.")
        return path


def _in_folder(folder: Path, picture: Path) -> Path:
    """The file that is called as the picture, whatever its format, or that with ``-mask`` after it."""
    for ending in _ENDINGS:
        same = folder / f"{picture.stem}{ending}{picture.suffix}"
        stem = f"{picture.stem}{ending}"
        found = [same] if same.is_file() else [one for one in folder.iterdir() if one.stem == stem and one.is_file()]
        found = [one for one in found if not _same_file(one, picture)]
        if len(found) > 1:
            names = ", ".join(sorted(one.name for one in found))
            raise BadInput(f"{picture.name} has several masks: {names}.", "Leave one of them in the folder.")
        if found:
            return found[0]
    raise BadInput(f"There is no mask for {picture.name} in {folder}.", f"Call it {picture.stem}.png.")


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def files_of(companions: Sequence[Companion | None], picture: Path | None) -> list[Path]:
    """The mask files that a picture works with. Raises ``BadInput``."""
    return [one.of(picture) for one in companions if one is not None]
