"""``select``, ``refine``, ``cutout`` and ``detect``: files in, server, files out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from rich.table import Table

from maskwright_protocol.errors import BadInput, MaskwrightError
from maskwright_protocol.messages import (
    Cutout,
    CutoutResult,
    Detect,
    Parse,
    Point,
    PostProcess,
    Rect,
    Refine,
    Select,
    Selection,
)

from . import talk
from .pictures import FileSource, mask_plane, pixels_array, read_mask, write_png


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


def detector_options(pairs: list[str]) -> dict[str, str]:
    """``["iou=0.5"]`` -> ``{"iou": "0.5"}``. Raises ``BadInput``."""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals):
            raise BadInput(f"{pair!r} is not an option.", "Write NAME=VALUE, for instance iou=0.5.")
        options[name.strip()] = value.strip()
    return options


def _point(text: str, include: bool) -> Point:
    x, y = numbers(text, 2, "a point")
    return Point(x, y, include)


def _default_out(image: Path, suffix: str) -> Path:
    return image.with_name(f"{image.stem}-{suffix}.png")


def _check_depth(depth: int) -> None:
    if depth not in (8, 16):
        raise BadInput("Masks have 8 or 16 bits.", "Use --depth 8 or --depth 16.")


def run_select(
    image: Path, prompt: Prompt, recipe: str, pick: str, min_score: float | None, post: PostProcess, depth: int,
    out: Path | None, instances: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with talk.explained(as_json):
        _check_depth(depth)
        source = FileSource(image)
        points = [_point(p, True) for p in prompt.points] + [_point(p, False) for p in prompt.excluded]
        job = Select(
            id="",
            recipe=recipe,
            mask_depth=depth,
            text=prompt.text,
            exclude_text=prompt.exclude_text,
            points=points,
            boxes=[Rect(*numbers(b, 4, "a box")) for b in prompt.boxes],
            pick=pick,
            min_score=min_score,
            post=post,
            merge=True,
            detector_options=detector_options(prompt.options),
            start=read_mask(prompt.mask, source.width, source.height) if prompt.mask else None,
            region=read_mask(prompt.region, source.width, source.height) if prompt.region else None,
        )
        with talk.connected() as client:
            answer = talk.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        target = out or _default_out(image, "mask")
        written = _write_selection(answer, source, target, instances)
        _say(answer, written, as_json)


def run_refine(
    image: Path, mask: Path, edge_width: float, recipe: str, depth: int, out: Path | None, as_json: bool
) -> None:
    with talk.explained(as_json):
        _check_depth(depth)
        source = FileSource(image)
        selection = read_mask(mask, source.width, source.height)
        job = Refine(id="", recipe=recipe, mask_depth=depth, edge_width=edge_width, mask=selection)
        with talk.connected() as client:
            answer = talk.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        written = _write_selection(answer, source, out or _default_out(image, "refined"), None)
        _say(answer, written, as_json)


def _write_selection(answer: Selection, source: FileSource, out: Path, folder: Path | None) -> list[Path]:
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
    return written


def _say(answer: Selection, written: list[Path], as_json: bool) -> None:
    if as_json:
        talk.print_json({**talk.selection_summary(answer), "files": [str(path) for path in written]})
    else:
        if answer.instances:
            _print_instances(answer)
        talk.print_report(answer.report)
        for path in written:
            talk.output.print(str(path), markup=False, soft_wrap=True)
    talk.nothing_found(answer, as_json)


def _print_instances(answer: Selection) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "label", "score", "x", "y", "width", "height"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for number, instance in enumerate(answer.instances, 1):
        box = instance.box
        cells = [f"{v:.0f}" for v in (box.x, box.y, box.width, box.height)]
        table.add_row(str(number), instance.label or "object", f"{instance.score:.2f}", *cells)
    talk.errors.print(table)


def run_detect(
    image: Path, text: str, recipe: str, min_score: float | None, options: list[str], as_json: bool
) -> None:  # fmt: skip
    with talk.explained(as_json):
        source = FileSource(image)
        chosen = detector_options(options)
        job = Detect(id="", recipe=recipe, text=text, min_score=min_score, detector_options=chosen)
        with talk.connected() as client:
            answer = talk.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        _say(answer, [], as_json)


def run_parse(
    image: Path, parts: list[str], model: str, per_person: bool, person: int, whole: bool, refine: bool,
    post: PostProcess, depth: int, out: Path | None, instances: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with talk.explained(as_json):
        _check_depth(depth)
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
        with talk.connected() as client:
            answer = talk.ask_server(client, job, source, quiet=as_json)
        assert isinstance(answer, Selection)
        target = out or _default_out(image, "parts")
        written = _write_selection(answer, source, target, instances)
        _say(answer, written, as_json)


def run_cutout(images: list[Path], out: Path | None, recipe: str, mask_only: bool, depth: int, as_json: bool) -> None:
    """Several images go one after the other; one that fails is reported and the others go on."""
    summaries, failure = [], None
    several = len(images) > 1
    with talk.explained(as_json):
        _check_depth(depth)
        with talk.connected() as client:
            for image in images:
                try:
                    source = FileSource(image)
                    job = Cutout(
                        id="", recipe=recipe, mask_depth=depth if mask_only else 8, foreground=not mask_only,
                        priority="batch" if several else "interactive",
                    )  # fmt: skip
                    answer = talk.ask_server(client, job, source, quiet=as_json)
                except MaskwrightError as error:
                    if not several:
                        raise
                    failure = failure or error
                    summaries.append({"image": str(image), "error": error.code, "message": error.message})
                    talk.errors.print(f"{image}: {error.message}", markup=False)
                    continue
                assert isinstance(answer, CutoutResult)
                path = _cutout_path(image, out, several, mask_only)
                summaries.append(_write_cutout(answer, source, path, mask_only, as_json))
                if not several:
                    if as_json:
                        talk.print_json(summaries)
                    talk.nothing_found(answer, as_json)
        if several and as_json:
            talk.print_json(summaries)
        if failure is not None:
            raise typer.Exit(talk.EXIT_FAILED)


def _cutout_path(image: Path, out: Path | None, several: bool, mask_only: bool) -> Path:
    default = _default_out(image, "mask" if mask_only else "cutout")
    if out is None:
        return default
    return out / default.name if several or out.is_dir() else out


def _write_cutout(
    answer: CutoutResult, source: FileSource, path: Path, mask_only: bool, as_json: bool
) -> dict[str, object]:
    summary: dict[str, object] = {"image": str(source.path), **talk.report_summary(answer.report)}
    summary.update(reason=answer.reason, message=answer.message)
    if answer.alpha is None:
        return summary
    if mask_only or answer.foreground is None:
        write_png(path, mask_plane(answer.alpha, source.width, source.height))
    else:
        box = answer.foreground.box
        canvas = np.zeros((source.height, source.width, 4), np.uint8)
        canvas[box.y : box.y + box.height, box.x : box.x + box.width] = pixels_array(answer.foreground)
        write_png(path, canvas)
    if not as_json:
        talk.print_report(answer.report)
        talk.output.print(str(path), markup=False, soft_wrap=True)
    return {**summary, "file": str(path)}
