"""Many pictures: what is to be done, its progress, and the exit code."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import typer

from maskwright.batch import fingerprint, inputs, journal, planning, runner, watching
from maskwright.batch.connection import Connection
from maskwright.batch.inputs import Input
from maskwright.batch.journal import Journal
from maskwright.batch.outcome import Counts, Item
from maskwright.batch.processing import Processing, Resuming
from maskwright.batch.report import Report
from maskwright.batch.sheet import Sheet
from maskwright.batch.task import Task
from maskwright.files.writing import WriteOptions
from maskwright_protocol.errors import BadInput

from . import console, outputs
from .batch_display import BatchDisplay
from .flags import Pictures


def run_many(task: Task, pictures: Pictures) -> None:
    """Do what the flags say with every picture; a failure is told and the others go on."""
    found = _gathered(task, pictures)
    items = [] if pictures.watch else planning.items(task, found, outputs.wanted(pictures))
    options = outputs.write_options(pictures, [one.path for one in found])
    counts = Counts()
    with ExitStack() as stack:
        sheet = Sheet(pictures.sheet) if pictures.sheet else None
        report = stack.enter_context(Report(pictures.report)) if pictures.report else None
        connection = stack.enter_context(console.connection())
        processing = Processing(
            task, connection, options, "batch", _resuming(task, connection, options, pictures),
            sheet.thumbnails if sheet else None,
        )  # fmt: skip
        if sheet is not None:
            stack.callback(_write_sheet, sheet, counts)
        coming: Iterable[Item | None] = items
        if pictures.watch:
            coming = _arriving(task, pictures, stack.enter_context(_ended_by_signal()))
        display = stack.enter_context(BatchDisplay(None if pictures.watch else len(items), pictures.as_json))
        outcomes = stack.enter_context(closing(runner.run(processing, coming, pictures.jobs)))
        with _told_when_interrupted(counts):
            for outcome in outcomes:
                counts.add(outcome)
                if report is not None:
                    report.add(outcome)
                if sheet is not None:
                    sheet.add(outcome)
                display.add(outcome)
    console.errors.print(counts.sentence)
    _exit(counts)


def _gathered(task: Task, pictures: Pictures) -> list[Input]:
    """The pictures that are meant, without the outputs of earlier runs. Raises ``BadInput``."""
    if pictures.watch:
        return []
    found = inputs.gather(pictures.images or [], pictures.lists or [], pictures.recursive)
    left = inputs.without_outputs(found, planning.output_folders(task, pictures.out))
    if len(left) < len(found):
        console.errors.print(f"Left out as outputs of other pictures: {len(found) - len(left)}.")
    if not left:
        raise BadInput("There is no picture to work on.", "Check the names of folders and lists.")
    return left


def _resuming(task: Task, connection: Connection, options: WriteOptions, pictures: Pictures) -> Resuming | None:
    """What is needed to note what is done; a task that writes nothing notes it beside its report, if it has one."""
    place = None
    if not task.suffix:
        if pictures.report is None:
            if pictures.resume:
                raise BadInput("Nothing tells what was done before.", "Resume with --report: this writes no pictures.")
            return None
        place = pictures.report.parent / journal.NAME
    models = connection.models()
    welcome = connection.client.welcome
    settings = fingerprint.of_settings(task, options, models, welcome.server_version if welcome else "")
    return Resuming(Journal(place), settings, pictures.resume or pictures.watch)


@contextmanager
def _told_when_interrupted(counts: Counts) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        console.errors.print(f"Interrupted. {counts.sentence} Go on with --resume.")
        raise


def _write_sheet(sheet: Sheet, counts: Counts) -> None:
    for path in sheet.write(counts.sentence):
        console.errors.print(f"Sheet: {path}", markup=False, soft_wrap=True)


def _exit(counts: Counts) -> None:
    if counts.failed:
        raise typer.Exit(console.EXIT_FAILED)
    if counts.nothing_found:
        raise typer.Exit(console.EXIT_NOTHING_FOUND)


class _Ending:
    """Whether the user has asked to stop watching."""

    asked = False

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.asked and time.monotonic() < until:
            time.sleep(0.05)


@contextmanager
def _ended_by_signal() -> Iterator[_Ending]:
    """Ctrl+C ends the watching, and what is under way is finished; a second one ends that too."""
    ending = _Ending()

    def end(number: int, frame: object) -> None:
        ending.asked = True
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _arriving(task: Task, pictures: Pictures, ending: _Ending) -> Iterator[Item | None]:
    """Items for what arrives in the folders, until the user has enough. Raises ``BadInput``."""
    if pictures.lists:
        raise BadInput("A list cannot be watched.", "Name folders with --watch.")
    folders = [Path(name) for name in pictures.images or []]
    wrong = next((folder for folder in folders if not folder.is_dir()), None)
    if wrong is not None or not folders:
        raise BadInput(f"{wrong or 'Nothing'} is no folder that can be watched.", "Name folders with --watch.")
    places = planning.output_folders(task, pictures.out)
    told = ", ".join(map(str, folders))
    console.errors.print(f"Watching {told}. Ctrl+C ends it.", markup=False, soft_wrap=True)
    for arrived in watching.arrivals(folders, pictures.recursive, places, ending.pause):
        if ending.asked:
            return
        if arrived is None:
            yield None
            continue
        yield from planning.arrived(task, arrived, outputs.wanted(pictures))
