"""``maskwright demo``: a word, clicks, hair and a cut-out on a photo, with pictures to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from maskwright.batch.connection import Connection
from maskwright.batch.thumbnails import on_checker, rgb
from maskwright.files.reading import FileSource
from maskwright.files.result import Array, mask_plane, pixels_array
from maskwright.files.writing import write_png
from maskwright_client.body_parts import BodyPart
from maskwright_client.jobs import JobOptions
from maskwright_protocol.messages import Cutout, CutoutResult, Parse, Point, Report, Select, Selection

from . import console, demo_sheet

SAMPLE = Path(__file__).with_name("sample") / "astronaut.jpg"
SHEET = "all.png"


@dataclass(frozen=True)
class Step:
    """One thing to show: the file's name, the words under the picture, and what is asked."""

    name: str
    caption: str
    job: Select | Parse | Cutout


def steps(source: FileSource, sample: bool) -> list[Step]:
    """What is shown of the sample photo, or of any other."""
    hair = replace(JobOptions().parts([BodyPart("hair")], exact=True), person=1)
    if sample:
        wanted = [
            Step("word", 'The word "person"', Select("", text="person", merge=True)),
            Step("clicks", "Two clicks", Select("", points=[Point(380, 450), Point(470, 390)], merge=True)),
        ]
    else:
        middle = Point(source.width / 2, source.height / 2)
        wanted = [Step("click", "A click in the middle", Select("", points=[middle], merge=True))]
    return [*wanted, Step("hair", "Hair", hair), Step("cutout", "The cut-out", Cutout(""))]


def run_demo(image: Path | None, out: Path) -> None:
    """Ask for all of it and write masks, the cut-out, and a sheet that shows them, into ``out``."""
    with console.explained():
        source = FileSource(image or SAMPLE)
        photo = rgb(source.pixels)
        panels = [demo_sheet.Panel("The photo", f"{source.width} x {source.height} pixels", photo)]
        with console.connection() as connection:
            for step in steps(source, image is None):
                panels += _shown(connection, step, source, photo, out)
        write_png(out / SHEET, demo_sheet.sheet(panels))
        _tell([out / SHEET])


def _shown(connection: Connection, step: Step, source: FileSource, photo: Array, out: Path) -> list[demo_sheet.Panel]:
    """Run a step, write its pictures and give them for the sheet; none where nothing is found."""
    with console.progress_bar() as on_progress:
        answer = connection.ask(step.job, source, on_progress)
    assert isinstance(answer, Selection | CutoutResult)
    if answer.reason:
        console.errors.print(f"{step.caption}: {answer.message}", style="bold yellow", markup=False)
        return []
    console.show_report(asdict(answer.report))
    about = _about(answer.report)
    if isinstance(answer, CutoutResult):
        cut = _cut(answer, source)
        write_png(out / f"{step.name}.png", cut)
        written = [out / f"{step.name}.png", out / "background.png"]
        scene = demo_sheet.on_scene(cut)
        write_png(written[1], scene)
        panels = [
            demo_sheet.Panel(step.caption, about, on_checker(cut)),
            demo_sheet.Panel("Before another background", "with its edges' own colours", scene),
        ]
    else:
        assert answer.merged is not None
        mask = mask_plane(answer.merged, source.width, source.height)
        marks: Sequence[Point] = step.job.points if isinstance(step.job, Select) else ()
        shown = demo_sheet.highlighted(photo, mask, marks)
        written = [out / f"{step.name}-mask.png", out / f"{step.name}.png"]
        write_png(written[0], mask)
        write_png(written[1], shown)
        panels = [demo_sheet.Panel(step.caption, about, shown)]
    _tell(written)
    return panels


def _cut(answer: CutoutResult, source: FileSource) -> Array:
    """The cut-out in the picture's frame, RGBA."""
    assert answer.foreground is not None
    area = answer.foreground.box
    cut = np.zeros((source.height, source.width, 4), np.uint8)
    cut[area.y : area.y + area.height, area.x : area.x + area.width] = pixels_array(answer.foreground)
    return cut


def _about(report: Report) -> str:
    return f"{' + '.join(report.models)}, {sum(report.timings.values()) / 1000:.1f} s"


def _tell(paths: Sequence[Path]) -> None:
    for path in paths:
        console.output.print(str(path.resolve()), markup=False, soft_wrap=True)
