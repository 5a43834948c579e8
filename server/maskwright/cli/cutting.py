"""``refine`` and ``cutout``: files in, server, files out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import typer

from maskwright.files.reading import FileSource, read_mask
from maskwright.files.result import mask_plane, pixels_array
from maskwright.files.writing import write_png
from maskwright_client import coordinates
from maskwright_client.jobs import Edge, JobOptions
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import Cutout, CutoutResult, PixelRect

from . import console
from .jobs import PromptFlags, ask_for_selection, check_depth, default_out, print_instances, say, write_selection


def run_refine(
    image: Path, mask: Path, options: JobOptions, edge: Edge, context: float, out: Path | None, as_json: bool
) -> None:  # fmt: skip
    with console.explained(as_json):
        check_depth(options.mask_depth)
        source = FileSource(image)
        job = replace(options.refine(read_mask(mask, source.width, source.height), edge), context=context)
        answer = ask_for_selection(job, source, as_json)
        written = write_selection(answer, source, out or default_out(image, "refined"), None)
        if answer.context is not None and not as_json:
            box = answer.context
            console.errors.print(f"context: {box.x},{box.y},{box.width},{box.height}")
        say(answer, written, as_json)


def run_cutout(
    images: list[Path], prompt: PromptFlags, subject: str, job: Cutout, out: Path | None, as_json: bool
) -> None:
    """Several images go one after the other; one that fails is reported and the others go on.

    ``job`` has the settings; ``subject`` is a place ``X,Y`` or empty.
    """
    summaries, failure = [], None
    several = len(images) > 1
    with console.explained(as_json):
        check_depth(job.mask_depth)
        job = replace(
            job,
            priority="batch" if several else "interactive",
            subject_at=next(iter(coordinates.points(subject)), None),
            **prompt.read().fields(),
        )
        with console.connected() as client:
            for image in images:
                try:
                    source = FileSource(image)
                    answer = console.ask_server(
                        client, replace(job, mask=prompt.mask_for(source)), source, quiet=as_json
                    )
                except MaskwrightError as error:
                    if not several:
                        raise
                    failure = failure or error
                    summaries.append({"image": str(image), "error": error.code, "message": error.message})
                    console.errors.print(f"{image}: {error.message}", markup=False)
                    continue
                assert isinstance(answer, CutoutResult)
                path = _path(image, out, several, not job.foreground)
                summaries.append(_write(answer, source, path, job.crop, as_json))
                if not several:
                    if as_json:
                        console.print_json(summaries)
                    console.nothing_found(answer, as_json)
        if several and as_json:
            console.print_json(summaries)
        if failure is not None:
            raise typer.Exit(console.EXIT_FAILED)


def _path(image: Path, out: Path | None, several: bool, mask_only: bool) -> Path:
    default = default_out(image, "mask" if mask_only else "cutout")
    if out is None:
        return default
    return out / default.name if several or out.is_dir() else out


def _write(answer: CutoutResult, source: FileSource, path: Path, crop: bool, as_json: bool) -> dict[str, object]:
    summary: dict[str, object] = {"image": str(source.path), **console.report_summary(answer.report)}
    summary.update(
        reason=answer.reason, message=answer.message, agreement=answer.agreement, edge_method=answer.edge_method
    )
    summary["subjects"] = [console.instance_summary(one) for one in answer.subjects]
    if answer.alpha is None:
        return summary
    box = answer.alpha.box if crop else PixelRect(0, 0, source.width, source.height)
    if answer.foreground is None:
        plane = mask_plane(answer.alpha, source.width, source.height)
        write_png(path, plane[box.y : box.y + box.height, box.x : box.x + box.width])
    else:
        part = answer.foreground.box
        canvas = np.zeros((box.height, box.width, 4), np.uint8)
        top, left = part.y - box.y, part.x - box.x
        canvas[top : top + part.height, left : left + part.width] = pixels_array(answer.foreground)
        write_png(path, canvas)
    if not as_json:
        console.print_report(answer.report)
        if len(answer.subjects) > 1:
            print_instances(answer.subjects)
        console.output.print(str(path), markup=False, soft_wrap=True)
    return {**summary, "file": str(path)}
