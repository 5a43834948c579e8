"""``select``, ``detect`` and ``parse``: files in, server, files out; and what these share with ``cutting``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from maskwright_client import detector_options
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import (
    Detect,
    Example,
    Instance,
    Parse,
    Point,
    PostProcess,
    Rect,
    Select,
    Selection,
)

from . import console
from .pictures import FileSource, mask_plane, read_mask, write_png


@dataclass
class Prompt:
    """What the flags said; points and boxes still as text."""

    text: str
    exclude_text: str
    points: list[str]
    excluded: list[str]
    boxes: list[str]
    mask: Path | None
    region: Path | None
    options: list[str]
    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)


def numbers(text: str, count: int, what: str) -> list[float]:
    """``"1,2.5"`` -> ``[1.0, 2.5]``. Raises ``BadInput`` naming the flag."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(math.isfinite(v) for v in values):
        raise BadInput(f"{text!r} is not {what}.", f"Write {count} numbers with commas between, for instance "
                       f"{'120,80' if count == 2 else '10,20,300,200'}.")  # fmt: skip
    return values


def point(text: str, include: bool) -> Point:
    x, y = numbers(text, 2, "a point")
    return Point(x, y, include)


def default_out(image: Path, suffix: str) -> Path:
    return image.with_name(f"{image.stem}-{suffix}.png")


def check_depth(depth: int) -> None:
    if depth not in (8, 16):
        raise BadInput("Masks have 8 or 16 bits.", "Use --depth 8 or --depth 16.")


def run_select(
    image: Path, prompt: Prompt, recipe: str, models: dict[str, str], pick: str, min_score: float | None,
    post: PostProcess, depth: int, out: Path | None, instances: Path | None, as_json: bool, precise: str = "auto",
    tiles: str = "auto", guesses: int = 0,
) -> None:  # fmt: skip
    with console.explained(as_json):
        check_depth(depth)
        source = FileSource(image)
        shown = [(one, True) for one in prompt.like] + [(one, False) for one in prompt.unlike]
        points = [point(p, True) for p in prompt.points] + [point(p, False) for p in prompt.excluded]
        job = Select(
            id="",
            recipe=recipe,
            models=models,
            mask_depth=depth,
            tiles=tiles,
            text=prompt.text,
            exclude_text=prompt.exclude_text,
            points=points,
            boxes=[Rect(*numbers(b, 4, "a box")) for b in prompt.boxes],
            examples=[Example(*numbers(box, 4, "a box"), include=include) for box, include in shown],
            alternatives=guesses,
            pick=pick,
            min_score=min_score,
            post=post,
            merge=True,
            precise=precise,
            detector_options=detector_options.named(prompt.options),
            start=read_mask(prompt.mask, source.width, source.height) if prompt.mask else None,
            region=read_mask(prompt.region, source.width, source.height) if prompt.region else None,
        )
        with console.connected() as client:
            answer = console.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        target = out or default_out(image, "mask")
        written = write_selection(answer, source, target, instances)
        say(answer, written, as_json)


def write_selection(answer: Selection, source: FileSource, out: Path, folder: Path | None) -> list[Path]:
    mask = answer.merged or (answer.instances[0].mask if answer.instances else None)
    if mask is None:
        return []
    write_png(out, mask_plane(mask, source.width, source.height))
    written = [out]
    for number, instance in enumerate(answer.instances if folder else [], 1):
        assert folder is not None
        if instance.mask is not None:
            name = "".join(c if c.isalnum() else "-" for c in instance.label) or "object"
            path = folder / f"{number:02d}-{name}.png"
            write_png(path, mask_plane(instance.mask, source.width, source.height))
            written.append(path)
    for number, instance in enumerate(answer.instances, 1):
        for guess, other in enumerate(instance.alternatives, 1):
            if other.mask is not None:
                path = (folder or out.parent) / f"{out.stem}-{number:02d}-guess-{guess}.png"
                write_png(path, mask_plane(other.mask, source.width, source.height))
                written.append(path)
    return written


def say(answer: Selection, written: list[Path], as_json: bool) -> None:
    if as_json:
        console.print_json({**console.selection_summary(answer), "files": [str(path) for path in written]})
    else:
        if answer.instances:
            print_instances(answer.instances)
        console.print_report(answer.report)
        for path in written:
            console.output.print(str(path), markup=False, soft_wrap=True)
    console.nothing_found(answer, as_json)


def print_instances(instances: list[Instance]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "label", "score", "x", "y", "width", "height"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for number, instance in enumerate(instances, 1):
        box = instance.box
        cells = [f"{v:.0f}" for v in (box.x, box.y, box.width, box.height)]
        table.add_row(str(number), escape(instance.label or "object"), f"{instance.score:.2f}", *cells)
    console.errors.print(table)


def run_detect(
    image: Path, text: str, recipe: str, models: dict[str, str], min_score: float | None, options: list[str],
    as_json: bool, tiles: str = "auto",
) -> None:  # fmt: skip
    with console.explained(as_json):
        source = FileSource(image)
        chosen = detector_options.named(options)
        job = Detect(
            "", recipe=recipe, models=models, text=text, min_score=min_score, detector_options=chosen, tiles=tiles
        )
        with console.connected() as client:
            answer = console.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        say(answer, [], as_json)


def run_parse(
    image: Path, parts: list[str], model: str, per_person: bool, person: int, whole: bool, refine: bool,
    post: PostProcess, depth: int, out: Path | None, instances: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with console.explained(as_json):
        check_depth(depth)
        source = FileSource(image)
        job = Parse(
            id="",
            models={"parser": model} if model else {},
            mask_depth=depth,
            parts=parts,
            per_person=per_person,
            person=person,
            find_people=not whole,
            refine=refine,
            post=post,
            merge=True,
        )
        with console.connected() as client:
            answer = console.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        target = out or default_out(image, "parts")
        written = write_selection(answer, source, target, instances)
        say(answer, written, as_json)
