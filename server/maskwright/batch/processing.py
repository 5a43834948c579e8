"""One picture from its file to its outputs. Threads share one ``Processing``."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maskwright.files.reading import FileSource
from maskwright.files.writing import WriteOptions, identities
from maskwright_protocol.errors import BadImage, InternalError, JobCancelled, MaskwrightError, OutOfMemory, ServerAbsent
from maskwright_protocol.messages import Job, Progress

from . import fingerprint, outcome
from .companions import files_of
from .connection import Connection
from .journal import Journal
from .outcome import Item, Outcome
from .task import Task
from .thumbnails import Thumbnails

log = logging.getLogger(__name__)


@dataclass
class Resuming:
    """``settings`` is the digest of what all pictures have in common; ``skip``: what is done is not done again."""

    journal: Journal
    settings: str
    skip: bool


@dataclass
class Processing:
    """``priority`` is the jobs'. Where there are ``thumbnails``, each picture gets one."""

    task: Task
    connection: Connection
    options: WriteOptions = field(default_factory=WriteOptions)
    priority: str = "interactive"
    resuming: Resuming | None = None
    thumbnails: Thumbnails | None = None

    def one(self, item: Item, on_progress: Callable[[Progress], None] | None = None) -> Outcome:
        """Read, ask, write. Raises ``MaskwrightError``; nothing is written then."""
        name = self._fingerprint(item)
        known = self._known(item, name)
        if known is not None:
            self._draw_again(item, known, name)
            return known
        began = time.monotonic()
        masks = files_of(self.task.companions, item.path)
        options = replace(self.options, sources=self.options.sources | identities(masks))
        self.task.check_targets(item.targets, options, item.path)  # before anything is computed
        source = source_of(item)
        source.overview()  # while another picture has its turn at the server

        def ask(job: Job) -> Any:
            return self.connection.ask(replace(job, priority=self.priority), source, on_progress)

        answer = self.task.answer(source, ask)
        summary, files = self.task.summary(answer), []
        summary["report"]["notes"] = [*source.picture.notes, *summary["report"]["notes"]]
        result = self.task.result(answer, source)
        if not summary["reason"]:
            files = self.task.write(answer, result, source, item.targets, options)
        ended = outcome.of_answer(item, summary, files, time.monotonic() - began)
        if self.thumbnails is not None and name:
            self.thumbnails.draw(name, source.picture, result, ended.found)
            ended.thumbnail = name
        self._note(item, name, files, ended)
        return ended

    def in_batch(self, item: Item) -> Outcome:
        """As ``one``, but what goes wrong with this picture is its outcome. Raises only what concerns all of them:
        ``ServerAbsent`` and ``JobCancelled``."""
        try:
            return self.one(item)
        except (ServerAbsent, JobCancelled):
            raise
        except MaskwrightError as error:
            return outcome.of_error(item, error)
        except MemoryError:
            return outcome.of_error(item, OutOfMemory("There was not enough memory for this picture."))
        except Exception as error:
            log.exception("a picture could not be handled")
            return outcome.of_error(item, InternalError(f"Something went wrong inside Maskwright: {error!r}."))

    # ------------------------------------------------------------ what is done already

    def _fingerprint(self, item: Item) -> str:
        """Empty where nobody asks for it. Raises ``BadImage``, ``BadInput``."""
        if item.path is None or (self.resuming is None and self.thumbnails is None):
            return ""
        settings = self.resuming.settings if self.resuming else ""
        if not item.path.is_file():
            source_of(item)  # tells what is wrong with it
        masks = files_of(self.task.companions, item.path)
        try:
            return fingerprint.of_files(f"{settings} {item.frame} {item.layer}", item.path, masks)
        except OSError as error:
            raise BadImage(f"{item.path.name} cannot be read: {error.strerror}.", "Check its permissions.") from None

    def _known(self, item: Item, name: str) -> Outcome | None:
        if self.resuming is None or not self.resuming.skip or not name:
            return None
        record = self.resuming.journal.find(_output(item), name)
        return None if record is None else outcome.of_record(item, record)

    def _note(self, item: Item, name: str, files: list[Path], ended: Outcome) -> None:
        if self.resuming is not None and name:
            self.resuming.journal.add(_output(item), name, files, ended.record)

    def _draw_again(self, item: Item, known: Outcome, name: str) -> None:
        if self.thumbnails is None:
            return
        try:
            if not self.thumbnails.has(name):
                self.thumbnails.draw_files(name, source_of(item).picture, known.record["files"], known.found)
            known.thumbnail = name
        except MaskwrightError:
            pass  # its place in the sheet stays empty


def _output(item: Item) -> Path:
    """What an outcome is known by: the main output, or the picture itself where nothing is written."""
    main = item.targets.main
    if isinstance(main, Path):
        return main
    assert item.path is not None
    return item.path if item.frame == 1 else item.path.with_name(f"{item.path.name}#{item.frame}")


def source_of(item: Item) -> FileSource:
    """The picture, read. Raises ``BadImage``."""
    return FileSource(sys.stdin.buffer if item.path is None else item.path, item.frame, item.layer)
