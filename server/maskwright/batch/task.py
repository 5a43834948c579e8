"""What a command does with a picture: which job it asks for, and which files its answer becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from maskwright.files.masks import read_mask
from maskwright.files.reading import FileSource
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions, check_target, write
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Job, Mask

from .companions import Companion
from .summaries import Summary


@dataclass(frozen=True)
class Targets:
    """Where the files of one picture go; ``extra`` is what the task's own ``extra`` became for this picture."""

    main: Path | BinaryIO | None = None
    extra: Path | None = None


@dataclass(kw_only=True)
class Task:
    """One command with its settings; a subclass for each. It holds nothing of a picture, so threads may share it.

    ``extra`` is a folder or file that the user asked for beside the main output; ``extra_suffix`` is the extension that
    it has for each of several pictures, empty for a folder of files.
    """

    verb: ClassVar[str]  # as in ``JobOptions``: whose models it uses
    extra_suffix: ClassVar[str] = ""
    extra: Path | None = None

    @property
    def verbs(self) -> Sequence[str]:
        """Of all steps, where it takes several."""
        return (self.verb,)

    @property
    def suffix(self) -> str:
        """What is put after the picture's name; empty for a task that writes no file."""
        return "mask"

    @property
    def companions(self) -> Sequence[Companion | None]:
        """The masks that a picture comes with."""
        return ()

    def check_targets(self, targets: Targets, options: WriteOptions, source: Path | None) -> None:
        """Raise ``BadInput`` for a file that will not be written."""
        if isinstance(targets.main, Path):
            check_target(targets.main, options, source)

    def check(self) -> None:
        """Raise ``BadInput`` for settings that suit no picture."""

    def job(self, source: FileSource) -> Job:
        """What to ask the server. Raises ``MaskwrightError`` for what does not fit this picture."""
        raise NotImplementedError

    def answer(self, source: FileSource, ask: Callable[[Job], Any]) -> Any:
        """What the server says, by as many jobs as it takes. Raises ``MaskwrightError``."""
        return ask(self.job(source))

    def result(self, answer: Any, source: FileSource) -> Result:
        """The answer's pixels, at the picture's size."""
        raise NotImplementedError

    def write(
        self, answer: Any, result: Result, source: FileSource, targets: Targets, options: WriteOptions
    ) -> list[Path]:
        """Write all files of an answer in which something was found. Raises ``BadInput``."""
        return [] if targets.main is None else write(result, targets.main, options)

    def summary(self, answer: Any) -> Summary:
        """The answer in plain values."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What decides the result besides the pictures and their masks, whose content counts."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"task": type(self).__name__, **{k: v for k, v in own.items() if not isinstance(v, Companion)}}


def mask_of(companion: Companion | None, source: FileSource) -> Mask | None:
    """The picture's mask. Raises ``BadInput``, ``BadImage``."""
    if companion is None:
        return None
    path = companion.of(source.path)
    try:
        return read_mask(path, source.width, source.height, source.picture.notes)
    except BadInput as error:
        if companion.each:  # which of them it is
            error.message = f"{path}: {error.message}"
        raise


@contextmanager
def told_when_not_written(path: Path) -> Iterator[None]:
    """Raises ``BadInput`` for a file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from None
