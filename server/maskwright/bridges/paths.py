"""Which files an assistant may read and write: what it asks for may have come from a page or a file that it read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from maskwright_protocol.errors import BadInput

_HINT = "Name a picture in one of: "


class Folders:
    """Folders whose files may be used, with all below them but what is hidden there."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [Path(os.path.realpath(folder.expanduser())) for folder in folders]

    def picture(self, text: str) -> Path:
        """The file that is meant: absolute, or within the first folder. Raises ``BadInput``."""
        path = self._within(text)
        if not path.is_file():
            raise BadInput(f"There is no file {path}.", "Check the path.")
        return path

    def outputs(self, text: str, picture: Path) -> Path:
        """The folder to write into, made if it is not there: the picture's own without a text. Raises ``BadInput``."""
        if not text.strip():
            return picture.parent
        folder = self._within(text)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"The folder {folder} cannot be made: {error.strerror}.", "Name another one.") from error
        return folder

    def _within(self, text: str) -> Path:
        """Links are followed before it is looked where the path leads."""
        if "\0" in text or not text.strip():
            raise BadInput("That is no path.", _HINT + self._told())
        first = self._folders[0] if self._folders else Path.home()
        path = Path(os.path.realpath(first / Path(text.strip()).expanduser()))
        for folder in self._folders:
            if path == folder or folder in path.parents:
                if any(part.startswith(".") for part in path.relative_to(folder).parts):
                    break
                return path
        raise BadInput(f"{path} may not be used.", _HINT + self._told())

    def _told(self) -> str:
        return ", ".join(map(str, self._folders)) or "no folder at all"


def of_roots(uris: Sequence[str]) -> list[Path]:
    """The folders of ``file://`` addresses; others are none that can be used."""
    found = [urlparse(uri) for uri in uris]
    return [Path(url2pathname(unquote(one.path))) for one in found if one.scheme == "file" and one.path]


def write_new(folder: Path, name: str, data: bytes) -> Path:
    """Write a file that was not there: ``name.png``, or with a number where that is taken. Raises ``BadInput``."""
    for number in range(1, 10_000):
        path = folder / (f"{name}.png" if number == 1 else f"{name}-{number}.png")
        try:
            with path.open("xb") as file:
                file.write(data)
            return path
        except FileExistsError:
            continue
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}.", "Name another folder.") from error
    raise BadInput(f"There are too many files named {name} in {folder}.", "Name another folder.")
