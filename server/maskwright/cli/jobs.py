"""From flags to a task, and one task on one picture; ``batches`` has many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from maskwright.batch import inputs, planning
from maskwright.batch.companions import Companion
from maskwright.batch.outcome import NOTHING_FOUND, Outcome
from maskwright.batch.processing import Processing
from maskwright.batch.summaries import Summary
from maskwright.batch.task import Task
from maskwright_client import coordinates
from maskwright_client.jobs import Prompt
from maskwright_client.results import DOUBTFUL
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Distance, Point

from . import console, outputs
from .flags import Pictures

_LISTED = 20


class StrokeFlags(NamedTuple):
    """Strokes as text; see ``coordinates.strokes``."""

    scribbles: list[str]
    excluded_scribbles: list[str]
    lassos: list[str]
    excluded_lassos: list[str]


@dataclass
class PromptFlags:
    """What the flags said; points, strokes and boxes still as text."""

    text: str
    exclude_text: str
    pick: str
    points: list[str]
    excluded: list[str]
    boxes: list[str]
    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    strokes: StrokeFlags = field(default_factory=lambda: StrokeFlags([], [], [], []))

    def read(self) -> Prompt:
        """Without its mask, which a picture has to fit. Raises ``BadInput``."""
        return Prompt(
            self.text,
            self.exclude_text,
            self.pick,
            coordinates.points(" ".join(self.points), " ".join(self.excluded)),
            coordinates.boxes(" ".join(self.boxes)),
            coordinates.examples(" ".join(self.like), " ".join(self.unlike)),
            coordinates.strokes(*self.strokes),
        )


@dataclass
class DistanceFlags:
    """What the flags said of a distance, as text; ``softness`` of 100."""

    nearer: str
    same: str
    farther: str
    range: str
    softness: float

    def read(self) -> Distance | None:
        """None where no distance is meant. Raises ``BadInput``."""
        given = {name: text for name, text in vars(self).items() if isinstance(text, str) and text}
        if not given:
            return None
        if len(given) > 1:
            raise BadInput(
                "Only one distance can be selected at a time.", "Use one of --nearer, --as-far, --farther, --range."
            )
        ((name, text),) = given.items()
        softness = self.softness / 100
        if name == "range":
            near, far = coordinates.span(text)
            return Distance(near / 100, far / 100, softness)
        places = coordinates.points(text)
        if len(places) != 1:
            raise BadInput("A distance goes by one place.", 'Write it as "120,80".')
        return Distance(softness=softness, at=places[0], than=name)


def companion(text: str) -> Companion | None:
    return Companion(text) if text else None


def place(text: str) -> Point | None:
    """The one place that is meant. Raises ``BadInput``."""
    return next(iter(coordinates.points(text)), None)


def run_task(make: Callable[[], Task], pictures: Pictures) -> None:
    """Do what the flags say, tell what came of it, and end with its exit code. ``make`` may raise typed errors."""
    from . import batches

    with console.explained(pictures.as_json):
        task = make()
        task.check()
        outputs.write_options(pictures, [])
        if not task.suffix and pictures.out:
            raise BadInput("This command writes no pictures.", "Use --json or --report.")
        named = pictures.images or []
        if not named and not pictures.lists:
            raise BadInput("Which pictures?", "Name pictures or folders, or a list of them with --list.")
        many = (pictures.resume, pictures.report, pictures.sheet, pictures.watch, pictures.frame == planning.ALL)
        if any(many) or inputs.is_several(named, pictures.lists or []):
            batches.run_many(task, pictures)
        else:
            run_one(task, pictures)


def run_one(task: Task, pictures: Pictures) -> None:
    """One picture, whose failure is the command's."""
    assert pictures.images is not None
    found = inputs.gather(pictures.images)
    (item,) = planning.items(task, found, outputs.wanted(pictures, several=False))
    with console.connection() as connection:
        processing = Processing(task, connection, outputs.write_options(pictures, []))
        with console.progress_bar(quiet=pictures.as_json) as on_progress:
            outcome = processing.one(item, on_progress)
    if pictures.as_json:
        console.print_json(outcome.record)
    else:
        show(outcome)
    if outcome.status == NOTHING_FOUND:
        raise typer.Exit(console.EXIT_NOTHING_FOUND)


def show(outcome: Outcome) -> None:
    """An outcome for people: what was found on stderr, the files on stdout."""
    record = outcome.record
    if "objects" in record:
        _print_objects(record["objects"])
    elif len(outcome.found) > ("subjects" in record):
        _print_instances(outcome.found)
    if "context" in record:
        console.errors.print("context: " + ",".join(map(str, record["context"])))
    console.show_report(record["report"])
    for path in record["files"]:
        console.output.print(path, markup=False, soft_wrap=True)
    if outcome.status == NOTHING_FOUND:
        console.errors.print(record["message"], style="bold yellow", markup=False)
        if record["hint"]:
            console.errors.print(record["hint"], markup=False)


def _print_instances(instances: list[Summary]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "label", "score", "x", "y", "width", "height"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for number, one in enumerate(instances, 1):
        cells = [f"{v:.0f}" for v in one["box"]]
        score = f"{one['score']:.2f}" + (" ?" if one["doubtful"] else "")
        table.add_row(str(number), escape(one["label"] or "object"), score, *cells)
    console.errors.print(table)
    if any(one["doubtful"] for one in instances):
        console.errors.print(f"? {DOUBTFUL}", style="dim")


def _print_objects(objects: list[Summary]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "score", "area", "x", "y", "width", "height", "part of"):
        table.add_column(column, justify="right")
    table.add_column("name")
    for one in objects[:_LISTED]:
        box = [f"{v:.0f}" for v in (one["area"], *one["box"])]
        table.add_row(str(one["number"]), f"{one['score']:.2f}", *box, str(one["parent"] or ""), escape(one["name"]))
    console.errors.print(table)
    if len(objects) > _LISTED:
        console.errors.print(f"[dim]and {len(objects) - _LISTED} smaller ones[/]")
