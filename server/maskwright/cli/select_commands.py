"""The commands that select things in pictures, and their flags.

What does the work reads pictures with numpy and OpenCV, so it is imported when a command runs: help must be quick.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maskwright_client.body_parts import BodyPart
from maskwright_client.jobs import JobOptions

from . import flags


@flags.on_pictures
def select(
    pictures: flags.Pictures,
    text: Annotated[str, typer.Option("--text", "-t", help="What to select, in words.")] = "",
    exclude_text: Annotated[str, typer.Option("--not", help="What to subtract, in words.")] = "",
    point: Annotated[list[str] | None, typer.Option(help="Select what is at X,Y. Repeatable.", metavar="X,Y")] = None,
    exclude: flags.ExcludedPoint = None,
    box: Annotated[list[str] | None, typer.Option(help="Select what is in the box.", metavar="X,Y,W,H")] = None,
    scribble: flags.Scribble = None,
    exclude_scribble: flags.ExcludedScribble = None,
    lasso: flags.Lasso = None,
    exclude_lasso: flags.ExcludedLasso = None,
    like: flags.Like = None,
    unlike: flags.Unlike = None,
    mask: flags.StartMask = "",
    region: flags.Region = "",
    nearer: flags.Nearer = "",
    farther: flags.Farther = "",
    as_far: flags.AsFar = "",
    distance: flags.Range = "",
    softness: flags.Softness = 2.0,
    gap: flags.Gap = None,
    recipe: flags.Recipe = "auto",
    pick: Annotated[str, typer.Option(help="all, best, or the number of an instance.")] = "all",
    min_score: flags.MinScore = None,
    precise: Annotated[str, typer.Option(help="Look again, closely: auto (at small things), on or off.")] = "auto",
    tiles: flags.Tiles = "auto",
    detector: flags.Detector = "",
    segmenter: Annotated[str, typer.Option(help="The model that draws the mask.")] = "",
    option: flags.DetectorOptions = None,
    threshold: flags.Threshold = None,
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    smooth: flags.Smooth = 0.0,
    fill_holes: flags.FillHoles = False,
    min_area: flags.MinArea = 0.0,
    invert: flags.Invert = False,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per instance into this folder.")] = None,
    guesses: flags.Guesses = 0,
) -> None:
    """Select by words, points, strokes, boxes, examples or a mask to start from; writes a mask."""
    from maskwright.batch.selecting import SelectTask

    from .jobs import DistanceFlags, PromptFlags, StrokeFlags, companion, run_task

    options = JobOptions(
        recipes={"select": recipe}, models=flags.by_role(detector=detector, segmenter=segmenter),
        detector_options="; ".join(option or []), precise=precise, tiles=tiles, threshold=threshold, grow=grow,
        feather=feather, smooth=smooth, fill_holes=fill_holes, min_area=min_area, invert=invert,
        gap=gap, mask_depth=pictures.mask_depth,
    )  # fmt: skip
    prompt = PromptFlags(text, exclude_text, pick, point or [], exclude or [], box or [], like or [], unlike or [])
    prompt.strokes = StrokeFlags(scribble or [], exclude_scribble or [], lasso or [], exclude_lasso or [])
    far_away = DistanceFlags(nearer, as_far, farther, distance, softness)
    run_task(lambda: SelectTask(
        prompt=prompt.read(), options=options, min_score=min_score, guesses=guesses, distance=far_away.read(),
        mask=companion(mask), region=companion(region), extra=instances,
    ), pictures)  # fmt: skip


@flags.on_pictures
def detect(
    pictures: flags.Pictures,
    text: Annotated[str, typer.Option("--text", "-t", help="What to find, in words.")] = "",
    recipe: flags.Recipe = "auto",
    min_score: flags.MinScore = None,
    tiles: flags.Tiles = "auto",
    detector: flags.Detector = "",
    option: flags.DetectorOptions = None,
) -> None:
    """Find things by name; prints boxes."""
    from maskwright.batch.selecting import DetectTask

    from .jobs import run_task

    options = JobOptions(
        recipes={"detect": recipe}, models=flags.by_role(detector=detector), detector_options="; ".join(option or []),
        tiles=tiles,
    )  # fmt: skip
    run_task(lambda: DetectTask(text=text, options=options, min_score=min_score), pictures)


@flags.on_pictures
def parse(
    pictures: flags.Pictures,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", "-p", help="hair, skirt, upper body, ...; all labels without. Repeatable."),
    ] = None,
    model: Annotated[str, typer.Option(help="The parser; 'maskwright models list' names them.")] = "",
    per_person: Annotated[bool, typer.Option("--per-person", help="Tell the people apart.")] = False,
    person: Annotated[int, typer.Option(help="Only of this person or face, counted from the left.")] = 0,
    whole: Annotated[bool, typer.Option("--whole", help="Look at the picture as a whole, find no people.")] = False,
    refine: Annotated[bool, typer.Option("--refine", help="Find the edges again, hair by matting.")] = False,
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    smooth: flags.Smooth = 0.0,
    min_area: flags.MinArea = 0.0,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per part into this folder.")] = None,
) -> None:
    """Select parts of people: hair, clothes, the face; writes a mask."""
    from maskwright.batch.selecting import ParseTask

    from .jobs import run_task

    options = JobOptions(
        models=flags.by_role(parser=model), grow=grow, feather=feather, smooth=smooth, min_area=min_area,
        mask_depth=pictures.mask_depth,
    )  # fmt: skip
    wanted = options.parts([BodyPart(name) for name in part or []], refine, one_by_one=per_person)
    wanted = replace(wanted, merge=True, person=person, find_people=not whole)
    run_task(lambda: ParseTask(ask=wanted, extra=instances), pictures)


@flags.on_pictures
def everything(
    pictures: flags.Pictures,
    points: Annotated[int, typer.Option(help="Points along the long side that are tried; 0 chooses.")] = 0,
    layers: Annotated[int, typer.Option(help="Look at crops too, each time twice as close: 0 to 2.")] = 0,
    min_score: Annotated[float | None, typer.Option(help="Leave out objects below this score, 0..1.")] = None,
    min_area: Annotated[float, typer.Option(help="Leave out objects smaller than so many pixels.")] = 0.0,
    gap: flags.Gap = None,
    recipe: flags.Recipe = "auto",
    labels: Annotated[
        Path | None, typer.Option(help="Write the objects' numbers as a 16-bit PNG too; a folder for many.")
    ] = None,
) -> None:
    """Find all objects; writes a map in colours and a table as JSON beside it."""
    from maskwright.batch.mapping import EverythingTask

    from .jobs import run_task

    job = replace(
        JobOptions(recipes={"select": recipe}).everything(), priority="interactive", points_per_side=points,
        layers=layers, min_score=min_score, min_area=min_area, gap=gap,
    )  # fmt: skip
    run_task(lambda: EverythingTask(ask=job, extra=labels), pictures)


@flags.on_pictures
def similar(
    pictures: flags.Pictures,
    mask: Annotated[
        str, typer.Option(help="A selection of one of the things; a folder or pattern for many.", metavar=flags.MASKS)
    ],
    pick: Annotated[str, typer.Option(help="all, best (the thing itself), or a number.")] = "all",
    min_score: Annotated[float | None, typer.Option(help="Leave out what is less like it, 0..1.")] = None,
    recipe: flags.Recipe = "auto",
    instances: Annotated[Path | None, typer.Option(help="Folder for one mask each.")] = None,
) -> None:
    """Find what is like a selection."""
    from maskwright.batch.companions import Companion
    from maskwright.batch.selecting import SimilarTask

    from .jobs import run_task

    options = JobOptions(recipes={"select": recipe}, mask_depth=pictures.mask_depth)
    run_task(
        lambda: SimilarTask(mask=Companion(mask), options=options, pick=pick, min_score=min_score, extra=instances),
        pictures,
    )


@flags.on_pictures
def flats(
    pictures: flags.Pictures,
    gap: flags.Gap = None,
    min_area: Annotated[float, typer.Option(help="Take regions of fewer pixels into their neighbours.")] = 0.0,
) -> None:
    """Fill every region of line art with a flat colour of its own; writes the colours as a picture."""
    from maskwright.batch.flatting import FlatsTask

    from .jobs import run_task

    ask = JobOptions(gap=gap).flats("RGBA8", min_area)
    run_task(lambda: FlatsTask(ask=ask), pictures)


@flags.on_pictures
def edit(
    pictures: flags.Pictures,
    text: Annotated[
        str, typer.Option("--text", "-t", help="'also the hat', 'without the chair', 'a bit tighter', ...")
    ],
    mask: Annotated[str, typer.Option(help="What is selected now; a folder or pattern for many.", metavar=flags.MASKS)],
    recipe: flags.Recipe = "auto",
    detector: flags.Detector = "",
    segmenter: Annotated[str, typer.Option(help="The model that draws the mask.")] = "",
) -> None:
    """Change a selection by a sentence; writes a mask."""
    from maskwright.batch.companions import Companion
    from maskwright.batch.editing import EditTask

    from .jobs import run_task

    options = JobOptions(
        recipes={"select": recipe}, models=flags.by_role(detector=detector, segmenter=segmenter),
        mask_depth=pictures.mask_depth,
    )  # fmt: skip
    run_task(lambda: EditTask(mask=Companion(mask), text=text, options=options), pictures)
